// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumopenai_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3/bedrock"
	"github.com/openai/openai-go/v3/option"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumopenai"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// Package bedrock signs what metering has seen, so that a stream can be asked for its usage.
func TestBedrock(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Close()
	m.LLM = llmtest.Start(t, llmtest.WithTLS()) // keys do not go over plain HTTP
	for _, name := range []string{"AWS_BEARER_TOKEN_BEDROCK", "AWS_BEDROCK_BASE_URL", "AWS_PROFILE", "OPENAI_API_KEY"} {
		t.Setenv(name, "")
	}
	host := m.LLM.URL()
	client, err := bedrock.NewClient(t.Context(), bedrock.Config{
		AWSAccessKeyID: "AKIDTEST", AWSSecretAccessKey: "no-real-secret", AWSRegion: "us-east-1", BaseURL: host + "/openai/v1",
	}, option.WithHTTPClient(m.LLM.Client()), reveniumopenai.WithMetering(llmhttp.WithTracerProvider(m.Provider),
		llmhttp.WithProviderHosts(map[string]string{host: "aws.bedrock"}), llmhttp.WithStreamUsageHosts(host)))
	if err != nil {
		t.Fatal(err)
	}
	m.LLM.Enqueue(answer(), answer())
	if _, err := client.Chat.Completions.New(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	stream := client.Chat.Completions.NewStreaming(t.Context(), question())
	for stream.Next() {
	}
	if err := errors.Join(stream.Err(), stream.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range m.LLM.Requests() {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDTEST/") {
			t.Errorf("not signed: %v", r.Header)
		}
	}
	on := facts().With("provider", "Amazon Bedrock")
	m.Want(on, on.With("isStreamed", "true"))
}
