// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command distributed-trace has two services work on a request. Both call a model,
// in one trace. The first knows whom the request is for and tells the second by
// baggage, which believes its neighbours and nobody else. Each call is billed once.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	var traceID string
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		writer := httptest.NewServer(writer(llm))
		defer writer.Close()
		ctx, span := otel.Tracer("planner").Start(ctx, "POST /report")
		defer span.End()
		traceID = span.SpanContext().TraceID().String()
		return plan(ctx, llm, writer.URL)
	}, revenium.WithBaggage())
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"traceId", "organizationName", "productName", "agent", "taskType"},
		offline.Row{traceID, "Acme", "reports", "planner", "report"},
		offline.Row{traceID, "Acme", "reports", "writer", "report"},
	)
}

// plan is the first service: it makes a plan and has the second one write.
func plan(ctx context.Context, llm *offline.Client, writerURL string) error {
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{
		Organization: "Acme", Product: "reports", TaskType: "report", Agent: "planner",
	})
	if _, err := llm.Ask(ctx, "Plan a report on rivers."); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, writerURL, http.NoBody)
	if err != nil {
		return err
	}
	inject(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the writer answered %s", resp.Status)
	}
	return nil
}

// writer is the second service.
func writer(llm *offline.Client) http.Handler {
	neighbours := propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("127.0.0.0/8")))
	return propagate.NewMiddleware(neighbours)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, span := extract(r)
		defer span.End()
		ctx = instrument.WithMetadata(ctx, instrument.Metadata{Agent: "writer"})
		if _, err := llm.Ask(ctx, "Write the report on rivers."); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
}

// inject and extract are what HTTP instrumentation such as otelhttp does.
func inject(req *http.Request) {
	otel.GetTextMapPropagator().Inject(req.Context(), propagation.HeaderCarrier(req.Header))
}

func extract(r *http.Request) (context.Context, trace.Span) {
	ctx := otel.GetTextMapPropagator().Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	return otel.Tracer("writer").Start(ctx, "POST /", trace.WithSpanKind(trace.SpanKindServer))
}
