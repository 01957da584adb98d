// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// kills is small for everyday use; "-exporter.kills 200" looks harder.
var kills = flag.Int("exporter.kills", 6, "number of processes that TestKilledProcess kills")

// Variables with which a test binary becomes the process that is killed.
const (
	crashDir = "EXPORTER_TEST_CRASH_DIR"
	crashURL = "EXPORTER_TEST_CRASH_URL"
)

// crashFailed is the exit code of a process that ended by itself.
const crashFailed = 3

// TestKilledProcess: processes that meter through an unreliable service are killed
// at random moments. All that was acknowledged, by a flush, arrives, and nothing is
// stored twice or in two forms.
func TestKilledProcess(t *testing.T) {
	dir := t.TempDir()
	srv := reveniumtest.Start(t)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	acknowledged := make(map[string]bool)
	for range *kills {
		fault := reveniumtest.Fault{Kind: reveniumtest.FaultStatus, Status: http.StatusServiceUnavailable, Chance: 0.2 + 0.8*rng.Float64()}
		if rng.IntN(3) == 0 {
			fault = reveniumtest.Fault{Kind: reveniumtest.FaultDropAfterStore, Chance: 0.5}
		}
		srv.SetFaults(fault)
		for _, id := range crash(t, dir, srv.URL(), time.Duration(rng.IntN(150))*time.Millisecond) {
			acknowledged[id] = true
		}
	}
	srv.ClearFaults()
	p := newProcessor(t, srv, exporter.WithSpool(dir))
	flush(t, p)
	r := stopped(t, p)
	if r.Lost != 0 || r.DeadLettered != 0 || r.SetAside != 0 {
		t.Errorf("report:\n%s", r)
	}
	for id := range acknowledged {
		if _, ok := srv.ByTransactionID(id); !ok {
			t.Errorf("%s was acknowledged and has not arrived", id)
		}
	}
	checkOneBody(t, srv)
	t.Logf("%d processes killed, %d records acknowledged, %d stored, %d repetitions", *kills, len(acknowledged),
		srv.Stats().Stored, srv.Stats().Duplicates+srv.Stats().Replayed)
}

// crash runs a process until it is killed and returns the ids that it said were
// acknowledged.
func crash(t *testing.T, dir, url string, after time.Duration) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashURL+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if scanner.Text() == "ready" {
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			continue
		}
		ids = append(ids, strings.Fields(scanner.Text())...)
	}
	if status, ok := errors.AsType[*exec.ExitError](cmd.Wait()); !ok || status.ExitCode() == crashFailed {
		t.Fatalf("the process ended by itself: %v", status)
	}
	// The kill can have cut the last id off.
	if n := len(ids); n > 0 && len(ids[n-1]) != len("0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7") {
		ids = ids[:n-1]
	}
	return ids
}

// crashProcess is the process that is killed.
func crashProcess() error {
	p, err := exporter.NewProcessor(exporter.WithSpool(os.Getenv(crashDir)), exporter.WithAPIKey(testKey),
		exporter.WithBaseURL(os.Getenv(crashURL)), exporter.WithRetry(fastRetry), exporter.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(p)).Tracer("test")
	fmt.Println("ready")
	for {
		ids := chats(context.Background(), tracer, 1+rand.IntN(30))
		// Whether it was all delivered or not: when it returns, the rest is on disk.
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rand.IntN(20))*time.Millisecond)
		err := p.ForceFlush(ctx)
		cancel()
		var waiting *exporter.FlushError
		if err != nil && !errors.As(err, &waiting) {
			return err
		}
		fmt.Println(strings.Join(ids, " "))
	}
}

func init() {
	exporter.SetChildProcess(func() (code int, ok bool) {
		if os.Getenv(crashDir) == "" {
			return 0, false
		}
		fmt.Fprintln(os.Stderr, crashProcess())
		return crashFailed, true
	})
}
