// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// kills is small for everyday use; "-spool.kills 500" looks harder.
var kills = flag.Int("spool.kills", 25, "number of processes that TestKilledProcess kills")

// crashFailed is the exit code of a process that ended by itself.
const crashFailed = 3

// Variables with which a test binary becomes the process that is killed.
const (
	crashDir   = "SPOOL_TEST_CRASH_DIR"
	crashRound = "SPOOL_TEST_CRASH_ROUND"
)

// TestKilledProcess kills processes that fill and empty a spool directory, at
// random moments and one after the other, and looks at what the next one finds:
// all that was acknowledged, nothing whose end was written, and nothing that was
// never put.
func TestKilledProcess(t *testing.T) {
	path := t.TempDir()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	model := newCrashModel()
	for round := range *kills {
		model.read(t, round, crash(t, path, round, time.Duration(rng.IntN(40_000))*time.Microsecond))
		if round%5 != 4 && round != *kills-1 {
			continue // the next process takes over from the dead ones
		}
		model.check(t, path)
		if t.Failed() {
			t.Fatalf("stopped after %d kills", round+1)
		}
	}
	t.Logf("%d processes killed, %d records put, %d acknowledged, %d ended", *kills, len(model.put), len(model.durable), len(model.ended))
}

// crash runs a process until it is killed and returns what it said.
func crash(t *testing.T, path string, round int, after time.Duration) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+path, crashRound+"="+strconv.Itoa(round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		if scanner.Text() == "ready" {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			continue
		}
		lines = append(lines, scanner.Text())
	}
	err = cmd.Wait()
	if status, ok := errors.AsType[*exec.ExitError](err); !ok || status.ExitCode() == crashFailed {
		t.Fatalf("the process ended by itself: %v\n%s", err, strings.Join(lines, "\n"))
	}
	return lines
}

// crashModel is what the processes said about records.
type crashModel struct {
	put     map[string]bool // may be there
	durable map[string]bool // has to be there unless it is ending
	ending  map[string]bool // may be gone
	ended   map[string]bool // has to be gone
}

func newCrashModel() *crashModel {
	return &crashModel{make(map[string]bool), make(map[string]bool), make(map[string]bool), make(map[string]bool)}
}

func (m *crashModel) read(t *testing.T, round int, lines []string) {
	t.Helper()
	sets := map[string]map[string]bool{"put": m.put, "durable": m.durable, "ending": m.ending, "ended": m.ended}
	for i, line := range lines {
		words := strings.Fields(line)
		if i == len(lines)-1 && (len(words) == 0 || sets[words[0]] == nil) {
			return // cut off by the kill
		}
		set := sets[words[0]]
		if set == nil {
			t.Fatalf("round %d says %q", round, line)
		}
		for _, name := range words[1:] {
			set[name] = true
		}
	}
}

// check opens the directory, looks and leaves everything as it was.
func (m *crashModel) check(t *testing.T, path string) {
	t.Helper()
	dir := openDir(t, path, spool.WithUnreadable(func(_ string, _ []byte, err error) bool {
		t.Errorf("unreadable record: %v", err)
		return false
	}), spool.WithEvents(func(e spool.Event) {
		if e.Kind != spool.EventAdopted {
			t.Errorf("event %v", e)
		}
	}))
	defer closeDir(t, dir)
	q := dir.Queue("")
	found := make(map[string]int)
	for {
		e, ok, err := q.Take(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		found[e.TransactionID]++
		if !m.put[e.TransactionID] || string(e.Body) != string(item(e.TransactionID).Body) {
			t.Errorf("%q was not put so", e.TransactionID)
		}
	}
	for name := range m.durable {
		if found[name] == 0 && !m.ending[name] {
			t.Errorf("%s was acknowledged and is gone", name)
		}
	}
	for name, n := range found {
		if m.ended[name] {
			t.Errorf("%s had ended and is back", name)
		}
		if n > 1 {
			t.Errorf("%s is there %d times", name, n)
		}
	}
}

// crashProcess is the process that is killed: it puts and acknowledges, and says
// what it does before and after.
func crashProcess(path string) error {
	say := func(word string, names []string) error {
		if len(names) == 0 {
			return nil
		}
		_, err := fmt.Printf("%s %s\n", word, strings.Join(names, " "))
		return err
	}
	dir, err := spool.Open(path, spool.WithCommitInterval(time.Millisecond), spool.WithReadAhead(20_000, 20))
	if err != nil {
		return err
	}
	q := dir.Queue("")
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 1))
	fmt.Println("ready")
	for n := 0; ; {
		names := make([]string, 1+rng.IntN(50))
		for i := range names {
			names[i] = fmt.Sprintf("%s-%06d", os.Getenv(crashRound), n)
			n++
		}
		if err := say("put", names); err != nil {
			return err
		}
		for _, name := range names {
			if _, err := q.Put(item(name), time.Now()); err != nil {
				return err
			}
		}
		ending, ids, err := takeSome(q, rng.IntN(70))
		if err != nil {
			return err
		}
		if err := say("ending", ending); err != nil {
			return err
		}
		for _, id := range ids {
			if err := q.Ack(id); err != nil {
				return err
			}
		}
		if rng.IntN(3) == 0 {
			continue // no sync: what was put may be lost, what has ended may come back
		}
		if err := q.Sync(); err != nil {
			return err
		}
		if err := say("durable", names); err != nil {
			return err
		}
		if err := say("ended", ending); err != nil {
			return err
		}
	}
}

// takeSome hands out at most n entries.
func takeSome(q *spool.Disk, n int) (names []string, ids []spool.ID, err error) {
	for range n {
		e, ok, err := q.Take(time.Now())
		if err != nil || !ok {
			return names, ids, err
		}
		names, ids = append(names, e.TransactionID), append(ids, e.ID)
	}
	return names, ids, nil
}

// TestMain is also the main function of the processes that are killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(crashDir); path != "" {
		fmt.Fprintln(os.Stderr, crashProcess(path))
		os.Exit(crashFailed)
	}
	goleak.VerifyTestMain(m)
}
