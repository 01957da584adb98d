// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command head-sampled is a service that exports 1 % of its traces, and a Collector
// that nevertheless meters 100 % of its LLM calls: the forwarder hands the spans of
// calls, sampled or not, to a receiver that feeds nothing but the metering.
//
//	go run ./examples/head-sampled
//
// Collector, LLM, trace backend and Revenium are stand-ins in this process. With
// real ones, the Collector runs collector-config.yaml, and the addresses below are
// those of its receivers, localhost:4317 and localhost:4327.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/collectortest"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// requests is how many the service gets. Each makes one LLM call.
const requests = 200

func run(ctx context.Context, out io.Writer) (err error) {
	// Variables such as OTEL_EXPORTER_OTLP_ENDPOINT would lead spans elsewhere.
	if err := offline.ClearEnvironment(); err != nil {
		return err
	}
	srv, err := reveniumtest.NewServer()
	if err != nil {
		return err
	}
	defer srv.Close()
	llm, err := llmtest.NewServer()
	if err != nil {
		return err
	}
	defer llm.Close()
	// The spans of the first receiver alone would be handed on to a backend.
	collector, err := collectortest.New(ctx, fmt.Sprintf(`
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}
  otlp/metering: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}
exporters:
  revenium: {api_key: rev_mk_test_example, http: {endpoint: %q}}
  nop:
service:
  telemetry: {logs: {level: error}, metrics: {level: none}}
  pipelines:
    traces/metering: {receivers: [otlp, otlp/metering], exporters: [revenium]}
    traces/forward: {receivers: [otlp], exporters: [nop]}
`, srv.URL()))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, collector.Stop(context.WithoutCancel(ctx))) }()

	if err := serve(ctx, collector, llm.BaseURL()); err != nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := srv.Wait(waiting, requests); err != nil {
		return err
	}
	byCustomer := make(map[string]int)
	for _, r := range srv.Completions() {
		byCustomer[r.Text("organizationName")]++
	}
	_, err = fmt.Fprintf(out, "%d requests, 1 %% of the traces sampled, %d records of LLM calls: %v\n", requests, len(srv.Records()), byCustomer)
	return err
}

// serve is the service: all that it has to do is in setUp.
func serve(ctx context.Context, collector *collectortest.Collector, llmURL string) error {
	sdk, err := setUp(ctx, collector.GRPC("otlp"), collector.GRPC("otlp/metering"))
	if err != nil {
		return err
	}
	client := &http.Client{Transport: llmhttp.NewTransport(nil, llmhttp.WithTracerProvider(sdk.TracerProvider()))}
	tracer := sdk.TracerProvider().Tracer("shop")
	for i := range requests {
		ctx := instrument.WithMetadata(ctx, instrument.Metadata{Organization: []string{"Acme", "Globex"}[i%2]})
		ctx, request := tracer.Start(ctx, "POST /ask")
		err := ask(ctx, client, llmURL)
		request.End()
		if err != nil {
			return err
		}
	}
	client.CloseIdleConnections()
	_, err = sdk.Shutdown(ctx)
	return err
}

// setUp samples 1 % of the traces, which go to one receiver, and hands the spans
// of all LLM calls to the other. No key is needed: the Collector has it.
func setUp(ctx context.Context, traces, metering string) (*revenium.SDK, error) {
	export := func(address string) (sdktrace.SpanExporter, error) {
		return otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(address), otlptracegrpc.WithInsecure())
	}
	sampled, err := export(traces)
	if err != nil {
		return nil, err
	}
	calls, err := export(metering)
	if err != nil {
		return nil, err
	}
	return revenium.Start(ctx,
		revenium.WithForwarding(calls),
		revenium.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01))),
		revenium.WithTracerProviderOptions(sdktrace.WithBatcher(sampled)),
	)
}

// ask makes an LLM call.
func ask(ctx context.Context, client *http.Client, llmURL string) error {
	const question = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hello!"}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, llmURL+"/chat/completions", strings.NewReader(question))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer any")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}
