// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/bedrock"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/vertex"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// hostClient is a client for HTTP that finds the meter's provider under any name, so that the host is the real one.
func hostClient(t *testing.T, m *metertest.Meter) *http.Client {
	t.Helper()
	to, err := url.Parse(m.LLM.URL())
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		out := req.Clone(req.Context())
		out.Host, out.URL.Scheme, out.URL.Host = req.URL.Host, to.Scheme, to.Host
		return m.LLM.Client().Transport.RoundTrip(out)
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// call makes a call and streams another one.
func call(t *testing.T, client anthropic.Client, model anthropic.Model) {
	t.Helper()
	asked := question()
	asked.Model = model
	got, err := client.Messages.New(t.Context(), asked)
	if err != nil || got.Content[1].Text != "It rains." {
		t.Fatalf("%v, %v", got, err)
	}
	stream := client.Messages.NewStreaming(t.Context(), asked)
	events := 0
	for stream.Next() {
		events++
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil || events < 5 {
		t.Fatalf("%d events, %v", events, err)
	}
}

// Packages bedrock and vertex rewrite the requests, sign or authorise them, and translate the streams. Metering works
// before and after them, and in the client for HTTP.
func TestPlatforms(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "")
	platforms := map[string]struct {
		option option.RequestOption
		model  anthropic.Model
		path   string // of a plain call
		auth   string // beginning of the header
		facts  metertest.Facts
	}{
		"bedrock": {
			option: bedrock.WithConfig(aws.Config{
				Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "no-real-secret", ""),
			}),
			model: "us.anthropic.claude-opus-4-20250514-v1:0",
			path:  "/model/us.anthropic.claude-opus-4-20250514-v1:0/invoke",
			auth:  "AWS4-HMAC-SHA256 Credential=AKIDTEST/",
			facts: facts().With("provider", "Amazon Bedrock", "modelHost", "bedrock", "inputTokenCount", "1200"),
		},
		"vertex": {
			option: vertex.WithCredentials(t.Context(), "us-east5", "our-project",
				&google.Credentials{TokenSource: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "no-real-token"})}),
			model: "claude-opus-4@20250514",
			path:  "/v1/projects/our-project/locations/us-east5/publishers/anthropic/models/claude-opus-4@20250514:rawPredict",
			auth:  "Bearer no-real-token",
			facts: facts().With("provider", "Google", "modelHost", "vertex", "model", "claude-opus-4@20250514", "inputTokenCount", "1200"),
		},
	}
	for name, p := range platforms {
		for place := range 3 {
			t.Run(name+" "+[]string{"before", "after", "in the HTTP client"}[place], func(t *testing.T) {
				m := metertest.Start(t)
				m.LLM.Enqueue(answer(), answer())
				client := hostClient(t, m)
				opts := []option.RequestOption{option.WithHTTPClient(client), p.option}
				switch place {
				case 0:
					opts = []option.RequestOption{option.WithHTTPClient(client), metering(m), p.option}
				case 1:
					opts = append(opts, metering(m))
				case 2:
					opts[0] = option.WithHTTPClient(llmhttp.Client(client, llmhttp.WithTracerProvider(m.Provider)))
				}
				call(t, anthropic.NewClient(opts...), p.model)
				for i, r := range m.LLM.Requests() {
					if !strings.HasPrefix(r.Header.Get("Authorization"), p.auth) || (i == 0 && r.Path != p.path) || strings.Contains(r.Header.Get("Authorization"), "traceparent") {
						t.Errorf("request %d: %s %s", i, r.Path, r.Header.Get("Authorization"))
					}
				}
				m.Want(p.facts, p.facts.With("isStreamed", "true"))
			})
		}
	}
}
