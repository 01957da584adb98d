// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"bytes"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// stateChunks are chunks with calls that wait, what a span says about those below
// it, a call that was billed and its twin: all that the stored form has.
func stateChunks(tb testing.TB) (spans, links []byte) {
	tb.Helper()
	time := &clock{now: start.Add(60e9)}
	c := newConverter(tb, convert.WithJournal(), convert.WithToolEvents(), time.option())
	image := call("gen_ai.operation.name", "generate_content", "gen_ai.output.type", "image", "gen_ai.provider.name", "openai",
		"gen_ai.request.model", "gpt-image-1", "revenium.image.count", 2)
	waits := failed("http.response.status_code", 503, "revenium.organization.name", "Acme", "revenium.subscriber.id", "s-1")
	agent := call(usage("gpt-4o", 30, 9, "revenium.task.type", "answer")...)
	agent.attrs[1].value = convert.StringValue("invoke_agent")
	tool := call("gen_ai.operation.name", "execute_tool", "gen_ai.tool.name", "search")
	twin := chat("gen_ai.response.id", "resp_1")
	twin.scope = "example.com/other"
	cached := chat("gen_ai.usage.input_tokens", 80, "gen_ai.usage.output_tokens", 9, "gen_ai.usage.cache_read_input_tokens", 1200,
		"gen_ai.provider.name", "aws.bedrock", "gen_ai.request.model", "us.anthropic.claude-sonnet-4-20250514-v1:0")
	cached.scope = "strands.telemetry.tracer"
	for i, s := range []*span{chat("gen_ai.response.id", "resp_1"), twin, image, waits, agent, tool, cached} {
		s.id, s.parent = [8]byte{byte(i + 1)}, [8]byte{9}
		c.Convert(nil, s)
	}
	c.Tag(waits.trace, waits.id, "tenant")
	a, b, err := c.Export()
	if err != nil {
		tb.Fatal(err)
	}
	return a.Data, b.Data
}

// What an earlier version stored stays readable, and means the same. The files are
// not to be changed: a new version gets new ones.
func TestStoredForms(t *testing.T) {
	versions := map[string]struct {
		recent int
		more   map[string]int // of what the version before did not have
	}{
		"v1": {recent: 6},
		"v2": {recent: 7, more: map[string]int{"suppressed same call, nested": 1}},
	}
	for version, v := range versions {
		t.Run(version, func(t *testing.T) {
			time := &clock{now: start.Add(61e9)}
			c := newConverter(t, convert.WithToolEvents(), time.option())
			held := restoreFiles(t, c, version)
			slices.SortFunc(held, func(a, b convert.HeldSpan) int { return bytes.Compare(a.SpanID[:], b.SpanID[:]) })
			if len(held) != 2 || held[0].Tag != "tenant" || held[0].Reason != convert.ReasonAwaitingRetry || held[1].Reason != convert.ReasonAwaitingCalls {
				t.Errorf("held are %+v", held)
			}
			if c.Stats().Recent != v.recent {
				t.Errorf("%d spans are remembered, want %d", c.Stats().Recent, v.recent)
			}
			replay := chat()
			replay.id = [8]byte{1}
			twin := chat("gen_ai.response.id", "resp_1")
			twin.id, twin.scope = [8]byte{8}, "example.com/third"
			all := c.Convert(nil, replay)
			all = c.Convert(all, twin)
			if len(v.more) > 0 {
				// The cache is known to the span above it alone.
				uncached := chat("gen_ai.usage.input_tokens", 80, "gen_ai.usage.output_tokens", 9,
					"gen_ai.provider.name", "aws.bedrock", "gen_ai.request.model", "us.anthropic.claude-sonnet-4-20250514-v1:0")
				uncached.id, uncached.parent, uncached.scope = [8]byte{10}, [8]byte{7}, "opentelemetry.instrumentation.botocore.bedrock-runtime"
				all = c.Convert(all, uncached)
			}
			all = c.Flush(all)
			want := map[string]int{
				"suppressed replay": 1, "suppressed same response id": 1,
				"billed error": 1, "billed aggregate as last resort": 1,
			}
			maps.Copy(want, v.more)
			if got := outcome(all); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			for _, body := range bills(t, all) {
				if !strings.Contains(body, `"organizationName":"Acme"`) && !strings.Contains(body, `"taskType":"answer"`) {
					t.Errorf("the record has lost its attribution: %s", body)
				}
			}
		})
	}
}

// restoreFiles restores what a version stored.
func restoreFiles(t *testing.T, c *convert.Converter, version string) []convert.HeldSpan {
	t.Helper()
	r := c.Restore()
	for _, name := range []string{"links-", "spans-"} {
		text, err := os.ReadFile(filepath.Join("testdata", "state", name+version+".hex"))
		if err != nil {
			t.Fatal(err)
		}
		chunk, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Add(chunk); err != nil {
			t.Errorf("%s%s: %v", name, version, err)
		}
	}
	return r.End()
}
