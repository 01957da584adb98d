// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// collectorConfig is as a team would write it: defaults everywhere. Revenium's
// exporter has the keys of two tenants, which only calls with a tenant use.
const collectorConfig = `
extensions:
  file_storage: {directory: ./queue, create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: %[2]q}}}
exporters:
  revenium:
    api_key: rev_mk_test_peers
    http: {endpoint: %[1]q}
    sending_queue: {%[4]s}
    dead_letter: {directory: ./letters}
    routing:
      attribute: tenant
      keys: {a: {api_key: rev_mk_test_tenant_a}, b: {api_key: rev_mk_test_tenant_b}}
  otlp_http:
    endpoint: %[1]q
    sending_queue: {%[4]s}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [%[3]s]}
`

// collector is a Collector that runs.
type collector struct {
	cmd  *exec.Cmd
	peak int64
}

// startCollector starts the distribution in a directory and waits until it is ready.
func startCollector(ctx context.Context, binary, dir, service, address string, s *side) (*collector, error) {
	storage := ""
	if s.storage {
		storage = "storage: file_storage"
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, collectorConfig, service, address, s.exporter, storage), 0o600); err != nil {
		return nil, err
	}
	c := &collector{cmd: exec.CommandContext(ctx, binary, "--config", file)} //nolint:gosec // it was built for this
	c.cmd.Dir, c.cmd.Env = dir, environment()
	log, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	var seen strings.Builder
	for lines := bufio.NewScanner(log); lines.Scan(); {
		seen.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Everything is ready") {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return c, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("the Collector does not start:\n%s", seen.String()), c.cmd.Wait())
}

// look notes how much memory is resident.
func (c *collector) look() { c.peak = max(c.peak, residentPeak(c.cmd.Process.Pid)) }

// freeAddress is an address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
