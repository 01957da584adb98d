// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"context"
	"time"
)

func burst(ctx context.Context, t *trial) error {
	const calls = 5000
	if err := t.start(ctx); err != nil {
		return err
	}
	bare, err := t.bare(ctx, calls)
	if err != nil {
		return err
	}
	if err := t.service.suffer(fault{latency: 50 * time.Millisecond}); err != nil {
		return err
	}
	t.service.peak.Store(t.service.open.Load())
	t.result.made = calls
	r, err := t.do(command{Do: "burst", N: calls, Within: 2 * time.Minute})
	if err != nil {
		return err
	}
	t.await(ctx)
	t.result.allocs, t.result.bytes, t.result.held = r.Allocs, r.Bytes, r.Held
	t.result.say("%+.0f allocations and %+.1f KB beside a bare loop that posts each call", r.Allocs-bare.Allocs, (r.Bytes-bare.Bytes)/1024)
	if r.Held > 0 {
		t.result.say("%.1f KB held for each that waits", r.Held/1024)
	}
	return nil
}

// bare has another application post n records by a bare loop, to a service that
// then forgets them.
func (t *trial) bare(ctx context.Context, n int) (reply, error) {
	other, err := startApp(ctx, t.config.withoutStorage())
	if err != nil {
		return reply{}, err
	}
	defer other.kill()
	r, err := other.do(command{Do: "bare", N: n})
	t.service.revenium.Reset()
	return r, err
}

// withoutStorage is c for a pipeline that is not used.
func (c appConfig) withoutStorage() appConfig {
	c.Pipeline, c.Spool = "revenium", ""
	return c
}

func latency(ctx context.Context, t *trial) error {
	if err := t.start(ctx); err != nil {
		return err
	}
	const calls = 1500
	t.result.made = calls
	r, err := t.do(command{Do: "calls", N: calls})
	if err != nil {
		return err
	}
	t.result.say("p50 %+v, p99 %+v", r.P50.Round(time.Microsecond), r.P99.Round(time.Microsecond))
	return t.drain(ctx)
}

func sustained(ctx context.Context, t *trial) error {
	const calls = 20_000
	if err := t.start(ctx); err != nil {
		return err
	}
	bare, err := t.bare(ctx, calls)
	if err != nil {
		return err
	}
	t.service.peak.Store(t.service.open.Load())
	arrivals := make(chan time.Duration, 1)
	begin := time.Now()
	go func() {
		t.service.wait(ctx, calls, t.opts.patience)
		arrivals <- time.Since(begin)
	}()
	if err := t.make(calls, 0); err != nil {
		return err
	}
	if _, err := t.do(command{Do: "flush", Within: time.Minute}); err != nil {
		return err
	}
	took := <-arrivals
	if got := t.service.arrived().distinct; got == calls {
		rate := float64(got) / took.Seconds()
		t.result.say("%.0f a second, %.2f of a bare loop that posts each call", rate, rate/bare.Rate)
	}
	return nil
}
