// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command batch lets a pool of workers go through the documents of several batches.
// Each batch has a trace id of its own, by which Revenium groups its calls, and its
// own customer; the workers belong to no batch and take what comes.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
)

type batch struct {
	id, customer string
	documents    []string
}

// job is a document to work on. Its context says whom the work is for.
type job struct {
	ctx      context.Context // that is how it gets to the worker
	document string
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	batches := []batch{
		{"invoices-7", "Acme", []string{"a-1", "a-2", "a-3"}},
		{"invoices-8", "Globex", []string{"g-1", "g-2"}},
	}
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		jobs := make(chan job)
		workers, ctx := errgroup.WithContext(ctx)
		for range 4 {
			workers.Go(func() error {
				for job := range jobs {
					ctx := instrument.WithMetadata(job.ctx, instrument.Metadata{TicketID: job.document})
					if _, err := llm.Ask(ctx, "Classify "+job.document); err != nil {
						return fmt.Errorf("%s: %w", job.document, err)
					}
				}
				return nil
			})
		}
		workers.Go(func() error {
			defer close(jobs)
			for _, b := range batches {
				ctx := instrument.WithMetadata(ctx, instrument.Metadata{
					TraceID: b.id, Organization: b.customer, TaskType: "classify",
					Job: instrument.Job{ID: b.id, Type: "invoicing"},
				})
				for _, document := range b.documents {
					select {
					case jobs <- job{ctx, document}:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
			}
			return nil
		})
		return workers.Wait()
	})
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"traceId", "organizationName", "agenticJobId", "taskType", "ticketId"},
		offline.Row{"invoices-7", "Acme", "invoices-7", "classify", "a-1"},
		offline.Row{"invoices-7", "Acme", "invoices-7", "classify", "a-2"},
		offline.Row{"invoices-7", "Acme", "invoices-7", "classify", "a-3"},
		offline.Row{"invoices-8", "Globex", "invoices-8", "classify", "g-1"},
		offline.Row{"invoices-8", "Globex", "invoices-8", "classify", "g-2"},
	)
}
