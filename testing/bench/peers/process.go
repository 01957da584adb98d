// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// appVariable makes this program an application instead of the measurement.
const appVariable = "PEERS_APP"

// app is an application that runs in a process of its own.
type app struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *bufio.Scanner
	peak    int64 // of resident memory, in bytes
}

func startApp(ctx context.Context, cfg appConfig) (*app, error) {
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	a := &app{cmd: exec.CommandContext(ctx, self)} //nolint:gosec // this program
	a.cmd.Env = append(environment(), appVariable+"="+string(text))
	a.cmd.Stderr = os.Stderr
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	a.answers = bufio.NewScanner(out)
	a.answers.Buffer(nil, 1<<20)
	return a, a.cmd.Start()
}

// environment is that of this process without what would decide for the sides.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "REVENIUM_") && !strings.HasPrefix(kv, "OTEL_") {
			env = append(env, kv)
		}
	}
	return env
}

// do has the application carry out a command.
func (a *app) do(c command) (reply, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return reply{}, err
	}
	if _, err := a.in.Write(append(text, '\n')); err != nil {
		return reply{}, fmt.Errorf("application, %s: %w", c.Do, err)
	}
	if !a.answers.Scan() {
		return reply{}, fmt.Errorf("application, %s: it ended: %w", c.Do, errors.Join(a.answers.Err(), io.ErrUnexpectedEOF))
	}
	var r reply
	if err := json.Unmarshal(a.answers.Bytes(), &r); err != nil {
		return reply{}, fmt.Errorf("application, %s: %w", c.Do, err)
	}
	a.peak = max(a.peak, residentPeak(a.cmd.Process.Pid))
	return r, nil
}

// kill ends the application at once.
func (a *app) kill() {
	a.peak = max(a.peak, residentPeak(a.cmd.Process.Pid))
	kill(a.cmd)
}

func kill(cmd *exec.Cmd) {
	if cmd.ProcessState == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// terminate asks a process to end and waits for it.
func terminate(cmd *exec.Cmd, within time.Duration) {
	if cmd.ProcessState != nil {
		return
	}
	late := time.AfterFunc(within, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}

var (
	highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	presently = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)
)

// residentPeak is the most memory that was resident, in bytes; 0 where the system
// does not tell.
func residentPeak(pid int) int64 { return memoryOf(pid, highWater) }

// resident is the memory that is resident now.
func resident(pid int) int64 { return memoryOf(pid, presently) }

func memoryOf(pid int, line *regexp.Regexp) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := line.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
