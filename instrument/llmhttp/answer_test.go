// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// readAnswer reads a body as an answer of the API in pieces.
func readAnswer(tb testing.TB, a *api, body []byte, size int, stream bool) (res *result, said string, whole bool) {
	tb.Helper()
	t := &target{api: a, operation: a.operation, provider: a.provider}
	reader := newReplyReader(t, false)
	answer := newAnswer(reader)
	answer.lines = a.reply.lines && stream
	answer.listen(&capture{on: true, limit: 100})
	for piece := range chunks(body, size) {
		answer.write(piece)
	}
	answer.end()
	reader.conclude()
	if answer.said != nil {
		said = answer.said.list(100, nil, reader.res.finish)
	}
	return &reader.res, said, answer.whole()
}

// Whatever a server answers, in whatever pieces: it is read in the same way, what
// is kept of it is bounded, and counts are counts.
func FuzzAnswers(f *testing.F) {
	for i, seed := range []string{
		`{"id":"1","choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}`,
		sse(`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1,"iterations":[{"type":"compaction","input_tokens":5}]}}}`, `{"type":"message_stop"}`),
		"[" + `{"candidates":[{"finishReason":2}],"usageMetadata":{"promptTokenCount":1,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":1}]}}` + ",\r\n{}]",
		awsEvent("metadata", `{"usage":{"inputTokens":1,"cacheDetails":[{"ttl":"1h","inputTokens":2}]}}`),
		awsChunk(`{"outputText":"x","amazon-bedrock-invocationMetrics":{"inputTokenCount":28}}`),
		`{"done":false}` + "\n" + `{"done":true,"done_reason":"stop","eval_count":3}`,
		`{"predictions":[{"bytesBase64Encoded":"QUJD"},{"embeddings":{"statistics":{"token_count":1.0}}}]}`,
		`{"data":[{},{}],"usage":{"seconds":1.5,"cost":1e400}}`, `{"error":"x"}`, "event: error\ndata: {}\n\n", "data: [DONE]\n\n", "<html>", "",
	} {
		f.Add([]byte(seed), uint8(i), 3, i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8, size int, stream bool) {
		a := apis[int(which)%len(apis)]
		size = 1 + (size%64+64)%64
		whole, wholeSaid, wholeEnd := readAnswer(t, a, body, len(body)+1, stream)
		pieces, piecesSaid, piecesEnd := readAnswer(t, a, body, size, stream)
		if wholeSaid != piecesSaid || utf8.RuneCountInString(wholeSaid) > 100 {
			t.Errorf("%s in pieces of %d: content\n%s\nwhole:\n%s", a.name, size, piecesSaid, wholeSaid)
		}
		if diff := cmp.Diff(whole, pieces, cmp.AllowUnexported(result{}, tokens{}, count{}, units{}, amount{}, pass{}, failure{})); diff != "" {
			t.Errorf("%s in pieces of %d (-whole +pieces):\n%s", a.name, size, diff)
		}
		if wholeEnd != piecesEnd {
			t.Errorf("whole: %t, in pieces: %t", wholeEnd, piecesEnd)
		}
		for name, c := range map[string]count{
			"input": whole.tokens.input, "output": whole.tokens.output, "read": whole.tokens.cacheRead, "written": whole.tokens.cacheCreation,
			"reasoning": whole.tokens.reasoning, "images": whole.units.images, "search units": whole.units.searchUnits,
		} {
			if c.n < 0 || c.n > 1<<50 || !c.ok && c.n != 0 {
				t.Errorf("%s: %d, %t", name, c.n, c.ok)
			}
		}
		for name, n := range map[string]amount{"seconds": whole.units.length(), "cost": whole.units.cost} {
			if !(n.n >= 0 && n.n <= maxAmount) || !n.ok && n.n != 0 {
				t.Errorf("%s: %v, %t", name, n.n, n.ok)
			}
		}
		if len(whole.finish) > maxChoices || len(whole.passes) > maxPasses {
			t.Errorf("%d choices, %d passes", len(whole.finish), len(whole.passes))
		}
	})
}

// Whatever comes as a request, in whatever pieces, is read in the same way.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"model":"m","stream":true,"input":"a\u00e9\ud83d\ude00","stop":["x"],"n":2}`), uint8(0), 3, false, true)
	f.Add([]byte(form("file", "RIFF\r\n--"+formBoundary+"x\r\n", "model", "m", "n", "2", "stream", "true", "size", "1x1")), uint8(1), 5, true, false)
	f.Add([]byte("--"+formBoundary+"\r\n\r\n"), uint8(2), 1, true, true)
	for which := range apis { // each of them at least once
		f.Add([]byte("0"), uint8(which), 3, false, true)
	}
	f.Add([]byte(`{"model":"m","prompt":"@`+"\xbf\xbf\xbf\xbf\xbf"+`\ud8u`), uint8(1), 3, false, true)
	f.Fuzz(func(t *testing.T, body []byte, which uint8, size int, isForm, capturing bool) {
		size = 1 + (size%64+64)%64
		a := *apis[int(which)%len(apis)]
		a.form = isForm
		read := func(size int) (requestParams, string) {
			req := newFormRequest(isForm)
			q := newQuestion(req, &target{api: &a}, &capture{on: capturing, limit: 100}, &scanners{})
			for piece := range chunks(body, size) {
				q.scan.write(piece)
			}
			q.scan.end()
			if q.said == nil {
				return q.asked(), ""
			}
			return q.asked(), q.said.instructions(100, nil) + q.said.list(100, nil, nil)
		}
		whole, wholeSaid := read(len(body) + 1)
		pieces, piecesSaid := read(size)
		if diff := cmp.Diff(whole, pieces, cmp.AllowUnexported(requestParams{}, mediaParams{}, count{})); diff != "" {
			t.Errorf("%s in pieces of %d (-whole +pieces):\n%s", a.name, size, diff)
		}
		if wholeSaid != piecesSaid || utf8.RuneCountInString(wholeSaid) > 200 {
			t.Errorf("%s in pieces of %d: content\n%s\nwhole:\n%s", a.name, size, piecesSaid, wholeSaid)
		}
	})
}
