// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// scenario is something that happens to a side.
type scenario struct {
	name, title string
	// alone: no other side runs meanwhile, since processor time counts.
	alone bool
	// applies reports whether there is something to see on a side; nil for all.
	applies func(*side) bool
	run     func(context.Context, *trial) error
}

func scenarios() []scenario {
	return []scenario{
		{name: "B1", title: "300 calls while the service accepts and never answers (12 s), then it recovers", run: hang},
		{name: "B2", title: "100 calls a second while connections are refused, 40 s", run: outageOf(fault{refuse: true}, 40*time.Second)},
		{name: "B3", title: "the same for 10 minutes", run: outageOf(fault{refuse: true}, 10*time.Minute)},
		{name: "B4", title: "shutdown with 1,000 calls queued, 50 ms for each request, deadline 5 s", run: shutdown},
		{name: "B5", title: "kill -9 during an outage, 500 calls acknowledged, restart", run: crash},
		{name: "B6", title: "401 for 60 s, 100 calls a second", run: outageOf(fault{unauthorized: true}, time.Minute)},
		{name: "B7", title: "one of 1,000 is refused for good", run: rejection},
		{name: "B8", title: "5,000 calls at once, 50 ms for each request", alone: true, run: burst},
		{name: "B9", title: "latency added to an LLM that takes a millisecond", alone: true, run: latency},
		{name: "B17", title: "500 calls replayed twice from disk, with a restart between", applies: func(s *side) bool { return s.pipeline == "revenium-spool" }, run: replay},
		{name: "B18", title: "head sampling of 0, 1 and 100 %, 500 calls each", run: sampling},
		{name: "B19", title: "tenant A down, 500 calls of each of A and B", applies: func(s *side) bool { return s.ours }, run: tenants},
		{name: "sustained", title: "20,000 calls as fast as they come", alone: true, run: sustained},
	}
}

func hang(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	if err := t.service.suffer(fault{hang: true}); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.make(300, 0); err != nil {
		return err
	}
	// Longer than a request may take on any side.
	time.Sleep(time.Until(begin.Add(12 * time.Second)))
	if err := t.service.recover(); err != nil {
		return err
	}
	return t.drain(ctx)
}

func outageOf(f fault, lasts time.Duration) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		if err := t.start(ctx); err != nil {
			return err
		}
		if err := t.outage(f, lasts); err != nil {
			return err
		}
		return t.drain(ctx)
	}
}

func shutdown(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	if err := t.service.suffer(fault{latency: 50 * time.Millisecond}); err != nil {
		return err
	}
	if err := t.make(1000, 0); err != nil {
		return err
	}
	r, err := t.do(command{Do: "shutdown", Within: 5 * time.Second})
	if err != nil {
		return err
	}
	if t.collector != nil {
		t.collector.look()
		terminate(t.collector.cmd, 5*time.Second)
	}
	time.Sleep(200 * time.Millisecond) // what is under way arrives
	t.result.say("took %v", r.Took.Round(10*time.Millisecond))
	if rep := r.Report; rep != nil {
		got := t.service.arrived()
		exact := "exact"
		if int(rep.Delivered) != got.distinct || rep.Delivered+rep.OnDisk+rep.Lost != 1000 {
			exact = "wrong"
		}
		t.result.say("its report (%d delivered, %d on disk, %d lost) is %s", rep.Delivered, rep.OnDisk, rep.Lost, exact)
		return nil
	}
	t.result.say("no report")
	return nil
}

// crash kills what holds the calls: the application, or its Collector.
func crash(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	if err := t.service.suffer(fault{refuse: true}); err != nil {
		return err
	}
	if err := t.make(500, 0); err != nil {
		return err
	}
	// Acknowledged: on disk, or taken by the Collector.
	if _, err := t.do(command{Do: "flush", Within: 2 * time.Second}); err != nil {
		return err
	}
	if t.collector != nil {
		t.collector.look()
		kill(t.collector.cmd)
		if err := t.service.recover(); err != nil {
			return err
		}
		if err := t.startCollector(ctx); err != nil {
			return err
		}
		t.await(ctx)
		return nil
	}
	t.app.kill()
	if err := t.service.recover(); err != nil {
		return err
	}
	t.result.report = nil
	if err := t.start(ctx); err != nil {
		return err
	}
	return t.drain(ctx)
}

func rejection(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	t.result.made = 1000
	if _, err := t.do(command{Do: "make", N: 1000, First: 1, Rejected: 500}); err != nil {
		return err
	}
	if _, err := t.do(command{Do: "flush", Within: time.Minute}); err != nil {
		return err
	}
	t.service.wait(ctx, 999, t.opts.patience)
	time.Sleep(200 * time.Millisecond) // a dead letter is written meanwhile
	if t.side.exporter == "revenium" {
		letters, err := countLines(filepath.Join(t.dir, "letters"))
		if err != nil {
			return err
		}
		t.result.kept = letters
	}
	return nil
}

// replay lets two processes send the same spool, the second one from a copy.
func replay(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	if err := t.service.suffer(fault{refuse: true}); err != nil {
		return err
	}
	if err := t.make(500, 0); err != nil {
		return err
	}
	if _, err := t.do(command{Do: "flush", Within: time.Second}); err != nil {
		return err
	}
	t.app.kill()
	if err := t.service.recover(); err != nil {
		return err
	}
	again := t.config.Spool + "-again"
	if err := os.CopyFS(again, os.DirFS(t.config.Spool)); err != nil {
		return err
	}
	for _, dir := range []string{t.config.Spool, again} {
		t.config.Spool = dir
		if err := t.start(ctx); err != nil {
			return err
		}
		if _, err := t.do(command{Do: "shutdown", Within: 30 * time.Second}); err != nil {
			return err
		}
		t.app.kill()
		t.result.say("%d known after the replay", t.service.arrived().distinct)
	}
	return nil
}

func sampling(ctx context.Context, t *trial) error {
	for i, ratio := range []float64{0, 0.01, 1} {
		t.config.Ratio = ratio
		if err := t.start(ctx); err != nil {
			return err
		}
		before := t.service.arrived().distinct
		t.result.made += 500
		if _, err := t.do(command{Do: "sampled", N: 500, First: 1000 * i}); err != nil {
			return err
		}
		if _, err := t.do(command{Do: "flush", Within: time.Minute}); err != nil {
			return err
		}
		t.service.wait(ctx, before+500, 2*time.Second)
		t.result.say("%g %%: %d", 100*ratio, t.service.arrived().distinct-before)
		t.app.kill()
	}
	t.result.report = nil
	return nil
}

// tenants has the service be down for the key of A alone.
func tenants(ctx context.Context, t *trial) error {
	t.config.Tenants = true
	if err := t.start(ctx); err != nil {
		return err
	}
	if err := t.service.suffer(fault{down: true, deny: keyPrefix + "a"}); err != nil {
		return err
	}
	begin := time.Now()
	for i, tenant := range []string{"a", "b"} {
		if _, err := t.do(command{Do: "make", N: 500, First: 1000 * i, Tenant: tenant}); err != nil {
			return err
		}
	}
	t.result.made = 500 // of B, while A is down
	got := t.service.wait(ctx, 500, t.opts.patience)
	t.result.say("B: %d within %v", got.distinct, time.Since(begin).Round(100*time.Millisecond))
	if err := t.service.recover(); err != nil {
		return err
	}
	t.result.made = 1000
	return t.drain(ctx)
}

// countLines counts the lines of all files beneath a directory.
func countLines(dir string) (int, error) {
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".jsonl" {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // beneath a folder of our own
		for _, b := range content {
			if b == '\n' {
				n++
			}
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("counting dead letters: %w", err)
	}
	return n, nil
}
