// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
)

var whole = roleChunk + chunk("Hel") + chunk("lo") + finishChunk + usageEvent + doneEvent

func TestStream(t *testing.T) {
	h := newHarness(t, streaming(roleChunk, chunk("Hel"), chunk("lo"), finishChunk, usageEvent, doneEvent))
	if got := h.exchange(chatURL, askingBody); got != whole {
		t.Errorf("the answer changed:\n%s", cmp.Diff(whole, got))
	}
	span := h.only()
	span.wantFailed(t, "")
	seconds, ok := span.attributes["gen_ai.response.time_to_first_chunk"].(float64)
	if !ok || seconds <= 0 || seconds > span.EndTime.Sub(span.StartTime).Seconds() {
		t.Errorf("time to first chunk %v of %v", seconds, span.EndTime.Sub(span.StartTime))
	}
	delete(span.attributes, "gen_ai.response.time_to_first_chunk")
	want := map[string]any{
		"gen_ai.operation.name":          "chat",
		"gen_ai.provider.name":           "openai",
		"gen_ai.request.model":           "gpt-4o-mini",
		"gen_ai.request.stream":          true,
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
}

// A stream passes at once: each piece is there before the next is sent.
func TestStreamIsNotDelayed(t *testing.T) {
	for _, asked := range []bool{true, false} { // with and without a chunk to hide
		sent := make(chan string)
		h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			for piece := range sent {
				_, _ = io.WriteString(w, piece)
				_ = http.NewResponseController(w).Flush()
			}
		})
		body := streamBody
		if asked {
			body = askingBody
		}
		go func() { sent <- roleChunk }() // the answer's headers come with it
		resp := h.post(chatURL, body)
		read := func(want string) {
			t.Helper()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != want {
				t.Fatalf("asked %t: read %q, %v; want %q", asked, got, err, want)
			}
		}
		read(roleChunk)
		for _, piece := range []string{chunk("Hel"), ": keep-alive\n", "\n", chunk("lo"), finishChunk} {
			sent <- piece
			read(piece)
		}
		// An event that comes in two pieces passes as soon as it is known.
		half := len(chunk("x")) - 20
		sent <- chunk("x")[:half]
		read(chunk("x")[:half])
		sent <- chunk("x")[half:]
		read(chunk("x")[half:])
		close(sent)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// The ways in which streams end, and what is known then.
func TestStreamEnds(t *testing.T) {
	read := func(n int) func(*testing.T, *http.Response, context.CancelFunc) {
		return func(t *testing.T, resp *http.Response, _ context.CancelFunc) {
			t.Helper()
			if _, err := io.ReadFull(resp.Body, make([]byte, n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	readAll := func(_ *testing.T, resp *http.Response, _ context.CancelFunc) { _, _ = io.Copy(io.Discard, resp.Body) }
	start := roleChunk + chunk("Hel")
	running := `data: {"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":8,"completion_tokens":1,"total_tokens":9}}` + "\n\n"
	tests := []struct {
		name    string
		stream  string
		cut     bool // the connection breaks behind the stream
		hang    bool // the server goes on without an end
		consume func(*testing.T, *http.Response, context.CancelFunc)
		close   bool
		failed  string
		want    map[string]any
	}{
		{name: "stops at the mark, does not close", stream: whole, hang: true, consume: read(len(whole)), want: map[string]any{"gen_ai.usage.input_tokens": int64(10)}},
		{name: "stops at the mark and closes", stream: whole, consume: read(len(whole)), close: true, want: map[string]any{"gen_ai.usage.input_tokens": int64(10)}},
		{
			name: "no mark, the body ends behind the finish", stream: start + finishChunk, consume: readAll,
			want: map[string]any{"gen_ai.usage.input_tokens": nil, "revenium.usage.missing": true, "revenium.usage.partial": nil, "gen_ai.response.finish_reasons": []string{"stop"}},
		},
		{
			name: "closed behind the finish", stream: start + finishChunk, hang: true, consume: read(len(start + finishChunk)), close: true,
			want: map[string]any{"revenium.usage.missing": true, "gen_ai.response.finish_reasons": []string{"stop"}},
		},
		{
			name: "the body ends in the middle", stream: start, consume: readAll, failed: instrument.ErrorTypeUnexpectedEOF,
			want: map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.finish_reasons": nil},
		},
		{name: "the connection breaks", stream: start, cut: true, consume: readAll, failed: instrument.ErrorTypeUnexpectedEOF, want: map[string]any{"revenium.usage.missing": true}},
		{
			name: "the connection breaks within the usage chunk", stream: start + finishChunk + usageEvent[:len(usageEvent)-20], cut: true, consume: readAll,
			failed: instrument.ErrorTypeUnexpectedEOF,
			want:   map[string]any{"gen_ai.usage.input_tokens": nil, "revenium.usage.missing": true},
		},
		{
			name: "closed in the middle", stream: start, hang: true, consume: read(len(start)), close: true, failed: instrument.ErrorTypeCanceled,
			want: map[string]any{"revenium.usage.missing": true},
		},
		{
			name: "closed unread", stream: start, hang: true, consume: read(0), close: true, failed: instrument.ErrorTypeCanceled,
			want: map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": nil},
		},
		{
			name: "cancelled in the middle", stream: start, hang: true, failed: instrument.ErrorTypeCanceled,
			consume: func(t *testing.T, resp *http.Response, cancel context.CancelFunc) {
				t.Helper()
				read(len(start))(t, resp, nil)
				cancel()
			},
			want: map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": "chatcmpl-1"},
		},
		{
			name: "running totals, closed in the middle", stream: running, hang: true, consume: read(len(running)), close: true, failed: instrument.ErrorTypeCanceled,
			want: map[string]any{"gen_ai.usage.input_tokens": int64(8), "gen_ai.usage.output_tokens": int64(1), "revenium.usage.partial": true, "revenium.usage.missing": nil},
		},
		{
			name: "cancelled behind the usage", stream: start + finishChunk + usageEvent, hang: true,
			consume: func(t *testing.T, resp *http.Response, cancel context.CancelFunc) {
				t.Helper()
				read(len(start+finishChunk+usageEvent))(t, resp, nil)
				cancel()
			},
			want: map[string]any{"gen_ai.usage.input_tokens": int64(10), "revenium.usage.partial": nil, "gen_ai.response.finish_reasons": []string{"stop"}},
		},
		{
			name: "one of two choices finished", failed: instrument.ErrorTypeUnexpectedEOF, consume: readAll,
			stream: `data: {"choices":[{"index":1,"delta":{"content":"a"}},{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n",
			want:   map[string]any{"gen_ai.response.finish_reasons": []string{"stop"}},
		},
		{
			name: "an error event", stream: start + "event: error\ndata: {\"error\":{\"message\":\"secret\",\"type\":\"server_error\",\"code\":null,\"status_code\":500}}\n\n",
			consume: readAll, failed: "server_error", want: map[string]any{"revenium.usage.missing": true},
		},
		{
			name: "an error in a chunk", stream: start + `data: {"id":"x","error":{"code":502,"message":"secret"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}],` +
				`"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}` + "\n\n" + doneEvent,
			consume: readAll, failed: "502",
			want: map[string]any{"gen_ai.usage.input_tokens": int64(3), "revenium.usage.partial": true, "gen_ai.response.finish_reasons": []string{"error"}},
		},
		{
			name: "an error before anything", stream: "event: error\ndata: overloaded, sorry\n\n", consume: readAll, failed: instrument.ErrorTypeOther,
			want: map[string]any{"revenium.usage.missing": nil},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			release := make(chan struct{})
			h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
				streaming(tt.stream)(w, r)
				if tt.hang {
					<-release
				}
				if tt.cut {
					panic(http.ErrAbortHandler)
				}
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			resp, err := h.client.Do(h.request(ctx, chatURL, askingBody))
			if err != nil {
				t.Fatal(err)
			}
			tt.consume(t, resp, cancel)
			if tt.close {
				_ = resp.Body.Close()
			}
			h.spans.wait(t, 1)
			span := h.only()
			span.wantFailed(t, tt.failed)
			span.want(t, tt.want)
			close(release)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			_ = resp.Body.Close()
			if len(h.all()) != 1 {
				t.Error("a second span")
			}
		})
	}
}

// The end of the span is that of the answer, not that of a caller who keeps it.
func TestSpanEndsWithTheAnswer(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	resp := h.post(chatURL, chatBody)
	if _, err := io.ReadFull(resp.Body, make([]byte, len(chatAnswer))); err != nil {
		t.Fatal(err)
	}
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)}) // before EOF and Close
	_ = resp.Body.Close()
}

// A body that is neither read nor closed ends its span when it is collected.
func TestAbandonedBody(t *testing.T) {
	h := newHarness(t, nil)
	closed := false
	h.transport.base = roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}},
			Body: &closeLog{Reader: io.MultiReader(strings.NewReader(roleChunk), iotest.ErrReader(errors.New("not read"))), closed: &closed},
		}, nil
	})
	func() {
		resp, err := h.transport.RoundTrip(h.request(t.Context(), chatURL, askingBody))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(resp.Body, make([]byte, len(roleChunk))); err != nil {
			t.Fatal(err)
		}
	}()
	for deadline := time.Now().Add(20 * time.Second); len(h.all()) == 0 && time.Now().Before(deadline); {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	span := h.only()
	span.wantFailed(t, instrument.ErrorTypeCanceled)
	span.want(t, map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": "chatcmpl-1"})
}

func TestReadAfterClose(t *testing.T) {
	h := newHarness(t, streaming(whole))
	resp := h.post(chatURL, askingBody)
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := resp.Body.Read(make([]byte, 10)); err == nil {
		t.Error("reading a closed body: no error")
	}
	h.only().wantFailed(t, instrument.ErrorTypeCanceled)
}

// Close, Read and the context may end a call at the same time.
func TestConcurrentEnds(t *testing.T) {
	for range 50 {
		h := newHarness(t, streaming(roleChunk, chunk("a"), chunk("b"), finishChunk, usageEvent, doneEvent))
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := h.client.Do(h.request(ctx, chatURL, streamBody))
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for _, f := range []func(){
			func() { _, _ = io.Copy(io.Discard, resp.Body) },
			func() { _ = resp.Body.Close() },
			func() { _ = resp.Body.Close() },
			cancel,
		} {
			wg.Go(f)
		}
		wg.Wait()
		h.spans.wait(t, 1)
		h.only()
	}
}

// Whatever a reader does, the caller gets its bytes and errors.
func TestBodyPassesBytesAndErrorsOn(t *testing.T) {
	boom := errors.New("boom")
	for _, wrap := range []func(io.Reader) io.Reader{
		iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader, func(r io.Reader) io.Reader { return r },
	} {
		for _, asked := range []bool{true, false} {
			h := newHarness(t, nil)
			h.transport.base = roundTripper(func(*http.Request) (*http.Response, error) {
				reader := io.MultiReader(strings.NewReader(roleChunk+chunk("x")+usageEvent[:40]), iotest.ErrReader(boom))
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(wrap(reader))}, nil
			})
			body := streamBody
			if asked {
				body = askingBody
			}
			resp := h.post(chatURL, body)
			got, err := io.ReadAll(resp.Body)
			if !errors.Is(err, boom) || string(got) != roleChunk+chunk("x")+usageEvent[:40] {
				t.Errorf("asked %t: read %q and %v", asked, got, err)
			}
			if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, boom) {
				t.Errorf("asked %t: reading again: %d, %v", asked, n, err)
			}
			_ = resp.Body.Close()
			h.only().wantFailed(t, instrument.ErrorTypeUnexpectedEOF)
		}
	}
}

// A reader of ours that panics is our affair.
func TestPanicIsKeptFromTheCaller(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer))
	before := apis[0].reply
	t.Cleanup(func() { apis[0].reply = before })
	buggy := *before
	buggy.settle = func(*replyReader) { panic("a bug") }
	apis[0].reply = &buggy
	handled := handleErrors(t)
	if got := h.exchange(chatURL, chatBody); got != chatAnswer {
		t.Errorf("answer %q", got)
	}
	span := h.only()
	span.wantFailed(t, "")
	span.want(t, map[string]any{"revenium.usage.missing": true})
	if len(*handled) != 1 || !strings.Contains((*handled)[0].Error(), "usage is lost") {
		t.Errorf("handled errors: %v", *handled)
	}
}

// An answer of 100 MB is read along in little memory, and what is behind its
// content is found.
func TestLargeAnswer(t *testing.T) {
	const size = 100 << 20
	for _, stream := range []bool{false, true} {
		before, after := `{"object":"list","data":[{"embedding":"`, `"}],"model":"e-1","usage":{"prompt_tokens":7,"total_tokens":7}}`
		contentType, body := "application/json", `{"model":"e","input":"x"}`
		url := "http://api.openai.com/v1/embeddings"
		if stream {
			before, after = `data: {"choices":[{"index":0,"delta":{"images":["`, `"]},"finish_reason":"stop"}],"model":"e-1","usage":{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7}}`+"\n\n"+doneEvent
			contentType, body, url = "text/event-stream", askingBody, chatURL
		}
		h := newHarness(t, nil)
		h.transport.base = roundTripper(func(*http.Request) (*http.Response, error) {
			middle := io.LimitReader(repeating("abcdefgh"), size)
			reader := io.MultiReader(strings.NewReader(before), middle, strings.NewReader(after))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(reader)}, nil
		})
		runtime.GC()
		var first, last runtime.MemStats
		runtime.ReadMemStats(&first)
		resp := h.post(url, body)
		n, err := io.CopyBuffer(writerFunc(func([]byte) {}), resp.Body, make([]byte, 32<<10))
		if err != nil || n != int64(size+len(before)+len(after)) {
			t.Fatalf("stream %t: read %d bytes, %v", stream, n, err)
		}
		_ = resp.Body.Close()
		runtime.ReadMemStats(&last)
		if grown := last.TotalAlloc - first.TotalAlloc; grown > 1<<20 {
			t.Errorf("stream %t: allocated %d bytes", stream, grown)
		}
		h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(7), "gen_ai.response.model": "e-1"})
	}
}

// writerFunc is an io.Writer.
type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

type repeating string

func (r repeating) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r[i%len(r)]
	}
	return len(p), nil
}

// Unusual bodies: the caller gets them as they are, the span says what is known.
func TestOddBodies(t *testing.T) {
	answered := map[string]any{"gen_ai.usage.input_tokens": int64(10), "revenium.usage.missing": nil}
	tests := []struct {
		name, contentType, body string
		failed                  string
		want                    map[string]any
	}{
		{name: "white space before the document", body: "\n \n\n" + chatAnswer, want: answered},
		{name: "byte order mark", body: "\xef\xbb\xbf" + chatAnswer, want: answered},
		{name: "events under a JSON type", contentType: "application/json", body: whole, want: answered},
		{name: "a document under an event type", contentType: "text/event-stream", body: chatAnswer, want: answered},
		{name: "no type", contentType: "", body: chatAnswer, want: answered},
		{name: "more behind the document", body: chatAnswer + "\n{}", want: answered},
		{name: "HTML", contentType: "text/html", body: "<html>" + chatAnswer + "</html>", want: map[string]any{"gen_ai.usage.input_tokens": nil, "revenium.usage.missing": true}},
		{name: "a cut document", body: chatAnswer[:len(chatAnswer)-30], failed: instrument.ErrorTypeUnexpectedEOF, want: map[string]any{"gen_ai.usage.input_tokens": nil, "revenium.usage.missing": true}},
		{name: "no usage", body: `{"id":"x","choices":[{"index":0,"finish_reason":"stop"}]}`, want: map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": "x"}},
		{name: "usage of nulls", body: `{"id":"x","usage":{"prompt_tokens":null}}`, want: map[string]any{"revenium.usage.missing": true}},
		{name: "usage null", body: `{"id":"x","usage":null}`, want: map[string]any{"revenium.usage.missing": true}},
		{name: "usage of strings and negative numbers", body: `{"usage":{"prompt_tokens":"many","completion_tokens":-3,"total_tokens":1e300}}`, want: map[string]any{"revenium.usage.missing": true}},
		{
			name: "zeros beside visible content", body: `{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}`,
			want: map[string]any{"gen_ai.usage.input_tokens": int64(0), "gen_ai.usage.output_tokens": int64(0), "revenium.usage.partial": true},
		},
		{
			name: "an error in a 200", body: `{"error":{"code":"content_filter","message":"secret"}}`, failed: "content_filter",
			want: map[string]any{"revenium.usage.missing": nil, "http.response.status_code": int64(200)},
		},
		{name: "an error's text in a 200", body: `{"error":"secret text"}`, failed: instrument.ErrorTypeOther},
		{name: "an error object in a 200", body: `{"object":"error","type":"invalid_request","code":"1200","message":"secret"}`, failed: "invalid_request"},
		{name: "no error", body: `{"error":null,"id":"x"}`, want: map[string]any{"revenium.usage.missing": true}},
		{name: "wrong types everywhere", body: `{"id":7,"model":{},"choices":{"index":0},"usage":[1],"service_tier":[]}`, want: map[string]any{"gen_ai.response.id": nil, "revenium.usage.missing": true}},
		{name: "choices that are no objects", body: `{"choices":[1,"x",null,[]],"usage":{"prompt_tokens":1,"completion_tokens":1}}`, want: map[string]any{"gen_ai.usage.input_tokens": int64(1), "gen_ai.response.finish_reasons": nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHarness(t, answering(200, tt.contentType, tt.body))
			if got := h.exchange(chatURL, chatBody); got != tt.body {
				t.Errorf("answer %q", got)
			}
			span := h.only()
			span.wantFailed(t, tt.failed)
			span.want(t, tt.want)
		})
	}
}

// Nothing of what was asked and answered is on a span, nor the text of errors.
func TestNoContentOnSpans(t *testing.T) {
	var spans []spanView
	for _, handler := range []http.HandlerFunc{
		answering(200, "application/json", chatAnswer),
		streaming(chunk("secret answer"), finishChunk, doneEvent),
		answering(400, "application/json", `{"error":{"message":"secret text","type":"invalid_request_error"}}`),
		answering(200, "application/json", `{"error":{"message":"secret text","code":"secret words"}}`),
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		h := newHarness(t, handler)
		resp, err := h.client.Do(h.request(t.Context(), chatURL, chatBody, "Authorization", "Bearer secret-key"))
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		spans = append(spans, h.only())
	}
	for _, span := range spans {
		if text := cmp.Diff(nil, span.Attributes) + span.Status.Description + span.Name; strings.Contains(text, "secret") {
			t.Errorf("a span says something secret: %s", text)
		}
		if len(span.Events) > 0 {
			t.Errorf("events: %v", span.Events)
		}
	}
}
