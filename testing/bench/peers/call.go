// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/semconv"
)

const tenantKey = attribute.Key("tenant")

var shop = resource.NewSchemaless(attribute.String("service.name", "shop"))

// callStart are the attributes of a call from its start on.
func callStart() trace.SpanStartEventOption {
	return trace.WithAttributes(
		semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"),
	)
}

// callResult are the attributes of the n-th call that its answer brings.
func callResult(n int) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.GenAIResponseModel("gpt-4o-2024-08-06"),
		semconv.GenAIResponseID(fmt.Sprintf("chatcmpl-%d", n)),
		semconv.GenAIResponseFinishReasons("stop"),
		semconv.GenAIUsageInputTokens(100 + n),
		semconv.GenAIUsageOutputTokens(50),
		semconv.ReveniumOrganizationName("Acme"),
		semconv.ReveniumProductName("search"),
	}
}

// chatSpan is the finished span of the n-th call, which no other call of a run is
// like.
func chatSpan(n int, tenant string, rejected bool) sdktrace.ReadOnlySpan {
	model := "gpt-4o"
	if rejected {
		model = rejectedModel
	}
	attrs := append(callResult(n), semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel(model))
	if rejected {
		attrs[0] = semconv.GenAIResponseModel(model)
	}
	if tenant != "" {
		attrs = append(attrs, tenantKey.String(tenant))
	}
	var id trace.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	traceID := trace.TraceID{1}
	copy(traceID[8:], id[:])
	end := time.Now()
	return tracetest.SpanStub{
		Name: "chat gpt-4o", SpanKind: trace.SpanKindClient,
		SpanContext:          trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: id, TraceFlags: trace.FlagsSampled}),
		StartTime:            end.Add(-time.Second),
		EndTime:              end,
		Attributes:           attrs,
		Resource:             shop,
		InstrumentationScope: instrumentation.Scope{Name: "shop"},
	}.Snapshot()
}

const chatAnswer = `{"id":"chatcmpl-%08d","object":"chat.completion","created":1764000000,"model":"gpt-4o-mini-2024-07-18",` +
	`"choices":[{"index":0,"message":{"role":"assistant","content":"Because."},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":14,"completion_tokens":9,"total_tokens":23}}`

const chatRequest = `{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Why meter LLM calls?"}]}`

// llm is an LLM provider that takes a millisecond to answer. It notes how long it
// really took, so that what is measured around it is what was added.
type llm struct {
	calls int
	took  time.Duration
}

func (l *llm) RoundTrip(req *http.Request) (*http.Response, error) {
	begin := time.Now()
	_, err := io.Copy(io.Discard, req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	l.calls++
	answer := fmt.Sprintf(chatAnswer, l.calls)
	time.Sleep(time.Millisecond)
	resp := &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)),
		Request:       req,
	}
	l.took = time.Since(begin)
	return resp, nil
}

// latency makes n calls of an LLM that takes a millisecond, by turns without and
// with what makes spans of them, and says what that adds.
func (a *application) latency(ctx context.Context, n int) (reply, error) {
	provider := &llm{}
	plain := &http.Client{Transport: provider}
	traced := &http.Client{Transport: llmhttp.NewTransport(provider, llmhttp.WithTracerProvider(a.pipeline.provider))}
	var without, with []time.Duration
	for range n {
		for _, turn := range []struct {
			client *http.Client
			took   *[]time.Duration
		}{{plain, &without}, {traced, &with}} {
			begin := time.Now()
			if err := post(ctx, turn.client, "https://api.openai.com/v1/chat/completions", []byte(chatRequest)); err != nil {
				return reply{}, err
			}
			*turn.took = append(*turn.took, time.Since(begin)-provider.took)
		}
	}
	slices.Sort(without)
	slices.Sort(with)
	return reply{
		P50: with[n/2] - without[n/2],
		P99: with[n*99/100] - without[n*99/100],
	}, nil
}

// bareLoop posts n records as plainly as it can be done, with as many connections as
// our exporter has, and says what each costs.
func bareLoop(ctx context.Context, service string, n int) (reply, error) {
	const connections = 12 // exporter.WithSenders
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = connections, connections
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	bodies := make([][]byte, n)
	for i := range bodies {
		bodies[i] = fmt.Appendf(nil, bareRecord, i)
	}
	before := memory()
	begin := time.Now()
	var next atomic.Int64
	var loops sync.WaitGroup
	errs := make([]error, connections)
	for l := range connections {
		loops.Go(func() {
			for i := next.Add(1) - 1; i < int64(n) && errs[l] == nil; i = next.Add(1) - 1 {
				errs[l] = post(ctx, client, service+"/meter/v2/ai/completions", bodies[i])
			}
		})
	}
	loops.Wait()
	took := time.Since(begin)
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	return reply{
		Allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		Bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		Rate:   float64(n) / took.Seconds(),
	}, errors.Join(errs...)
}

// bareRecord is about what our exporter sends for a call.
const bareRecord = `{"completionStartTime":"2026-11-26T10:00:00.000Z","costType":"AI","inputTokenCount":100,"model":"gpt-4o-2024-08-06",` +
	`"operationType":"CHAT","organizationName":"Acme","outputTokenCount":50,"productName":"search","provider":"openai","requestDuration":1000,` +
	`"requestTime":"2026-11-26T09:59:59.000Z","responseTime":"2026-11-26T10:00:00.000Z","stopReason":"END","totalTokenCount":150,` +
	`"transactionId":"bare-0000000000000000000000000000-%016d"}`

func post(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Api-Key", commonKey)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}
