// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPieces(t *testing.T) {
	const (
		eventStreamType = "application/vnd.amazon.eventstream"
		frameA          = "\x00\x00\x00\x08AAAA"
		frameB          = "\x00\x00\x00\x06BB"
	)
	tests := map[string]struct {
		contentType string
		headers     map[string]string
		body        string
		want        []string
		flushed     bool
		cut         bool
	}{
		"json":            {contentType: "application/json", body: "{\n\n}", want: []string{"{\n\n}"}},
		"empty":           {contentType: "text/event-stream", body: "", want: nil, flushed: true},
		"sse":             {contentType: "text/event-stream; charset=utf-8", body: "data: 1\n\ndata: 2\n\n", want: []string{"data: 1\n\n", "data: 2\n\n"}, flushed: true},
		"sse crlf":        {contentType: "text/event-stream", body: "data: 1\r\n\r\n: x\r\n\r\n", want: []string{"data: 1\r\n\r\n", ": x\r\n\r\n"}, flushed: true},
		"sse cr":          {contentType: "text/event-stream", body: "data: 1\r\rdata: 2\r\r", want: []string{"data: 1\r\r", "data: 2\r\r"}, flushed: true},
		"sse no type":     {body: "data: 1\n\ndata: 2\n\n", want: []string{"data: 1\n\n", "data: 2\n\n"}, flushed: true},
		"sse no end":      {contentType: "text/event-stream", body: "data: 1\n\ndata: {\"a\":2}", want: []string{"data: 1\n\n", "data: {\"a\":2}"}, flushed: true},
		"sse done no end": {contentType: "text/event-stream", body: "data: [DONE]", want: []string{"data: [DONE]"}, flushed: true},
		"sse cut":         {contentType: "text/event-stream", body: "data: 1\n\ndata: {\"url\":\"data:x\",", want: []string{"data: 1\n\n", "data: {\"url\":\"data:x\","}, flushed: true, cut: true},
		"sse cut field":   {contentType: "text/event-stream", body: "data: 1\n\ndat", want: []string{"data: 1\n\n", "dat"}, flushed: true, cut: true},
		"sse comment":     {contentType: "text/event-stream", body: "data: 1\n\n: bye", want: []string{"data: 1\n\n", ": bye"}, flushed: true},
		"ndjson":          {contentType: "application/x-ndjson", body: "{}\n[1]\n", want: []string{"{}\n", "[1]\n"}, flushed: true},
		"ndjson no end":   {contentType: "application/x-ndjson", body: "{}\n[1]", want: []string{"{}\n", "[1]"}, flushed: true},
		"ndjson cut":      {contentType: "application/stream+json", body: "{}\n[1,", want: []string{"{}\n", "[1,"}, flushed: true, cut: true},
		"frames":          {contentType: eventStreamType, body: frameA + frameB, want: []string{frameA, frameB}, flushed: true},
		"frames cut":      {contentType: eventStreamType, body: frameA + frameB[:5], want: []string{frameA, frameB[:5]}, flushed: true, cut: true},
		"frames cut head": {contentType: eventStreamType, body: frameA + frameB[:3], want: []string{frameA, frameB[:3]}, flushed: true, cut: true},
		"chunked json": {
			contentType: "application/json", headers: map[string]string{"transfer-encoding": "chunked"},
			body: strings.Repeat("x", opaquePiece+1), want: []string{strings.Repeat("x", opaquePiece), "x"}, flushed: true,
		},
		"gzip sse": {
			contentType: "text/event-stream", headers: map[string]string{"content-encoding": "gzip"},
			body: "\x1f\x8b\n\n\x00", want: []string{"\x1f\x8b\n\n\x00"}, flushed: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			headers := map[string]string{"content-type": tt.contentType}
			maps.Copy(headers, tt.headers)
			p := &provider{response: recordedResponse{Status: 200, Headers: headers}, body: []byte(tt.body)}
			pieces, flushed := p.pieces()
			var got []string
			for _, piece := range pieces {
				got = append(got, string(piece))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
			if flushed != tt.flushed {
				t.Errorf("flushed = %v, want %v", flushed, tt.flushed)
			}
			if cut := p.cut(pieces); cut != tt.cut {
				t.Errorf("cut = %v, want %v", cut, tt.cut)
			}
		})
	}
}
