// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGunzip(t *testing.T) {
	random := make([]byte, 300_000)
	for i := range random {
		random[i] = "abcdefgh"[rand.N(8)]
	}
	for _, text := range []string{"", "x", whole, string(random)} {
		packed := zipped(t, text)
		packed = append(packed, zipped(t, "second member")...)
		for _, size := range []int{1, 3, 1000, 1 << 20} {
			var out bytes.Buffer
			g := newGunzip(func(p []byte) { out.Write(p) })
			for piece := range chunks(packed, size) {
				g.write(piece)
			}
			g.end()
			if got := out.String(); got != text+"second member" {
				t.Errorf("%d bytes in pieces of %d: got %d bytes", len(text), size, len(got))
			}
		}
	}
}

func TestGunzipOfRubbish(t *testing.T) {
	packed := zipped(t, strings.Repeat("text ", 1000))
	broken := bytes.Clone(packed)
	broken[len(broken)/2] ^= 0xff
	for name, data := range map[string][]byte{
		"no gzip": []byte("plain text"), "cut": packed[:len(packed)/2], "broken": broken, "header only": packed[:5], "nothing": nil,
	} {
		t.Run(name, func(*testing.T) {
			g := newGunzip(func([]byte) {})
			g.write(data)
			g.write(data)
			g.end()
			g.write(data) // more than is wanted
			g.close()
		})
	}
}

// Whatever is said to be gzip, in whatever pieces: the same comes out of it, and
// of a body that is gzip all that it holds.
func FuzzGunzip(f *testing.F) {
	f.Add([]byte(chatAnswer), true, 7)
	f.Add([]byte(whole), false, 1)
	f.Add(zipped(f, chatAnswer)[:40], false, 3)
	f.Fuzz(func(t *testing.T, body []byte, pack bool, size int) {
		text := body
		if pack {
			body = zipped(t, string(body))
		}
		unpacked := func(size int) string {
			var out bytes.Buffer
			g := newGunzip(func(p []byte) { out.Write(p) })
			defer g.close()
			for piece := range chunks(body, size) {
				g.write(piece)
			}
			g.end()
			return out.String()
		}
		all := unpacked(len(body) + 1)
		if pieces := unpacked(1 + (size%64+64)%64); pieces != all {
			t.Errorf("%d bytes whole, %d in pieces", len(all), len(pieces))
		}
		if pack && all != string(text) {
			t.Errorf("got %q, want %q", all, text)
		}
	})
}

// A compressed answer reaches the caller as it is, and is understood on the way,
// in time.
func TestCompressedAnswers(t *testing.T) {
	t.Run("document", func(t *testing.T) {
		packed := string(zipped(t, chatAnswer))
		h := newHarness(t, answering(200, "application/json", packed, "Content-Encoding", "GZIP"))
		if got := h.exchange(chatURL, chatBody, "Accept-Encoding", "gzip"); got != packed {
			t.Error("the answer changed")
		}
		h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
	})
	t.Run("stream", func(t *testing.T) {
		next := make(chan struct{})
		h := newHarness(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Content-Encoding", "gzip")
			packed := gzip.NewWriter(w)
			for _, piece := range []string{roleChunk, chunk("x"), finishChunk, usageEvent, doneEvent} {
				_, _ = io.WriteString(packed, piece)
				_ = packed.Flush()
				_ = http.NewResponseController(w).Flush()
				<-next
			}
			_ = packed.Close()
		})
		resp := h.post(chatURL, askingBody, "Accept-Encoding", "gzip")
		defer resp.Body.Close()
		unpacked, err := gzip.NewReader(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range []string{roleChunk, chunk("x"), finishChunk, usageEvent, doneEvent} {
			got := make([]byte, len(piece))
			if _, err := io.ReadFull(unpacked, got); err != nil || string(got) != piece {
				t.Fatalf("read %q, %v (want %q)", got, err, piece)
			}
			if piece == doneEvent {
				h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)}) // the body has not ended
			}
			next <- struct{}{}
		}
		if _, ok := h.only().attributes["gen_ai.response.time_to_first_chunk"]; !ok {
			t.Error("no time to the first chunk")
		}
	})
	t.Run("closed in the middle", func(t *testing.T) {
		packed := string(zipped(t, chatAnswer))
		h := newHarness(t, answering(200, "application/json", packed, "Content-Encoding", "gzip"))
		resp := h.post(chatURL, chatBody, "Accept-Encoding", "gzip")
		if _, err := io.ReadFull(resp.Body, make([]byte, 30)); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		h.only().wantFailed(t, "context_canceled")
	})
	t.Run("not compressed after all", func(t *testing.T) {
		h := newHarness(t, answering(200, "application/json", chatAnswer, "Content-Encoding", "gzip"))
		if diff := cmp.Diff(chatAnswer, h.exchange(chatURL, chatBody, "Accept-Encoding", "gzip")); diff != "" {
			t.Error(diff)
		}
		h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(10)})
	})
	t.Run("in a way that is not understood", func(t *testing.T) {
		for _, closeEarly := range []bool{true, false} {
			h := newHarness(t, answering(200, "application/json", "brotli bytes", "Content-Encoding", "br"))
			resp := h.post(chatURL, chatBody, "Accept-Encoding", "br")
			if !closeEarly {
				_, _ = io.Copy(io.Discard, resp.Body)
			}
			_ = resp.Body.Close()
			span := h.only()
			span.wantFailed(t, "")
			span.want(t, map[string]any{"revenium.usage.missing": true, "gen_ai.response.id": nil})
		}
	})
}
