// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command precedence sets the same fields on three levels, for a context, for a
// wrapped function and for a call, and shows which of them is billed: per field,
// the call goes before the function, and the function before the context.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		// Level 1: all calls of the request.
		ctx = instrument.WithMetadata(ctx, instrument.Metadata{
			Organization: "by context", Agent: "by context", TaskType: "by context",
			Subscriber: instrument.Subscriber{ID: "u-1", Email: "jo@example.com"},
		})
		// Level 2: all calls of a function, also where it sets a context of its own.
		analyze := wrap.Err1(func(ctx context.Context, question string) error {
			ctx = instrument.WithMetadata(ctx, instrument.Metadata{Agent: "by a context inside"})
			if _, err := llm.Ask(ctx, question); err != nil {
				return err
			}
			// Level 3: one call.
			return byHand(ctx, instrument.Metadata{TaskType: "by call"})
		}, instrument.Metadata{
			Agent: "by function", TaskType: "by function",
			Subscriber: instrument.Subscriber{ID: "u-2"}, // its address stays that of the context
		})
		return analyze(ctx, "Who pays?")
	})
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"model", "organizationName", "agent", "taskType", "subscriber.id", "subscriber.email"},
		offline.Row{"gpt-4o-mini", "by context", "by function", "by function", "u-2", "jo@example.com"},
		offline.Row{"mistral-large", "by context", "by function", "by call", "u-2", "jo@example.com"},
	)
}

// byHand is a call of a provider that no instrumentation knows.
func byHand(ctx context.Context, metadata instrument.Metadata) error {
	_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "mistral_ai", Model: "mistral-large"}, metadata)
	input, output := int64(12), int64(34)
	call.SetUsage(instrument.Usage{Input: &input, Output: &output})
	call.End(nil)
	return nil
}
