// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

const testKey = "rev_mk_test_0123456789"

// process is a Collector that runs.
type process struct {
	cmd    *exec.Cmd
	log    *logBuffer
	exited chan struct{}
	err    error
	// grpc and http are the addresses of the OTLP receivers, by their ids.
	grpc, http map[string]string
}

// logBuffer keeps what a process writes and tells when something is in it.
type logBuffer struct {
	mu    sync.Mutex
	lines []string
}

func (b *logBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, line)
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.lines, "\n")
}

// environment is that of the test without what would decide for the Collector.
func environment(more ...string) []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "REVENIUM_") && !strings.HasPrefix(kv, "OTEL_") && !strings.HasPrefix(kv, "COLLECTOR_") && !strings.HasPrefix(kv, "FORWARD_") {
			env = append(env, kv)
		}
	}
	return append(env, more...)
}

// launch starts a Collector and does not wait for anything. It is killed at the
// end of the test if it still runs.
func launch(tb testing.TB, dir string, env []string, args ...string) *process {
	tb.Helper()
	return launchProgram(tb, binaries.collector, dir, env, args...)
}

// launchProgram is launch for any program.
func launchProgram(tb testing.TB, program, dir string, env []string, args ...string) *process {
	tb.Helper()
	p := &process{log: &logBuffer{}, exited: make(chan struct{})}
	p.cmd = exec.Command(program, args...)
	p.cmd.Dir = dir
	p.cmd.Env = environment(env...)
	reader, writer := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = writer, writer
	if err := p.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	var copied sync.WaitGroup
	copied.Go(func() {
		lines := bufio.NewScanner(reader)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.log.add(lines.Text())
		}
		_, _ = io.Copy(io.Discard, reader)
	})
	go func() {
		p.err = p.cmd.Wait()
		_ = writer.Close()
		copied.Wait()
		close(p.exited)
	}()
	tb.Cleanup(func() {
		p.kill(tb)
		if tb.Failed() {
			tb.Logf("output of %s:\n%s", filepath.Base(program), tail(p.log.text(), 60))
		}
	})
	return p
}

func tail(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

var (
	startedGRPC = regexp.MustCompile(`Starting GRPC server.*"otelcol.component.id": "([^"]+)".*"endpoint": "([^"]+)"`)
	startedHTTP = regexp.MustCompile(`Starting HTTP server.*"otelcol.component.id": "([^"]+)".*"endpoint": "([^"]+)"`)
)

// start starts a Collector with a configuration and waits until it is ready.
func start(tb testing.TB, dir, config string) *process {
	tb.Helper()
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	p := launch(tb, dir, nil, "--config", file)
	p.waitReady(tb)
	return p
}

// waitReady waits until all receivers listen.
func (p *process) waitReady(tb testing.TB) {
	tb.Helper()
	eventually(tb, "the start of the Collector", func() bool {
		select {
		case <-p.exited:
			tb.Fatalf("the Collector ended: %v\n%s", p.err, p.log.text())
		default:
		}
		return strings.Contains(p.log.text(), "Everything is ready")
	})
	p.grpc, p.http = make(map[string]string), make(map[string]string)
	for _, m := range startedGRPC.FindAllStringSubmatch(p.log.text(), -1) {
		p.grpc[m[1]] = m[2]
	}
	for _, m := range startedHTTP.FindAllStringSubmatch(p.log.text(), -1) {
		p.http[m[1]] = m[2]
	}
}

// kill ends the process as a crash would.
func (p *process) kill(tb testing.TB) {
	tb.Helper()
	select {
	case <-p.exited:
		return
	default:
	}
	if err := p.cmd.Process.Kill(); err != nil {
		tb.Error(err)
	}
	<-p.exited
}

// stop ends the process as an operator would.
func (p *process) stop(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Fatal(err)
	}
	select {
	case <-p.exited:
	case <-time.After(60 * time.Second):
		tb.Fatal("the Collector does not end")
	}
	if p.err != nil {
		tb.Errorf("the Collector ended with %v", p.err)
	}
}

// memory is the resident memory of the process in bytes, without the pages of the
// queue's file, which are the system's to take back; 0 where it cannot be read.
func (p *process) memory() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`RssAnon:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}

// client speaks to the Collector's receivers.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// send exports spans to a receiver and reports whether it has taken them.
func send(ctx context.Context, address string, td ptrace.Traces) error {
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		return err
	}
	return post(ctx, address+"/v1/traces", "application/x-protobuf", body)
}

// post exports OTLP in any form.
func post(ctx context.Context, to, mediaType string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the Collector answered %d: %s", resp.StatusCode, text)
	}
	return nil
}

// eventually waits until a condition holds.
func eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatalf("%s did not happen", what)
		}
	}
}

// freePort is a port on which nobody listens now.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}
