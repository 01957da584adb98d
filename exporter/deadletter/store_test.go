// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestLettersComeOutAsTheyWentIn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	want := []Letter{
		letter("one"),
		{Time: born, Reason: ReasonUnreadable, Record: metering.Frozen{Body: []byte{0xff, 0x00, '\n', '{'}}},
		{Time: born, Reason: "other", Record: metering.Frozen{Body: []byte("{\"pretty\": true}\n")}},
	}
	for _, l := range want {
		if err := s.Append(l); err != nil {
			t.Fatal(err)
		}
	}
	got, errs := read(open(t, dir))
	if len(errs) > 0 {
		t.Error(errs)
	}
	for i := range want {
		want[i].ID = letterID(&want[i])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	if got[0].ID == got[1].ID || len(got[0].ID) != 16 {
		t.Errorf("ids %q and %q", got[0].ID, got[1].ID)
	}
}

// A person reads the file with jq: the record is JSON in it, and each letter is
// one line.
func TestStoredForm(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, "tx")
	raw, err := os.ReadFile(filepath.Join(dir, activeName))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"id":"3b935c9f5fbedea9","time":"2026-09-21T14:14:20.123456789Z","reason":"rejected","tenant":"acme",` +
		`"endpoint":"/meter/v2/ai/completions","transactionId":"tx","idempotencyKey":"key-tx","created":"2026-09-21T14:13:20.123456789Z",` +
		`"attempts":2,"status":400,"code":"validation","message":"model is unknown",` +
		`"body":{"transactionId":"tx","product":"a <b> & \u2028","n":1.50}}` + "\n"
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "letters")
	s := open(t, dir, WithMaxFileBytes(1))
	add(t, s, "one", "two")
	if _, err := s.Drop("nothing"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v", info.Mode())
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 {
		t.Errorf("%d files, want the lock and two with letters", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
	}
}

func TestTimeIsFilledIn(t *testing.T) {
	s := open(t, t.TempDir())
	l := letter("x")
	l.Time = time.Time{}
	before := time.Now().Add(-time.Second)
	if err := s.Append(l); err != nil {
		t.Fatal(err)
	}
	letters, _ := read(s)
	if at := letters[0].Time; at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("time %v", at)
	}
}

func TestRotation(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, WithMaxFileBytes(1000))
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("tx-%d", i))
	}
	add(t, s, want...)
	names, err := s.files()
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 20 || names[len(names)-1] != activeName {
		t.Errorf("files %v", names)
	}
	for _, name := range names {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() > 1000 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if got := transactions(t, s); !slices.Equal(got, want) {
		t.Errorf("order %v", got)
	}
}

func TestFull(t *testing.T) {
	s := open(t, t.TempDir(), WithMaxFileBytes(1000), WithMaxBytes(2000))
	var err error
	n := 0
	for ; err == nil; n++ {
		err = s.Append(letter(fmt.Sprintf("tx-%03d", n)))
	}
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "WithMaxBytes") {
		t.Errorf("error %v", err)
	}
	got := transactions(t, s)
	if len(got) != n-1 || n < 3 {
		t.Errorf("%d letters after %d were taken", len(got), n-1)
	}
	letters, _ := read(s)
	if _, err := s.Drop(letters[0].ID); err != nil {
		t.Fatal(err)
	}
	add(t, s, "room again")
}

func TestTornLine(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	add(t, s, "one")
	tear(t, filepath.Join(dir, activeName), `{"v":1,"id":"abc","rea`)
	add(t, s, "two")

	letters, errs := read(s)
	if len(letters) != 2 || letters[0].Record.TransactionID != "one" || letters[1].Record.TransactionID != "two" {
		t.Errorf("letters %v", letters)
	}
	var torn *LineError
	if len(errs) != 1 || !errors.As(errs[0], &torn) || torn.Line != 2 || torn.File != filepath.Join(dir, activeName) {
		t.Errorf("errors %v", errs)
	}
	// Dropping a letter leaves the torn line to whoever can mend it.
	if n, err := s.Drop(letters[0].ID); n != 1 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	letters, errs = read(s)
	if len(letters) != 1 || len(errs) != 1 {
		t.Errorf("letters %v, errors %v", letters, errs)
	}
}

// tear appends an unfinished line.
func tear(tb testing.TB, path, text string) {
	tb.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		tb.Fatal(err)
	}
}

func TestForeignLines(t *testing.T) {
	for name, tt := range map[string]struct{ line, want string }{
		"newer":         {`{"v":2,"id":"abc","body":{}}`, "version 2"},
		"newer, other":  {`{"v":7,"id":{"new":"form"}}`, "version 7"},
		"no letter":     {`{"hello":"world"}`, "no version"},
		"not an object": {`[1]`, "cannot unmarshal"},
		"not JSON":      {"\x00\x00\x00", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			add(t, s, "one")
			tear(t, filepath.Join(dir, activeName), tt.line)
			before, err := os.ReadFile(filepath.Join(dir, activeName))
			if err != nil {
				t.Fatal(err)
			}
			letters, errs := read(s)
			if len(letters) != 1 || len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
				t.Errorf("letters %v, errors %v", letters, errs)
			}
			stats, err := s.Stats()
			if err != nil || stats.Letters != 1 || stats.Unreadable != 1 || stats.Bytes != int64(len(before)) {
				t.Errorf("stats %+v, %v", stats, err)
			}
			if _, err := s.Drop(letters[0].ID); err != nil {
				t.Fatal(err)
			}
			after, err := os.ReadFile(filepath.Join(dir, activeName))
			if err != nil || string(after) != tt.line {
				t.Errorf("what is left: %q, %v", after, err)
			}
		})
	}
}

func TestDrop(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, WithMaxFileBytes(1000))
	add(t, s, "a", "b", "c", "d", "e", "a") // a twice, as after a crash
	letters, _ := read(s)
	n, err := s.Drop(letters[0].ID, letters[3].ID, "unknown")
	if n != 3 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	if got := transactions(t, s); !slices.Equal(got, []string{"b", "c", "e"}) {
		t.Errorf("left: %v", got)
	}
	letters, _ = read(s)
	for _, l := range letters {
		if _, err := s.Drop(l.ID); err != nil {
			t.Fatal(err)
		}
	}
	names, err := s.files()
	if len(names) != 0 || err != nil {
		t.Errorf("files of an empty store: %v, %v", names, err)
	}
	if n, err := s.Drop(); n != 0 || err != nil {
		t.Errorf("dropped %d, %v", n, err)
	}
	stats, err := s.Stats()
	if diff := cmp.Diff(Stats{ByReason: map[Reason]int{}}, stats); diff != "" || err != nil {
		t.Errorf("stats: %v\n%s", err, diff)
	}
	add(t, s, "f")
}

// What is read is what was there at the beginning, whatever happens meanwhile.
func TestLettersIsASnapshot(t *testing.T) {
	s := open(t, t.TempDir(), WithMaxFileBytes(1000))
	add(t, s, "a", "b", "c", "d", "e", "f")
	var got []string
	for l, err := range s.Letters() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l.Record.TransactionID)
		if _, err := s.Drop(l.ID); err != nil {
			t.Fatal(err)
		}
		add(t, s, "new-"+l.Record.TransactionID)
	}
	if !slices.Equal(got, []string{"a", "b", "c", "d", "e", "f"}) {
		t.Errorf("read %v", got)
	}
	if left := transactions(t, s); len(left) != 6 || left[0] != "new-a" {
		t.Errorf("left %v", left)
	}
	for _, err := range s.Letters() {
		if err != nil {
			t.Error(err)
		}
		break // does not have to be read to its end
	}
}

// Several stores on one directory are several processes to each other.
func TestConcurrentStores(t *testing.T) {
	dir := t.TempDir()
	const stores, each = 4, 25
	var wg sync.WaitGroup
	for n := range stores {
		s := open(t, dir, WithMaxFileBytes(2000))
		s.lockTimeout = time.Minute
		wg.Go(func() {
			for i := range each {
				if err := s.Append(letter(fmt.Sprintf("%d-keep-%d", n, i)), letter(fmt.Sprintf("%d-drop-%d", n, i))); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for dropped := 0; dropped < each; {
				var ids []string
				for l, err := range s.Letters() {
					if err != nil {
						t.Error(err)
						return
					}
					if strings.HasPrefix(l.Record.TransactionID, fmt.Sprintf("%d-drop-", n)) {
						ids = append(ids, l.ID)
					}
				}
				removed, err := s.Drop(ids...)
				if err != nil {
					t.Error(err)
					return
				}
				dropped += removed
			}
		})
	}
	wg.Wait()
	got := transactions(t, open(t, dir))
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != stores*each || slices.ContainsFunc(got, func(id string) bool { return strings.Contains(id, "drop") }) {
		t.Errorf("%d letters left, want %d: %v", len(got), stores*each, got)
	}
}

func TestBusy(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	s.lockTimeout = 20 * time.Millisecond
	other := flock.New(filepath.Join(dir, lockName))
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer other.Close()
	if err := s.Append(letter("x")); !errors.Is(err, ErrBusy) {
		t.Errorf("Append = %v", err)
	}
	if _, errs := read(s); len(errs) != 1 || !errors.Is(errs[0], ErrBusy) {
		t.Errorf("Letters: %v", errs)
	}
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"empty": "", "a file": file, "beneath a file": filepath.Join(file, "letters")} {
		if s, err := Open(dir); err == nil || !strings.HasPrefix(err.Error(), "deadletter: ") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	if os.Getuid() == 0 {
		t.Skip("a read-only directory does not stop root")
	}
	dir := filepath.Join(t.TempDir(), "read-only")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "cannot be written to") {
		t.Errorf("read-only directory: %v", err)
	}
}

// A failed write leaves the file as it was.
func TestFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path) // not for writing
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := appendTo(f, []byte("more\n")); err == nil {
		t.Error("wrote to a file that is open for reading")
	}
	if content, _ := os.ReadFile(path); string(content) != "line\n" {
		t.Errorf("content %q", content)
	}
}

// Whatever the bytes of a record, they come out as they went in.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(`{"a":"<&>\u2028 é","b":[1,2.50,1e99]}`), "tenant", "tx")
	f.Add([]byte("{ }"), "", "")
	f.Add([]byte{0xff, '\n'}, "\xff", "\x00")
	f.Fuzz(func(t *testing.T, body []byte, tenant, id string) {
		l := Letter{Time: born, Reason: ReasonRejected, Tenant: tenant, Record: metering.Frozen{TransactionID: id, Body: body}}
		l.ID = letterID(&l)
		raw, err := encode(l)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(raw, []byte("\n")); n != 1 || raw[len(raw)-1] != '\n' {
			t.Errorf("%d line ends in %q", n, raw)
		}
		got, err := decode(bytes.TrimSpace(raw))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Record.Body, body) || got.ID != l.ID {
			t.Errorf("body %q became %q", body, got.Record.Body)
		}
	})
}
