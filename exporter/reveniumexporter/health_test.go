// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// statuses are what was reported, in order.
func (h *host) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

func checkStatuses(tb testing.TB, h *host, want ...componentstatus.Status) {
	tb.Helper()
	if got := h.statuses(); !slices.Equal(got, want) {
		tb.Errorf("reported %v, want %v", got, want)
	}
}

// TestHealthWhileUnreachable checks that a service that does not answer for long is
// reported, and that it is over with the first delivery.
func TestHealthWhileUnreachable(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.UnreachableAfter = 50 * time.Millisecond })
	m.consume(t, calls(0, 10))
	eventually(t, "the report", func() bool { return m.host.reported(componentstatus.StatusRecoverableError) })
	release()
	waitFor(t, srv, 10)
	eventually(t, "the good news", func() bool { return m.host.reported(componentstatus.StatusOK) })
	checkStatuses(t, m.host, componentstatus.StatusRecoverableError, componentstatus.StatusOK)
}

// TestHealthOfAShortOutage checks that it is nobody's business.
func TestHealthOfAShortOutage(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, Times: 2})
	m := start(t, srv, newHost(), nil)
	m.consume(t, calls(0, 1))
	waitFor(t, srv, 1)
	m.stop(t)
	checkStatuses(t, m.host)
}

// TestHealthOfSeveralKeys checks that one good key does not hide a bad one.
func TestHealthOfSeveralKeys(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithTenant("own", testKey), reveniumtest.WithTenant("acme", "rev_mk_test_acme"))
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized, Model: "gpt-acme"})
	m := start(t, srv, newHost(), func(cfg *Config) {
		cfg.UnreachableAfter = time.Millisecond
		cfg.Routing = RoutingConfig{Attribute: "tenant", Keys: map[string]RouteConfig{"acme": {APIKey: "rev_mk_test_acme"}}}
	})
	acme := func(_ int, s ptrace.Span) { s.Attributes().PutStr("tenant", "acme") }
	m.consume(t, calls(0, 1, model("gpt-acme"), acme))
	eventually(t, "the report", func() bool { return m.host.reported(componentstatus.StatusRecoverableError) })
	outage := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, Model: "gpt-own"})
	m.consume(t, calls(1, 1, model("gpt-own")))
	eventually(t, "the report on the other key", func() bool { return len(m.host.statuses()) == 2 })
	outage()
	waitFor(t, srv, 1)
	if m.host.reported(componentstatus.StatusOK) {
		t.Error("the component is reported well while a key is refused")
	}
	release()
	m.consume(t, calls(2, 1, model("gpt-acme"), acme)) // the first one may be set aside by now
	eventually(t, "the good news", func() bool { return m.host.reported(componentstatus.StatusOK) })
	checkStatuses(t, m.host, componentstatus.StatusRecoverableError, componentstatus.StatusRecoverableError, componentstatus.StatusOK)
}

// TestHealthWithAnotherService checks that an endpoint that is no metering API is
// reported for good, unless it was one before.
func TestHealthWithAnotherService(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusMovedPermanently} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			srv := reveniumtest.Start(t)
			release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: status})
			m := start(t, srv, newHost(), nil)
			m.consume(t, calls(0, 3))
			eventually(t, "the report", func() bool { return m.host.reported(componentstatus.StatusPermanentError) })
			release()
			m.consume(t, calls(3, 1))
			eventually(t, "a delivery", func() bool { return len(srv.Records()) > 0 })
			checkStatuses(t, m.host, componentstatus.StatusPermanentError) // no other may follow
		})
	}
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), nil)
	m.consume(t, calls(0, 1))
	waitFor(t, srv, 1)
	// The exporter has to have read the answer, too.
	eventually(t, "the delivery", func() bool { return m.sum(t, "records_pending") == 0 })
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusNotFound})
	m.consume(t, calls(1, 1))
	eventually(t, "the end of the record", func() bool { return m.sum(t, "records_pending") == 0 })
	checkStatuses(t, m.host)
}
