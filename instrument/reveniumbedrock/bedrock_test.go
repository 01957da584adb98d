// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumbedrock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/reveniumbedrock"
	"github.com/revenium/revenium-otel-go/testing/llmtest"
	"github.com/revenium/revenium-otel-go/testing/metertest"
)

const model = "us.anthropic.claude-opus-4-20250514-v1:0"

// awsConfig is one without anything of the environment.
func awsConfig(m *metertest.Meter) aws.Config {
	return aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDTEST", "no-real-secret", ""),
		BaseEndpoint: aws.String(m.LLM.URL()),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
		},
	}
}

func newClient(m *metertest.Meter, opts ...func(*bedrockruntime.Options)) *bedrockruntime.Client {
	return bedrockruntime.NewFromConfig(awsConfig(m), append(opts, metering(m))...)
}

func metering(m *metertest.Meter) func(*bedrockruntime.Options) {
	return reveniumbedrock.WithMetering(llmhttp.WithTracerProvider(m.Provider), llmhttp.WithPropagators(propagation.TraceContext{}))
}

func messages() []types.Message {
	return []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "And now?"}},
	}}
}

func answer() llmtest.Answer {
	return llmtest.Answer{Text: "It rains.", Usage: &llmtest.Usage{
		PromptTokens: 1200, CachedTokens: 1000, CacheWriteTokens: 100, CacheWrite1hTokens: 40, CompletionTokens: 50,
	}}
}

// facts are those of that answer.
func facts() metertest.Facts {
	return metertest.Facts{
		"model": model, "provider": "Amazon Bedrock", "modelHost": "bedrock", "modelSource": "DIRECT", "operationType": "CHAT", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "1200", "cacheReadTokenCount": "1000",
		"cacheCreationTokenCount": "100", "cacheCreation5mTokenCount": "60", "cacheCreation1hTokenCount": "40",
		"outputTokenCount": "50", "totalTokenCount": "1250",
	}
}

func TestConverse(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	got, err := newClient(m).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages()})
	if err != nil || *got.Usage.TotalTokens != 1250 || got.StopReason != types.StopReasonEndTurn {
		t.Fatalf("%+v, %v", got, err)
	}
	m.Want(facts())
}

func TestConverseStream(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer())
	got, err := newClient(m).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: messages()})
	if err != nil {
		t.Fatal(err)
	}
	text, tokens := "", int32(0)
	for e := range got.GetStream().Events() {
		switch e := e.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if d, ok := e.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				text += d.Value
			}
		case *types.ConverseStreamOutputMemberMetadata:
			tokens = *e.Value.Usage.TotalTokens
		}
	}
	if err := errors.Join(got.GetStream().Err(), got.GetStream().Close()); err != nil || text != "It rains." || tokens != 1250 {
		t.Fatalf("%q, %d tokens, %v", text, tokens, err)
	}
	m.Want(facts().With("isStreamed", "true"))
}

// An exception ends a stream that began with success. Nobody knows what was generated.
func TestExceptionInStream(t *testing.T) {
	m := metertest.Start(t)
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndError, After: 2, Error: &llmtest.Error{Type: "modelStreamErrorException"}}
	m.LLM.Enqueue(a)
	got, err := newClient(m).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: messages()})
	if err != nil {
		t.Fatal(err)
	}
	for range got.GetStream().Events() {
	}
	var exception *types.ModelStreamErrorException
	if err := got.GetStream().Err(); !errors.As(err, &exception) {
		t.Errorf("error: %v", err)
	}
	_ = got.GetStream().Close()
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "ERROR" || records[0].Text("totalTokenCount") != "0" {
		t.Errorf("records: %v", records)
	}
}

func TestCancelledStream(t *testing.T) {
	m := metertest.Start(t)
	a := answer()
	a.Stream = llmtest.Stream{End: llmtest.EndHang, After: 2}
	m.LLM.Enqueue(a)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got, err := newClient(m).ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: messages()})
	if err != nil {
		t.Fatal(err)
	}
	<-got.GetStream().Events()
	cancel()
	_ = got.GetStream().Close()
	records := m.Records()
	if len(records) != 1 || records[0].Text("stopReason") != "CANCELLED" {
		t.Errorf("records: %v", records)
	}
}

// Bodies of models that say nothing of tokens are accompanied by headers that do.
func TestInvokeModel(t *testing.T) {
	m := metertest.Start(t)
	usage := &llmtest.Usage{PromptTokens: 12, CompletionTokens: 7}
	m.LLM.Enqueue(llmtest.Answer{Text: "It rains.", Usage: usage}, llmtest.Answer{Text: "It rains.", Usage: usage})
	client := newClient(m)
	const mistral = "mistral.mistral-7b-instruct-v0:2"
	got, err := client.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(mistral), Body: []byte(`{"prompt":"And now?"}`)})
	if err != nil || string(got.Body) != `{"outputs":[{"text":"It rains.","stop_reason":"stop"}]}` {
		t.Fatalf("%s, %v", got.Body, err)
	}
	stream, err := client.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(mistral), Body: []byte(`{"prompt":"And now?"}`)})
	if err != nil {
		t.Fatal(err)
	}
	chunks := 0
	for range stream.GetStream().Events() {
		chunks++
	}
	if err := errors.Join(stream.GetStream().Err(), stream.GetStream().Close()); err != nil || chunks != 3 {
		t.Fatalf("%d chunks, %v", chunks, err)
	}
	invoked := metertest.Facts{
		"model": mistral, "provider": "Amazon Bedrock", "modelSource": "DIRECT", "operationType": "GENERATE", "costType": "AI",
		"isStreamed": "false", "stopReason": "END", "inputTokenCount": "12", "outputTokenCount": "7", "totalTokenCount": "19",
	}
	m.Want(invoked, invoked.With("isStreamed", "true"))
}

func TestRetries(t *testing.T) {
	m := metertest.Start(t, exporter.WithErrorRecords(convert.ErrorPolicyAll))
	m.LLM.Enqueue(llmtest.Fail(http.StatusTooManyRequests), llmtest.Fail(http.StatusServiceUnavailable), answer())
	if _, err := newClient(m).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages()}); err != nil {
		t.Fatal(err)
	}
	failed := facts().With("cacheReadTokenCount", "", "cacheCreationTokenCount", "", "cacheCreation5mTokenCount", "", "cacheCreation1hTokenCount", "",
		"inputTokenCount", "0", "outputTokenCount", "0", "totalTokenCount", "0", "stopReason", "ERROR")
	m.Want(failed.With("errorCode", "429"), failed.With("errorCode", "503", "retryNumber", "1"), facts().With("retryNumber", "2"))
}

// doer notes requests and passes them on.
type doer struct {
	next bedrockruntime.HTTPClient
	url  string
	head http.Header
	body []byte
	size int64
}

func (d *doer) Do(req *http.Request) (*http.Response, error) {
	d.url, d.head, d.size = req.URL.String(), req.Header.Clone(), req.ContentLength
	var err error
	if d.body, err = io.ReadAll(req.Body); err != nil {
		return nil, err
	}
	req.Body = io.NopCloser(bytes.NewReader(d.body))
	return d.next.Do(req)
}

// What was signed reaches the server as it was; the trace context, which is not signed, is added.
func TestRequestIsUntouched(t *testing.T) {
	m := metertest.Start(t)
	var signed, sent doer
	const arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + model
	client := newClient(m, func(o *bedrockruntime.Options) {
		sent.next = o.HTTPClient
		o.HTTPClient = &sent
	})
	_, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(arn), Messages: messages()}, func(o *bedrockruntime.Options) {
		signed.next = o.HTTPClient
		o.HTTPClient = &signed
	})
	if err != nil {
		t.Fatal(err)
	}
	if sent.head.Get("Traceparent") == "" {
		t.Error("no trace context")
	}
	sent.head.Del("Traceparent")
	if diff := cmp.Diff(signed.head, sent.head); diff != "" || signed.url != sent.url || !bytes.Equal(signed.body, sent.body) || signed.size != sent.size {
		t.Errorf("%s as %s, %q as %q (-signed +sent):\n%s", signed.url, sent.url, signed.body, sent.body, diff)
	}
	if r := m.LLM.Requests()[0]; r.Model != arn || r.Header.Get("Authorization") != signed.head.Get("Authorization") {
		t.Errorf("request: %+v", r)
	}
}

// However often a call is metered, it is billed once.
func TestOnce(t *testing.T) {
	m := metertest.Start(t)
	m.LLM.Enqueue(answer(), answer())
	if _, err := newClient(m).Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: messages()}, metering(m)); err != nil {
		t.Fatal(err)
	}
	m.Want(facts())
}
