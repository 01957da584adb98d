// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumanthropic_test

import (
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/bedrock"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/revenium/revenium-otel-go/instrument/reveniumanthropic"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet() anthropic.Client {
	client := anthropic.NewClient(reveniumanthropic.WithMetering())
	return client
}

func ownSpansSnippet() anthropic.Client {
	client := anthropic.NewClient(
		reveniumanthropic.WithMetering(),
		option.WithOpenTelemetryTraces(true),
	)
	return client
}

func bedrockSnippet(cfg aws.Config) anthropic.Client {
	client := anthropic.NewClient(
		reveniumanthropic.WithMetering(),
		bedrock.WithConfig(cfg),
	)
	return client
}

func TestSnippets(t *testing.T) {
	m := metertest.Start(t)
	scopes := global(t, m)
	t.Setenv("ANTHROPIC_BASE_URL", m.LLM.URL())
	t.Setenv("ANTHROPIC_API_KEY", "sk-ant-test-no-real-key")
	m.LLM.Enqueue(answer(), answer(), answer())
	inBedrock := bedrockSnippet(aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "no-real-secret", "")})
	for i, client := range []anthropic.Client{snippet(), ownSpansSnippet(), inBedrock} {
		asked := question()
		if i == 2 {
			asked.Model = "us.anthropic.claude-opus-4-20250514-v1:0"
		}
		if _, err := client.Messages.New(t.Context(), asked, option.WithBaseURL(m.LLM.URL())); err != nil {
			t.Fatal(err)
		}
	}
	if records := m.Records(); len(records) != 3 || scopes()[nativeScope] != 1 {
		t.Errorf("%d records, scopes %v", len(records), scopes())
	}
}
