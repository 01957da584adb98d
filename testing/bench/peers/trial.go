// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"time"
)

// trial is one run of a scenario on one side.
type trial struct {
	opts      options
	side      side
	dir       string
	service   *service
	app       *app
	collector *collector
	// entrance is where the application sends to.
	entrance string
	config   appConfig
	result   *result
}

// newTrial starts the service and what the side has, all of it well.
func newTrial(ctx context.Context, opts options, s side, dir string, into *result) (*trial, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	service, err := newService()
	if err != nil {
		return nil, err
	}
	t := &trial{opts: opts, side: s, dir: dir, service: service, result: into}
	t.entrance = service.url()
	if !s.inProcess() {
		address, err := freeAddress()
		if err != nil {
			t.end()
			return nil, err
		}
		t.entrance = "http://" + address
		if err := t.startCollector(ctx); err != nil {
			t.end()
			return nil, err
		}
	}
	t.config = appConfig{Pipeline: s.pipeline, URL: t.entrance, Service: service.url(), Ratio: 1}
	if s.pipeline == "revenium-spool" {
		t.config.Spool = filepath.Join(dir, "spool")
	}
	return t, nil
}

func (t *trial) startCollector(ctx context.Context) (err error) {
	t.collector, err = startCollector(ctx, t.opts.collector, t.dir, t.service.url(), t.entrance[len("http://"):], &t.side)
	return err
}

// start starts the application.
func (t *trial) start(ctx context.Context) (err error) {
	t.app, err = startApp(ctx, t.config)
	return err
}

// do has the application carry out a command and keeps what it says of itself.
func (t *trial) do(c command) (reply, error) {
	r, err := t.app.do(c)
	if err != nil {
		return r, err
	}
	if r.Report != nil {
		t.result.report = r.Report
	}
	t.result.goroutines = max(t.result.goroutines, r.Goroutines)
	if t.collector != nil {
		t.collector.look()
	}
	return r, nil
}

// make has the application make n calls, rate a second.
func (t *trial) make(n, rate int) error {
	first := t.result.made
	t.result.made += n
	_, err := t.do(command{Do: "make", N: n, First: first, Rate: rate})
	return err
}

// longOutage is how many calls make an outage one of which the growth of memory is
// told.
const longOutage = 10_000

// outage has the service suffer f while calls are made at 100 a second for as long as
// it lasts in life, compressed.
func (t *trial) outage(f fault, lasts time.Duration) error {
	if err := t.service.suffer(f); err != nil {
		return err
	}
	rate := 100 * t.opts.compress
	begin, n := time.Now(), int(lasts.Seconds()*100)
	lasts /= time.Duration(t.opts.compress)
	// A queue that is bounded in its number of calls is full by then, if it ever is.
	first := n * 2 / 3
	if err := t.make(first, rate); err != nil {
		return err
	}
	before := resident(t.app.cmd.Process.Pid)
	if err := t.make(n-first, rate); err != nil {
		return err
	}
	if n >= longOutage {
		t.result.say("%d MiB after two thirds of the calls, %d MiB after all", before>>20, resident(t.app.cmd.Process.Pid)>>20)
	}
	time.Sleep(time.Until(begin.Add(lasts)))
	return t.service.recover()
}

// drain has the application hand over what it has, and waits for it to arrive.
func (t *trial) drain(ctx context.Context) error {
	if _, err := t.do(command{Do: "flush", Within: time.Minute}); err != nil {
		return err
	}
	t.await(ctx)
	return nil
}

// await waits for what a Collector, or nobody, still has in hand.
func (t *trial) await(ctx context.Context) {
	patience := t.opts.patience
	if t.side.inProcess() {
		patience = time.Second // a flush has waited for it
	}
	t.service.wait(ctx, t.result.made, patience)
	if t.collector != nil {
		t.collector.look()
	}
}

// account takes down what has arrived and what that took.
func (t *trial) account() {
	got := t.service.arrived()
	r := t.result
	r.delivered, r.repeated = got.distinct, got.repeated
	if r.report != nil {
		r.kept = int(r.report.OnDisk + r.report.DeadLettered)
	}
	r.connections = int(t.service.peak.Load())
	if t.app != nil {
		r.memory = max(t.app.peak, residentPeak(t.app.cmd.Process.Pid))
	}
	if t.collector != nil {
		t.collector.look()
		r.collectorMemory = t.collector.peak
	}
	r.done = true
}

// end ends all processes.
func (t *trial) end() {
	if t.app != nil {
		t.app.kill()
	}
	if t.collector != nil {
		kill(t.collector.cmd)
	}
	t.service.close()
}
