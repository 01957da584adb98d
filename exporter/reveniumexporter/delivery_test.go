// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestDelivery(t *testing.T) {
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), nil)
	td := calls(0, 600)
	other := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().AppendEmpty()
	other.SetName("GET /")
	other.Attributes().PutStr("http.request.method", "GET")
	m.consume(t, td)
	waitFor(t, srv, 600)
	checkExactly(t, srv, transactionIDs(0, 600))
	if got := srv.Completions()[0].Text("middlewareSource"); got != "revenium-otel-go" {
		t.Errorf("middleware source %q", got)
	}
	eventually(t, "counting", func() bool { return m.sum(t, "records_finished", attrOutcome.String("delivered")) == 600 })
	m.checkSums(t)
	if got := m.sum(t, "spans_converted"); got != 600 {
		t.Errorf("%d spans converted, want those of calls", got)
	}
}

// TestSameSpansAgain checks that what is sent twice is billed once.
func TestSameSpansAgain(t *testing.T) {
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), nil)
	for range 3 {
		m.consume(t, calls(0, 20))
	}
	waitFor(t, srv, 20)
	m.stop(t)
	checkExactly(t, srv, transactionIDs(0, 20))
	if got := srv.Stats().Requests; got != 20 {
		t.Errorf("%d requests, want one per record", got)
	}
}

// TestRetryOfTheFailedOnly checks that a retry repeats the records that failed,
// and not the others of their request.
func TestRetryOfTheFailedOnly(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusInternalServerError, Model: "flaky", Attempt: 2})
	m := start(t, srv, newHost(), nil)
	m.consume(t, calls(0, 40, func(i int, s ptrace.Span) {
		if i%2 == 1 {
			model("flaky")(i, s)
		}
	}))
	waitFor(t, srv, 40)
	checkExactly(t, srv, transactionIDs(0, 40))
	if got := srv.Stats().Requests; got != 20+3*20 {
		t.Errorf("%d requests, want one for each good record and three for each flaky one", got)
	}
}

// TestRejectedHoldBackNobody checks that records that are refused for good end,
// and all others arrive.
func TestRejectedHoldBackNobody(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusUnprocessableEntity, Model: "poison"})
	m := start(t, srv, newHost(), nil)
	m.consume(t, calls(0, 1000, func(i int, s ptrace.Span) {
		if i == 500 {
			model("poison")(i, s)
		}
	}))
	waitFor(t, srv, 999)
	eventually(t, "the end of the rejected record", func() bool { return m.sum(t, "records_pending") == 0 })
	m.checkSums(t)
	checkExactly(t, srv, slices.Concat(transactionIDs(0, 500), transactionIDs(501, 499)))
	if got := srv.Stats().Requests; got != 1000 {
		t.Errorf("%d requests, want one per record", got)
	}
}

// TestStubbornRecordsAreSetAside checks that records that alone keep failing do
// not keep the consumers of the queue from the others, and arrive in the end.
func TestStubbornRecordsAreSetAside(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusInternalServerError, Model: "poison"})
	storage := newMemoryStorage()
	m := start(t, srv, newHost(storage), func(cfg *Config) { cfg.QueueConfig.Get().NumConsumers = 2 })
	for i := range 10 {
		m.consume(t, calls(i, 1, model("poison")))
	}
	for i := 10; i < 200; i++ {
		m.consume(t, calls(i, 1))
	}
	waitFor(t, srv, 190)
	eventually(t, "setting aside", func() bool {
		c := m.collect(t)
		return c.sum("records_pending", attrState.String("set_aside")) == 10 && c.sum("records_pending") == 10
	})
	m.checkSums(t)

	// They are not lost by a crash, and are delivered when the service takes them.
	release()
	crashed := storage.snapshot()
	again := start(t, srv, newHost(crashed), nil)
	waitFor(t, srv, 200)
	eventually(t, "the end of all", func() bool { return again.sum(t, "records_pending") == 0 })
	again.checkSums(t)
	if got := again.sum(t, "records_recovered"); got != 10 {
		t.Errorf("%d records recovered, want 10", got)
	}
	checkExactly(t, srv, transactionIDs(0, 200))
}

// TestUnauthorized checks that a refused key loses nothing and hammers nobody, and
// that the Collector learns of it.
func TestUnauthorized(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultUnauthorized})
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.UnauthorizedInterval = 200 * time.Millisecond })
	m.consume(t, calls(0, 300))
	eventually(t, "parking", func() bool { return m.sum(t, "records_pending", attrState.String("parked")) == 300 })
	eventually(t, "the report", func() bool { return m.host.reported(componentstatus.StatusRecoverableError) })
	m.checkSums(t)
	if got := srv.Stats().Requests; got > 2*m.engine.cfg.MaxConcurrentRequests {
		t.Errorf("%d requests with a refused key", got)
	}
	release()
	waitFor(t, srv, 300)
	eventually(t, "the good news", func() bool { return m.host.reported(componentstatus.StatusOK) })
	checkExactly(t, srv, transactionIDs(0, 300))
}

// TestRetryAfter checks that the service's wish is obeyed.
func TestRetryAfter(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.ScriptStatus(reveniumtest.Answer{Status: http.StatusTooManyRequests, RetryAfter: time.Second})
	m := start(t, srv, newHost(), nil)
	begin := time.Now()
	m.consume(t, calls(0, 1))
	waitFor(t, srv, 1)
	if took := time.Since(begin); took < time.Second {
		t.Errorf("delivered after %v, before the service wanted to be asked", took)
	}
}

// TestFullQueue checks that a sender that repeats what was not taken loses
// nothing, and that nothing is decided about twice.
func TestFullQueue(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	m := start(t, srv, newHost(newMemoryStorage()), func(cfg *Config) {
		cfg.QueueConfig.Get().QueueSize = 50
		cfg.QueueConfig.Get().NumConsumers = 1
	})
	var refused atomic.Int64
	for i := range 20 {
		td := calls(10*i, 10)
		for m.ConsumeTraces(t.Context(), td) != nil {
			if refused.Add(1) == 10 {
				release()
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	waitFor(t, srv, 200)
	checkExactly(t, srv, transactionIDs(0, 200))
	if refused.Load() == 0 {
		t.Error("the queue was never full")
	}
	eventually(t, "the end of all", func() bool { return m.sum(t, "records_pending") == 0 })
	m.checkSums(t)
	if got := m.sum(t, "spans_decided", attrDecision.String("suppressed")); got != 0 {
		t.Errorf("%d spans were decided about twice", got)
	}
}

// TestWithoutQueue checks that the sender learns of a failure, repeats the data,
// and so delivers it.
func TestWithoutQueue(t *testing.T) {
	srv := reveniumtest.Start(t)
	m := start(t, srv, newHost(), func(cfg *Config) {
		cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
		cfg.RetryConfig.Enabled = false
	})
	m.consume(t, calls(0, 10))
	checkExactly(t, srv, transactionIDs(0, 10))

	release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusInternalServerError})
	if err := m.ConsumeTraces(t.Context(), calls(10, 10)); err == nil {
		t.Fatal("no error, but nothing was delivered")
	}
	if err := m.ConsumeTraces(t.Context(), calls(10, 10)); err == nil {
		t.Fatal("no error for the repetition, but nothing was delivered")
	}
	release()
	m.consume(t, calls(10, 10))
	checkExactly(t, srv, transactionIDs(0, 20))
	m.checkSums(t)
}

// TestPersistentQueue checks that records survive the process with the bytes that
// were frozen, and that neither key nor prompt is stored.
func TestPersistentQueue(t *testing.T) {
	for _, end := range []string{"shutdown", "crash"} {
		t.Run(end, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			release := srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
			storage := newMemoryStorage()
			m := start(t, srv, newHost(storage), nil)
			for i := range 10 {
				m.consume(t, calls(10*i, 10, func(_ int, s ptrace.Span) {
					s.Attributes().PutStr("gen_ai.input.messages", "a secret prompt")
				}))
			}
			eventually(t, "an attempt", func() bool { return srv.Stats().Requests > 0 })
			if end == "shutdown" {
				m.stop(t)
			} else {
				storage = storage.snapshot()
			}
			for _, v := range storage.values() {
				for _, secret := range []string{testKey, "a secret prompt"} {
					if bytes.Contains(v, []byte(secret)) {
						t.Fatalf("%q is stored", secret)
					}
				}
			}
			release()
			again := start(t, srv, newHost(storage), func(cfg *Config) {
				// The mapping has changed since: what was frozen has not.
				cfg.Attribution.Defaults = map[string]string{"environment": "later"}
			})
			waitFor(t, srv, 100)
			checkExactly(t, srv, transactionIDs(0, 100))
			if end == "shutdown" {
				for _, r := range srv.Records() {
					if r.Has("environment") {
						t.Fatal("a stored record was derived anew")
					}
				}
			}
			eventually(t, "the end of all", func() bool { return again.sum(t, "records_pending") == 0 })
			again.checkSums(t)
			if got := again.sum(t, "records_recovered"); got != 100 {
				t.Errorf("%d records recovered, want 100", got)
			}
		})
	}
}

// TestMemoryQueueAtShutdown checks that what only memory holds is counted.
func TestMemoryQueueAtShutdown(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
	m := start(t, srv, newHost(), nil)
	m.consume(t, calls(0, 30))
	eventually(t, "an attempt", func() bool { return srv.Stats().Requests > 0 })
	if err := m.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	c := m.engine.ledger.snapshot()
	if got := c.finished[[2]string{outcomeLost, string(reasonShutdown)}]; got != 30 || c.pending[m.engine.accounts[0]] != 0 {
		t.Errorf("%d records counted as lost and %d as pending, want 30 and 0: %v", got, c.pending[m.engine.accounts[0]], c.finished)
	}
}

// TestMaxElapsedTime checks that a record that is given up is counted.
func TestMaxElapsedTime(t *testing.T) {
	srv := reveniumtest.Start(t)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable})
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 100 * time.Millisecond })
	m.consume(t, calls(0, 5))
	eventually(t, "giving up", func() bool {
		return m.sum(t, "records_finished", attrReason.String(string(deadletter.ReasonExpired))) == 5
	})
	m.checkSums(t)
}

// TestConnections sends in bursts, more than once since it is a matter of chance, and
// checks that no more connections are open than requests are under way: net/http dials
// one for a request that finds none idle, and keeps it although another became free
// before. Other keys leave no room for more; at the end all are closed.
func TestConnections(t *testing.T) {
	const most = 32
	for _, opts := range [][]reveniumtest.Option{nil, nil, nil, nil, nil, {reveniumtest.WithTLS()}} {
		srv := reveniumtest.Start(t, opts...)
		m := start(t, srv, newHost(), func(cfg *Config) {
			cfg.MaxConcurrentRequests = most
			cfg.HTTP.TLS.InsecureSkipVerify = true
			cfg.Routing = RoutingConfig{Attribute: "tenant", Keys: map[string]RouteConfig{"other": {APIKey: testKey}}}
		})
		for i := range 5 {
			m.consume(t, calls(i*300, 300))
			waitFor(t, srv, (i+1)*300)
		}
		if got := srv.Connections(); got.Peak > most || got.Total > most {
			t.Errorf("%d connections were open at a time, %d in all, for %d requests at a time", got.Peak, got.Total, most)
		}
		m.stop(t)
		eventually(t, "closing the connections", func() bool { return srv.Connections().Open == 0 })
	}
}
