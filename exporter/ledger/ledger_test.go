// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestEntries(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "ledger")
	w := open(t, dir)
	now := called.Add(time.Minute)
	w.now = func() time.Time { return now }
	chat := completion(t, "tx-1", "Acme <&>", called)
	image := freeze(t, &metering.Image{
		Call: metering.Call{
			Model: "dall-e-3", Provider: "OpenAI", TransactionID: "tx-2",
			RequestTime: metering.Timestamp{Time: called.Add(1)}, ResponseTime: metering.Timestamp{Time: called.Add(time.Second)},
		},
		ActualImageCount: 3,
	})
	tool := freeze(t, &metering.ToolEvent{
		ToolID: "search", TransactionID: "tx-3", Operation: "query", OrganizationName: "Acme", ProductName: "support",
		Timestamp: metering.Timestamp{Time: called.Add(2 * time.Millisecond)}, DurationMs: 5, Success: true,
	})
	w.Billed("", chat)
	w.Billed("blue", image)
	w.Billed("", tool)
	now = now.Add(time.Second)
	w.Ended("", chat, Delivered, "", true)
	w.Ended("blue", image, Lost, "queue full", false)
	closeWriter(t, w)

	billed, ended := called.Add(time.Minute), called.Add(time.Minute+time.Second)
	want := []Entry{
		{ID: "tx-1", Billed: billed, Ended: ended, State: Delivered, Late: true, Facts: Facts{
			Endpoint: metering.EndpointCompletions, Call: called, Model: "gpt-4o", Provider: "OpenAI", Operation: "CHAT",
			Organization: "Acme <&>", Product: "support", Environment: "production",
			Input: 1000, Output: 200, Total: 1200, CacheRead: 600, CacheCreation: 100, Reasoning: 50,
		}},
		{ID: "tx-2", Tenant: "blue", Billed: billed, Ended: ended, State: Lost, Reason: "queue full", Facts: Facts{
			Endpoint: metering.EndpointImages, Call: called, Model: "dall-e-3", Provider: "OpenAI", Images: 3,
		}},
		{ID: "tx-3", Billed: billed, State: Waiting, Facts: Facts{
			Endpoint: metering.EndpointToolEvents, Call: called.Add(2 * time.Millisecond), Model: "search", Operation: "query",
			Organization: "Acme", Product: "support",
		}},
	}
	if diff := cmp.Diff(want, load(t, dir).Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestFacts(t *testing.T) {
	call := func(id string) metering.Call {
		return metering.Call{
			Model: "m", Provider: "P", TransactionID: id,
			RequestTime: metering.Timestamp{Time: called}, ResponseTime: metering.Timestamp{Time: called.Add(time.Second)},
		}
	}
	for name, tt := range map[string]struct {
		rec  metering.Record
		want Facts
	}{
		"audio": {
			&metering.Audio{
				Call: call("a"), DurationSeconds: new(12.5), CharacterCount: new(int64(7)),
				InputTokenCount: new(int64(1)), InputAudioTokenCount: new(int64(2)), OutputTokenCount: new(int64(3)), OutputAudioTokenCount: new(int64(4)),
			},
			Facts{Endpoint: metering.EndpointAudio, Input: 3, Output: 7, Total: 10, Seconds: 12.5, Characters: 7},
		},
		"video": {&metering.Video{Call: call("v"), DurationSeconds: 8}, Facts{Endpoint: metering.EndpointVideo, Seconds: 8}},
	} {
		got, err := factsOf(freeze(t, tt.rec))
		tt.want.Model, tt.want.Provider, tt.want.Call = "m", "P", called
		tt.want.Operation = got.Operation
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	if _, err := factsOf(metering.Frozen{Endpoint: metering.EndpointImages, TransactionID: "x", Body: []byte("[")}); err == nil {
		t.Error("read what is no record")
	}
}

// The ledger holds no person and no content.
func TestPrivacy(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	rec := freeze(t, &metering.Completion{Call: metering.Call{
		Model: "gpt-4o", Provider: "OpenAI", TransactionID: "tx", InputMessages: `["secret question"]`, OutputResponse: "secret answer",
		RequestTime: metering.Timestamp{Time: called}, ResponseTime: metering.Timestamp{Time: called},
		Subscriber:  &metering.Subscriber{ID: "secret person", Email: "secret@example.com", Credential: &metering.Credential{Value: "secret credential"}},
		ErrorReason: "secret failure",
	}})
	w.Billed("", rec)
	closeWriter(t, w)
	content, err := os.ReadFile(ledgerFiles(t, dir)[0])
	if err != nil || strings.Contains(string(content), "secret") || !strings.Contains(string(content), "gpt-4o") {
		t.Errorf("%v, content %s", err, content)
	}
	for path, want := range map[string]os.FileMode{dir: 0o755, ledgerFiles(t, dir)[0]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^want != 0 {
			t.Errorf("%s has mode %v, %v", path, info.Mode(), err)
		}
	}
}

// Writers of several processes share a directory, and a record that one bills can
// end in another.
func TestSeveralWriters(t *testing.T) {
	dir := t.TempDir()
	const writers, each = 4, 200
	var wg sync.WaitGroup
	for n := range writers {
		w, other := open(t, dir), open(t, dir)
		wg.Go(func() {
			for i := range each {
				rec := completion(t, fmt.Sprintf("%d-%d", n, i), "Acme", called)
				w.Billed("", rec)
				if i%2 == 0 {
					other.Ended("", rec, Delivered, "", false)
				}
			}
			closeWriter(t, w)
			closeWriter(t, other)
		})
	}
	wg.Wait()
	s := Summarize(load(t, dir))
	want := Balance{Billed: writers * each, Delivered: writers * each / 2, Waiting: writers * each / 2}
	if s.Balance != want || !s.Balance.Holds() {
		t.Errorf("balance %v, want %v", s.Balance, want)
	}
}

// Events of one record come in any order from the files of several processes.
func TestOrderOfEvents(t *testing.T) {
	rec := completion(t, "tx", "Acme", called)
	at := called.Add
	for name, tt := range map[string]struct {
		events []line
		want   State
		ended  time.Time
	}{
		"delivered twice": {[]line{{State: Delivered, Time: at(2)}, {State: Waiting, Time: at(0)}, {State: Delivered, Time: at(1)}}, Delivered, at(1)},
		"lost and sent":   {[]line{{State: Lost, Time: at(1)}, {State: Delivered, Time: at(2)}}, Delivered, at(2)},
		"sent and lost":   {[]line{{State: Delivered, Time: at(2)}, {State: Lost, Time: at(3)}}, Delivered, at(2)},
		"dead, replayed":  {[]line{{State: DeadLettered, Time: at(1)}, {State: Duplicate, Time: at(2)}}, Duplicate, at(2)},
		"not billed":      {[]line{{State: Lost, Time: at(1)}}, Lost, at(1)},
	} {
		t.Run(name, func(t *testing.T) {
			l := loader{book: &Book{Unseen: map[State]int64{}}, known: map[entryKey]*Entry{}}
			for _, ev := range tt.events {
				key := entryKey{"", rec.TransactionID}
				if l.known[key] == nil {
					l.known[key] = &Entry{ID: rec.TransactionID, State: Waiting}
				}
				l.known[key].apply(&ev)
			}
			if e := l.known[entryKey{"", "tx"}]; e.State != tt.want || !e.Ended.Equal(tt.ended) || e.Billed.IsZero() {
				t.Errorf("entry %+v", e)
			}
		})
	}
}

// Ends that are known by their number alone are part of the balance.
func TestUnseenEnds(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	for i := range 10 {
		w.Billed("", completion(t, fmt.Sprint("tx-", i), "Acme", called))
	}
	w.EndedUnseen("", 4, Lost, "shutdown")
	w.EndedUnseen("", 1, DeadLettered, "unreadable")
	closeWriter(t, w)
	s := Summarize(load(t, dir))
	if want := (Balance{Billed: 10, Waiting: 5, DeadLettered: 1, Lost: 4}); s.Balance != want || !s.Balance.Holds() {
		t.Errorf("balance %v, want %v", s.Balance, want)
	}
	if text := s.Balance.String(); text != "billed 10 = delivered 0 + duplicate 0 + waiting 5 + dead 1 + lost 4" {
		t.Errorf("balance is %q", text)
	}
	if text := (Balance{Billed: 1, Delivered: 2, Waiting: -1}).String(); !strings.Contains(text, "≠") {
		t.Errorf("a balance that does not hold is %q", text)
	}
}

// What cannot be read is said, and the rest is read.
func TestUnreadableLines(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	w.Billed("", completion(t, "tx", "Acme", called))
	closeWriter(t, w)
	file := ledgerFiles(t, dir)[0]
	appendText(t, file, `{"v":2,"id":"newer"}`+"\n"+`{"hello":1}`+"\n\n"+`{"v":1,"state":"strange","id":"x"}`+"\n"+`{"v":1,"state":"waiting","id":"torn","mod`)
	appendText(t, filepath.Join(dir, "ledger-other.jsonl"), "")
	appendText(t, filepath.Join(dir, "other.jsonl"), "not of the ledger")
	b, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Entries) != 1 || len(b.Problems) != 4 {
		t.Fatalf("entries %v, problems %v", b.Entries, b.Problems)
	}
	for i, want := range []string{"line 2: it is of version 2", "line 3: not a line of a ledger", `line 5: unknown state "strange"`, "line 6: unexpected end"} {
		if text := b.Problems[i].Error(); !strings.Contains(text, want) || !strings.Contains(text, file) {
			t.Errorf("problem %q, want %q", text, want)
		}
	}
	if s := Summarize(b); s.Unreadable != 4 {
		t.Errorf("summary %+v", s)
	}
	if _, err := Load(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("loaded a ledger that is not there")
	}
}

// A day has a file of its own.
func TestDays(t *testing.T) {
	dir := t.TempDir()
	w := open(t, dir)
	var mu sync.Mutex
	now := called
	w.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	for i := range 3 {
		w.Billed("", completion(t, fmt.Sprint("tx-", i), "Acme", called))
		idle(t, w)
		mu.Lock()
		now = now.Add(24 * time.Hour)
		mu.Unlock()
	}
	closeWriter(t, w)
	files := ledgerFiles(t, dir)
	if len(files) != 3 || !strings.Contains(files[0], "ledger-20260921-") || !strings.Contains(files[2], "ledger-20260923-") {
		t.Errorf("files %v", files)
	}
	if n := len(load(t, dir).Entries); n != 3 {
		t.Errorf("%d entries", n)
	}
}

// idle waits until nothing waits to be written.
func idle(tb testing.TB, w *Writer) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		running := w.running
		w.mu.Unlock()
		if !running {
			return
		}
		if time.Now().After(deadline) {
			tb.Fatal("still writing")
		}
	}
}

// While the disk takes nothing, events wait; too many are counted, and the ledger
// says that it is not complete.
func TestDiskFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	var mu sync.Mutex
	var told []error
	w := open(t, dir, WithErrors(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	rec := completion(t, "tx", "Acme", called)
	w.Billed("", rec)
	for range maxWaiting + 10 {
		w.Ended("", rec, Delivered, "", false)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		n := len(told)
		mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("told %v", told)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
	b := load(t, dir)
	if len(b.Entries) != 1 || b.Missing != 11 {
		t.Errorf("%d entries, %d missing", len(b.Entries), b.Missing)
	}
	if s := Summarize(b); s.Missing != b.Missing {
		t.Errorf("summary %+v", s)
	}
}

// Closing in front of a disk that takes nothing says what is missing and does not
// hang.
func TestCloseFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	w := open(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.Billed("", completion(t, "tx", "Acme", called))
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "3 events could not be written") {
		t.Errorf("Close = %v", err)
	}
	w.Billed("", completion(t, "late", "Acme", called)) // no panic
	if err := w.Close(); err != nil {
		t.Errorf("second Close = %v", err)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	appendText(t, file, "")
	for name, dir := range map[string]string{"empty": "", "a file": file} {
		if w, err := Open(dir); err == nil || !strings.HasPrefix(err.Error(), "ledger: ") {
			t.Errorf("%s: %v, %v", name, w, err)
		}
	}
}
