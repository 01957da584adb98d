// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestStatusesThatAreNoAnswer(t *testing.T) {
	for _, status := range []int{304, 307} {
		h := newHarness(t, answering(status, "application/json", chatAnswer))
		resp, err := h.transport.RoundTrip(h.request(t.Context(), chatURL, chatBody))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := resp.Body.(*body); ok {
			t.Errorf("%d: the body is wrapped", status)
		}
		_ = resp.Body.Close()
		span := h.only()
		span.want(t, map[string]any{"revenium.metering.skip": true, "http.response.status_code": int64(status), "gen_ai.usage.input_tokens": nil})
		span.wantFailed(t, "")
	}
}

// A redirected call is two requests, of which one is metered.
func TestRedirect(t *testing.T) {
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "api.openai.com" {
			http.Redirect(w, r, "http://eu.api.openai.com/v1/chat/completions", http.StatusTemporaryRedirect)
			return
		}
		answering(200, "application/json", chatAnswer)(w, r)
	})
	h.exchange(chatURL, chatBody)
	spans := h.all()
	if len(spans) != 2 {
		t.Fatalf("%d spans, want 2", len(spans))
	}
	spans[0].want(t, map[string]any{"revenium.metering.skip": true})
	spans[1].want(t, map[string]any{"revenium.metering.skip": nil, "gen_ai.usage.input_tokens": int64(10), "server.address": "eu.api.openai.com"})
}

func TestSwitchingProtocolsPasses(t *testing.T) {
	h := newHarness(t, nil)
	pipe := struct {
		io.ReadCloser
		io.Writer
	}{io.NopCloser(strings.NewReader("")), io.Discard}
	h.transport.base = roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: pipe, Header: http.Header{}}, nil
	})
	resp, err := h.transport.RoundTrip(h.request(t.Context(), chatURL, chatBody))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, ok := resp.Body.(io.Writer); !ok {
		t.Error("the body cannot be written to any more")
	}
	h.only().want(t, map[string]any{"revenium.metering.skip": true})
}

func TestEmptyAnswer(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", ""))
	h.exchange(chatURL, chatBody)
	span := h.only()
	span.wantFailed(t, "")
	span.want(t, map[string]any{"revenium.usage.missing": true})
}

func TestTransportErrors(t *testing.T) {
	tests := []struct {
		name, want string
		cancel     func(context.Context) (context.Context, func())
	}{
		{name: "cancelled", want: instrument.ErrorTypeCanceled, cancel: func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}},
		{name: "cancelled for a reason", want: instrument.ErrorTypeCanceled, cancel: func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(errors.New("the customer has left"))
			return ctx, func() { cancel(nil) }
		}},
		{name: "timed out", want: instrument.ErrorTypeTimeout, cancel: func(ctx context.Context) (context.Context, func()) {
			return context.WithDeadline(ctx, time.Now().Add(-time.Second))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, "application/json", chatAnswer))
			ctx, cancel := tt.cancel(t.Context())
			defer cancel()
			resp, err := h.client.Do(h.request(ctx, chatURL, chatBody))
			if err == nil {
				_ = resp.Body.Close()
				t.Fatal("no error")
			}
			span := h.only()
			span.wantFailed(t, tt.want)
			span.want(t, map[string]any{"http.response.status_code": nil, "revenium.usage.missing": nil})
		})
	}
}

func TestClientTimeout(t *testing.T) {
	release := make(chan struct{})
	h := newHarness(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"id":"x"`)
		_ = http.NewResponseController(w).Flush()
		<-release
	})
	defer close(release)
	h.client.Timeout = 50 * time.Millisecond
	resp := h.post(chatURL, chatBody)
	_, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil {
		t.Fatal("no error")
	}
	span := h.only()
	span.wantFailed(t, instrument.ErrorTypeTimeout)
	span.want(t, map[string]any{"revenium.usage.missing": true, "http.response.status_code": int64(200)})
}

func TestConnectionRefused(t *testing.T) {
	spans := newSpanLog()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	h := &harness{t: t, spans: spans}
	transport := NewTransport(&http.Transport{}, WithTracerProvider(provider))
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(h.request(t.Context(), "http://127.0.0.1:1/v1/chat/completions", chatBody))
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("no error")
	}
	h.only().wantFailed(t, instrument.ErrorTypeConnectionRefused)
}

func TestCloseIdleConnections(t *testing.T) {
	closed := 0
	base := closer{closed: &closed}
	NewTransport(base).CloseIdleConnections()
	if closed != 1 {
		t.Errorf("closed %d times", closed)
	}
	NewTransport(roundTripper(nil)).CloseIdleConnections() // cannot, and does not mind
}

type closer struct {
	http.RoundTripper
	closed *int
}

func (c closer) CloseIdleConnections() { *c.closed++ }

func TestDefaultTransportIsTakenAtUse(t *testing.T) {
	transport := NewTransport(nil)
	before := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = before })
	used := errors.New("used")
	http.DefaultTransport = roundTripper(func(*http.Request) (*http.Response, error) { return nil, used })
	resp, err := transport.RoundTrip((&harness{t: t}).request(t.Context(), chatURL, chatBody))
	if !errors.Is(err, used) {
		_ = resp.Body.Close()
		t.Errorf("error %v", err)
	}
}
