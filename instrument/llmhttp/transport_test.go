// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument"
)

func TestChat(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	started := time.Now()
	if got := h.exchange(chatURL, chatBody); got != chatAnswer {
		t.Errorf("answer %q", got)
	}
	span := h.only()
	want := map[string]any{
		"gen_ai.operation.name":          "chat",
		"gen_ai.provider.name":           "openai",
		"gen_ai.request.model":           "gpt-4o-mini",
		"gen_ai.response.id":             "chatcmpl-1",
		"gen_ai.response.model":          "gpt-4o-mini-2024-07-18",
		"gen_ai.response.finish_reasons": []string{"stop"},
		"gen_ai.usage.input_tokens":      int64(10),
		"gen_ai.usage.output_tokens":     int64(5),
		"http.response.status_code":      int64(200),
		"openai.api.type":                "chat_completions",
		"server.address":                 "api.openai.com",
	}
	if diff := cmp.Diff(want, span.attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	span.wantFailed(t, "")
	if span.Name != "chat gpt-4o-mini" || span.SpanKind != trace.SpanKindClient {
		t.Errorf("span %q of kind %v", span.Name, span.SpanKind)
	}
	scope := span.InstrumentationScope
	if scope.Name != ScopeName || scope.Version != instrument.Version {
		t.Errorf("scope %s %s", scope.Name, scope.Version)
	}
	if span.StartTime.Before(started) || span.EndTime.Before(span.StartTime) {
		t.Errorf("span from %v to %v, the test began at %v", span.StartTime, span.EndTime, started)
	}
}

func TestRequestParameters(t *testing.T) {
	tests := []struct {
		name, url, body string
		want            map[string]any
	}{
		{
			name: "chat", url: chatURL,
			body: `{"messages":[],"model":"m","n":2,"temperature":0.5,"top_p":1,"max_tokens":9,"max_completion_tokens":10,"seed":-3,
				"frequency_penalty":-0.5,"presence_penalty":2,"stop":["a","b"],"service_tier":"flex","reasoning_effort":"low",
				"user":"secret","metadata":{"model":"no"}}`,
			want: map[string]any{
				"gen_ai.request.choice.count": int64(2), "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 1.0,
				"gen_ai.request.max_tokens": int64(10), "gen_ai.request.seed": int64(-3), "gen_ai.request.frequency_penalty": -0.5,
				"gen_ai.request.presence_penalty": 2.0, "gen_ai.request.stop_sequences": []string{"a", "b"},
				"openai.request.service_tier": "flex", "gen_ai.request.reasoning.level": "low", "gen_ai.request.model": "m",
			},
		},
		{
			name: "one stop sequence, one choice, a seed beyond float64", url: chatURL,
			body: `{"model":"m","stop":"\n\n","n":1,"seed":9007199254740993}`,
			want: map[string]any{
				"gen_ai.request.stop_sequences": []string{"\n\n"}, "gen_ai.request.choice.count": nil,
				"gen_ai.request.seed": int64(9007199254740993),
			},
		},
		{
			name: "embeddings", url: "http://api.openai.com/v1/embeddings", body: `{"model":"e","input":"x","dimensions":256,"encoding_format":"base64"}`,
			want: map[string]any{
				"gen_ai.operation.name": "embeddings", "gen_ai.embeddings.dimension.count": int64(256),
				"gen_ai.request.encoding_formats": []string{"base64"}, "openai.api.type": nil,
			},
		},
		{
			name: "nonsense", url: chatURL, body: `{"model":7,"n":"two","temperature":"hot","stop":{"x":1},"seed":1e40,"max_tokens":null}`,
			want: map[string]any{
				"gen_ai.request.model": nil, "gen_ai.request.choice.count": nil, "gen_ai.request.temperature": nil,
				"gen_ai.request.stop_sequences": nil, "gen_ai.request.seed": nil, "gen_ai.request.max_tokens": nil,
			},
		},
		{
			name: "model in the path", url: "http://x.openai.azure.com/openai/deployments/my%2Fmodel/chat/completions?api-version=1", body: `{"messages":[{}]}`,
			want: map[string]any{"gen_ai.request.model": "my/model", "gen_ai.provider.name": "azure.ai.openai"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, "application/json", chatAnswer))
			h.exchange(tt.url, tt.body)
			h.only().want(t, tt.want)
		})
	}
}

// All that must not be touched is passed to the base as it is, the very same
// request, and makes no span.
func TestOtherRequestsPassUntouched(t *testing.T) {
	tests := []struct{ name, method, url, body, contentType string }{
		{name: "GET of something that is stored elsewhere", method: http.MethodGet, url: "http://survey.example.com/v1/responses/42"},
		{name: "GET", method: http.MethodGet, url: chatURL},
		{name: "change of a stored completion", method: http.MethodPost, url: chatURL + "/chatcmpl-1", body: chatBody},
		{name: "files", method: http.MethodPost, url: "http://api.openai.com/v1/files", body: chatBody},
		{name: "members of a response", method: http.MethodGet, url: "http://api.openai.com/v1/responses/resp_1/input_items"},
		{name: "messages of a thread", method: http.MethodPost, url: "http://api.openai.com/v1/threads/t/messages", body: chatBody},
		{name: "an operation of somebody's own", method: http.MethodGet, url: "http://ml.example.com/v1/models/m/operations/o1"},
		{name: "content of a video", method: http.MethodGet, url: "http://api.openai.com/v1/videos/video_1/content"},
		{name: "a model that is no language model", method: http.MethodPost, url: "http://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/7:predict", body: `{"instances":[{"content":"x"}]}`},
		{name: "a prediction of something else", method: http.MethodPost, url: "http://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/acme/models/tabular:predict", body: `{"instances":[{"age":7}]}`},
		{name: "a chat of somebody's own", method: http.MethodPost, url: "http://shop.example.com/v1/chat", body: chatBody},
		{name: "text messages", method: http.MethodPost, url: "http://sms.example.com/v1/messages", body: `{"to":"x","messages":["y"]}`},
		{name: "a list of videos", method: http.MethodPost, url: "http://tv.example.com/videos", body: `{"model":"x"}`},
		{name: "a path that only ends alike", method: http.MethodPost, url: "http://llm.example.com/v1/autocompletions", body: chatBody},
		{name: "a form", method: http.MethodPost, url: chatURL, body: chatBody, contentType: "multipart/form-data; boundary=x"},
		{name: "something else at an unknown host", method: http.MethodPost, url: "http://search.example.com/completions", body: `{"query":"x"}`, contentType: "application/json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, "application/json", chatAnswer))
			var passed *http.Request
			h.transport.base = roundTripper(func(req *http.Request) (*http.Response, error) {
				passed = req
				return h.base.RoundTrip(req)
			})
			req, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if tt.contentType != "" {
				req.Header.Set("Content-Type", tt.contentType)
			}
			resp, err := h.transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, ok := resp.Body.(*body); ok {
				t.Error("the answer's body is wrapped")
			}
			if passed != req {
				t.Error("the base got another request")
			}
			if n := len(h.all()); n != 0 {
				t.Errorf("%d spans, want none", n)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The request that the caller made stays as it was, and what reaches the server
// is the same but for the trace context.
func TestRequestIsNotModified(t *testing.T) {
	var received []byte
	var headers http.Header
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		received, _ = io.ReadAll(r.Body)
		headers = r.Header.Clone()
		answering(200, "application/json", chatAnswer)(w, r)
	}, WithPropagators(propagation.TraceContext{}))
	req := h.request(t.Context(), chatURL, chatBody, "Authorization", "Bearer sk-test", "Traceparent", "caller's own")
	before := req.Clone(t.Context())
	body := req.Body
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()

	if diff := cmp.Diff(before.Header, req.Header); diff != "" {
		t.Errorf("the request's headers changed (-before +after):\n%s", diff)
	}
	if req.Body != body || req.ContentLength != before.ContentLength || req.URL.String() != before.URL.String() {
		t.Error("the request changed")
	}
	if resp.Request != req {
		t.Error("the answer does not name the caller's request")
	}
	if string(received) != chatBody {
		t.Errorf("the server got %q", received)
	}
	span := h.only()
	want := "00-" + span.SpanContext.TraceID().String() + "-" + span.SpanContext.SpanID().String() + "-01"
	if got := headers.Get("Traceparent"); got != want {
		t.Errorf("traceparent %q, want that of the span, %q", got, want)
	}
}

func TestPropagation(t *testing.T) {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	t.Cleanup(func() { otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator()) })
	member, err := baggage.NewMemberRaw("customer", "acme")
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.New(member)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name           string
		url            string
		opts           []Option
		trace, baggage bool
	}{
		{name: "baggage is kept from a provider's public host", url: chatURL, trace: true},
		{name: "a host of one's own", url: unknownURL, trace: true, baggage: true},
		{name: "named propagators write all", url: chatURL, opts: []Option{WithPropagators(propagation.Baggage{})}, baggage: true},
		{name: "off", url: unknownURL, opts: []Option{WithoutPropagation()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var headers http.Header
			h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
				headers = r.Header.Clone()
				answering(200, "application/json", chatAnswer)(w, r)
			}, tt.opts...)
			resp, err := h.client.Do(h.request(baggage.ContextWithBaggage(t.Context(), bag), tt.url, chatBody))
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := headers.Get("Traceparent") != ""; got != tt.trace {
				t.Errorf("trace context sent: %t", got)
			}
			if got := headers.Get("Baggage") == "customer=acme"; got != tt.baggage {
				t.Errorf("baggage %q", headers.Get("Baggage"))
			}
		})
	}
}

// Bodies that can be read once only are sent as they are, and are read along.
func TestBodiesWithoutGetBody(t *testing.T) {
	long := `{"messages":["` + strings.Repeat("x", maxBuffered) + `"],"model":"late"}`
	tests := []struct {
		name, body string
		length     int64 // ContentLength
		startModel bool  // known at the span's start
	}{
		{name: "small, of known length", body: chatBody, length: int64(len(chatBody)), startModel: true},
		{name: "small, of unknown length", body: chatBody, length: -1},
		{name: "long, of known length", body: long, length: int64(len(long))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var received []byte
			var length int64
			h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
				length = r.ContentLength
				received, _ = io.ReadAll(r.Body)
				answering(200, "application/json", chatAnswer)(w, r)
			})
			starts := &startLog{}
			h.provider.RegisterSpanProcessor(starts)
			req := h.request(t.Context(), chatURL, "")
			closed := false
			req.Body = &closeLog{Reader: strings.NewReader(tt.body), closed: &closed}
			req.ContentLength, req.GetBody = tt.length, nil
			resp, err := h.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if !bytes.Equal(received, []byte(tt.body)) || length != tt.length {
				t.Errorf("the server got %d bytes with a length of %d, want %d and %d", len(received), length, len(tt.body), tt.length)
			}
			if !closed {
				t.Error("the body was not closed")
			}
			span := h.only()
			model := "gpt-4o-mini"
			if strings.Contains(tt.body, "late") {
				model = "late"
			}
			if span.Name != "chat "+model {
				t.Errorf("name %q", span.Name)
			}
			span.want(t, map[string]any{"gen_ai.request.model": model})
			if got := starts.names[0] == "chat "+model; got != tt.startModel {
				t.Errorf("at its start the span was named %q", starts.names[0])
			}
		})
	}
}

const otherBody = `{"query":"x"}`

// Copies of the body may share one reader with the body itself.
func TestBodiesThatShareAReader(t *testing.T) {
	for _, body := range []string{chatBody, streamBody, otherBody} { // the second is changed, the third no call
		var received []byte
		h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
			received, _ = io.ReadAll(r.Body)
			answering(200, "application/json", chatAnswer)(w, r)
		})
		url, spans := chatURL, 1
		if body == otherBody {
			url, spans = "http://search.example.com/completions", 0
		}
		req := h.request(t.Context(), url, body)
		shared := strings.NewReader(body)
		closed := false
		req.Body = &closeLog{Reader: shared, closed: &closed}
		req.GetBody = func() (io.ReadCloser, error) {
			_, err := shared.Seek(0, io.SeekStart)
			return io.NopCloser(shared), err
		}
		resp, err := h.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		asked := strings.Replace(body, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
		if string(received) != asked || !closed {
			t.Errorf("the server got %q, want %q; the body was closed: %t", received, asked, closed)
		}
		if n := len(h.all()); n != spans {
			t.Errorf("%s: %d spans, want %d", body, n, spans)
		}
	}
}

type closeLog struct {
	io.Reader
	closed *bool
}

func (c *closeLog) Close() error {
	*c.closed = true
	return nil
}

// startLog keeps what spans are at their start.
type startLog struct {
	sdktrace.SpanProcessor
	names      []string
	attributes []map[string]any
}

func (l *startLog) OnStart(_ context.Context, s sdktrace.ReadWriteSpan) {
	l.names = append(l.names, s.Name())
	m := map[string]any{}
	for _, kv := range s.Attributes() {
		m[string(kv.Key)] = kv.Value.AsInterface()
	}
	l.attributes = append(l.attributes, m)
}

func (l *startLog) OnEnd(sdktrace.ReadOnlySpan)      {}
func (l *startLog) Shutdown(context.Context) error   { return nil }
func (l *startLog) ForceFlush(context.Context) error { return nil }

// Samplers see what is there at a span's start.
func TestStartAttributes(t *testing.T) {
	h := newHarness(t, streaming(doneEvent), WithRequestAttributes(func(req *http.Request) []attribute.KeyValue {
		return []attribute.KeyValue{attribute.String("revenium.organization.name", req.Header.Get("X-Org"))}
	}))
	starts := &startLog{}
	h.provider.RegisterSpanProcessor(starts)
	h.exchange("http://api.openai.com:8080/v1/chat/completions", streamBody, "X-Org", "acme", "X-Stainless-Retry-Count", "2")
	want := map[string]any{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
		"gen_ai.request.stream": true, "server.address": "api.openai.com", "server.port": int64(8080),
		"revenium.organization.name": "acme", "revenium.retry.number": int64(2), "openai.api.type": "chat_completions",
	}
	if diff := cmp.Diff(want, starts.attributes[0]); diff != "" {
		t.Errorf("attributes at the start (-want +got):\n%s", diff)
	}
}

// Nobody sees the span, so nothing is done for it.
func TestNotRecording(t *testing.T) {
	var received string
	h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		received = string(text)
		streaming(chunk("x"), doneEvent)(w, r)
	}, WithTracerProvider(noop.NewTracerProvider()))
	resp := h.post(chatURL, streamBody)
	defer resp.Body.Close()
	if _, ok := resp.Body.(*body); ok {
		t.Error("the answer's body is wrapped")
	}
	if received != streamBody {
		t.Errorf("the server got %q", received)
	}
}

func TestNestedTransportsMakeOneSpan(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	h.client.Transport = NewTransport(h.transport, WithTracerProvider(h.provider))
	h.exchange(chatURL, chatBody)
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
}

// httpSpans is an HTTP instrumentation like otelhttp: a client span around each
// request.
func httpSpans(provider trace.TracerProvider, base http.RoundTripper) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		ctx, span := provider.Tracer("http").Start(req.Context(), "HTTP POST", trace.WithSpanKind(trace.SpanKindClient))
		defer span.End()
		req = req.Clone(ctx)
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(req.Header))
		return base.RoundTrip(req)
	})
}

// The transport makes one span with a model, whichever way it is combined with
// an HTTP instrumentation, and the two are parent and child.
func TestComposesWithHTTPInstrumentation(t *testing.T) {
	for _, outside := range []bool{true, false} {
		var parent string
		h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
			parent = strings.Split(r.Header.Get("Traceparent"), "-")[2]
			answering(200, "application/json", chatAnswer)(w, r)
		}, WithPropagators(propagation.TraceContext{}))
		if outside {
			h.client.Transport = httpSpans(h.provider, h.transport)
		} else {
			h.transport.base = httpSpans(h.provider, h.base)
		}
		h.exchange(chatURL, chatBody)
		var model, plain spanView
		for _, s := range h.all() {
			if s.Name == "HTTP POST" {
				plain = s
			} else {
				model = s
			}
		}
		if len(h.all()) != 2 || plain.attributes["gen_ai.operation.name"] != nil {
			t.Fatalf("outside %t: %d spans", outside, len(h.all()))
		}
		model.want(t, map[string]any{"gen_ai.usage.output_tokens": int64(5)})
		inner, outer := plain, model
		if outside {
			inner, outer = model, plain
		}
		if inner.Parent.SpanID() != outer.SpanContext.SpanID() {
			t.Errorf("outside %t: the inner span is not the outer one's child", outside)
		}
		if parent != inner.SpanContext.SpanID().String() {
			t.Errorf("outside %t: the server got %s as parent", outside, parent)
		}
	}
}
