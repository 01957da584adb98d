// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// newMemory and spoolMaxEntries keep the names of package spool out of tests about
// other things.
func newMemory() spool.Queue                  { return spool.NewMemory() }
func spoolMaxEntries(n int) spool.LimitOption { return spool.WithMaxEntries(n) }

const otherKey = "rev_mk_test_rotated"

// writeKey puts a key into a file as an operator does: another file in its place.
func writeKey(tb testing.TB, path, key string) {
	tb.Helper()
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		tb.Fatal(err)
	}
}

// TestKeyFileIsReadAgain: a key that is refused is replaced in its file, and what
// was parked goes out without a restart.
func TestKeyFileIsReadAgain(t *testing.T) {
	for name, env := range map[string]bool{"option": false, "environment": true} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			writeKey(t, path, testKey)
			srv := reveniumtest.Start(t, reveniumtest.WithAPIKeys(otherKey))
			clearEnv(t)
			opts := []exporter.Option{
				exporter.WithBaseURL(srv.URL()), exporter.WithLogger((&logBuffer{}).logger()),
				exporter.WithRetry(exporter.RetryConfig{UnauthorizedInterval: time.Hour}),
			}
			if env {
				t.Setenv("REVENIUM_METERING_API_KEY_FILE", path)
			} else {
				t.Setenv("REVENIUM_METERING_API_KEY", "rev_mk_test_outranked")
				opts = append(opts, exporter.WithAPIKeyFile(path))
			}
			p, err := exporter.NewProcessor(opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = p.Shutdown(within(t, time.Millisecond)) }()
			ids := chats(context.Background(), newTracer(t, p), 20)
			if err := srv.WaitRequests(within(t, 10*time.Second), 1); err != nil {
				t.Fatal(err)
			}
			waitFor(t, func() bool { return p.Report().Parked == 20 })
			writeKey(t, path, otherKey)
			if err := srv.Wait(within(t, 20*time.Second), 20); err != nil {
				t.Fatal(err)
			}
			storedOf(t, srv, ids)
		})
	}
}

// TestKeyReplacedDuringAnAttempt: one attempt is refused, another one under way then is
// accepted with the next key. What the first one parked goes out, too.
func TestKeyReplacedDuringAnAttempt(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithAPIKeys(otherKey))
	replaced := make(chan struct{})
	var asked atomic.Int32
	key := func(ctx context.Context) (string, error) {
		if asked.Add(1) == 1 {
			return testKey, nil
		}
		select {
		case <-replaced:
			return otherKey, nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	p := newProcessor(t, srv, exporter.WithAPIKeyFunc(key), exporter.WithRetry(exporter.RetryConfig{UnauthorizedInterval: time.Hour}))
	ids := chats(context.Background(), newTracer(t, p), 20)
	waitFor(t, func() bool { return p.Report().Parked == 20 && asked.Load() >= 2 })
	close(replaced)
	if err := srv.Wait(within(t, 20*time.Second), 20); err != nil {
		t.Fatal(err)
	}
	storedOf(t, srv, ids)
}

// waitFor waits for a condition that other goroutines bring about.
func waitFor(tb testing.TB, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal("not within 20 s")
		}
	}
}

func TestKeyFunc(t *testing.T) {
	srv := reveniumtest.Start(t, reveniumtest.WithAPIKeys(otherKey))
	p := newProcessor(t, srv, exporter.WithAPIKeyFunc(func(context.Context) (string, error) { return otherKey, nil }))
	chat(context.Background(), newTracer(t, p))
	flush(t, p)
	// The last option counts.
	p = newProcessor(t, srv, exporter.WithAPIKeyFunc(func(context.Context) (string, error) { return testKey, nil }), exporter.WithAPIKey(otherKey))
	chat(context.Background(), newTracer(t, p))
	flush(t, p)
}

func TestKeyFileErrors(t *testing.T) {
	dir := t.TempDir()
	writeKey(t, filepath.Join(dir, "foreign"), "sk-secret")
	writeKey(t, filepath.Join(dir, "empty"), "")
	for name, want := range map[string]string{
		"missing": "(WithAPIKeyFile): stat ", "foreign": "(WithAPIKeyFile): wrong kind of API key", "empty": "(WithAPIKeyFile): no API key",
	} {
		clearEnv(t)
		p, err := exporter.NewProcessor(exporter.WithAPIKeyFile(filepath.Join(dir, name)))
		if err == nil {
			_ = p.Shutdown(t.Context())
			t.Errorf("%s: NewProcessor succeeded", name)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, want %q in it", name, err, want)
		}
	}
}
