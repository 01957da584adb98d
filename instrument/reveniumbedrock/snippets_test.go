// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumbedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/revenium/revenium-otel-go/instrument/reveniumbedrock"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

// What follows is the code of docs/adapters.md, word for word.

func snippet(cfg aws.Config) *bedrockruntime.Client {
	client := bedrockruntime.NewFromConfig(cfg, reveniumbedrock.WithMetering())
	return client
}

func TestSnippet(t *testing.T) {
	m := metertest.Start(t)
	otel.SetTracerProvider(m.Provider)
	t.Cleanup(func() { otel.SetTracerProvider(noop.NewTracerProvider()) })
	m.LLM.Enqueue(answer())
	if _, err := snippet(awsConfig(m)).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages()}); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
