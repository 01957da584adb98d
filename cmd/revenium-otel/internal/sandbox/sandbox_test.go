// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is what a sandbox writes to, to be looked at while it writes.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{} // gets a value at a write
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// wait waits for a text and returns all so far.
func (s *screen) wait(t *testing.T, want string) string {
	t.Helper()
	timeout := time.NewTimer(10 * time.Second)
	defer timeout.Stop()
	for {
		if text := s.String(); strings.Contains(text, want) {
			return text
		}
		select {
		case <-s.more:
		case <-timeout.C:
			t.Fatalf("%q did not come, only:\n%s", want, s)
		}
	}
}

// running is a sandbox under test.
type running struct {
	t            *testing.T
	out, err     *screen
	in           *io.PipeWriter
	stop         func()
	done         chan error
	revenium     string
	llm          string
	client       *http.Client
	reader       *io.PipeReader
	closeSandbox sync.Once
}

func start(t *testing.T, change func(*Options)) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, out: newScreen(), err: newScreen(), stop: cancel, done: make(chan error, 1)}
	r.reader, r.in = io.Pipe()
	opts := Options{ReveniumAddr: "127.0.0.1:0", LLMAddr: "127.0.0.1:0", In: r.reader, Out: r.out, Err: r.err}
	if change != nil {
		change(&opts)
	}
	r.client = &http.Client{Transport: &http.Transport{}}
	go func() { r.done <- Run(ctx, opts) }()
	side := r.out
	if opts.JSON {
		side = r.err
	}
	text := side.wait(t, "Accepted records follow")
	find := func(name string) string {
		m := regexp.MustCompile(name + `=(\S+)`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s in:\n%s", name, text)
		}
		return m[1]
	}
	r.revenium, r.llm = find("REVENIUM_METERING_BASE_URL"), find("LITELLM_PROXY_URL")
	t.Cleanup(func() { _ = r.end() })
	return r
}

// end stops the sandbox as a signal does.
func (r *running) end() error {
	var err error
	r.closeSandbox.Do(func() {
		_ = r.in.Close()
		r.stop()
		err = <-r.done
		r.client.CloseIdleConnections()
	})
	return err
}

func (r *running) command(text string) {
	r.t.Helper()
	if _, err := io.WriteString(r.in, text+"\n"); err != nil {
		r.t.Fatal(err)
	}
}

// meter sends a record and returns the status of the answer; 0 for none.
func (r *running) meter(key, id string, change func(map[string]any)) int {
	r.t.Helper()
	record := map[string]any{
		"model": "gpt-5-nano", "provider": "OpenAI", "inputTokenCount": 12, "outputTokenCount": 3, "totalTokenCount": 15,
		"requestTime": "2026-09-21T14:13:20.000Z", "completionStartTime": "2026-09-21T14:13:20.900Z", "responseTime": "2026-09-21T14:13:20.900Z",
		"requestDuration": 900, "stopReason": "END", "transactionId": id, "isStreamed": false, "costType": "AI", "operationType": "CHAT",
		"organizationName": "Tulip & Sons",
	}
	if change != nil {
		change(record)
	}
	body := new(bytes.Buffer)
	enc := json.NewEncoder(body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(record); err != nil {
		r.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.revenium+"/meter/v2/ai/completions", body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("Idempotency-Key", "key-"+id)
	resp, err := r.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode
}

func (r *running) ask() int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.llm+"/chat/completions",
		strings.NewReader(`{"model":"gpt-5-nano","messages":[{"role":"user","content":"Hello"}]}`))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

func TestSandboxShowsRecords(t *testing.T) {
	r := start(t, nil)
	if status := r.meter("rev_mk_test_1", "one", nil); status != http.StatusCreated {
		t.Errorf("metering answered %d", status)
	}
	if status := r.meter("hak_test_1", "two", func(m map[string]any) { m["model"] = "gpt-5" }); status != http.StatusCreated {
		t.Errorf("metering with a legacy key answered %d", status)
	}
	if status := r.ask(); status != http.StatusOK {
		t.Errorf("the LLM answered %d", status)
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(r.out.String(), "Ctrl-C stops.\n\n")
	want := strings.Join([]string{
		`TIME          MODEL                  PROVIDER   OPERATION  INPUT  OUTPUT  CACHED  REASONING  DURATION    TTFT  STOP         ORGANIZATION`,
		`14:13:20.000  gpt-5-nano             OpenAI     CHAT          12       3       -          -     900ms       -  END          Tulip & Sons`,
		`14:13:20.000  gpt-5                  OpenAI     CHAT          12       3       -          -     900ms       -  END          Tulip & Sons`,
		``,
		`requests    2 (stored 2, duplicate 0, replayed 0, rejected 0, struck by a fault 0)`,
		`violations  0`,
		`tokens      in 24 (cached 0), out 6 (reasoning 0)`,
		`LLM calls   1`,
		``,
	}, "\n")
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "cli.md"))
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(want, "\n\n")
	if !strings.Contains(string(page), table) {
		t.Error("docs/cli.md does not show this table")
	}
}

func TestSandboxJSON(t *testing.T) {
	r := start(t, func(o *Options) { o.JSON = true })
	r.meter("rev_mk_test_1", "one", func(m map[string]any) { m["organizationNam"] = "<typo>" })
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for line := range strings.Lines(r.out.String()) {
		var event struct {
			Type, Field, Rule string
			TransactionID     string `json:"transaction_id"`
			Record            map[string]any
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("standard output is not lines of JSON: %v\n%s", err, line)
		}
		kinds = append(kinds, strings.TrimSpace(event.Type+" "+event.TransactionID+" "+event.Field+" "+event.Rule))
		if event.Type == "record" && event.Record["model"] != "gpt-5-nano" {
			t.Errorf("record of the wrong model: %s", line)
		}
	}
	if diff := cmp.Diff([]string{"record one", "violation one organizationNam unknown-field"}, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if !strings.Contains(r.out.String(), `"<typo>"`) {
		t.Error("the record was not printed as it came")
	}
	if !strings.Contains(r.err.String(), "stored 1, ") {
		t.Errorf("no summary on standard error:\n%s", r.err)
	}
}

func TestSandboxSaysWhatIsWrong(t *testing.T) {
	r := start(t, nil)
	r.meter("rev_mk_test_1", "one", func(m map[string]any) { m["organizationNam"] = "typo" })
	r.meter("rev_rk_test_1", "two", nil)
	r.meter("rev_mk_test_1", "three", nil)
	r.meter("rev_mk_test_1", "three", nil)
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  ! violation: organizationNam: ",
		"(rule unknown-field, record one)\n",
		"  . record two, attempt 1: 403 Forbidden: unauthorized: use any key that begins with rev_mk_ or hak_\n",
		"  . record three, attempt 2: 201 Created: same idempotency key and body: the first answer again\n",
		"requests    4 (stored 2, duplicate 0, replayed 1, rejected 0, struck by a fault 0)\n",
	} {
		if !strings.Contains(r.out.String(), want) {
			t.Errorf("no %q in:\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out.String(), "rev_rk_test_1") {
		t.Error("a key was printed")
	}
}

func TestSandboxFaultsFromTheStart(t *testing.T) {
	r := start(t, func(o *Options) {
		o.Faults = []reveniumtest.Fault{{Kind: reveniumtest.FaultStatus, Status: 503, Times: 1}}
	})
	var got []int
	for range 2 {
		got = append(got, r.meter("rev_mk_test_1", "one", nil))
	}
	if diff := cmp.Diff([]int{503, 201}, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	r.out.wait(t, "  . record one, attempt 1: 503 Service Unavailable: fault status\n")
}

func TestSandboxCommands(t *testing.T) {
	r := start(t, nil)
	r.command("help")
	r.out.wait(t, "no-usage [TIMES]")
	r.command("fault status 503 2")
	r.out.wait(t, "fault status 503 2\n")
	if status := r.meter("rev_mk_test_1", "one", nil); status != 503 {
		t.Errorf("answer %d under a fault, want 503", status)
	}
	r.command("faults")
	r.out.wait(t, "fault status 503 1\n")
	r.command("fault clear")
	r.out.wait(t, "no faults\n")
	if status := r.meter("rev_mk_test_1", "one", nil); status != 201 {
		t.Errorf("answer %d after clear, want 201", status)
	}
	r.command("fault rain")
	r.out.wait(t, `unknown fault "rain"`)
	r.command("dance")
	r.out.wait(t, `unknown command "dance": try help`)
	r.command("violations")
	r.out.wait(t, "no violations\n")
	r.command("llm status 429 2")
	r.out.wait(t, "the next 2 LLM answers are scripted\n")
	if got := []int{r.ask(), r.ask(), r.ask()}; !cmp.Equal(got, []int{429, 429, 200}) {
		t.Errorf("the LLM answered %v, want 429 twice, then 200", got)
	}
	r.command("llm fire")
	r.out.wait(t, `unknown mishap "fire"`)
	r.command("records")
	r.out.wait(t, "STOP  ORGANIZATION\n") // as narrow as its contents
	r.command("stats")
	r.out.wait(t, "stored 1, ")
	r.command("quit")
	if err := <-r.done; err != nil {
		t.Errorf("quit: %v", err)
	}
	r.done <- nil // for end
}

// The end of the commands, as in a service without a terminal, is not the end of
// the sandbox.
func TestSandboxWithoutInput(t *testing.T) {
	r := start(t, nil)
	_ = r.in.Close()
	if status := r.meter("rev_mk_test_1", "one", nil); status != 201 {
		t.Errorf("answer %d, want 201", status)
	}
}

// A request that hangs does not keep the sandbox from stopping.
func TestSandboxStopsWhileHanging(t *testing.T) {
	r := start(t, func(o *Options) { o.Faults = []reveniumtest.Fault{{Kind: reveniumtest.FaultHang}} })
	answered := make(chan int, 1)
	go func() { answered <- r.meter("rev_mk_test_1", "one", nil) }()
	r.command("stats")
	for !strings.Contains(r.out.String(), "requests    1 (") {
		r.command("stats")
	}
	if err := r.end(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if status := <-answered; status != 0 {
		t.Errorf("the request that hung was answered with %d", status)
	}
}

func TestSandboxAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:0": "", "localhost:80": "", "[::1]:0": "", "127.8.9.10:5": "",
		"0.0.0.0:4100":     "can be reached from other machines: use 127.0.0.1 or add --allow-remote",
		":4100":            "can be reached from other machines",
		"[::]:0":           "can be reached from other machines",
		"example.com:4100": "can be reached from other machines",
		"4100":             "want host:port",
	} {
		checkError(t, checkAddr(addr, false), want)
	}
	if err := checkAddr("0.0.0.0:4100", true); err != nil {
		t.Errorf("with --allow-remote: %v", err)
	}
}

func TestSandboxErrors(t *testing.T) {
	taken, err := reveniumtest.NewServer()
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := strings.TrimPrefix(taken.URL(), "http://")
	out := newScreen()
	for name, tt := range map[string]struct {
		opts Options
		want string
	}{
		"port taken":     {Options{ReveniumAddr: addr, LLMAddr: "127.0.0.1:0"}, "--revenium-addr"},
		"LLM port taken": {Options{ReveniumAddr: "127.0.0.1:0", LLMAddr: addr}, "--llm-addr"},
		"remote":         {Options{ReveniumAddr: "127.0.0.1:0", LLMAddr: "0.0.0.0:0"}, "--llm-addr: 0.0.0.0:0 can be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.opts.In, tt.opts.Out, tt.opts.Err = strings.NewReader(""), out, out
			checkError(t, Run(t.Context(), tt.opts), tt.want)
		})
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestSandboxOutputError(t *testing.T) {
	full := errors.New("disk full")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Run(ctx, Options{ReveniumAddr: "127.0.0.1:0", LLMAddr: "127.0.0.1:0", In: strings.NewReader(""), Out: brokenWriter{full}, Err: brokenWriter{full}})
	if !errors.Is(err, full) {
		t.Errorf("Run: %v, want %v", err, full)
	}
}
