// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// harness is a server, a client that reaches it through the transport under any
// host name, and the spans that the transport makes.
type harness struct {
	t         *testing.T
	transport *Transport
	client    *http.Client
	provider  *sdktrace.TracerProvider
	spans     *spanLog
	base      *http.Transport
}

func newHarness(t *testing.T, handler http.HandlerFunc, opts ...Option) *harness {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	spans := newSpanLog()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	base := &http.Transport{DialContext: dial, DialTLSContext: dial}
	t.Cleanup(base.CloseIdleConnections)
	transport := NewTransport(base, append([]Option{WithTracerProvider(provider)}, opts...)...)
	return &harness{
		t: t, transport: transport, client: &http.Client{Transport: transport},
		provider: provider, spans: spans, base: base,
	}
}

// spanLog keeps ended spans and tells when there are new ones.
type spanLog struct {
	mu    sync.Mutex
	ended []sdktrace.ReadOnlySpan
	more  chan struct{}
}

func newSpanLog() *spanLog { return &spanLog{more: make(chan struct{}, 1024)} }

func (l *spanLog) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (l *spanLog) Shutdown(context.Context) error                  { return nil }
func (l *spanLog) ForceFlush(context.Context) error                { return nil }

func (l *spanLog) OnEnd(s sdktrace.ReadOnlySpan) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = append(l.ended, s)
	l.more <- struct{}{}
}

func (l *spanLog) all() []sdktrace.ReadOnlySpan {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sdktrace.ReadOnlySpan(nil), l.ended...)
}

// wait waits for the n-th span.
func (l *spanLog) wait(t *testing.T, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for len(l.all()) < n {
		select {
		case <-l.more:
		case <-deadline:
			t.Fatalf("%d spans ended, want %d", len(l.all()), n)
		}
	}
}

// only returns the only span there is.
func (h *harness) only() spanView {
	h.t.Helper()
	all := h.all()
	if len(all) != 1 {
		h.t.Fatalf("%d spans, want 1", len(all))
	}
	return all[0]
}

func (h *harness) all() []spanView {
	var views []spanView
	for _, s := range h.spans.all() {
		views = append(views, view(s))
	}
	return views
}

type spanView struct {
	tracetest.SpanStub
	attributes map[string]any
}

func view(s sdktrace.ReadOnlySpan) spanView {
	v := spanView{SpanStub: tracetest.SpanStubFromReadOnlySpan(s), attributes: map[string]any{}}
	for _, kv := range s.Attributes() {
		v.attributes[string(kv.Key)] = kv.Value.AsInterface()
	}
	return v
}

// want checks attributes; nil is for one that must not be there.
func (v spanView) want(t *testing.T, attributes map[string]any) {
	t.Helper()
	for key, want := range attributes {
		if diff := cmp.Diff(want, v.attributes[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

// wantFailed checks that the span has failed with the type, "" for success.
func (v spanView) wantFailed(t *testing.T, errorType string) {
	t.Helper()
	got, _ := v.attributes["error.type"].(string)
	if got != errorType {
		t.Errorf("error.type %q, want %q", got, errorType)
	}
	if failed := v.Status.Code == codes.Error; failed != (errorType != "") {
		t.Errorf("status %v", v.Status)
	}
}

// post sends a request that asks for body at url and returns the answer.
func (h *harness) post(url, body string, headers ...string) *http.Response {
	h.t.Helper()
	resp, err := h.client.Do(h.request(h.t.Context(), url, body, headers...))
	if err != nil {
		h.t.Fatal(err)
	}
	return resp
}

func (h *harness) request(ctx context.Context, url, body string, headers ...string) *http.Request {
	h.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

// exchange sends a request, reads all of the answer and returns it.
func (h *harness) exchange(url, body string, headers ...string) string {
	h.t.Helper()
	resp := h.post(url, body, headers...)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("reading the answer: %v", err)
	}
	if err := resp.Body.Close(); err != nil {
		h.t.Fatalf("closing the answer: %v", err)
	}
	return string(text)
}

// answering is a handler that answers with a body, all at once.
func answering(status int, contentType, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", contentType)
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// streaming is a handler that answers with a stream, piece by piece.
func streaming(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, piece := range pieces {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

const (
	chatURL    = "http://api.openai.com/v1/chat/completions"
	unknownURL = "http://llm.example.com/v1/chat/completions"
	chatBody   = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"secret question"}]}`
	streamBody = `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"secret question"}]}`
	askingBody = `{"model":"gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[]}`
	chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,` +
		`"message":{"role":"assistant","content":"secret answer"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`
)

// chunk is a chunk of a stream with content.
func chunk(content string) string {
	return `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"content":"` +
		content + `"},"finish_reason":null}]}` + "\n\n"
}

const (
	roleChunk   = `data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n"
	finishChunk = `data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usageEvent  = `data: {"id":"chatcmpl-1","model":"gpt-4o-mini-2024-07-18","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}` + "\n\n"
	doneEvent   = "data: [DONE]\n\n"
)

// handleErrors collects what goes to OpenTelemetry's error handler.
func handleErrors(t *testing.T) *[]error {
	t.Helper()
	var handled []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { handled = append(handled, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return &handled
}

// targetOf returns the target of a request of the named API.
func targetOf(tb testing.TB, name string) *target {
	tb.Helper()
	for _, a := range apis {
		if a.name == name {
			return &target{api: a, operation: a.operation, provider: a.provider}
		}
	}
	tb.Fatalf("no API %s", name)
	return nil
}
