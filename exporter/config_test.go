// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestConfigErrors: what makes metering impossible is said at once, with the
// setting and the mend.
func TestConfigErrors(t *testing.T) {
	key := exporter.WithAPIKey(testKey)
	for name, test := range map[string]struct {
		env      map[string]string
		opts     []exporter.Option
		settings []string
		text     string
		is       error
	}{
		"no key": {
			settings: []string{"REVENIUM_METERING_API_KEY"},
			text:     "exporter: no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey",
			is:       metering.ErrNoAPIKey,
		},
		"blank key": {
			env:      map[string]string{"REVENIUM_METERING_API_KEY": "  "},
			settings: []string{"REVENIUM_METERING_API_KEY"},
			text:     "exporter: no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey",
		},
		"empty key outranks": {
			env:      map[string]string{"REVENIUM_METERING_API_KEY": testKey},
			opts:     []exporter.Option{exporter.WithAPIKey("")},
			settings: []string{"REVENIUM_METERING_API_KEY"},
			text:     "exporter: no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey",
		},
		"read key": {
			env:      map[string]string{"REVENIUM_METERING_API_KEY": "rev_rk_test_secret"},
			settings: []string{"REVENIUM_METERING_API_KEY"},
			text: "exporter: API key from REVENIUM_METERING_API_KEY: wrong kind of API key: " +
				"a key that begins with rev_rk_ can only read: use one that begins with rev_mk_",
			is: metering.ErrAPIKeyKind,
		},
		"key of somebody else": {
			opts:     []exporter.Option{exporter.WithAPIKey("sk-secret")},
			settings: []string{"WithAPIKey"},
			text: "exporter: API key from WithAPIKey: wrong kind of API key: " +
				"it begins with neither rev_ nor hak_: use one that begins with rev_mk_",
		},
		"URL from the environment": {
			env:      map[string]string{"REVENIUM_METERING_BASE_URL": "api.revenium.ai"},
			opts:     []exporter.Option{key},
			settings: []string{"REVENIUM_METERING_BASE_URL"},
			text: "exporter: base URL from REVENIUM_METERING_BASE_URL: bad base URL: " +
				"it does not begin with https:// (or http://); write it like https://api.revenium.ai",
			is: metering.ErrBaseURL,
		},
		"URL from the option": {
			env:      map[string]string{"REVENIUM_METERING_BASE_URL": "https://fine.example"},
			opts:     []exporter.Option{key, exporter.WithBaseURL("https://user:secret@host")},
			settings: []string{"WithBaseURL"},
			text: "exporter: base URL from WithBaseURL: bad base URL: " +
				"https://host carries a user or password: the API key is set apart from the URL",
		},
		"numbers": {
			opts: []exporter.Option{
				key, exporter.WithTimeout(-1), exporter.WithQueueSize(0), exporter.WithQueueBytes(-1), exporter.WithSenders(1000),
				exporter.WithShutdownTimeout(0), exporter.WithOverflowPolicy(7),
			},
			settings: []string{"WithTimeout", "WithShutdownTimeout", "WithQueueSize", "WithQueueBytes", "WithOverflowPolicy", "WithSenders"},
			text: `exporter: timeout of one attempt is -1ns: it must be positive
exporter: shutdown timeout is 0s: it must be positive
exporter: queue size is 0: it must be at least 1 record
exporter: queue bound is -1 bytes: it must be positive
exporter: overflow policy OverflowPolicy(7) is not known: use spool.DropNewest or spool.DropOldest
exporter: number of senders is 1000: it must be between 1 and 256`,
		},
		"retry": {
			opts: []exporter.Option{key, exporter.WithRetry(exporter.RetryConfig{
				InitialInterval: -1, Multiplier: 0.5, RandomizationFactor: 2,
			})},
			settings: []string{"WithRetry", "WithRetry", "WithRetry"},
			text: `exporter: retry setting InitialInterval is -1ns: it must be positive
exporter: retry setting Multiplier is 0.5: it must be 1 or more
exporter: retry setting RandomizationFactor is 2: it must be between 0 and 1`,
		},
		"unknown field": {
			opts:     []exporter.Option{key, exporter.WithDefault("organisation", "x")},
			settings: []string{"WithDefault"},
			text:     `exporter: default for field "organisation": the metering record has no such attribution field; docs/attributes.md lists them`,
		},
		"field of one call": {
			opts:     []exporter.Option{key, exporter.WithDefault("transactionId", "x")},
			settings: []string{"WithDefault"},
			text:     `exporter: default for field "transactionId": it belongs to one call and cannot be the same for all`,
		},
		"dead letters from the environment": {
			env:      map[string]string{"REVENIUM_DEAD_LETTER_DIR": "/dev/null/letters"},
			opts:     []exporter.Option{key},
			settings: []string{"REVENIUM_DEAD_LETTER_DIR"},
			text:     "exporter: dead letters in /dev/null/letters (REVENIUM_DEAD_LETTER_DIR): making the directory: mkdir /dev/null: not a directory",
		},
		"dead letters from the option": {
			env:      map[string]string{"REVENIUM_DEAD_LETTER_DIR": "/tmp"},
			opts:     []exporter.Option{key, exporter.WithDeadLetter("/dev/null")},
			settings: []string{"WithDeadLetter"},
			text:     "exporter: dead letters in /dev/null (WithDeadLetter): making the directory: mkdir /dev/null: not a directory",
		},
		"everything at once": {
			opts:     []exporter.Option{exporter.WithSenders(0), exporter.WithBaseURL("nowhere")},
			settings: []string{"WithSenders", "REVENIUM_METERING_API_KEY", "WithBaseURL"},
			text: `exporter: number of senders is 0: it must be between 1 and 256
exporter: no API key: set REVENIUM_METERING_API_KEY or use WithAPIKey
exporter: base URL from WithBaseURL: bad base URL: it does not begin with https:// (or http://); write it like https://api.revenium.ai`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			p, err := exporter.NewProcessor(test.opts...)
			if err == nil {
				_ = p.Shutdown(t.Context())
				t.Fatal("NewProcessor succeeded")
			}
			if diff := cmp.Diff(test.text, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error quotes a secret: %v", err)
			}
			var settings []string
			for _, e := range configErrors(err) {
				settings = append(settings, e.Setting)
			}
			if diff := cmp.Diff(test.settings, settings); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("error does not wrap %v", test.is)
			}
			if _, err2 := exporter.New(test.opts...); err2 == nil || err2.Error() != err.Error() {
				t.Errorf("New = %v, want the same error", err2)
			}
		})
	}
}

// configErrors are all ConfigErrors that err joins.
func configErrors(err error) []*exporter.ConfigError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*exporter.ConfigError
		for _, e := range joined.Unwrap() {
			all = append(all, configErrors(e)...)
		}
		return all
	}
	if one, ok := errors.AsType[*exporter.ConfigError](err); ok {
		return []*exporter.ConfigError{one}
	}
	return nil
}

// TestLogLevel: without a logger, REVENIUM_LOG_LEVEL makes one; a bad value is
// said and ignored.
func TestLogLevel(t *testing.T) {
	for level, want := range map[string]struct{ own, other bool }{
		"":         {other: true},
		"info":     {own: true},
		"DEBUG":    {own: true},
		"WARNING":  {},
		"ERROR":    {},
		"CRITICAL": {},
		"loud":     {other: true},
	} {
		t.Run(level, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			t.Setenv("REVENIUM_LOG_LEVEL", level)
			var log logBuffer
			old := slog.Default()
			slog.SetDefault(log.logger())
			defer slog.SetDefault(old)
			stderr := captureStderr(t, func() {
				p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()))
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
			})
			const line = "metering has ended"
			if got := strings.Contains(stderr, line); got != want.own {
				t.Errorf("report on standard error: %v, want %v:\n%s", got, want.own, stderr)
			}
			if got := strings.Contains(log.String(), line); got != want.other {
				t.Errorf("report in the default log: %v, want %v:\n%s", got, want.other, log.String())
			}
			if got := strings.Contains(log.String(), `REVENIUM_LOG_LEVEL`); got != (level == "loud") {
				t.Errorf("bad level said: %v:\n%s", got, log.String())
			}
		})
	}
}

// captureStderr returns what f writes to standard error.
func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stderr
	os.Stderr = w
	defer func() { os.Stderr = old }()
	f()
	os.Stderr = old
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestOptionsReachTheirTargets: client, converter and queue are those that were
// asked for.
func TestOptionsReachTheirTargets(t *testing.T) {
	srv := reveniumtest.Start(t)
	used := false
	queue := spool.NewMemory(spool.WithMaxEntries(77))
	p := newProcessor(t, srv,
		exporter.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			used = true
			return http.DefaultTransport.RoundTrip(r)
		})}),
		exporter.WithHTTPClient(nil),
		exporter.WithClientOptions(metering.WithUserAgent("answers/1.0")),
		exporter.WithConvertOptions(convert.WithIDScheme(convert.IDSpan)),
		exporter.WithErrorRecords(convert.ErrorPolicyNone),
		exporter.WithQueue(queue),
		exporter.WithQueueSize(3),
		nil,
	)
	defer http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	id := chat(t.Context(), newTracer(t, p))
	flush(t, p)
	if !used {
		t.Error("the HTTP client of the option was not used")
	}
	requests := srv.Requests()
	if len(requests) != 1 || !strings.HasPrefix(requests[0].Header.Get("User-Agent"), "answers/1.0 ") {
		t.Errorf("requests: %+v", requests)
	}
	_, span, _ := strings.Cut(id, "-")
	if _, ok := srv.ByTransactionID(span); !ok {
		t.Error("the converter's option has no effect")
	}
	if !strings.Contains(p.String(), "QueueSize: 77") {
		t.Errorf("the queue of the option is not used: %s", p)
	}
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Put(spool.Item{}, time.Now()); !errors.Is(err, spool.ErrClosed) {
		t.Errorf("queue after Shutdown: Put = %v, want that it is closed", err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestString(t *testing.T) {
	clearEnv(t)
	p, err := exporter.NewProcessor(exporter.WithAPIKey(testKey), exporter.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Shutdown(context.Background()) }()
	want := "ReveniumProcessor{BaseURL: https://api.revenium.ai, Senders: 12, QueueSize: 32768, Queue: *spool.Memory}"
	if got := p.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}
