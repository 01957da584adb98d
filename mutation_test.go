// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// callsOfCaller is how many calls each caller makes.
const callsOfCaller = 50

// ticket is what a caller keeps and uses again for its next call.
type ticket struct {
	values map[string]any
	fields struct {
		Organization string `revenium:"organization"`
		Task         string `revenium:"task_type"`
	}
	metadata   instrument.Metadata
	score      float64
	attributes []attribute.KeyValue
	finish     []string
	input      int64
	output     int64
}

// say fills every part of t with words of one call.
func (t *ticket) say(word string, n int64) {
	t.values["organization"], t.values["subscriber"].(map[string]any)["id"] = word, word
	t.fields.Organization, t.fields.Task = word, word
	t.metadata.Organization, t.metadata.Subscriber.ID = word, word
	t.score = float64(n%100) / 100
	t.attributes[0] = semconv.ReveniumProductName(word)
	t.finish[0] = "stop"
	t.input, t.output = n, 2*n
}

// spoil overwrites every part of t.
func (t *ticket) spoil() { t.say("spoilt", 1<<40) }

func newTicket() *ticket {
	t := &ticket{
		values:     map[string]any{"subscriber": map[string]any{}},
		attributes: make([]attribute.KeyValue, 1, 4),
		finish:     make([]string, 1),
	}
	t.metadata.QualityScore = &t.score
	return t
}

// waysToSay are the ways in which a ticket's words reach a call. Each spoils the
// ticket as soon as the words have been handed over.
var waysToSay = map[string]func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error{
	"map": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		m, err := instrument.FromMap(t.values)
		ctx = instrument.WithMetadata(ctx, m)
		attributes := instrument.WithCallOptions(ctx, instrument.WithAttributes(t.attributes...), instrument.Metadata{QualityScore: &t.score})
		t.spoil()
		call(attributes)
		return err
	},
	"struct": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		m, err := instrument.FromStruct(&t.fields)
		ctx = instrument.WithMetadata(instrument.WithMetadata(ctx, t.metadata), m)
		ctx = instrument.WithCallOptions(ctx, instrument.WithAttributes(t.attributes...))
		t.spoil()
		call(ctx)
		return err
	},
	"options": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		call(ctx, t.metadata, instrument.WithAttributes(t.attributes...))
		return nil
	},
	"call options": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		ctx = instrument.WithCallOptions(ctx, t.metadata, instrument.WithAttributes(t.attributes...))
		t.spoil()
		call(ctx)
		return nil
	},
	"wrapper": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		wrapped := wrap.Err0(func(ctx context.Context) error {
			call(ctx)
			return nil
		}, t.metadata)
		ctx = instrument.WithCallOptions(ctx, instrument.WithAttributes(t.attributes...))
		t.spoil()
		return wrapped(ctx)
	},
	"step": func(ctx context.Context, t *ticket, call func(context.Context, ...instrument.Option)) error {
		ctx, agent := instrument.StartAgent(ctx, instrument.AgentParams{Name: "writer"}, t.metadata)
		ctx = instrument.WithCallOptions(ctx, instrument.WithAttributes(t.attributes...))
		t.spoil()
		call(ctx)
		agent.End(nil)
		return nil
	},
}

// TestCallerChangesItsMetadata: callers use their maps, slices and structs again
// while calls are under way and records are being sent. Every record says what they
// held when its call was made. The race detector watches.
func TestCallerChangesItsMetadata(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	srv.Latency(time.Millisecond) // records wait, and are sent while callers go on
	sdk := start(t, srv, WithExporterOptions(exporter.WithSpool(t.TempDir())))
	provider := instrument.WithTracerProvider(sdk.TracerProvider())

	var callers sync.WaitGroup
	for way, say := range waysToSay {
		callers.Go(func() {
			ticket := newTicket()
			for n := range int64(callsOfCaller) {
				word := fmt.Sprintf("%s %d", way, n)
				ticket.say(word, n+1)
				err := say(t.Context(), ticket, func(ctx context.Context, opts ...instrument.Option) {
					_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "openai", Model: "gpt-4o"}, append(opts, provider)...)
					ticket.spoil()
					ticket.say(word, n+1) // what the answer says comes after
					call.SetResponse(instrument.Response{ID: word, FinishReasons: ticket.finish})
					call.SetUsage(instrument.Usage{Input: &ticket.input, Output: &ticket.output})
					ticket.finish[0] = "spoilt"
					ticket.spoil()
					call.End(nil)
				})
				if err != nil {
					t.Errorf("%s: %v", word, err)
				}
				ticket.spoil()
			}
		})
	}
	callers.Wait()
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if want := callsOfCaller * len(waysToSay); len(records) != want {
		t.Fatalf("%d records, want %d", len(records), want)
	}
	for way := range waysToSay {
		checkWay(t, way, records)
	}
}

// checkWay compares the records of one caller with what it held.
func checkWay(t *testing.T, way string, records []reveniumtest.Record) {
	t.Helper()
	found := 0
	for _, r := range records {
		input, _ := r.Int("inputTokenCount")
		word := fmt.Sprintf("%s %d", way, input-1)
		if r.Text("productName") != word {
			continue
		}
		found++
		output, _ := r.Int("outputTokenCount")
		if got := r.Text("organizationName"); got != word || output != 2*input || r.Text("stopReason") != "END" {
			t.Errorf("%s: organization %q, tokens %d and %d, stop reason %q", word, got, input, output, r.Text("stopReason"))
		}
		if r.Text("subscriber.id") != word {
			t.Errorf("%s: subscriber %q", word, r.Text("subscriber.id"))
		}
		score, _ := r.Float("responseQualityScore")
		if want := float64(input%100) / 100; score != want {
			t.Errorf("%s: quality score %v, want %v", word, score, want)
		}
	}
	if found != callsOfCaller {
		t.Errorf("%s: %d records with its words, want %d", way, found, callsOfCaller)
	}
}
