// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// services are what the program talks to: in-process stand-ins, or the real
// ones.
type services struct {
	llmURL, llmHost, llmKey string
	reveniumURL             string
	options                 []revenium.Option
	accepted                func() []reveniumtest.Record
	script                  *llmtest.Server // nil when live
	close                   func()
}

// offlineServices starts both servers in this process. Whatever the environment
// says, nothing leaves the machine: it is cleared of all that could lead to a
// real service or change the records.
func offlineServices() (*services, error) {
	if err := offline.ClearEnvironment(); err != nil {
		return nil, err
	}
	metering, err := reveniumtest.NewServer()
	if err != nil {
		return nil, fmt.Errorf("starting the in-process Revenium: %w", err)
	}
	llm, err := llmtest.NewServer(llmtest.WithLiteLLM(llmtest.LiteLLM{}))
	if err != nil {
		metering.Close()
		return nil, fmt.Errorf("starting the in-process LLM server: %w", err)
	}
	return &services{
		llmURL:      llm.BaseURL(),
		llmHost:     strings.TrimPrefix(llm.URL(), "http://"),
		llmKey:      "sk-test-no-real-key",
		reveniumURL: metering.URL(),
		options: []revenium.Option{revenium.WithExporterOptions(
			exporter.WithAPIKey("rev_mk_test_getting_started"),
			exporter.WithBaseURL(metering.URL()),
			exporter.WithOrganization("Acme Corp"),
			exporter.WithProduct("getting-started"),
		)},
		accepted: metering.Records,
		script:   llm,
		close: func() {
			llm.Close()
			metering.Close()
		},
	}, nil
}

const liveSettings = "REVENIUM_METERING_API_KEY (and REVENIUM_METERING_BASE_URL), LITELLM_PROXY_URL and LITELLM_API_KEY must be set"

// liveServices takes the settings of the environment. All of them must be there.
func liveServices() (*services, error) {
	var missing []string
	setting := func(name string) string {
		value := os.Getenv(name)
		if value == "" {
			missing = append(missing, name)
		}
		return value
	}
	setting("REVENIUM_METERING_API_KEY") // read by the exporter itself
	llmURL, llmKey := setting("LITELLM_PROXY_URL"), setting("LITELLM_API_KEY")
	if len(missing) > 0 {
		return nil, errors.New("-live needs settings that are missing: " + strings.Join(missing, ", "))
	}
	parsed, err := url.Parse(llmURL)
	if err != nil || parsed.Host == "" {
		return nil, fmt.Errorf("LITELLM_PROXY_URL is no URL with a host: %q", llmURL)
	}
	accepted := &acceptedRecords{}
	reveniumURL := os.Getenv("REVENIUM_METERING_BASE_URL")
	if reveniumURL == "" {
		reveniumURL = "https://api.revenium.ai"
	}
	return &services{
		llmURL:      llmURL,
		llmHost:     parsed.Host,
		llmKey:      llmKey,
		reveniumURL: reveniumURL,
		options: []revenium.Option{revenium.WithExporterOptions(
			exporter.WithHTTPClient(&http.Client{Transport: accepted}),
		)},
		accepted: accepted.list,
		close:    func() {},
	}, nil
}

// httpClient is an ordinary client whose calls are metered.
func (s *services) httpClient() *http.Client {
	return &http.Client{Transport: llmhttp.NewTransport(nil, llmhttp.WithLiteLLMHosts(s.llmHost))}
}

// say scripts the next answer of the in-process LLM server.
func (s *services) say(pieces ...string) {
	if s.script != nil {
		s.script.Enqueue(llmtest.Answer{Pieces: pieces, Stream: llmtest.Stream{Delay: 20 * time.Millisecond}})
	}
}

// sayWithoutEnd scripts an answer that stops in the middle and leaves its reader
// waiting.
func (s *services) sayWithoutEnd(pieces ...string) {
	if s.script != nil {
		s.script.Enqueue(llmtest.Answer{Pieces: pieces, Stream: llmtest.Stream{
			Delay: 20 * time.Millisecond, End: llmtest.EndHang, After: len(pieces),
		}})
	}
}

// refuse scripts a rate limit that asks for a short pause.
func (s *services) refuse() {
	if s.script != nil {
		answer := llmtest.Fail(http.StatusTooManyRequests)
		answer.RetryAfterMs = 100 * time.Millisecond
		s.script.Enqueue(answer)
	}
}

func (s *services) printAccepted(out io.Writer) error {
	fmt.Fprintf(out, "\nMetering records that Revenium accepted (times in UTC)\n")
	return reveniumtest.WriteTable(out, s.accepted())
}
