// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"testing"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// from is a context of a request with metadata.
func from(ctx context.Context, metadata map[string][]string) context.Context {
	return client.NewContext(ctx, client.Info{Metadata: client.NewMetadata(metadata)})
}

// TestAttribution checks who gives a value: the span before the metadata of the
// request, that before scope and resource, those before the defaults.
func TestAttribution(t *testing.T) {
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), func(cfg *Config) {
		cfg.Attribution.ClientMetadata = []ClientMetadataConfig{{Key: "X-Revenium-Organization-Name"}, {Key: "x-team", Field: "taskType"}}
		cfg.Attribution.Defaults = map[string]string{"environment": "default", "organizationName": "default", "productName": "default"}
	})
	metadata := map[string][]string{
		"x-revenium-organization-name": {"metadata"},
		"x-team":                       {"metadata"},
		"x-revenium-product-name":      {"not on the list"},
	}
	td := calls(0, 3, func(i int, s ptrace.Span) {
		if i == 0 {
			s.Attributes().PutStr("revenium.organization.name", "span")
		}
	})
	td.ResourceSpans().At(0).Resource().Attributes().PutStr("revenium.organization.name", "resource")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Scope().Attributes().PutStr("revenium.organization.name", "scope")
	if err := m.ConsumeTraces(from(t.Context(), metadata), td); err != nil {
		t.Fatal(err)
	}
	m.consume(t, calls(3, 1))
	waitFor(t, srv, 4)
	for _, r := range srv.Records() {
		want := map[string]string{"organizationName": "metadata", "taskType": "metadata", "environment": "default", "productName": "default"}
		switch r.TransactionID {
		case transactionIDs(0, 1)[0]:
			want["organizationName"] = "span"
		case transactionIDs(3, 1)[0]:
			want["organizationName"], want["taskType"] = "default", ""
		}
		for field, value := range want {
			if got := r.Text(field); got != value && (value != "" || r.Has(field)) {
				t.Errorf("%s: %s is %q, want %q", r.TransactionID, field, got, value)
			}
		}
	}
}

// TestRouting checks that records go with the key of their tenant, also those
// that were held, and that a key that is refused holds back no other tenant.
func TestRouting(t *testing.T) {
	srv := reveniumtest.Start(t,
		reveniumtest.WithTenant("own", testKey), reveniumtest.WithTenant("acme", "rev_mk_test_acme"))
	m := start(t, srv, newHost(newMemoryStorage()), func(cfg *Config) {
		cfg.Routing = RoutingConfig{
			Attribute:      "tenant.id",
			ClientMetadata: "x-tenant",
			Keys: map[string]RouteConfig{
				"acme":   {APIKey: "rev_mk_test_acme"},
				"broken": {APIKey: "rev_mk_test_unknown"},
			},
		}
	})
	tenant := func(name string) func(int, ptrace.Span) {
		return func(_ int, s ptrace.Span) { s.Attributes().PutStr("tenant.id", name) }
	}
	m.consume(t, calls(0, 10, tenant("broken")))
	m.consume(t, calls(10, 10, tenant("acme")))
	m.consume(t, calls(20, 10, tenant("unknown")))
	m.consume(t, calls(30, 10))
	if err := m.ConsumeTraces(from(t.Context(), map[string][]string{"x-tenant": {"acme"}}), calls(40, 10)); err != nil {
		t.Fatal(err)
	}
	resource := calls(50, 10)
	resource.ResourceSpans().At(0).Resource().Attributes().PutStr("tenant.id", "acme")
	m.consume(t, resource)
	// A failure is held until the settle window or the end.
	m.consume(t, calls(60, 1, tenant("acme"), func(_ int, s ptrace.Span) {
		s.Status().SetCode(ptrace.StatusCodeError)
		s.Attributes().PutInt("http.response.status_code", 503)
		s.Attributes().PutStr("error.type", "503")
		s.Attributes().Remove("gen_ai.usage.input_tokens")
		s.Attributes().Remove("gen_ai.usage.output_tokens")
	}))
	if got := m.sum(t, "spans_held"); got != 1 {
		t.Fatalf("%d spans are held, want the failure", got)
	}
	m.engine.settle(t.Context(), m.engine.converter.Flush(nil))
	waitFor(t, srv, 51)
	eventually(t, "parking", func() bool { return m.sum(t, "records_pending", attrState.String("parked")) == 10 })
	m.checkSums(t)
	tenants := map[string]int{}
	for _, r := range srv.Records() {
		tenants[r.Tenant]++
	}
	if tenants["acme"] != 31 || tenants["own"] != 20 {
		t.Errorf("records by tenant: %v", tenants)
	}
}

// TestRequiredFields checks that records that lack what is required are kept and
// not sent, also over a restart.
func TestRequiredFields(t *testing.T) {
	srv := reveniumtest.Start(t)
	dir := t.TempDir()
	m := start(t, srv, newHost(newMemoryStorage()), func(cfg *Config) {
		cfg.DeadLetter.Directory = dir
		cfg.Attribution.Required, cfg.Attribution.Missing = []string{"organizationName"}, "dead_letter"
		cfg.Attribution.HashKey = "secret"
	})
	m.consume(t, calls(0, 10, func(i int, s ptrace.Span) {
		s.Attributes().PutStr("revenium.subscriber.id", "somebody")
		if i < 7 {
			s.Attributes().PutStr("revenium.organization.name", "Acme")
		}
	}))
	waitFor(t, srv, 7)
	eventually(t, "the end of all", func() bool { return m.sum(t, "records_pending") == 0 })
	m.checkSums(t)
	checkExactly(t, srv, transactionIDs(0, 7))
	for _, r := range srv.Records() {
		if subscriber, _ := r.Fields["subscriber"].(map[string]any); subscriber["id"] == nil || subscriber["id"] == "somebody" {
			t.Errorf("subscriber %v is not hashed", subscriber)
		}
	}
	all := letters(t, dir)
	if len(all) != 3 {
		t.Fatalf("%d letters, want 3", len(all))
	}
	for _, l := range all {
		if l.Reason != deadletter.ReasonIncomplete || l.Message != "missing organizationName" {
			t.Errorf("letter %v", l)
		}
	}
}
