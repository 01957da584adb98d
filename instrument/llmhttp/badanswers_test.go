// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/instrument"
)

// hostOfProvider is a host of each provider whose APIs there are.
var hostOfProvider = map[string]string{
	providerOpenAI: "api.openai.com", providerAnthropic: "api.anthropic.com", providerGemini: "generativelanguage.googleapis.com",
	providerVertexAI: "us-central1-aiplatform.googleapis.com", providerBedrock: "bedrock-runtime.us-east-1.amazonaws.com",
	providerCohere: "api.cohere.com", providerOllama: "localhost:11434",
}

// anyRequest returns a request of the API that has all that any API asks for.
func anyRequest(tb testing.TB, a *api) *http.Request {
	tb.Helper()
	path := strings.ReplaceAll(a.paths[0], "*", a.idPrefix+"m1")
	method, body := http.MethodPost, io.Reader(strings.NewReader(`{"model":"m","stream":true,"messages":[{}],"message":"x","input":"x","prompt":"x","contents":[{}],
		"content":{"parts":[]},"instances":[{"content":"x","prompt":"x"}],"requests":[{"content":{}}],"inputText":"x","documents":["x"]}`))
	if a.method != "" {
		method, body = a.method, nil
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, "http://"+hostOfProvider[a.provider]+path, body)
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

// Whatever a server sends in place of an answer, whatever it says that it is: the
// caller gets it, the call has one span that says what became of it, and nobody
// is troubled.
func TestBadAnswers(t *testing.T) {
	gzipped := func(text string) string { return string(zipped(t, text)) }
	bodies := map[string]string{
		"nothing":                  "",
		"white space":              " \r\n\t\n",
		"HTML":                     "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
		"text":                     "upstream connect error",
		"text like an event":       "data",
		"a cut document":           `{"id":"x","usage":{"prompt_tokens":1`,
		"a cut string":             `{"id":"x\`,
		"another type":             `"text"`,
		"an array of rubbish":      `[1,"x",null,[{}],{"usage":7}]`,
		"wrong types":              `{"usage":[],"usageMetadata":"x","choices":{},"candidates":7,"message":1,"response":[],"meta":null,"type":{},"done":"yes","error":[]}`,
		"an error":                 `{"error":{"code":"overloaded","message":"secret"}}`,
		"an error's text":          `{"error":"secret"}`,
		"an error in an array":     `[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]`,
		"an error event":           "event: error\ndata: {\"error\":{\"type\":\"overloaded_error\"}}\n\n",
		"events without data":      "event: x\n\n: y\n\n\n",
		"an event that is cut":     "data: {\"usage\":{\"prompt_tokens\":1",
		"an event that is no JSON": "data: <html>\n\n",
		"deep":                     strings.Repeat(`{"usage":[`, 5000),
		"a frame that is cut":      awsEvent("metadata", `{"usage":{"inputTokens":1}}`)[:40],
		"a frame of lies":          string(binary.BigEndian.AppendUint32(nil, 1<<23)) + strings.Repeat("\x00", 100),
		"a frame without JSON":     awsEvent("chunk", `{"bytes":"!!!not Base64!!!"}`),
		"zeros":                    strings.Repeat("\x00", 5000),
		"noise":                    strings.Repeat("\xfe\xdb\x91\x00{\"[:d", 500),
		"numbers beyond all":       `{"usage":{"prompt_tokens":1e999,"completion_tokens":-1,"input_tokens":99999999999999999999},"usageMetadata":{"promptTokenCount":1e300}}`,
		"gzip that is cut":         gzipped(strings.Repeat(`{"usage":{}}`, 500))[:60],
		"gzip":                     gzipped(`{"usage":{"prompt_tokens":1}}`),
	}
	types := [][2]string{{"application/json", ""}, {"text/event-stream", ""}, {"text/html", "gzip"}, {awsStreamType, "identity"}, {"", "br"}, {"application/x-ndjson", "GZIP"}}
	handled := handleErrors(t)
	for _, a := range apis {
		for name, text := range bodies {
			for i, kind := range types {
				spans := newSpanLog()
				transport := NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
					return &http.Response{
						StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {kind[0]}, "Content-Encoding": {kind[1]}},
						Body: io.NopCloser(pieceReader{strings.NewReader(text), 1 + 50*i}), Request: req,
					}, nil
				}), WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))))
				resp, err := transport.RoundTrip(anyRequest(t, a))
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || string(got) != text {
					t.Errorf("%s, %s, %v: read %q, %v", a.name, name, kind, got, err)
				}
				checkDecision(t, spans, a, name)
			}
		}
	}
	for _, err := range *handled {
		if !strings.Contains(err.Error(), "not known and not metered") { // these bodies mix everybody's words
			t.Errorf("handled: %v", err)
		}
	}
}

// checkDecision checks that there is one span and that it says what became of
// the call.
func checkDecision(t *testing.T, spans *spanLog, a *api, name string) {
	t.Helper()
	all := spans.all()
	if len(all) != 1 {
		t.Errorf("%s, %s: %d spans, want 1", a.name, name, len(all))
		return
	}
	span := view(all[0])
	for key, value := range span.attributes {
		if text, ok := value.(string); ok && strings.Contains(text, "secret") {
			t.Errorf("%s, %s: %s is %q", a.name, name, key, text)
		}
		if n, ok := value.(int64); ok && n < 0 {
			t.Errorf("%s, %s: %s is %d", a.name, name, key, n)
		}
	}
	for _, key := range []string{
		"error.type", "revenium.usage.missing", "revenium.metering.skip", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "revenium.usage.search_units",
		"revenium.image.count", "revenium.audio.character_count", "revenium.audio.duration",
	} {
		if _, ok := span.attributes[key]; ok {
			return
		}
	}
	if a.billable {
		t.Errorf("%s, %s: the span says neither what was consumed nor that nobody knows: %v", a.name, name, span.attributes)
	}
}

// pieceReader reads at most size bytes at a time.
type pieceReader struct {
	io.Reader
	size int
}

func (r pieceReader) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(r.size, len(p))]) }

// streamOf is a stream of a format: a beginning, a piece that comes over and over,
// and an end.
type streamOf struct {
	api, contentType, begin, piece, end string
}

func streams() []streamOf {
	const events = "text/event-stream"
	return []streamOf{
		{"openai.chat", events, roleChunk, chunk(" token"), finishChunk + usageEvent + doneEvent},
		{"openai.completions", events, "", sse(`{"id":"c","model":"m","choices":[{"index":0,"text":"x","finish_reason":null}]}`), finishChunk + usageEvent + doneEvent},
		{
			"openai.responses", events, sse(`response.created:{"type":"response.created","response":` + responseWith("in_progress", `"usage":null`) + `}`),
			sse(`response.output_text.delta:{"type":"response.output_text.delta","item_id":"msg_1","delta":" token","logprobs":[],"obfuscation":"abc"}`),
			sse(`response.completed:{"type":"response.completed","response":` + responseWith("completed", responseUsage) + `}`),
		},
		{
			"anthropic.messages", events, sse(`message_start:{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":10,"output_tokens":1}}}`),
			sse(`content_block_delta:{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}`),
			sse(`message_delta:{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}`, `message_stop:{"type":"message_stop"}`),
		},
		{
			"gemini.generate_content", events, "",
			sse(`{"candidates":[{"content":{"parts":[{"text":" token"}]}}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10,"promptTokensDetails":[{"modality":"TEXT","tokenCount":10}]},"modelVersion":"models/g","responseId":"r"}`),
			sse(`{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15},"modelVersion":"models/g"}`),
		},
		{
			"gemini.generate_content", "application/json", "[{}",
			",\r\n" + `{"candidates":[{"content":{"parts":[{"text":" token"}]}}],"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10},"modelVersion":"g","responseId":"r"}`,
			",\r\n" + `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}]`,
		},
		{
			"bedrock.converse", awsStreamType, awsEvent("messageStart", `{"role":"assistant"}`), awsEvent("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" token"},"p":"abcd"}`),
			awsEvent("messageStop", `{"stopReason":"end_turn"}`) + awsEvent("metadata", `{"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":15}}`),
		},
		{
			"bedrock.invoke", awsStreamType, awsChunk(`{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":10,"output_tokens":1}}}`),
			awsChunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}`),
			awsChunk(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":5}}`) + awsChunk(`{"type":"message_stop"}`),
		},
		{
			"cohere.chat.v2", events, "", sse(`content-delta:{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":" token"}}}}`),
			sse(`message-end:{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":10,"output_tokens":5}}}}`) + doneEvent,
		},
		{
			"cohere.chat.v1", "application/stream+json", "", `{"is_finished":false,"event_type":"text-generation","text":" token"}` + "\n",
			`{"is_finished":true,"event_type":"stream-end","response":{"response_id":"c","meta":{"billed_units":{"input_tokens":10,"output_tokens":5}}}}` + "\n",
		},
		{
			"ollama.chat", "application/x-ndjson", "", `{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":" token"},"done":false}` + "\n",
			`{"model":"m","done":true,"done_reason":"stop","prompt_eval_count":10,"eval_count":5}` + "\n",
		},
	}
}

// answer is the answer with the piece n times.
func (s *streamOf) answer(n int) io.Reader {
	return io.MultiReader(strings.NewReader(s.begin), io.LimitReader(&loopReader{text: s.piece}, int64(n*len(s.piece))), strings.NewReader(s.end))
}

// loopReader reads the same text over and over.
type loopReader struct {
	text string
	at   int
}

func (r *loopReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n += c
		r.at = (r.at + c) % len(r.text)
	}
	return n, nil
}

// exchange sends a request whose answer is body and returns the answer.
func (s *streamOf) exchange(tb testing.TB, body io.Reader, spans sdktrace.SpanProcessor) *http.Response {
	tb.Helper()
	transport := NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {s.contentType}}, Body: io.NopCloser(body), Request: req}, nil
	}), WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))), WithoutStreamUsage())
	a := targetOf(tb, s.api).api
	if s.contentType != "application/json" || strings.HasPrefix(s.api, "gemini") {
		for _, other := range apis { // the one that streams by its path
			if other.name == s.api && other.streams {
				a = other
			}
		}
	}
	resp, err := transport.RoundTrip(anyRequest(tb, a))
	if err != nil {
		tb.Fatal(err)
	}
	return resp
}

// The memory of a stream of any format does not depend on its length, and its
// usage is found.
func TestStreamsOfAllFormatsStayFlat(t *testing.T) {
	for _, s := range streams() {
		t.Run(s.api+" "+s.contentType, func(t *testing.T) {
			spans := newSpanLog()
			resp := s.exchange(t, s.answer(benchChunks), spans)
			buf := make([]byte, 4<<10)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			if _, err := io.CopyBuffer(writerFunc(func([]byte) {}), resp.Body, buf); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			_ = resp.Body.Close()
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 && !raceEnabled {
				t.Errorf("a stream of %d pieces allocated %d bytes", benchChunks, grown)
			}
			span := view(spans.all()[0])
			span.wantFailed(t, "")
			if span.attributes["gen_ai.usage.output_tokens"] == nil || span.attributes["gen_ai.usage.input_tokens"] == nil {
				t.Errorf("no usage: %v", span.attributes)
			}
		})
	}
}

// What a piece of a stream of any format costs, and reading it without the
// transport.
func BenchmarkStreams(b *testing.B) {
	for _, s := range streams() {
		whole, err := io.ReadAll(s.answer(benchChunks))
		if err != nil {
			b.Fatal(err)
		}
		buf := make([]byte, 4<<10)
		b.Run(strings.ReplaceAll(s.api+"-"+s.contentType, "/", "-"), func(b *testing.B) {
			perChunk(b, func() { readAll(b, bytes.NewReader(whole), buf) }, func() {
				resp := s.exchange(b, bytes.NewReader(whole), discard{})
				readAll(b, resp.Body, buf)
				_ = resp.Body.Close()
			})
		})
	}
}

// A line of 10 MB within a stream is passed over, and what is behind it is found,
// also in the same event.
func TestLongEvents(t *testing.T) {
	const long = 10 << 20
	spans := newSpanLog()
	s := streamOf{api: "openai.responses", contentType: "text/event-stream"}
	body := io.MultiReader(
		strings.NewReader("event: response.output_item.done\ndata: "+`{"type":"response.output_item.done","item":{"result":"`), io.LimitReader(&loopReader{text: "QUJD"}, long), strings.NewReader(`"}}`+"\n\n"),
		strings.NewReader(": "), io.LimitReader(&loopReader{text: "comment "}, long), strings.NewReader("\n"),
		strings.NewReader(`data: {"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[{"type":"image_generation_call","result":"`),
		io.LimitReader(&loopReader{text: "QUJD"}, long), strings.NewReader(`"}],`+responseUsage+"}}\n\n"),
	)
	resp := s.exchange(t, body, spans)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, err := io.CopyBuffer(writerFunc(func([]byte) {}), resp.Body, make([]byte, 32<<10))
	if err != nil || n < 3*long {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	_ = resp.Body.Close()
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 && !raceEnabled {
		t.Errorf("30 MB allocated %d bytes", grown)
	}
	span := view(spans.all()[0])
	span.want(t, withResponseUsage(map[string]any{"revenium.usage.server_tool.image_generation": int64(1)}))
}

// A stream that never ends takes no more memory with time, and its span ends with
// the caller's patience.
func TestEndlessStreams(t *testing.T) {
	for _, s := range streams() {
		t.Run(s.api+" "+s.contentType, func(t *testing.T) {
			spans := newSpanLog()
			ctx, cancel := context.WithCancel(t.Context())
			endless := &loopReader{text: s.piece}
			transport := NewTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
				body := io.MultiReader(strings.NewReader(s.begin), endless)
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {s.contentType}}, Body: io.NopCloser(body), Request: req}, nil
			}), WithTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))), WithoutStreamUsage())
			resp, err := transport.RoundTrip(anyRequest(t, targetOf(t, s.api).api).WithContext(ctx))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			buf := make([]byte, 32<<10)
			if _, err := io.ReadFull(resp.Body, buf); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			for range 256 { // 8 MB
				if _, err := io.ReadFull(resp.Body, buf); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<10 && !raceEnabled {
				t.Errorf("8 MB more allocated %d bytes", grown)
			}
			cancel()
			spans.wait(t, 1)
			view(spans.all()[0]).wantFailed(t, instrument.ErrorTypeCanceled)
		})
	}
}

// A reader that breaks its contract is the caller's to find out.
func TestBrokenReaders(t *testing.T) {
	boom := errors.New("boom")
	for name, read := range map[string]func([]byte) (int, error){
		"too much":    func(p []byte) (int, error) { return len(p) + 1, boom },
		"less than 0": func([]byte) (int, error) { return -1, boom },
		"nothing":     func([]byte) (int, error) { return 0, boom },
	} {
		s := streamOf{api: "bedrock.converse", contentType: awsStreamType}
		spans := newSpanLog()
		resp := s.exchange(t, readerFunc(read), spans)
		if _, err := resp.Body.Read(make([]byte, 10)); !errors.Is(err, boom) {
			t.Errorf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		if n := len(spans.all()); n != 1 {
			t.Errorf("%s: %d spans", name, n)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
