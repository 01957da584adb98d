// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// execute runs a command line with in as its standard input.
func execute(t *testing.T, in io.Reader, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = Run(t.Context(), args, Streams{In: in, Out: &out, Err: &errs})
	return code, out.String(), errs.String()
}

const testdata = "../preview/testdata/"

// oneSpan is an export with one chat, without a line end.
const oneSpan = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"a000000000000002","name":"chat gpt-5-nano",` +
	`"startTimeUnixNano":"1790000000000000000","endTimeUnixNano":"1790000001000000000","attributes":[` +
	`{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},` +
	`{"key":"gen_ai.request.model","value":{"stringValue":"gpt-5-nano"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":5}},` +
	`{"key":"gen_ai.usage.output_tokens","value":{"intValue":"6"}}]}]}]}]}`

func TestUsage(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"nothing":           {nil, exitOK, "revenium-otel preview traces.json", ""},
		"help":              {[]string{"--help"}, exitOK, "sandbox", ""},
		"preview help":      {[]string{"preview", "-h"}, exitOK, "revenium-otel preview --summary monday.jsonl tuesday.jsonl", ""},
		"sandbox help":      {[]string{"help", "sandbox"}, exitOK, "--status-count", ""},
		"unknown command":   {[]string{"prewiew"}, exitInput, "", "revenium-otel: unknown command \"prewiew\""},
		"unknown flag":      {[]string{"preview", "--bill"}, exitInput, "", "revenium-otel preview: unknown flag: --bill\nRun 'revenium-otel preview -h' for usage.\n"},
		"error records":     {[]string{"preview", "--error-records", "some", "x"}, exitInput, "", `--error-records is "some": use none, final or all`},
		"ids":               {[]string{"preview", "--ids", "uuid", "x"}, exitInput, "", `--ids is "uuid": use trace-span, span or response`},
		"sandbox arguments": {[]string{"sandbox", "now"}, exitInput, "", "unknown command"},
		"status count":      {[]string{"sandbox", "--status-count", "3"}, exitInput, "", "--status, which is missing"},
		"bad fault":         {[]string{"sandbox", "--fault", "rain"}, exitInput, "", `unknown fault "rain"`},
		"bad status":        {[]string{"sandbox", "--status", "42"}, exitInput, "", "status 42 is not between 200 and 599"},
		"remote":            {[]string{"sandbox", "--llm-addr", "0.0.0.0:0"}, exitFailed, "", "can be reached from other machines"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := execute(t, strings.NewReader(""), tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if !strings.Contains(out, tt.stdout) || tt.stdout == "" && out != "" {
				t.Errorf("stdout %q, want %q in it", out, tt.stdout)
			}
			if !strings.Contains(errs, tt.stderr) || tt.stderr == "" && errs != "" {
				t.Errorf("stderr %q, want %q in it", errs, tt.stderr)
			}
		})
	}
}

func TestPreviewInput(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	if err := os.WriteFile(good, []byte(oneSpan), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		in     string
		args   []string
		code   int
		lines  int
		stderr []string // one line each
	}{
		"file":            {args: []string{good}, lines: 1},
		"stdin":           {in: oneSpan, args: []string{"-"}, lines: 1},
		"no arguments":    {in: oneSpan, lines: 1},
		"stdin and file":  {in: oneSpan, args: []string{"-", good}, lines: 2},
		"missing":         {args: []string{filepath.Join(dir, "none.json"), good}, code: exitInput, lines: 1, stderr: []string{"none.json: no such file or directory"}},
		"directory":       {args: []string{dir, good}, code: exitInput, lines: 1, stderr: []string{dir + ": is a directory: name the files in it"}},
		"malformed":       {in: "hello", args: []string{"-", good}, code: exitInput, lines: 1, stderr: []string{"-: line 1: not JSON: invalid character 'h'"}},
		"compressed":      {in: "\x1f\x8b\x08\x00", args: []string{"-", good}, code: exitInput, lines: 1, stderr: []string{"-: compressed with gzip: pipe it in"}},
		"empty":           {in: " \n", args: []string{"-", good}, code: exitInput, lines: 1, stderr: []string{"-: empty: want OTLP JSON"}},
		"metrics":         {in: "{\"resourceMetrics\":[]}\n" + oneSpan, code: exitInput, lines: 1, stderr: []string{"-: line 1: it holds resourceMetrics, and only spans and log records are previewed"}},
		"logs":            {in: "{\"resourceLogs\":[]}\n" + oneSpan, lines: 1},
		"something else":  {in: "{\"a\":1}\n[]\n" + oneSpan, code: exitInput, lines: 1, stderr: []string{"-: line 1: not an OTLP export: it has neither resourceSpans nor resourceLogs", "-: line 2: not an OTLP export: want a JSON object"}},
		"not spans":       {in: `{"resourceSpans":7}`, code: exitInput, stderr: []string{"-: line 1: not an OTLP export: ReadArray: expect [ or , or ] or n, but found 7"}},
		"ids in base64":   {in: strings.Replace(oneSpan, "0af7651916cd43dd8448eb211c80319c", "CvdlGRbNQ92ESOshHIAxnA==", 1), code: exitInput, stderr: []string{"trace ids are 32 hexadecimal digits in OTLP JSON, span ids 16"}},
		"no spans":        {in: `{} {"resourceSpans":[]}`},
		"snake case":      {in: strings.NewReplacer("resourceSpans", "resource_spans", "scopeSpans", "scope_spans").Replace(oneSpan), lines: 1},
		"broken in front": {in: oneSpan[:400] + "\n" + oneSpan, code: exitInput, lines: 1, stderr: []string{"-: line 1: not JSON: "}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := execute(t, strings.NewReader(tt.in), append([]string{"preview"}, tt.args...)...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if got := strings.Count(out, "\n"); got != tt.lines {
				t.Errorf("%d lines, want %d:\n%s", got, tt.lines, out)
			}
			complaints := strings.Split(strings.TrimSuffix(errs, "\n"), "\n")
			if errs == "" {
				complaints = nil
			}
			if len(complaints) != len(tt.stderr) {
				t.Fatalf("stderr %q, want %d lines", errs, len(tt.stderr))
			}
			for i, want := range tt.stderr {
				if !strings.HasPrefix(complaints[i], "revenium-otel preview: ") || !strings.Contains(complaints[i], want) {
					t.Errorf("stderr %q, want %q in it", complaints[i], want)
				}
			}
		})
	}
}

// What is previewed depends on the input alone.
func TestPreviewIgnoresEnvironment(t *testing.T) {
	_, before, _ := execute(t, strings.NewReader(oneSpan), "preview", "-")
	t.Setenv("REVENIUM_ORGANIZATION_NAME", "Weeds Inc")
	t.Setenv("REVENIUM_ENVIRONMENT", "jungle")
	_, after, _ := execute(t, strings.NewReader(oneSpan), "preview", "-")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the environment changed the preview (-before +after):\n%s", diff)
	}
}

func TestPreviewFlags(t *testing.T) {
	failing := strings.Replace(oneSpan, `"attributes":[`, `"status":{"code":2},"attributes":[{"key":"error.type","value":{"stringValue":"503"}},`, 1)
	failing, _, _ = strings.Cut(failing, `,{"key":"gen_ai.usage.input_tokens"`)
	failing += "]}]}]}]}"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--error-records", "none"}, `"decision":"skipped","reason":"error records off","endpoint":null,"record":null,"notes":[]`},
		{[]string{"--error-records", "final"}, `"decision":"billed","reason":"error"`},
		{[]string{"--error-records", "all"}, `"decision":"billed","reason":"error"`},
		{nil, `"transactionId":"0af7651916cd43dd8448eb211c80319c-a000000000000002"`},
		{[]string{"--ids", "span"}, `"transactionId":"a000000000000002"`},
	} {
		code, out, errs := execute(t, strings.NewReader(failing), append([]string{"preview", "-"}, tt.args...)...)
		if code != exitOK || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit code %d, want %s in:\n%s%s", tt.args, code, tt.want, out, errs)
		}
	}
}

// Each flag of the conversion has its effect, and nothing of the kind happens
// without it.
func TestPreviewConversionFlags(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("a secret of mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("a secret of mine"))
	mac.Write([]byte("ada"))
	attr := func(key, value string) string {
		return `{"key":"` + key + `","value":{"stringValue":"` + value + `"}},`
	}
	with := func(attrs ...string) string {
		return strings.Replace(oneSpan, `"attributes":[`, `"attributes":[`+strings.Join(attrs, ""), 1)
	}
	cached := with(`{"key":"gen_ai.usage.cache_read.input_tokens","value":{"intValue":"3"}},`)
	failed := strings.Replace(with(attr("error.type", "503")), `"attributes":[`, `"status":{"code":2,"message":"out of order"},"attributes":[`, 1)
	tool := with(attr("gen_ai.operation.name", "execute_tool"), attr("gen_ai.tool.name", "search"))
	ponder := with(attr("gen_ai.operation.name", "ponder"))
	image := with(attr("gen_ai.operation.name", "image_generation"), attr("gen_ai.request.model", "gpt-image-1"), attr("gen_ai.response.model", "gpt-image-1"), attr("revenium.billing.unit", "PER_TOKEN"))
	asked := with(attr("gen_ai.input.messages", `[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Which bulbs in shade?\"}]}]`))
	unreported := strings.ReplaceAll(oneSpan, "gen_ai.usage.", "example.usage.")
	for _, tt := range []struct {
		in   string
		args string
		want string
	}{
		{failed, "--error-reasons", `"errorReason":"out of order"`},
		{unreported, "--zero-usage", `"decision":"billed","reason":"no usage"`},
		{with(attr("gen_ai.operation.name", "invoke_agent")), "--no-aggregates", `"reason":"aggregate operation"`},
		{oneSpan, "--selective", `"reason":"not selected"`},
		{tool, "--tool-events", `"toolId":"search"`},
		{ponder, "--unknown-operations other", `"operationType":"OTHER"`},
		{ponder, "--operation-type ponder=classify", `"operationType":"CLASSIFY"`},
		{with(attr("gen_ai.response.finish_reasons", "bored")), "--stop-reason bored=cancelled", `"stopReason":"CANCELLED"`},
		{oneSpan, "--provider-name openai=Open", `"provider":"Open"`},
		{cached, "--wire-input openai=net", `"inputTokenCount":2`},
		{strings.Replace(cached, `"spans":`, `"scope":{"name":"example.com/app"},"spans":`, 1), "--scope-input exa=inclusive --scope-input example=exclusive", `"inputTokenCount":8`},
		{with(attr("gen_ai.request.model", "acme/m"), attr("gen_ai.response.model", "acme/m")), "--vendor-prefix acme=openai", `"model":"m"`},
		{with(attr("gen_ai.request.model", "openai/m"), attr("gen_ai.response.model", "openai/m")), "--keep-vendor-prefixes", `"model":"openai/m"`},
		{oneSpan, "--default environment=jungle", `"environment":"jungle"`},
		{with(attr("user.id", "ada")), "--opt-in-alias subscriber.id", `"id":"ada"`},
		{oneSpan, "--required productName,agent", `"field":"agent","action":"missing"`},
		{with(attr("revenium.subscriber.id", "ada")), "--hash-key-file " + key, `"subscriber":{"id":"` + hex.EncodeToString(mac.Sum(nil)[:16])},
		{with(attr("http.request.header.x-revenium-organization-name", "Acme")), "--trust-span-headers", `"organizationName":"Acme"`},
		{with(attr("langfuse.user.id", "ada"), attr("langfuse.observation.type", "generation")), "--from-instrumentations", `"id":"ada"`},
		{image, "--media-tokens", `"endpoint":"/meter/v2/ai/completions"`},
		{asked, "--capture-content", `Which bulbs in shade?`},
		{asked, "--capture-content --max-content-size 30", `"promptsTruncated":true`},
		{oneSpan + oneSpan, "--max-held 1 --remembered-calls 2 --remembered-links 1", `"reason":"replay"`},
	} {
		run := func(args ...string) string {
			t.Helper()
			code, out, errs := execute(t, strings.NewReader(tt.in), append([]string{"preview", "-"}, args...)...)
			if code != exitOK {
				t.Errorf("%v: exit code %d: %s", args, code, errs)
			}
			return out
		}
		if got := run(); strings.Contains(got, tt.want) && !strings.HasPrefix(tt.args, "--max-held") {
			t.Errorf("%s is there without %s:\n%s", tt.want, tt.args, got)
		}
		if got := run(strings.Fields(tt.args)...); !strings.Contains(got, tt.want) {
			t.Errorf("%s: want %s in\n%s", tt.args, tt.want, got)
		}
	}
	// Two exports with spans of one call: by default the first that comes bills.
	inner := strings.NewReplacer(`"spanId":"a000000000000002"`, `"spanId":"a000000000000003","parentSpanId":"a000000000000002"`).Replace(cached)
	for args, want := range map[string]string{"": `"span_id":"a000000000000002"`, "--hold-back": `"span_id":"a000000000000003"`, "--hold-back --prefer-outer": `"span_id":"a000000000000002"`} {
		_, out, _ := execute(t, strings.NewReader(oneSpan+inner), append([]string{"preview", "--billed", "-"}, strings.Fields(args)...)...)
		if strings.Count(out, "\n") != 1 || !strings.Contains(out, want) {
			t.Errorf("%q: want %s in\n%s", args, want, out)
		}
	}
}

func TestPreviewBadConversionFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--unknown-operations any":        `operation type "ANY" of unknown operations is not one that the API knows`,
		"--operation-type ponder=any":     `operation type "ANY" of operation "ponder" is not one that the API knows`,
		"--stop-reason bored=nap":         `stop reason "NAP" of finish reason "bored" is not one that the API knows`,
		"--wire-input openai=all":         `--wire-input openai=all: convert: wire input "all" is not known: use gross, net or reported`,
		"--scope-input example=no":        `--scope-input example=no: convert: input basis "no" is not known: use inclusive or exclusive`,
		"--default transactionId=1":       `default of field "transactionId"`,
		"--opt-in-alias color":            `opt-in aliases of field "color"`,
		"--required color":                `required field "color"`,
		"--hash-key-file /nowhere/at/all": `--hash-key-file: open /nowhere/at/all`,
		"--max-held -1":                   `--max-held is -1: it must be positive`,
	} {
		code, out, errs := execute(t, strings.NewReader(oneSpan), append([]string{"preview", "-"}, strings.Fields(args)...)...)
		if code != exitInput || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q, want %q in it", args, code, out, errs, want)
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestPreviewOutputError(t *testing.T) {
	var errs strings.Builder
	std := Streams{In: strings.NewReader(oneSpan), Out: brokenWriter{errors.New("disk full")}, Err: &errs}
	for _, args := range [][]string{{"preview"}, {"preview", "--summary"}, {"version"}} {
		errs.Reset()
		std.In = strings.NewReader(oneSpan)
		if code := Run(t.Context(), args, std); code != exitFailed || !strings.Contains(errs.String(), "disk full") {
			t.Errorf("%v: exit code %d, stderr %q", args, code, errs.String())
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := execute(t, nil, "version")
	if code != exitOK || !strings.HasPrefix(out, "revenium-otel "+instrument.Version+" (") {
		t.Errorf("exit code %d, output %q", code, out)
	}
	machine := fmt.Sprintf("%s %s/%s)", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	for want, info := range map[string]*debug.BuildInfo{
		" (":                                   nil,
		" (commit 0123456789ab, ":              {Settings: []debug.BuildSetting{setting("vcs.revision", "0123456789abcdef"), setting("vcs.modified", "false")}},
		" (commit 0123456789ab with changes, ": {Settings: []debug.BuildSetting{setting("vcs.revision", "0123456789abcdef"), setting("vcs.modified", "true")}},
	} {
		if got := versionLine(info); got != "revenium-otel "+instrument.Version+want+machine {
			t.Errorf("version %q", got)
		}
	}
}

func TestSandboxFaultFlags(t *testing.T) {
	got, err := (&faultFlags{
		latency: 5, status: 503, statusCount: 7, retryAfter: 9, reset: 2, hang: true, unauthorized: true, rateLimit: 3, more: []string{"drop 4"},
	}).list()
	if err != nil {
		t.Fatal(err)
	}
	want := []reveniumtest.Fault{
		{Kind: reveniumtest.FaultLatency, Latency: 5},
		{Kind: reveniumtest.FaultReset, Times: 2},
		{Kind: reveniumtest.FaultStatus, Status: 503, Times: 7, RetryAfter: 9},
		{Kind: reveniumtest.FaultUnauthorized},
		{Kind: reveniumtest.FaultRateLimit, PerSecond: 3, RetryAfter: 1e9},
		{Kind: reveniumtest.FaultHang},
		{Kind: reveniumtest.FaultDropAfterStore, Times: 4},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}

	args := "sandbox --revenium-addr 127.0.0.1:0 --llm-addr 127.0.0.1:0 --latency 5ms --status 503 --status-count 7 --retry-after 9s --reset 2 --hang --unauthorized --rate-limit 3 --fault hang"
	code, out, errs := execute(t, strings.NewReader("faults\nquit\n"), strings.Fields(args)...)
	if list := "fault latency 5ms\nfault reset 2\nfault status 503 7 9s\nfault unauthorized\nfault rate-limit 3\nfault hang\nfault hang\n"; code != exitOK || !strings.Contains(out, list) {
		t.Errorf("exit code %d, want the faults\n%s in\n%s%s", code, list, out, errs)
	}
}

// A sandbox stops when the program is told to.
func TestSandboxStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs strings.Builder
	std := Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	if code := Run(ctx, []string{"sandbox", "--revenium-addr", "127.0.0.1:0", "--llm-addr", "127.0.0.1:0"}, std); code != exitOK {
		t.Errorf("exit code %d, stderr %q", code, errs.String())
	}
	if !strings.Contains(out.String(), "export REVENIUM_METERING_BASE_URL=http://127.0.0.1:") || !strings.Contains(out.String(), "LLM calls   0\n") {
		t.Errorf("output:\n%s", out.String())
	}
}

func TestSandboxPortTaken(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, _, errs := execute(t, strings.NewReader(""), "sandbox", "--llm-addr", "127.0.0.1:0", "--revenium-addr", l.Addr().String())
	if code != exitFailed || !strings.Contains(errs, "revenium-otel sandbox: --revenium-addr: ") {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
}
