// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"

	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Two services of one system, in which baggage is believed of neighbours only.
func Example() {
	p := propagate.NewPropagator()
	ctx := instrument.WithMetadata(context.Background(), instrument.Metadata{
		Organization: "Acme", TaskType: "summarize", Subscriber: instrument.Subscriber{Email: "jo@example.com"},
	})
	header := http.Header{}
	p.Inject(ctx, propagation.HeaderCarrier(header)) // by otelhttp, in most programs

	neighbours := propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("10.0.0.0/8")))
	service := propagate.NewMiddleware(neighbours)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.RemoteAddr, instrument.FromContext(r.Context()))
	}))
	for _, peer := range []string{"10.1.2.3:4567", "198.51.100.1:4567"} {
		req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
		req.Header, req.RemoteAddr = header, peer
		service.ServeHTTP(httptest.NewRecorder(), req)
	}
	// Output:
	// 10.1.2.3:4567 {organizationName:"Acme" taskType:"summarize"}
	// 198.51.100.1:4567 {}
}

// A client of a LiteLLM proxy that says who pays.
func ExampleNewTransport() {
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Header["X-Revenium-Organization-Name"], r.Header["X-Revenium-Organization-Id"], r.Header["X-Revenium-Agent"])
	}))
	defer proxy.Close()

	client := &http.Client{Transport: propagate.NewTransport(nil, []string{proxy.URL})}
	ctx := instrument.WithMetadata(context.Background(), instrument.Metadata{Organization: "Acme", Agent: "planner"})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, proxy.URL+"/chat/completions", strings.NewReader(`{}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	// Output:
	// [Acme] [Acme] [planner]
}

// A token says who pays, headers say what for.
func ExampleTrustClaims() {
	verify := func(_ context.Context, r *propagate.Request) (instrument.Metadata, bool) {
		// Here a service checks the signature of the token.
		tenant, ok := map[string]string{"Bearer token-of-acme": "Acme"}[r.HTTP.Header.Get("Authorization")]
		return instrument.Metadata{Organization: tenant}, ok
	}
	service := propagate.NewMiddleware(propagate.WithTrust(propagate.TrustClaims(verify)))(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fmt.Println(instrument.FromContext(r.Context())) }))
	req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil)
	req.Header.Set("Authorization", "Bearer token-of-acme")
	req.Header.Set(semconv.HeaderOrganizationName, "somebody else")
	req.Header.Set(semconv.HeaderTaskType, "summarize")
	service.ServeHTTP(httptest.NewRecorder(), req)
	// Output:
	// {organizationName:"Acme" taskType:"summarize"}
}

// Messages of a queue carry who pays from producer to consumer.
func ExamplePropagator() {
	// Only programs of this system write to the queue.
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()),
		propagate.WithMoreBaggageFields(semconv.ReveniumSubscriberIDKey))
	message := propagation.MapCarrier{} // or that of the queue's instrumentation

	produce := instrument.WithMetadata(context.Background(), instrument.Metadata{
		Organization: "Acme", Subscriber: instrument.Subscriber{ID: "user-4711"},
	})
	p.Inject(produce, message)

	consume := p.Extract(context.Background(), message)
	fmt.Println(instrument.FromContext(consume))
	// Output:
	// {organizationName:"Acme" subscriber.id:"user-4711"}
}
