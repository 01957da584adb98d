// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const cliTestKey = "rev_mk_test_cli"

// clearEnv takes the variables out of the environment that commands read.
func clearEnv(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		semconv.EnvMeteringAPIKey, semconv.EnvMeteringAPIKeyFile, semconv.EnvMeteringBaseURL,
		semconv.EnvDeadLetterDir, semconv.EnvSpoolDir, semconv.EnvLedgerDir,
	} {
		t.Setenv(name, "")
	}
}

// service is an exporter whose directories the commands look at.
type service struct {
	*exporter.Processor
	tracer trace.Tracer
	srv    *reveniumtest.Server
	dir    string
}

// start starts an exporter that keeps everything on disk.
func start(t *testing.T, srv *reveniumtest.Server, dir string) *service {
	t.Helper()
	p, err := exporter.NewProcessor(
		exporter.WithAPIKey(cliTestKey), exporter.WithBaseURL(srv.URL()),
		exporter.WithSpool(filepath.Join(dir, "spool")), exporter.WithLedger(filepath.Join(dir, "ledger")),
		exporter.WithTenantAttribute("app.tenant"), exporter.WithTenantKey("acme", "rev_mk_test_acme"),
		exporter.WithRetry(exporter.RetryConfig{InitialInterval: 5 * time.Millisecond, MaxInterval: 20 * time.Millisecond}),
	)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{p, sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p)).Tracer("test"), srv, dir}
	t.Cleanup(func() { s.stop(t) })
	t.Setenv(semconv.EnvSpoolDir, filepath.Join(dir, "spool"))
	t.Setenv(semconv.EnvLedgerDir, filepath.Join(dir, "ledger"))
	t.Setenv(semconv.EnvMeteringAPIKey, cliTestKey)
	t.Setenv(semconv.EnvMeteringBaseURL, srv.URL())
	return s
}

func (s *service) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// chats makes the spans of n chats for a tenant.
func (s *service) chats(n int, tenant string) {
	for range n {
		_, span := s.tracer.Start(context.Background(), "chat gpt-4o", trace.WithAttributes(
			semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
			semconv.GenAIUsageInputTokens(120), semconv.GenAIUsageOutputTokens(30), semconv.ReveniumOrganizationName("Tulip Trading")))
		if tenant != "" {
			span.SetAttributes(attribute.String("app.tenant", tenant))
		}
		span.End()
	}
}

func (s *service) flush(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.ForceFlush(ctx); err != nil {
		t.Fatal(err)
	}
}

// run executes a command that has to succeed.
func run(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := execute(t, strings.NewReader(""), args...)
	if code != exitOK || errs != "" {
		t.Errorf("%v: exit code %d, stderr %s", args, code, errs)
	}
	return out
}

// refuse has the next n records refused.
func refuse(srv *reveniumtest.Server, n int) {
	for range n {
		srv.ScriptStatus(reveniumtest.Answer{Status: 422, Body: `{"error":"strict_mode","message":"unknown organization"}`})
	}
}

// letterIDs are those that list --json shows.
func letterIDs(t *testing.T, args ...string) []string {
	t.Helper()
	var ids []string
	for raw := range strings.Lines(run(t, append([]string{"deadletter", "list", "--json"}, args...)...)) {
		var l struct {
			ID, Reason, TransactionID, Code, Message string
			Status, Bytes                            int
			Record                                   json.RawMessage
		}
		if err := json.Unmarshal([]byte(raw), &l); err != nil {
			t.Fatal(err)
		}
		if l.Status != 422 || l.Code != "strict_mode" || l.Reason != "rejected" || l.Bytes == 0 || l.Record != nil {
			t.Errorf("letter %s", raw)
		}
		ids = append(ids, l.ID)
	}
	return ids
}

// TestDeadLetterCommands lists, shows, replays and drops beside the exporter that
// writes.
func TestDeadLetterCommands(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t, reveniumtest.WithTenant("house", cliTestKey), reveniumtest.WithTenant("acme", "rev_mk_test_acme"))
	s := start(t, srv, t.TempDir())
	refuse(srv, 5)
	s.chats(4, "")
	s.flush(t)
	s.chats(1, "acme")
	s.flush(t)
	if r := s.Report(); r.DeadLettered != 5 {
		t.Fatalf("report:\n%s", r)
	}

	ids := letterIDs(t)
	if len(ids) != 5 || len(letterIDs(t, "--tenant", "acme")) != 1 || len(letterIDs(t, "--reason", "expired")) != 0 {
		t.Fatalf("ids %v", ids)
	}
	list := run(t, "deadletter", "list")
	if lines := strings.Count(list, "\n"); lines != 6 || !strings.Contains(list, "422     ") || !strings.Contains(list, "strict_mode: unknown organization") {
		t.Errorf("list:\n%s", list)
	}

	show := run(t, "deadletter", "show", ids[0][:8])
	for _, want := range []string{"id              " + ids[0], "reason          rejected", "status          422", `  "organizationName": "Tulip Trading",`} {
		if !strings.Contains(show, want) {
			t.Errorf("show lacks %q:\n%s", want, show)
		}
	}
	var shown struct{ Record struct{ Model string } }
	if err := json.Unmarshal([]byte(run(t, "deadletter", "show", "--json", ids[0])), &shown); err != nil || shown.Record.Model != "gpt-4o-2024-08-06" && shown.Record.Model != "gpt-4o" {
		t.Errorf("show --json: %+v, %v", shown, err)
	}

	if out := run(t, "deadletter", "drop", ids[0]); out != "1 dropped\n" {
		t.Errorf("drop printed %q", out)
	}
	refuse(srv, 1)
	if out := run(t, "deadletter", "replay", "--all"); !strings.Contains(out, "2 delivered, 1 rejected again, 1 of other tenants (--tenant, with their key)") {
		t.Errorf("replay printed %q", out)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte("rev_mk_test_acme\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, "deadletter", "replay", "--all", "--tenant", "acme", "--api-key-file", keyFile, "--json")
	if !strings.Contains(out, `"outcome":"delivered","status":201`) || !strings.Contains(out, `{"delivered":1,"duplicate":0,"late":0,"rejected":0,"tooOld":0,"left":0,"otherTenants":1}`) {
		t.Errorf("replay --json printed %s", out)
	}
	if out := run(t, "deadletter", "replay", "--all", "--max-age", "1ns"); out != "0 delivered, 1 too old (--allow-older sends them)\n" {
		t.Errorf("replay with --max-age printed %q", out)
	}
	// Flags outrank the environment.
	ledger := os.Getenv(semconv.EnvLedgerDir)
	t.Setenv(semconv.EnvMeteringBaseURL, "http://127.0.0.1:1")
	t.Setenv(semconv.EnvLedgerDir, "")
	if out := run(t, "deadletter", "replay", "--all", "--max-age", "1ns", "--allow-older", "--base-url", srv.URL(), "--ledger-dir", ledger); out != "1 delivered\n" {
		t.Errorf("replay with --allow-older printed %q", out)
	}
	if n := len(srv.Records()); n != 4 {
		t.Errorf("%d records stored, want all but the dropped one", n)
	}
	if out := run(t, "deadletter", "drop", "--all", "--json"); out != "{\"dropped\":0}\n" {
		t.Errorf("drop printed %q", out)
	}
	// The ledger knows what the replays have delivered.
	s.stop(t)
	if out := run(t, "ledger", "summary", "--dir", ledger); !strings.Contains(out, "billed 5 = delivered 4 + duplicate 0 + waiting 0 + dead 1 + lost 0") {
		t.Errorf("ledger:\n%s", out)
	}
}

// TestReplayStops: a replay in front of a refused key says so and fails.
func TestReplayStops(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	s := start(t, srv, t.TempDir())
	refuse(srv, 2)
	s.chats(2, "")
	s.flush(t)
	srv.Unauthorized(true)
	code, out, errs := execute(t, nil, "deadletter", "replay", "--all")
	if code != exitFailed || out != "0 delivered, 2 not tried\n" || !strings.Contains(errs, "refuses the API key") {
		t.Errorf("exit code %d, output %q, stderr %q", code, out, errs)
	}
	if strings.Contains(out+errs, cliTestKey) {
		t.Error("the key was printed")
	}
}

func TestSpoolInspect(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	srv.Hang()
	dir := t.TempDir()
	s := start(t, srv, dir)
	s.chats(3, "")
	s.chats(2, "acme")
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_ = s.ForceFlush(ctx) // says that all wait
	var in struct {
		Owners []struct {
			PID    int
			Queues []struct {
				Tenant          string
				Entries, OnDisk int
			}
		}
		Orphans []struct {
			Queues []struct{ Entries int }
		}
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		raw := run(t, "spool", "inspect", "--json")
		if err := json.Unmarshal([]byte(raw), &in); err != nil {
			t.Fatal(err)
		}
		if len(in.Owners) == 1 && len(in.Owners[0].Queues) == 2 && in.Owners[0].Queues[1].OnDisk == 2 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("inspection %s", raw)
		}
	}
	if o := in.Owners[0]; o.PID != os.Getpid() || o.Queues[0].Entries != 3 || o.Queues[1].Tenant != "acme" {
		t.Errorf("owner %+v", o)
	}
	text := run(t, "spool", "inspect")
	for _, want := range []string{fmt.Sprintf("process %d on ", os.Getpid()), "TENANT  RECORDS  ON DISK", "-             3        3", "acme          2        2"} {
		if !strings.Contains(text, want) {
			t.Errorf("inspect lacks %q:\n%s", want, text)
		}
	}
	s.stop(t)
	if text := run(t, "spool", "inspect"); !strings.Contains(text, "is of a process that has ended; the next one takes it over") || !strings.Contains(text, "acme          2        2") {
		t.Errorf("after the end:\n%s", text)
	}
	if strings.Contains(text, "rev_mk_") {
		t.Error("a key was printed")
	}
	if text := run(t, "spool", "inspect", "--dir", t.TempDir()); text != "nothing is waiting, and no process uses the directory\n" {
		t.Errorf("an empty directory: %q", text)
	}
}

func TestLedgerCommands(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	s := start(t, srv, t.TempDir())
	refuse(srv, 1)
	s.chats(3, "")
	s.flush(t)
	s.stop(t)

	want := `ORGANIZATION   PROVIDER  MODEL   RECORDS  DELIVERED  INPUT  CACHE READ  CACHE WRITE  OUTPUT  REASONING  TOTAL
Tulip Trading  OpenAI    gpt-4o        3          2    360           0            0      90          0    450
all                                    3          2    360           0            0      90          0    450

billed 3 = delivered 2 + duplicate 0 + waiting 0 + dead 1 + lost 0
`
	if diff := cmp.Diff(want, run(t, "ledger", "summary")); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	if out := run(t, "ledger", "summary", "--to", today, "--by", "month"); !strings.Contains(out, "billed 0 = ") {
		t.Errorf("summary until today:\n%s", out)
	}
	var summary struct {
		All     struct{ TotalTokens int64 }
		Balance struct{ Billed, Delivered int64 }
	}
	if err := json.Unmarshal([]byte(run(t, "ledger", "summary", "--json", "--from", today+"T00:00:00Z")), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.All.TotalTokens != 450 || summary.Balance.Billed != 3 || summary.Balance.Delivered != 2 {
		t.Errorf("summary %+v", summary)
	}

	for format, rows := range map[string]int{"csv": 3, "focus": 2} {
		records, err := csv.NewReader(strings.NewReader(run(t, "ledger", "export", "--format", format))).ReadAll()
		if err != nil || len(records) != rows+1 {
			t.Errorf("%s: %d rows, %v", format, len(records)-1, err)
		}
	}
	if out := run(t, "ledger", "export", "--json", "--state", "dead"); strings.Count(out, "\n") != 1 || !strings.Contains(out, `"state":"dead","reason":"rejected"`) {
		t.Errorf("export of dead ones: %s", out)
	}
}

// TestStorageUsage: wrong usage is told from a failure, with the mend.
func TestStorageUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := deadletter.Open(dir); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		env  map[string]string
		code int
		want string
	}{
		"deadletter help":   {args: []string{"deadletter"}, code: exitOK, want: "list"},
		"no letters":        {args: []string{"deadletter", "list"}, code: exitInput, want: "use --dir, or set REVENIUM_DEAD_LETTER_DIR or REVENIUM_SPOOL_DIR"},
		"missing letters":   {args: []string{"deadletter", "list", "--dir", filepath.Join(dir, "none")}, code: exitInput, want: "no such file or directory"},
		"letters in a file": {args: []string{"deadletter", "list", "--dir", file}, code: exitInput, want: "is not a directory"},
		"show nothing":      {args: []string{"deadletter", "show"}, code: exitInput, want: "requires at least 1 arg"},
		"show unknown":      {args: []string{"deadletter", "show", "abc", "--dir", dir}, code: exitInput, want: "abc: 0 letters have an id that begins so"},
		"drop nothing":      {args: []string{"deadletter", "drop", "--dir", dir}, code: exitInput, want: "Name ids, or use --all"},
		"drop all and one":  {args: []string{"deadletter", "drop", "x", "--all"}, code: exitInput, want: "use one"},
		"replay nothing":    {args: []string{"deadletter", "replay"}, code: exitInput, want: "Name ids, or use --all"},
		"replay keyless":    {args: []string{"deadletter", "replay", "--all", "--dir", dir}, code: exitInput, want: "use --api-key-file or set REVENIUM_METERING_API_KEY"},
		"foreign key": {
			args: []string{"deadletter", "replay", "--all", "--dir", dir}, env: map[string]string{semconv.EnvMeteringAPIKey: "sk-secret"},
			code: exitInput, want: "wrong kind of API key",
		},
		"missing key file": {
			args: []string{"deadletter", "replay", "--all", "--dir", dir, "--api-key-file", filepath.Join(dir, "none")},
			code: exitInput, want: "no such file",
		},
		"no spool":       {args: []string{"spool", "inspect"}, code: exitInput, want: "use --dir or set REVENIUM_SPOOL_DIR"},
		"no ledger":      {args: []string{"ledger", "summary"}, code: exitInput, want: "use --dir or set REVENIUM_LEDGER_DIR"},
		"ledger field":   {args: []string{"ledger", "summary", "--dir", dir, "--by", "colour"}, code: exitInput, want: `--by has "colour": use tenant, organization`},
		"ledger time":    {args: []string{"ledger", "export", "--dir", dir, "--from", "yesterday"}, code: exitInput, want: `--from is "yesterday": use a date`},
		"ledger format":  {args: []string{"ledger", "export", "--dir", dir, "--format", "xls"}, code: exitInput, want: `--format is "xls": use csv, jsonl or focus`},
		"ledger state":   {args: []string{"ledger", "export", "--dir", dir, "--state", "gone"}, code: exitInput, want: `--state has "gone": use waiting`},
		"ledger, spool":  {args: []string{"spool", "inspect", "--dir", file}, code: exitInput, want: "is not a directory"},
		"inspect wrong":  {args: []string{"spool", "inspect", "now"}, code: exitInput, want: "unknown command"},
		"ledger missing": {args: []string{"ledger", "export", "--dir", filepath.Join(dir, "none")}, code: exitInput, want: "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for k, v := range tt.env {
				t.Setenv(k, v)
			}
			code, out, errs := execute(t, nil, tt.args...)
			if code != tt.code || !strings.Contains(out+errs, tt.want) || strings.Contains(out+errs, "secret") {
				t.Errorf("exit code %d, want %d; %q in:\n%s%s", code, tt.code, tt.want, out, errs)
			}
		})
	}
}

// TestUnreadableInput: what cannot be read is told, the rest is printed, and the exit
// code says so.
func TestUnreadableInput(t *testing.T) {
	clearEnv(t)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"deadletter.jsonl":     `{"v":1,"id":"0123456789abcdef","time":"2026-09-21T14:13:20Z","reason":"rejected","body":{}}` + "\n" + `{"v":1,"id":"torn`,
		"ledger-2026-x.jsonl":  `{"v":1,"state":"waiting","time":"2026-09-21T14:13:20Z","id":"a","model":"m"}` + "\n" + `{"v":1,"sta`,
		"deadletter-1.0.jsonl": "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"deadletter", "list"},
		{"deadletter", "list", "--json"},
		{"deadletter", "show", "0123"},
		{"deadletter", "show", "0123", "--json"},
		{"ledger", "summary"},
		{"ledger", "export"},
	} {
		code, out, errs := execute(t, nil, append(args, "--dir", dir)...)
		if code != exitInput || out == "" || !strings.Contains(errs, ": line 2: ") {
			t.Errorf("%v: exit code %d, output %q, stderr %q", args, code, out, errs)
		}
	}
}
