// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const (
	keyAcme = "rev_mk_test_acme"
	keyBlue = "rev_mk_test_blue"
)

// tenantAttr names the tenant in these tests.
const tenantAttr = attribute.Key("app.tenant")

// tenantServer has an account for each key.
func tenantServer(tb testing.TB) *reveniumtest.Server {
	tb.Helper()
	return reveniumtest.Start(tb,
		reveniumtest.WithTenant("acme", keyAcme), reveniumtest.WithTenant("blue", keyBlue), reveniumtest.WithTenant("house", testKey))
}

// chatOf makes the span of one chat call for a tenant.
func chatOf(tracer trace.Tracer, tenant string) string {
	_, span := tracer.Start(context.Background(), "chat gpt-4o", trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
		semconv.GenAIUsageInputTokens(120), semconv.GenAIUsageOutputTokens(30),
	))
	if tenant != "" {
		span.SetAttributes(tenantAttr.String(tenant))
	}
	span.End()
	sc := span.SpanContext()
	return sc.TraceID().String() + "-" + sc.SpanID().String()
}

// accountOf is the account in which a record was stored.
func accountOf(tb testing.TB, srv *reveniumtest.Server, id string) string {
	tb.Helper()
	rec, ok := srv.ByTransactionID(id)
	if !ok {
		tb.Errorf("%s is missing", id)
	}
	return rec.Tenant
}

func TestTenantByAttribute(t *testing.T) {
	srv := tenantServer(t)
	p := newProcessor(t, srv,
		exporter.WithTenantAttribute(tenantAttr),
		exporter.WithTenantKey("acme", keyAcme),
		exporter.WithTenantKeyFunc(func(_ context.Context, tenant string) (string, error) {
			if tenant == "blue" {
				return keyBlue, nil
			}
			return "", nil
		}))
	tracer := newTracer(t, p)
	onScope := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p)).
		Tracer("test", trace.WithInstrumentationAttributes(tenantAttr.String("blue")))
	onResource := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p),
		sdktrace.WithResource(resource.NewSchemaless(tenantAttr.String("acme")))).Tracer("test")
	want := map[string]string{
		chatOf(tracer, "acme"):     "acme",
		chatOf(tracer, "blue"):     "blue",
		chatOf(tracer, "other"):    "house", // has no key of its own
		chatOf(tracer, ""):         "house",
		chatOf(onScope, ""):        "blue",
		chatOf(onScope, "acme"):    "acme",
		chatOf(onResource, ""):     "acme",
		chatOf(onResource, "blue"): "blue",
	}
	flush(t, p)
	for id, account := range want {
		if got := accountOf(t, srv, id); got != account {
			t.Errorf("a record of %s went to %s", account, got)
		}
	}
	r := p.Report()
	checkSums(t, r)
	for tenant, n := range map[string]int64{"acme": 3, "blue": 3, "other": 1, "": 1} {
		if got := r.Tenants[tenant]; got.Billed != n || got.Delivered != n {
			t.Errorf("report of %q: %+v, want %d", tenant, got, n)
		}
	}
}

func TestTenantByFunc(t *testing.T) {
	srv := tenantServer(t)
	p := newProcessor(t, srv, exporter.WithTenantKey("acme", keyAcme), exporter.WithTenantFunc(func(s sdktrace.ReadOnlySpan) string {
		for _, kv := range s.Attributes() {
			if kv.Key == tenantAttr {
				if kv.Value.AsString() == "panic" {
					panic("broken")
				}
				return kv.Value.AsString()
			}
		}
		return ""
	}))
	tracer := newTracer(t, p)
	ids := []string{chatOf(tracer, "acme"), chatOf(tracer, "panic")}
	flush(t, p)
	for i, account := range []string{"acme", "house"} {
		if got := accountOf(t, srv, ids[i]); got != account {
			t.Errorf("record %d went to %s, want %s", i, got, account)
		}
	}
}

// TestTenantDown: one tenant's key is refused, or the service does not answer it;
// the records of the other arrive.
func TestTenantDown(t *testing.T) {
	for name, fault := range map[string]reveniumtest.Fault{
		"refused": {Kind: reveniumtest.FaultUnauthorized},
		"hangs":   {Kind: reveniumtest.FaultHang},
		"503":     {Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, RetryAfter: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			srv := tenantServer(t)
			fault.Match = func(r reveniumtest.Request) bool { return r.Tenant == "acme" }
			srv.AddFault(fault)
			p := newProcessor(t, srv, exporter.WithTenantAttribute(tenantAttr),
				exporter.WithTenantKey("acme", keyAcme), exporter.WithTenantKey("blue", keyBlue), exporter.WithTimeout(100*time.Millisecond))
			tracer := newTracer(t, p)
			var blue []string
			for range 200 {
				chatOf(tracer, "acme")
				blue = append(blue, chatOf(tracer, "blue"))
			}
			if err := srv.Wait(within(t, 20*time.Second), 200); err != nil {
				t.Fatal(err)
			}
			for _, id := range blue {
				accountOf(t, srv, id)
			}
			r := p.Report()
			checkSums(t, r)
			if a := r.Tenants["acme"]; a.Queued+a.Parked != 200 || a.Lost != 0 {
				t.Errorf("report of acme: %+v", a)
			}
			if r.Delivered < 195 { // answers may still be on their way
				t.Errorf("report:\n%s", r)
			}
		})
	}
}

// TestTenantLimits: a tenant that fills its queue leaves the others theirs.
func TestTenantLimits(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		srv := tenantServer(t)
		srv.Hang()
		opts := []exporter.Option{
			exporter.WithTenantAttribute(tenantAttr), exporter.WithQueueSize(20),
			exporter.WithTenantLimits("acme", spoolMaxEntries(5)),
		}
		if dir != "" {
			opts = append(opts, exporter.WithSpool(dir, spoolMaxEntries(20)))
		}
		p := newProcessor(t, srv, opts...)
		tracer := newTracer(t, p)
		for range 30 {
			chatOf(tracer, "acme")
			chatOf(tracer, "blue")
		}
		r := p.Report()
		checkSums(t, r)
		if a, b := r.Tenants["acme"], r.Tenants["blue"]; a.Lost != 25 || b.Lost != 10 {
			t.Errorf("spool %q: acme %+v, blue %+v", dir, a, b)
		}
	}
}

// TestTenantsInSpool: tenants and their records survive a restart, and go out with
// their keys.
func TestTenantsInSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	srv := tenantServer(t)
	tenants := []exporter.Option{
		exporter.WithSpool(dir), exporter.WithTenantAttribute(tenantAttr),
		exporter.WithTenantKey("acme", keyAcme), exporter.WithTenantKey("blue", keyBlue),
	}
	p := newProcessor(t, srv, append(tenants, exporter.WithBaseURL("http://127.0.0.1:1"))...)
	tracer := newTracer(t, p)
	want := map[string]string{}
	for range 20 {
		want[chatOf(tracer, "acme")] = "acme"
		want[chatOf(tracer, "blue")] = "blue"
		want[chatOf(tracer, "")] = "house"
	}
	stopped(t, p)

	// Without tenants nobody knows whose keys they need: they stay.
	p = newProcessor(t, srv, exporter.WithSpool(dir))
	if err := srv.Wait(within(t, 20*time.Second), 20); err != nil {
		t.Fatal(err)
	}
	_ = p.ForceFlush(within(t, 100*time.Millisecond)) // says that 40 wait
	if r := stopped(t, p); r.Recovered != 60 || r.OnDisk != 40 || r.Delivered != 20 {
		t.Errorf("report without tenants:\n%s", r)
	}

	p = newProcessor(t, srv, tenants...)
	flush(t, p)
	if r := stopped(t, p); r.Recovered != 40 || r.Delivered != 40 {
		t.Errorf("report:\n%s", r)
	}
	for id, account := range want {
		if got := accountOf(t, srv, id); got != account {
			t.Errorf("a record of %s went to %s", account, got)
		}
	}
}

// TestHeldSpanKeepsItsTenant: a failed attempt is decided about later, when its span
// is long gone.
func TestHeldSpanKeepsItsTenant(t *testing.T) {
	srv := tenantServer(t)
	p := newProcessor(t, srv, exporter.WithTenantAttribute(tenantAttr), exporter.WithTenantKey("acme", keyAcme))
	tracer := newTracer(t, p)
	ctx, parent := tracer.Start(context.Background(), "request")
	_, span := tracer.Start(ctx, "chat gpt-4o", trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
		semconv.ErrorType("503"), tenantAttr.String("acme")))
	span.SetStatus(codes.Error, "")
	span.End()
	if r := p.Report(); r.Held != 1 {
		t.Fatalf("report:\n%s", r)
	}
	chatOf(tracer, "")
	parent.End()
	flush(t, p)
	sc := span.SpanContext()
	if got := accountOf(t, srv, sc.TraceID().String()+"-"+sc.SpanID().String()); got != "acme" {
		t.Errorf("the error record went to %s", got)
	}
}

// TestHeldBackRecordKeepsItsTenant: a record that lacks fields is kept among the dead
// letters with its tenant, so that a replay finds the right key.
func TestHeldBackRecordKeepsItsTenant(t *testing.T) {
	dir := t.TempDir()
	p := newProcessor(t, tenantServer(t), exporter.WithTenantAttribute(tenantAttr), exporter.WithDeadLetter(dir), holdBack())
	chatOf(newTracer(t, p), "acme")
	flush(t, p)
	if a := p.Report().Tenants["acme"]; a.Billed != 1 || a.DeadLettered != 1 {
		t.Errorf("report of acme: %+v", a)
	}
	store, err := deadletter.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for l, err := range store.Letters() {
		if err != nil || l.Tenant != "acme" {
			t.Errorf("letter of tenant %q, %v", l.Tenant, err)
		}
	}
}

// TestTenantKeyFails: a key that cannot be had now keeps its tenant waiting, and
// nobody else.
func TestTenantKeyFails(t *testing.T) {
	srv := tenantServer(t)
	var sealed atomic.Bool
	sealed.Store(true)
	p := newProcessor(t, srv, exporter.WithTenantAttribute(tenantAttr),
		exporter.WithTenantKeyFunc(func(_ context.Context, tenant string) (string, error) {
			switch {
			case tenant == "acme" && sealed.Load():
				return "", errors.New("vault is sealed")
			case tenant == "acme":
				return keyAcme, nil
			default:
				return keyBlue, nil
			}
		}))
	tracer := newTracer(t, p)
	id := chatOf(tracer, "acme")
	chatOf(tracer, "blue")
	if err := srv.Wait(within(t, 10*time.Second), 1); err != nil {
		t.Fatal(err)
	}
	sealed.Store(false)
	flush(t, p)
	if got := accountOf(t, srv, id); got != "acme" {
		t.Errorf("went to %s", got)
	}
}

// TestTenantsWithoutCommonKey: where every tenant has a key, there need be no other;
// what is of no tenant waits.
func TestTenantsWithoutCommonKey(t *testing.T) {
	srv := tenantServer(t)
	p := newProcessor(t, srv, exporter.WithAPIKey(""), exporter.WithTenantAttribute(tenantAttr), exporter.WithTenantKey("acme", keyAcme))
	tracer := newTracer(t, p)
	id := chatOf(tracer, "acme")
	chatOf(tracer, "")
	if err := p.ForceFlush(within(t, 10*time.Second)); err == nil || !strings.Contains(err.Error(), "refuses the API key") {
		t.Errorf("ForceFlush = %v", err)
	}
	accountOf(t, srv, id)
	if r := p.Report(); r.Parked != 1 || r.Delivered != 1 || r.Tenants[""].Parked != 1 {
		t.Errorf("report:\n%s", r)
	}
}

func TestTenantErrors(t *testing.T) {
	attr, key := exporter.WithTenantAttribute(tenantAttr), exporter.WithAPIKey(testKey)
	for name, tt := range map[string]struct {
		opts []exporter.Option
		want string
	}{
		"keys without attribute": {[]exporter.Option{key, exporter.WithTenantKey("acme", keyAcme)}, "use WithTenantAttribute or WithTenantFunc"},
		"bad key":                {[]exporter.Option{key, attr, exporter.WithTenantKey("acme", "sk-secret")}, `API key of tenant "acme": metering: wrong kind`},
		"empty key":              {[]exporter.Option{key, attr, exporter.WithTenantKey("acme", "")}, `API key of tenant "acme": metering: no API key`},
		"no key at all":          {[]exporter.Option{attr}, "no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey"},
		"bad common key":         {[]exporter.Option{exporter.WithAPIKey("sk-secret"), attr, exporter.WithTenantKey("acme", keyAcme)}, "API key from WithAPIKey: wrong kind"},
		"one queue for all":      {[]exporter.Option{key, attr, exporter.WithQueue(newMemory())}, "WithQueue is one queue"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			p, err := exporter.NewProcessor(tt.opts...)
			if err == nil {
				_ = p.Shutdown(t.Context())
				t.Fatal("NewProcessor succeeded")
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
			if _, ok := errors.AsType[*exporter.ConfigError](err); !ok {
				t.Errorf("error of type %T", err)
			}
		})
	}
}

// TestTenantOfOtherSpans: spans that are no LLM calls are not asked for their
// tenant.
func TestTenantOfOtherSpans(t *testing.T) {
	srv := tenantServer(t)
	asked := 0
	p := newProcessor(t, srv, exporter.WithTenantFunc(func(sdktrace.ReadOnlySpan) string {
		asked++
		return ""
	}))
	tracer := newTracer(t, p)
	for i := range 10 {
		_, span := tracer.Start(context.Background(), fmt.Sprint("GET /", i))
		span.End()
	}
	if asked != 0 {
		t.Errorf("asked %d times", asked)
	}
}
