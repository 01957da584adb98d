// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package sandbox serves a Revenium and an LLM on this machine and shows what
// reaches them.
package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// Options are what a user can choose.
type Options struct {
	// ReveniumAddr and LLMAddr are the addresses to listen on, host:port; port 0
	// is any free one.
	ReveniumAddr, LLMAddr string
	// AllowRemote permits addresses that other machines can reach.
	AllowRemote bool
	// JSON prints records and violations as lines of JSON to Out, and everything
	// else to Err.
	JSON bool
	// Faults strike from the start.
	Faults []reveniumtest.Fault

	// In is where commands come from; its end leaves the servers running.
	In       io.Reader
	Out, Err io.Writer
}

// historyLimit bounds what a sandbox that runs for weeks remembers.
const historyLimit = 10_000

// Keys that the sandbox suggests. It takes any of their kind.
const (
	suggestedMeteringKey = "rev_mk_sandbox_anything"
	suggestedLLMKey      = "sk-sandbox-anything"
)

// Run serves until ctx ends or the command "quit" comes.
func Run(ctx context.Context, opts Options) (err error) {
	for flag, addr := range map[string]string{"--revenium-addr": opts.ReveniumAddr, "--llm-addr": opts.LLMAddr} {
		if err := checkAddr(addr, opts.AllowRemote); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
	}
	revenium, err := reveniumtest.NewServer(
		reveniumtest.WithAddr(opts.ReveniumAddr),
		reveniumtest.WithRecordLimit(historyLimit),
		reveniumtest.WithFaults(opts.Faults...),
	)
	if err != nil {
		return fmt.Errorf("--revenium-addr: %w", err)
	}
	defer revenium.Close()
	llm, err := llmtest.NewServer(llmtest.WithAddr(opts.LLMAddr), llmtest.WithLiteLLM(llmtest.LiteLLM{}))
	if err != nil {
		return fmt.Errorf("--llm-addr: %w", err)
	}
	defer llm.Close()

	p := newPrinter(opts)
	defer revenium.OnRecord(p.record)()
	defer revenium.OnRequest(p.request)()
	s := &session{revenium: revenium, llm: llm, printer: p}
	s.greet()

	ctx, quit := context.WithCancel(ctx)
	defer quit()
	s.quit = quit
	// The read cannot be interrupted. It ends with the program, or when whoever
	// gave In closes it.
	go s.read(ctx, opts.In)
	<-ctx.Done()
	s.summarize()
	return p.finish()
}

// session is one run, as its commands see it.
type session struct {
	revenium *reveniumtest.Server
	llm      *llmtest.Server
	printer  *printer
	quit     context.CancelFunc
}

// checkAddr refuses addresses that would put the sandbox on the network.
func checkAddr(addr string, allowRemote bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%w: want host:port, for example 127.0.0.1:0", err)
	}
	if allowRemote || host == "localhost" {
		return nil
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%s can be reached from other machines: use 127.0.0.1 or add --allow-remote", addr)
}

// greet says where the servers are and how a program finds them.
func (s *session) greet() {
	s.printer.say(`Revenium  %[1]s
LLM       %[2]s (a LiteLLM proxy to look at: OpenAI's API, any model)

Point a program at them:

  export REVENIUM_METERING_BASE_URL=%[1]s
  export REVENIUM_METERING_API_KEY=%[3]s
  export LITELLM_PROXY_URL=%[2]s
  export LITELLM_API_KEY=%[4]s
  export OPENAI_BASE_URL=%[2]s/v1
  export OPENAI_API_KEY=%[4]s

Accepted records follow. Type "help" for commands; Ctrl-C stops.

`, s.revenium.URL(), s.llm.URL(), suggestedMeteringKey, suggestedLLMKey)
}

// read executes commands until in or ctx ends.
func (s *session) read(ctx context.Context, in io.Reader) {
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		s.execute(lines.Text())
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrClosedPipe) && ctx.Err() == nil {
		s.printer.say("commands can no longer be read: %v\n", err)
	}
}

// summarize says what the sandbox saw, at its end.
func (s *session) summarize() {
	st := s.revenium.Stats()
	sum := s.printer.total()
	s.printer.say(`
requests    %d (stored %d, duplicate %d, replayed %d, rejected %d, struck by a fault %d)
violations  %d
tokens      in %d (cached %d), out %d (reasoning %d)
LLM calls   %d
`, st.Requests, st.Stored, st.Duplicates, st.Replayed, st.Rejected, st.Faults, st.Violations,
		sum.input, sum.cached, sum.output, sum.reasoning,
		len(s.llm.Requests()))
}
