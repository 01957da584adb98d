// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// stub takes spans as an OTLP backend and records as Revenium, and counts them.
type stub struct {
	server   *http.Server
	url      string
	items    atomic.Int64
	requests atomic.Int64
}

func startStub() (*stub, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &stub{url: "http://" + listener.Addr().String()}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

func (s *stub) close() { _ = s.server.Close() }

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		from = unzipped
	}
	body, err := io.ReadAll(from)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.requests.Add(1)
	if r.URL.Path != "/v1/traces" {
		s.items.Add(1)
		w.WriteHeader(http.StatusCreated)
		return
	}
	req := ptraceotlp.NewExportRequest()
	if err := req.UnmarshalProto(body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.items.Add(int64(req.Traces().SpanCount()))
}

// wait waits until all has arrived.
func (s *stub) wait(ctx context.Context, want int64) error {
	for deadline := time.Now().Add(5 * time.Minute); s.items.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || ctx.Err() != nil {
			return fmt.Errorf("%d of %d arrived", s.items.Load(), want)
		}
	}
	return nil
}

// collector is a Collector that runs.
type collector struct {
	cmd     *exec.Cmd
	address string
	pprof   string
}

const config = `
extensions:
  pprof: {endpoint: "%[4]s"}
  file_storage: {directory: ./queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 2048}
exporters:
  revenium:
    api_key: rev_mk_test_benchmark
    http: {endpoint: %[1]q}
    sending_queue: {%[3]s}
  otlp_http:
    endpoint: %[1]q
    compression: %[5]s
    # In the same unit and with the same room as the other.
    sending_queue: {sizer: items, queue_size: 100000, %[3]s}
service:
  extensions: [pprof, file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [%[2]s]}
`

var (
	listens = regexp.MustCompile(`Starting HTTP server.*"endpoint": "([^"]+)"`)
	ready   = regexp.MustCompile(`Everything is ready`)
)

func startCollector(ctx context.Context, opts options, binary, dir, exporter, url string) (*collector, error) {
	storage := ""
	if opts.storage {
		storage = "storage: file_storage"
	}
	pprof, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, url, exporter, storage, pprof, opts.compression), 0o600); err != nil {
		return nil, err
	}
	c := &collector{cmd: exec.CommandContext(ctx, binary, "--config", file), pprof: pprof} //nolint:gosec // it was built here
	c.cmd.Dir = dir
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	var seen []byte
	for lines.Scan() {
		seen = append(append(seen, lines.Bytes()...), '\n')
		if m := listens.FindSubmatch(lines.Bytes()); m != nil {
			c.address = string(m[1])
		}
		if ready.Match(lines.Bytes()) {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return c, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the Collector does not start:\n%s", seen), c.cmd.Wait())
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// kill ends the process if it still runs.
func (c *collector) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

// stop ends the process and returns its processor time.
func (c *collector) stop() (time.Duration, error) {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	if err := c.cmd.Wait(); err != nil {
		return 0, err
	}
	return cpuTime(c.cmd.ProcessState)
}

var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most that was resident, 0 where the system does not tell.
func (c *collector) peakMemory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := highWater.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

// profile takes a CPU profile of five seconds; the returned function waits for it
// and takes one of memory, of what is held then and of all that was allocated.
func (c *collector) profile(ctx context.Context, dir, name string) (stop func() error) {
	if dir == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { done <- c.saveProfile(ctx, "profile?seconds=5", filepath.Join(dir, name+".pprof")) }()
	return func() error {
		return errors.Join(<-done, c.saveProfile(ctx, "heap?gc=1", filepath.Join(dir, name+".heap.pprof")))
	}
}

func (c *collector) saveProfile(ctx context.Context, which, file string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.pprof+"/debug/pprof/"+which, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}
