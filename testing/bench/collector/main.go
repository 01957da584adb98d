// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Command collector measures what metering costs in a Collector: it sends the same
// spans, a tenth of them LLM calls, to the same Collector once with the revenium
// exporter and once with otlp_http, both to a stub on loopback, and compares spans
// per second of processor time and resident memory.
//
//	go run ./testing/bench/collector -rounds 5
//
// Processor time is that of the Collector's process alone. Load and stub run in
// this one, so that on two cores neither is what is measured.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	var opts options
	flag.IntVar(&opts.spans, "spans", 400_000, "spans of a round; a tenth are LLM calls")
	flag.IntVar(&opts.batch, "batch", 200, "spans of an export request")
	flag.IntVar(&opts.senders, "senders", 8, "export requests at a time")
	flag.IntVar(&opts.rounds, "rounds", 3, "rounds; the medians are reported")
	flag.StringVar(&opts.compression, "compression", "gzip", "of otlp_http; gzip is its default")
	flag.BoolVar(&opts.storage, "storage", false, "give both exporters a queue on disk")
	flag.StringVar(&opts.profile, "profile", "", "write profiles of processor time and memory of each Collector to this folder")
	send := flag.String("send", "", "only send as many requests as there are spans to this URL; the benchmark starts itself so")
	flag.Parse()
	if *send != "" {
		if err := sendBare(context.Background(), *send, int64(opts.spans)); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := run(context.Background(), opts, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

type options struct {
	spans, batch, senders, rounds int
	storage                       bool
	profile, compression          string
}

// result is what a round of one exporter costs.
type result struct {
	cpu, wall time.Duration
	memory    int64 // the most that was resident, in bytes
	requests  int64 // that the stub got
}

func run(ctx context.Context, opts options, out io.Writer) error {
	dir, err := os.MkdirTemp("", "collector-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "otelcol-revenium")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./cmd/otelcol-revenium") //nolint:gosec // a path of our own
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the Collector (run this from the root of the repository): %w\n%s", err, text)
	}
	bodies, err := encode(opts)
	if err != nil {
		return err
	}
	results := make(map[string][]result)
	for round := range opts.rounds {
		for _, name := range []string{"otlp_http", "revenium"} {
			r, err := measure(ctx, opts, binary, filepath.Join(dir, fmt.Sprint(name, round)), name, bodies)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			results[name] = append(results[name], r)
			if _, err := fmt.Fprintf(out, "%-10s %8.0f spans/s of processor time  %4d MiB  %8d requests  %v\n",
				name, perSecond(opts, r), r.memory>>20, r.requests, r.wall.Round(time.Millisecond)); err != nil {
				return err
			}
		}
	}
	bare, err := measureBare(ctx, opts.spans/10)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "a request for each record alone takes %v of processor time, %v each\n",
		bare.cpu.Round(time.Millisecond), (bare.cpu / time.Duration(max(1, bare.requests))).Round(100*time.Nanosecond)); err != nil {
		return err
	}
	base, metering := medians(results["otlp_http"]), medians(results["revenium"])
	_, err = fmt.Fprintf(out, "throughput per core: %.2f of otlp_http's; resident memory: %.2f of it\n",
		float64(base.cpu)/float64(metering.cpu), float64(metering.memory)/float64(base.memory))
	return err
}

func perSecond(opts options, r result) float64 { return float64(opts.spans) / r.cpu.Seconds() }

// medians are those of each column.
func medians(rounds []result) result {
	cpu := slices.SortedFunc(slices.Values(rounds), func(a, b result) int { return cmp.Compare(a.cpu, b.cpu) })
	memory := slices.SortedFunc(slices.Values(rounds), func(a, b result) int { return cmp.Compare(a.memory, b.memory) })
	return result{cpu: cpu[len(cpu)/2].cpu, memory: memory[len(memory)/2].memory}
}

// measure sends all spans through a Collector with one exporter.
func measure(ctx context.Context, opts options, binary, dir, name string, bodies [][]byte) (result, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return result{}, err
	}
	stub, err := startStub()
	if err != nil {
		return result{}, err
	}
	defer stub.close()
	c, err := startCollector(ctx, opts, binary, dir, name, stub.url)
	if err != nil {
		return result{}, err
	}
	defer c.kill()
	stop := c.profile(ctx, opts.profile, name)
	begin := time.Now()
	if err := load(ctx, opts, c.address, bodies); err != nil {
		return result{}, err
	}
	want := int64(opts.spans)
	if name == "revenium" {
		want /= 10
	}
	if err := stub.wait(ctx, want); err != nil {
		return result{}, err
	}
	r := result{wall: time.Since(begin), requests: stub.requests.Load(), memory: c.peakMemory()}
	if err := stop(); err != nil {
		return result{}, err
	}
	r.cpu, err = c.stop()
	return r, err
}

// load sends the bodies with several senders.
func load(ctx context.Context, opts options, address string, bodies [][]byte) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: opts.senders}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var senders sync.WaitGroup
	errs := make([]error, opts.senders)
	for s := range opts.senders {
		senders.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(bodies)); i = next.Add(1) - 1 {
				if errs[s] = sendOne(ctx, client, address, bodies[i]); errs[s] != nil {
					return
				}
			}
		})
	}
	senders.Wait()
	return errors.Join(errs...)
}

// sendOne repeats a request that the Collector has no room for, as SDKs do.
func sendOne(ctx context.Context, client *http.Client, address string, body []byte) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/traces", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-protobuf")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil {
			return err
		}
		switch resp.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			time.Sleep(10 * time.Millisecond)
		default:
			return fmt.Errorf("the Collector answered %s", resp.Status)
		}
	}
}

// cpuTime is the processor time of a process that has ended.
func cpuTime(state *os.ProcessState) (time.Duration, error) {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("the system does not tell the processor time of a process")
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
