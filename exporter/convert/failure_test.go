// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// failed returns a span of a failed call: a chat without usage or response.
func failed(keysAndValues ...any) *span {
	return chat(append([]any{
		"gen_ai.response.model", nil, "gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil,
	}, keysAndValues...)...)
}

func TestFailures(t *testing.T) {
	exception := func(kind, message string) []event {
		return []event{{name: "exception", at: start, attrs: with("exception.type", kind, "exception.message", message)}}
	}
	tests := map[string]struct {
		attrs   []any
		status  convert.StatusCode
		message string
		events  []event
		stop    metering.StopReason
		code    int64
	}{
		"status alone":             {status: convert.StatusError, stop: metering.StopError},
		"error type":               {attrs: []any{"error.type", "model_not_found"}, stop: metering.StopError},
		"HTTP status":              {attrs: []any{"http.response.status_code", 404}, stop: metering.StopError, code: 404},
		"older HTTP status":        {attrs: []any{"http.status_code", 404}, stop: metering.StopError, code: 404},
		"a client's status":        {attrs: []any{"error.type", "oops", "status_code", "503"}, stop: metering.StopError, code: 503},
		"error type is a status":   {attrs: []any{"error.type", "429"}, stop: metering.StopError, code: 429},
		"a stream left after 200":  {attrs: []any{"error.type", "context_canceled", "http.response.status_code", 200}, stop: metering.StopCancelled},
		"status 408":               {attrs: []any{"http.response.status_code", 408}, stop: metering.StopTimeout, code: 408},
		"status 504":               {attrs: []any{"http.response.status_code", 504}, stop: metering.StopTimeout, code: 504},
		"status 402":               {attrs: []any{"http.response.status_code", 402}, stop: metering.StopCostLimit, code: 402},
		"status 499":               {attrs: []any{"http.response.status_code", 499}, stop: metering.StopCancelled, code: 499},
		"quota as 429":             {attrs: []any{"error.type", "insufficient_quota", "http.response.status_code", 429}, stop: metering.StopCostLimit, code: 429},
		"LiteLLM's budget":         {attrs: []any{"error.type", "budget_exceeded", "http.response.status_code", 400}, stop: metering.StopCostLimit, code: 400},
		"our own cancel":           {attrs: []any{"error.type", "context_canceled"}, stop: metering.StopCancelled},
		"Python's cancel":          {attrs: []any{"error.type", "asyncio.CancelledError"}, stop: metering.StopCancelled},
		"JavaScript's cancel":      {attrs: []any{"error.type", "AbortError"}, stop: metering.StopCancelled},
		"our own timeout":          {attrs: []any{"error.type", "timeout"}, stop: metering.StopTimeout},
		"gRPC's timeout":           {attrs: []any{"error.type", "DEADLINE_EXCEEDED"}, stop: metering.StopTimeout},
		"Go's timeout in a status": {status: convert.StatusError, message: "Post: context deadline exceeded", stop: metering.StopTimeout},
		"Go's cancel in a status":  {status: convert.StatusError, message: "context canceled", stop: metering.StopCancelled},
		"an error of Go around it": {attrs: []any{"error.type", "*url.Error"}, status: convert.StatusError, message: "Post: context canceled", stop: metering.StopCancelled},
		"any error of Go, after 200": {
			attrs: []any{"error.type", "_OTHER", "http.response.status_code", 200}, status: convert.StatusError,
			message: "read: context deadline exceeded", stop: metering.StopTimeout,
		},
		"an answer that talks of it": {
			attrs: []any{"error.type", "server_error", "http.response.status_code", 500}, status: convert.StatusError,
			message: "upstream: context canceled", stop: metering.StopError, code: 500,
		},
		"a prompt about a timeout":  {status: convert.StatusError, message: "what is a timeout?", stop: metering.StopError},
		"exception alone":           {events: exception("openai.RateLimitError", "slow down"), stop: metering.StopError},
		"exception that timed out":  {events: exception("httpx.ReadTimeout", ""), stop: metering.StopTimeout},
		"the last exception counts": {events: append(exception("ValueError", ""), exception("TimeoutError", "")...), stop: metering.StopTimeout},
		"finish reason error":       {attrs: []any{"gen_ai.response.finish_reasons", []string{"error"}}, stop: metering.StopError},
		"status beyond HTTP":        {attrs: []any{"error.type", "oops", "http.response.status_code", 9000}, stop: metering.StopError},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := failed(tt.attrs...)
			s.status, s.statusMessage, s.events = tt.status, tt.message, tt.events
			c, d := billed(t, s, convert.WithErrorRecords(convert.ErrorPolicyAll))
			if d.Reason != convert.ReasonError || c.StopReason != tt.stop {
				t.Errorf("got %s with %s, want %s with %s", d.Reason, c.StopReason, convert.ReasonError, tt.stop)
			}
			if got := number(c.ErrorCode); got != tt.code {
				t.Errorf("error code = %d, want %d", got, tt.code)
			}
			if c.InputTokenCount != 0 || c.OutputTokenCount != 0 || c.TotalTokenCount != 0 {
				t.Errorf("a failed call without usage has tokens: %d, %d, %d", c.InputTokenCount, c.OutputTokenCount, c.TotalTokenCount)
			}
			if c.ErrorReason != "" {
				t.Errorf("the text of the failure is in the record: %q", c.ErrorReason)
			}
			if c.Model != "gpt-4o" {
				t.Errorf("model = %q, want the one that was asked for", c.Model)
			}
		})
	}
}

func number(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// TestExceptionBesideUsage: an exception that somebody recorded on the span of an
// answer does not make a failure of it.
func TestExceptionBesideUsage(t *testing.T) {
	s := chat()
	s.events = []event{{name: "exception", at: start, attrs: with("exception.type", "ValidationError")}}
	c, d := billed(t, s)
	if d.Reason != convert.ReasonUsage || c.StopReason != metering.StopEnd {
		t.Errorf("got %s with %s, want an ordinary answer", d.Reason, c.StopReason)
	}
}

// TestFailureWithUsageIsBilled: an answer that broke off was paid for, whatever
// becomes of records of errors.
func TestFailureWithUsageIsBilled(t *testing.T) {
	s := chat("error.type", "context_canceled", "revenium.usage.partial", true)
	c, d := billed(t, s, convert.WithErrorRecords(convert.ErrorPolicyNone))
	if d.Reason != convert.ReasonPartialUsage || c.StopReason != metering.StopCancelled || c.InputTokenCount != 100 || c.OutputTokenCount != 20 {
		t.Errorf("got %s with %s, %d and %d tokens", d.Reason, c.StopReason, c.InputTokenCount, c.OutputTokenCount)
	}
}

func TestErrorPolicies(t *testing.T) {
	s := failed("error.type", "invalid_request", "http.response.status_code", 400)
	if d := decide(t, s, convert.WithErrorRecords(convert.ErrorPolicyNone)); d.Kind != convert.Skipped || d.Reason != convert.ReasonErrorPolicy {
		t.Errorf("without error records: got %v (%s)", d.Kind, d.Reason)
	}
	// Nobody repeats a call that was wrong, so it is not held.
	if d := decide(t, s); d.Kind != convert.Billed || d.Reason != convert.ReasonError {
		t.Errorf("by default: got %v (%s)", d.Kind, d.Reason)
	}
}

func TestErrorReasonsOnRequest(t *testing.T) {
	s := failed("error.type", "invalid_request", "http.response.status_code", 400)
	s.status, s.statusMessage = convert.StatusError, "no such parameter"
	if got := bill(t, s, convert.WithErrorReasons()).ErrorReason; got != "no such parameter" {
		t.Errorf("error reason = %q", got)
	}
}

func TestFinishReasons(t *testing.T) {
	tests := map[string]struct {
		value any
		want  metering.StopReason
	}{
		"none":             {nil, metering.StopEnd},
		"stop":             {[]string{"stop"}, metering.StopEnd},
		"tools":            {[]string{"tool_calls"}, metering.StopEnd},
		"upper case":       {[]string{"MAX_TOKENS"}, metering.StopTokenLimit},
		"Anthropic":        {[]string{"stop_sequence"}, metering.StopEndSequence},
		"filter":           {[]string{"content_filter"}, metering.StopError},
		"a refused prompt": {[]string{"BLOCKED_OTHER"}, metering.StopError},
		"several":          {[]string{"stop", "length", "stop"}, metering.StopTokenLimit},
		"the worst":        {[]string{"length", "content_filter"}, metering.StopError},
		"JSON text":        {`["stop","length"]`, metering.StopTokenLimit},
		"Python text":      {`['length']`, metering.StopTokenLimit},
		"plain text":       {"length", metering.StopTokenLimit},
		"text with commas": {"stop, length", metering.StopTokenLimit},
		"unknown":          {[]string{"bored"}, metering.StopEnd},
		"blank":            {[]string{"", "length"}, metering.StopTokenLimit},
		"empty list":       {[]string{}, metering.StopEnd},
		"a number":         {7, metering.StopEnd},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := bill(t, chat("gen_ai.response.finish_reasons", tt.value)).StopReason; got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("by option", func(t *testing.T) {
		s := chat("gen_ai.response.finish_reasons", []string{"tool_calls"})
		if got := bill(t, s, convert.WithStopReason("Tool_Calls", metering.StopEndSequence)).StopReason; got != metering.StopEndSequence {
			t.Errorf("got %s", got)
		}
	})
}

func TestTimes(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		c := bill(t, chat())
		if !c.RequestTime.Equal(start) || !c.ResponseTime.Equal(start.Add(2*time.Second)) || c.RequestDuration != 2000 {
			t.Errorf("got %v to %v, %d ms", c.RequestTime, c.ResponseTime, c.RequestDuration)
		}
		if c.IsStreamed || c.TimeToFirstToken != nil || !c.CompletionStartTime.Equal(c.ResponseTime.Time) {
			t.Errorf("a call that was not streamed has a first token: %v %v %v", c.IsStreamed, c.TimeToFirstToken, c.CompletionStartTime)
		}
	})
	first := map[string]struct {
		attrs  []any
		events []event
		want   int64 // 0: none
		stream bool
	}{
		"seconds":                    {attrs: []any{"gen_ai.request.stream", true, "gen_ai.response.time_to_first_chunk", 0.25}, want: 250, stream: true},
		"rounded":                    {attrs: []any{"gen_ai.request.stream", true, "gen_ai.response.time_to_first_chunk", 0.0006}, want: 1, stream: true},
		"a first token is a stream":  {attrs: []any{"gen_ai.response.time_to_first_chunk", 0.25}, want: 250, stream: true},
		"not streamed":               {attrs: []any{"gen_ai.request.stream", false, "gen_ai.response.time_to_first_chunk", 0.25}},
		"older name":                 {attrs: []any{"gen_ai.request.stream", true, "gen_ai.server.time_to_first_token", 0.25}, want: 250, stream: true},
		"integer in an unknown unit": {attrs: []any{"gen_ai.request.stream", true, "gen_ai.server.time_to_first_token", 250}, stream: true},
		"milliseconds":               {attrs: []any{"gen_ai.request.stream", true, "revenium.time_to_first_token", 250}, want: 250, stream: true},
		"longer than the call":       {attrs: []any{"gen_ai.request.stream", true, "gen_ai.response.time_to_first_chunk", 7.5}, stream: true},
		"negative":                   {attrs: []any{"gen_ai.request.stream", true, "gen_ai.response.time_to_first_chunk", -1.0}, stream: true},
		"zero":                       {attrs: []any{"gen_ai.request.stream", true, "gen_ai.response.time_to_first_chunk", 0.0}, stream: true},
		"event": {
			attrs:  []any{"gen_ai.request.stream", true},
			events: []event{{name: "gen_ai.content.completion.chunk", at: start.Add(300 * time.Millisecond)}, {name: "gen_ai.content.completion.chunk", at: start.Add(time.Second)}},
			want:   300, stream: true,
		},
		"event before the start": {
			attrs:  []any{"gen_ai.request.stream", true},
			events: []event{{name: "First Token Stream Event", at: start.Add(-time.Second)}},
			stream: true,
		},
		"stream as text": {attrs: []any{"llm.is_streaming", "True"}, stream: true},
	}
	for name, tt := range first {
		t.Run(name, func(t *testing.T) {
			s := chat(tt.attrs...)
			s.events = tt.events
			c := bill(t, s)
			if got := number(c.TimeToFirstToken); got != tt.want || (c.TimeToFirstToken == nil) != (tt.want == 0) {
				t.Errorf("first token after %v ms, want %d", c.TimeToFirstToken, tt.want)
			}
			if c.IsStreamed != tt.stream {
				t.Errorf("streamed = %v, want %v", c.IsStreamed, tt.stream)
			}
			if c.TimeToFirstToken != nil && !c.CompletionStartTime.Before(c.ResponseTime.Time) {
				t.Errorf("completion starts at %v, the end", c.CompletionStartTime)
			}
		})
	}
}

func TestIDs(t *testing.T) {
	const trace, id, parent = "0102030405060708090a0b0c0d0e0f10", "a1a2a3a4a5a6a7a8", "b1b2b3b4b5b6b7b8"
	s := chat("gen_ai.response.id", "chatcmpl-1")
	s.parent = [8]byte{0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8}
	tests := map[string]struct {
		opts             []convert.Option
		transaction, par string
	}{
		"default":  {nil, trace + "-" + id, trace + "-" + parent},
		"span":     {[]convert.Option{convert.WithIDScheme(convert.IDSpan)}, id, parent},
		"response": {[]convert.Option{convert.WithIDScheme(convert.IDResponse)}, "chatcmpl-1", trace + "-" + parent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := bill(t, s, tt.opts...)
			if c.TraceID != trace || c.TransactionID != tt.transaction || c.ParentTransactionID != tt.par {
				t.Errorf("got %q, %q, %q", c.TraceID, c.TransactionID, c.ParentTransactionID)
			}
		})
	}
	t.Run("root", func(t *testing.T) {
		if got := bill(t, chat()).ParentTransactionID; got != "" {
			t.Errorf("a root has the parent %q", got)
		}
	})
	t.Run("no response id", func(t *testing.T) {
		if got := bill(t, chat(), convert.WithIDScheme(convert.IDResponse)).TransactionID; got != trace+"-"+id {
			t.Errorf("got %q, want the default scheme", got)
		}
	})
	t.Run("override", func(t *testing.T) {
		c := bill(t, chat("revenium.trace.id", "order-7", "revenium.transaction.id", "order-7-call-1", "revenium.parent_transaction.id", "order-7-root"))
		if c.TraceID != "order-7" || c.TransactionID != "order-7-call-1" || c.ParentTransactionID != "order-7-root" {
			t.Errorf("got %q, %q, %q", c.TraceID, c.TransactionID, c.ParentTransactionID)
		}
	})
}
