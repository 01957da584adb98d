// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

var update = flag.Bool("update", false, "write the golden files anew")

// run previews files of testdata.
func run(t *testing.T, opts Options, files ...string) (string, []string, error) {
	t.Helper()
	t.Chdir("testdata")
	var out bytes.Buffer
	var complaints []string
	err := Run(files, strings.NewReader(""), &out, func(err error) { complaints = append(complaints, err.Error()) }, opts)
	return out.String(), complaints, err
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	out, complaints, err := run(t, Options{}, "monday.jsonl", "tuesday.json")
	if err != nil || complaints != nil {
		t.Fatalf("%v %v", err, complaints)
	}
	golden(t, "lines.golden", out)
}

// The golden file may be written anew by anybody; this is what must be in it.
func TestDecisions(t *testing.T) {
	out, complaints, err := run(t, Options{}, "monday.jsonl", "tuesday.json")
	if err != nil || complaints != nil {
		t.Fatalf("%v %v", err, complaints)
	}
	var got []string
	for line := range strings.Lines(out) {
		var l Line
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		var record struct {
			InputTokenCount, OutputTokenCount int64
			OrganizationName                  string
		}
		if l.Record != nil {
			if err := json.Unmarshal(l.Record, &record); err != nil {
				t.Fatal(err)
			}
		}
		text, err := json.Marshal([]any{l.File, l.SpanID, l.Decision, l.Reason, record.InputTokenCount, record.OutputTokenCount, record.OrganizationName, len(l.Notes)})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	// The decisions about held spans come when they are made, hence the order.
	slices.Sort(got)
	want := []string{
		`["monday.jsonl","a000000000000002","billed","usage",1200,90,"Tulip Trading",1]`,
		`["monday.jsonl","a000000000000003","billed","usage",6,0,"Crocus Ltd",0]`,
		`["monday.jsonl","b000000000000002","suppressed","retried",0,0,"",0]`,
		`["monday.jsonl","b000000000000003","billed","usage",40,12,"Tulip Trading",0]`,
		`["monday.jsonl","c000000000000002","billed","usage",500,300,"",0]`, // Anthropic: without the cached part
		`["monday.jsonl","c000000000000003","skipped","no usage",0,0,"",0]`,
		`["monday.jsonl","c000000000000004","billed","error",0,0,"",0]`, // held to the end, yet of its own file
		`["tuesday.json","b000000000000003","suppressed","replay",0,0,"",0]`,
		`["tuesday.json","d000000000000001","skipped","invalid model",0,0,"",0]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func TestBilledOnly(t *testing.T) {
	out, _, err := run(t, Options{Billed: true}, "monday.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out, "\n"); got != 5 || strings.Count(out, `"decision":"billed"`) != got {
		t.Errorf("want the 5 billed lines alone:\n%s", out)
	}
}

func TestSummaryOfFiles(t *testing.T) {
	out, _, err := run(t, Options{Summary: true}, "monday.jsonl", "tuesday.json")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "summary.golden", out)
}

// The record is, byte by byte, what would be sent.
func TestRecordIsTheRequestBody(t *testing.T) {
	out, _, err := run(t, Options{}, "question.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("question.json")
	if err != nil {
		t.Fatal(err)
	}
	traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(data)
	if err != nil {
		t.Fatal(err)
	}
	converter, err := convert.New()
	if err != nil {
		t.Fatal(err)
	}
	for span := range pdataview.Spans(traces) {
		decisions := converter.Convert(nil, span)
		if len(decisions) != 1 {
			t.Fatalf("%d decisions, want 1", len(decisions))
		}
		frozen, _, err := metering.Freeze(decisions[0].Record)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"record":` + string(frozen.Body) + `,"notes":`; !strings.Contains(out, want) {
			t.Errorf("output\n%s\nlacks\n%s", out, want)
		}
		if !bytes.Contains(frozen.Body, []byte("<gardener>")) {
			t.Errorf("the body escapes text for HTML, which makes this test weak: %s", frozen.Body)
		}
	}
}

// Log events are previewed like spans, and one call that comes as both is billed
// once: by what comes first.
func TestLogEvents(t *testing.T) {
	for _, files := range [][]string{{"assistant-logs.json", "assistant-spans.json"}, {"assistant-spans.json", "assistant-logs.json"}} {
		t.Run(files[0], func(t *testing.T) {
			out, complaints, err := run(t, Options{}, files...)
			if err != nil || len(complaints) > 0 {
				t.Fatal(err, complaints)
			}
			got := map[string]int{}
			for line := range strings.Lines(out) {
				var l Line
				if err := json.Unmarshal([]byte(line), &l); err != nil {
					t.Fatal(err)
				}
				if l.Decision != "skipped" {
					got[l.SpanName+" "+l.Decision+" "+l.Reason]++
				}
				if l.TraceID == "" || l.SpanID == "" {
					t.Errorf("no ids in %s", line)
				}
			}
			first, second := "claude_code.api_request", "claude_code.llm_request"
			if files[0] == "assistant-spans.json" {
				first, second = second, first
			}
			want := map[string]int{
				first + " billed usage":                 1,
				second + " suppressed same response id": 1,
				"claude_code.api_error billed error":    1,
				"gemini_cli.api_response billed usage":  1,
				"codex.sse_event billed usage":          1,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}

// A file that breaks off is told, and everything else is read.
func TestBrokenFiles(t *testing.T) {
	out, complaints, err := run(t, Options{Billed: true}, "broken.jsonl", "nowhere.json", "question.json", ".")
	if !errors.Is(err, ErrInput) {
		t.Errorf("error %v, want %v", err, ErrInput)
	}
	want := []string{
		"broken.jsonl: line 2: not JSON: invalid character '{' after object key",
		"broken.jsonl: line 3: it holds resourceMetrics, and only spans and log records are previewed",
		"open nowhere.json: no such file or directory",
		".: is a directory: name the files in it, for example ./*.json",
	}
	if diff := cmp.Diff(want, complaints); diff != "" {
		t.Errorf("complaints (-want +got):\n%s", diff)
	}
	for _, span := range []string{"e000000000000001", "a000000000000002"} {
		if !strings.Contains(out, span) {
			t.Errorf("span %s was not previewed:\n%s", span, out)
		}
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("pipe burst")
	var complaints []string
	err := Run([]string{Stdin}, iotest.ErrReader(broken), new(bytes.Buffer), func(err error) { complaints = append(complaints, err.Error()) }, Options{})
	if !errors.Is(err, ErrInput) || len(complaints) != 1 || complaints[0] != "-: pipe burst" {
		t.Errorf("error %v, complaints %q", err, complaints)
	}
}

func TestBadOption(t *testing.T) {
	err := Run(nil, nil, new(bytes.Buffer), func(err error) { t.Error(err) }, Options{Convert: []convert.Option{convert.WithMaxHeld(0)}})
	if err == nil || errors.Is(err, ErrInput) {
		t.Errorf("error %v, want the converter's", err)
	}
}

// A record that cannot be sent is told as skipped, with what is wrong.
func TestInvalidRecord(t *testing.T) {
	line := newLine("f", convert.Decision{
		Kind: convert.Billed, Reason: convert.ReasonUsage, TraceID: [16]byte{1}, SpanID: [8]byte{2}, SpanName: "chat",
		Record: &metering.Completion{},
		Notes:  []convert.Note{{Field: "traceType", Attribute: "revenium.trace.type", Action: convert.NoteDropped, Reason: "why"}},
	})
	if line.Decision != "skipped" || !strings.HasPrefix(line.Reason, "invalid record: ") || !strings.Contains(line.Reason, "model ") {
		t.Errorf("decision %q, reason %q", line.Decision, line.Reason)
	}
	if strings.Contains(line.Reason, "metering:") {
		t.Errorf("reason %q holds the package's name", line.Reason)
	}
	if line.Record != nil || line.Endpoint != nil {
		t.Errorf("a skipped line has a record: %s", line.Record)
	}
	if diff := cmp.Diff(Note{Field: "traceType", Attribute: "revenium.trace.type", Action: "dropped", Reason: "why"}, line.Notes[0]); diff != "" {
		t.Errorf("note (-want +got):\n%s", diff)
	}
}

// FuzzRun: whatever is in a file, a preview tells what it cannot read and prints
// JSON and nothing else.
func FuzzRun(f *testing.F) {
	// Short ones: the fuzzer spends its time on making inputs smaller otherwise.
	const chat = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"a000000000000002",` +
		`"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":1790000001000000000,"attributes":[` +
		`{"key":"gen_ai.request.model","value":{"stringValue":"m"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},` +
		`{"key":"gen_ai.usage.input_tokens","value":{"intValue":"5"}}]}]}]}]}`
	f.Add([]byte(chat))
	f.Add([]byte(chat[:200] + "\n" + chat))
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0","spanId":null,"attributes":{}}]}]}]}`))
	f.Add([]byte(`{"resourceSpans":[null,{"resource":null,"scopeSpans":[null,{"spans":[null]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var out bytes.Buffer
		complaints := 0
		err := Run([]string{Stdin}, bytes.NewReader(data), &out, func(error) { complaints++ }, Options{})
		if err != nil && !errors.Is(err, ErrInput) {
			t.Fatal(err)
		}
		if (complaints > 0) != (err != nil) {
			t.Errorf("%d complaints, error %v", complaints, err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			var l Line
			if err := json.Unmarshal(line, &l); err != nil {
				t.Fatalf("output is not JSON: %v\n%s", err, line)
			}
			if (l.Decision == "billed") == bytes.Equal(l.Record, []byte("null")) {
				t.Errorf("%s with record %s", l.Decision, l.Record)
			}
		}
	})
}

// BenchmarkRun is a file of 1,000 spans, a tenth of which are calls.
func BenchmarkRun(b *testing.B) {
	traces := ptrace.NewTraces()
	spans := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range 1000 {
		s := spans.AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, byte(i), byte(i >> 8)})
		s.SetSpanID(pcommon.SpanID{2, byte(i), byte(i >> 8)})
		s.SetStartTimestamp(1_790_000_000_000_000_000)
		s.SetEndTimestamp(1_790_000_001_000_000_000)
		s.Attributes().PutStr("http.request.method", "POST")
		if i%10 == 0 {
			s.Attributes().PutStr("gen_ai.operation.name", "chat")
			s.Attributes().PutStr("gen_ai.provider.name", "openai")
			s.Attributes().PutStr("gen_ai.request.model", "gpt-5-nano")
			s.Attributes().PutInt("gen_ai.usage.input_tokens", 12)
			s.Attributes().PutInt("gen_ai.usage.output_tokens", 3)
		}
	}
	data, err := new(ptrace.JSONMarshaler).MarshalTraces(traces)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Run([]string{Stdin}, bytes.NewReader(data), new(bytes.Buffer), func(err error) { b.Error(err) }, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
