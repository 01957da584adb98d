// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestClient(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	mine := &http.Client{Transport: h.base, Timeout: 7 * time.Second}
	h.client = Client(mine, WithTracerProvider(h.provider))
	if h.client.Timeout != mine.Timeout || mine.Transport != h.base {
		t.Errorf("timeout %v; the client's own transport is %v", h.client.Timeout, mine.Transport)
	}
	h.exchange(chatURL, chatBody)
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
	if transport, ok := Client(nil).Transport.(*Transport); !ok || transport.base != nil {
		t.Errorf("transport of no client: %v", transport)
	}
}

// ownDoer is a client that is no *http.Client.
type ownDoer struct {
	client *http.Client
	used   int
}

func (d *ownDoer) Do(req *http.Request) (*http.Response, error) {
	d.used++
	return d.client.Do(req)
}

func TestWrapDoer(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	mine := &http.Client{Transport: h.base}
	own := &ownDoer{client: mine}
	for _, doer := range []Doer{mine, own} {
		resp, err := WrapDoer(doer, WithTracerProvider(h.provider)).Do(h.request(t.Context(), chatURL, chatBody))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != chatAnswer {
			t.Errorf("%q, %v", b, err)
		}
		_ = resp.Body.Close()
	}
	if len(h.all()) != 2 || own.used != 1 {
		t.Errorf("%d spans, the own client was used %d times", len(h.all()), own.used)
	}
	if _, ok := WrapDoer(nil).(*http.Client); !ok {
		t.Error("no client for none")
	}
}

func TestMiddleware(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	middleware := Middleware(WithTracerProvider(h.provider))
	for range 2 {
		resp, err := middleware(h.request(t.Context(), chatURL, chatBody), h.base.RoundTrip)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(resp.Body); err != nil || string(b) != chatAnswer {
			t.Errorf("%q, %v", b, err)
		}
		_ = resp.Body.Close()
	}
	for _, s := range h.all() {
		s.want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
	}
	if len(h.all()) != 2 {
		t.Errorf("%d spans", len(h.all()))
	}
}

// What is learnt of a host holds for later calls of the same middleware.
func TestMiddlewareLearns(t *testing.T) {
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Litellm-Call-Id", "1")
		answering(200, "application/json", chatAnswer)(w, r)
	})
	middleware := Middleware(WithTracerProvider(h.provider))
	for i, want := range []bool{false, true} { // at the start of the call
		starts := &startLog{}
		h.provider.RegisterSpanProcessor(starts)
		resp, err := middleware(h.request(t.Context(), "http://proxy.internal/v1/chat/completions", chatBody), h.base.RoundTrip)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if got := starts.attributes[0]["gen_ai.provider.name"] == "litellm"; got != want {
			t.Errorf("call %d: %v", i, starts.attributes[0])
		}
		h.provider.UnregisterSpanProcessor(starts)
	}
}

// A transport beneath the middleware makes no second span.
func TestMiddlewareAroundTransport(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	resp, err := Middleware(WithTracerProvider(h.provider))(h.request(t.Context(), chatURL, chatBody), h.client.Do)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
}

func TestMiddlewareFails(t *testing.T) {
	h := newHarness(t, nil)
	broken := errors.New("broken")
	_, err := Middleware(WithTracerProvider(h.provider))(h.request(t.Context(), chatURL, chatBody),
		func(*http.Request) (*http.Response, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	h.only().want(t, map[string]any{"error.type": "_OTHER"})
}
