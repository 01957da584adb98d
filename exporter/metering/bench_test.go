// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
)

// testStart and testEnd are the times of the records in these tests, 1.5 s apart.
var (
	testStart = Timestamp{time.Date(2026, 3, 14, 15, 9, 26, 535_000_000, time.UTC)}
	testEnd   = Timestamp{testStart.Add(1500 * time.Millisecond)}
)

const testID = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"

// minimalCall has what is required and no more.
func minimalCall() Call {
	return Call{
		Model: "gpt-4o", Provider: "OpenAI", TransactionID: testID,
		RequestTime: testStart, ResponseTime: testEnd, RequestDuration: 1500,
	}
}

// typicalCompletion is what a chat through a gateway gives.
func typicalCompletion() *Completion {
	c := &Completion{
		Call:                minimalCall(),
		InputTokenCount:     1234,
		OutputTokenCount:    567,
		TotalTokenCount:     1801,
		ReasoningTokenCount: new(int64(128)),
		CacheReadTokenCount: new(int64(1024)),
		CompletionStartTime: Timestamp{testStart.Add(312 * time.Millisecond)},
		TimeToFirstToken:    new(int64(312)),
		IsStreamed:          true,
		StopReason:          StopEnd,
		SystemFingerprint:   "fp_44709d6fcb",
		Temperature:         new(0.7),
	}
	c.OperationType = OperationChat
	c.TraceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	c.ParentTransactionID = "4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001"
	c.TraceType = "support"
	c.TransactionName = "answer ticket"
	c.TaskType = "chat"
	c.OrganizationName = "ACME Corporation"
	c.ProductName = "Support Desk"
	c.SubscriptionID = "sub-4711"
	c.Subscriber = &Subscriber{ID: "user-1", Email: "user@example.com"}
	c.Agent = "support-agent"
	c.Environment = "production"
	c.Region = "eu-central-1"
	c.ModelSource = "LITELLM"
	c.MiddlewareSource = "revenium-otel-go"
	c.ActualServiceTier = "default"
	return c
}

func BenchmarkFreeze(b *testing.B) {
	rec := typicalCompletion()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Freeze(rec); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncodingJSON is what encoding/json alone would take of the same record,
// without checks and digest: the reason for the encoder in encode.go.
func BenchmarkEncodingJSON(b *testing.B) {
	rec := typicalCompletion()
	if _, _, err := Freeze(rec); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(rec); err != nil {
			b.Fatal(err)
		}
	}
}
