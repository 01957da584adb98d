// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// formatCase is one exchange and all that its span must say: attributes beyond
// those of want fail as well as missing ones.
type formatCase struct {
	name string
	// method is POST where it is "".
	method, url, request string
	requestType          string   // application/json where it is ""
	requestHeaders       []string // and their values
	status               int      // 200 where it is 0
	answerType           string   // application/json where it is ""
	answerHeaders        []string
	answer               string
	// want are the attributes but for the server's address and port, the status of
	// the answer and times.
	want   map[string]any
	span   string // name
	failed string // error.type
	// streamed says that the time to the first chunk is measured.
	streamed bool
	// children are the attributes of spans beneath, likewise.
	children []map[string]any
}

// runFormats runs each case twice: the answer in one piece, and byte by byte.
func runFormats(t *testing.T, cases []formatCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			handled := handleErrors(t)
			for _, piece := range []int{1 << 20, 1} {
				c.run(t, piece)
			}
			if len(*handled) > 0 {
				t.Errorf("handled errors: %v", *handled)
			}
		})
	}
}

func (c *formatCase) run(t *testing.T, piece int) {
	t.Helper()
	h := newHarness(t, c.serve(piece))
	method := c.method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.url, strings.NewReader(c.request))
	if err != nil {
		t.Fatal(err)
	}
	if c.request != "" {
		req.Header.Set("Content-Type", "application/json")
		if c.requestType != "" {
			req.Header.Set("Content-Type", c.requestType)
		}
	}
	for i := 0; i+1 < len(c.requestHeaders); i += 2 {
		req.Header.Set(c.requestHeaders[i], c.requestHeaders[i+1])
	}
	resp, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if string(got) != c.answer {
		t.Errorf("the answer changed: %q", got)
	}
	all := h.all()
	for _, span := range all {
		checkConvention(t, span)
	}
	if len(all) != 1+len(c.children) {
		t.Fatalf("%d spans, want %d", len(all), 1+len(c.children))
	}
	span := all[len(all)-1] // children end first
	c.check(t, span, c.want)
	span.wantFailed(t, c.failed)
	if c.span != "" && span.Name != c.span {
		t.Errorf("span %q, want %q", span.Name, c.span)
	}
	for i, want := range c.children {
		if all[i].Parent.SpanID() != span.SpanContext.SpanID() {
			t.Error("a span that should be beneath is not")
		}
		c.check(t, all[i], want)
	}
}

func (c *formatCase) serve(piece int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if c.answerType != "" {
			w.Header().Set("Content-Type", c.answerType)
		}
		for i := 0; i+1 < len(c.answerHeaders); i += 2 {
			w.Header().Set(c.answerHeaders[i], c.answerHeaders[i+1])
		}
		if c.status != 0 {
			w.WriteHeader(c.status)
		}
		for text := c.answer; text != ""; text = text[min(piece, len(text)):] {
			_, _ = io.WriteString(w, text[:min(piece, len(text))])
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func (c *formatCase) check(t *testing.T, span spanView, want map[string]any) {
	t.Helper()
	got := maps.Clone(span.attributes)
	const firstChunk = "gen_ai.response.time_to_first_chunk"
	if _, ok := got[firstChunk]; ok != c.streamed && len(c.children) == 0 {
		t.Errorf("time to the first chunk is there: %t", ok)
	}
	for _, key := range []string{
		"server.address", "server.port", "http.response.status_code", "http.response.header.x-litellm-call-id", "error.type", firstChunk,
	} {
		delete(got, key)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

// attributesOf returns attributes together; later ones win, and nil takes one
// away.
func attributesOf(sets ...map[string]any) map[string]any {
	all := make(map[string]any)
	for _, set := range sets {
		maps.Copy(all, set)
	}
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

// usageOf returns the attributes of a usage: input, output, cache read and
// written, reasoning; a negative count is not there.
func usageOf(counts ...int64) map[string]any {
	keys := []string{
		"gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
		"gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.reasoning.output_tokens",
	}
	set := make(map[string]any)
	for i, count := range counts {
		if count >= 0 {
			set[keys[i]] = count
		}
	}
	return set
}

// sse is a stream of events: data of each, with the name of the event and a colon
// in front where it has one.
func sse(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		e = strings.NewReplacer("\n", "", "\t", "").Replace(e)
		if name, data, found := strings.Cut(e, ":{"); found && !strings.Contains(name, "{") {
			b.WriteString("event: " + name + "\n")
			e = "{" + data
		}
		b.WriteString("data: " + e + "\n\n")
	}
	return b.String()
}

// form is a multipart form of fields and their values, and of a file; the
// boundary is formBoundary.
func form(fileField, file string, fields ...string) string {
	var b strings.Builder
	part := func(disposition, value string) {
		b.WriteString("--" + formBoundary + "\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\n" + value + "\r\n")
	}
	for i := 0; i+1 < len(fields); i += 2 {
		part(`name="`+fields[i]+`"`, fields[i+1])
		if i == 0 && fileField != "" { // files come anywhere
			part(`name="`+fileField+`"; filename="f.bin"`, file)
		}
	}
	b.WriteString("--" + formBoundary + "--\r\n")
	return b.String()
}

const (
	formBoundary = "xXformXx"
	formType     = "multipart/form-data; boundary=" + formBoundary
)

// newFormRequest returns a request that says to be a form or JSON.
func newFormRequest(isForm bool) *http.Request {
	contentType := "application/json"
	if isForm {
		contentType = formType
	}
	return &http.Request{URL: &url.URL{}, Header: http.Header{"Content-Type": {contentType}}}
}
