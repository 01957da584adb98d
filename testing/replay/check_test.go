// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// right is an outcome that is as testdata/chat.json expects it.
func right() outcome {
	return outcome{
		Name: "chat",
		Call: call{
			API: pointer("openai.chat"), Provider: pointer("openai"), Operation: pointer("chat"), Billable: true,
			RequestModel: pointer("gpt-5-nano"), ResponseModel: pointer("gpt-5-nano-2025-08-07"),
			ResponseID: pointer("chatcmpl-garden1"), FinishReasons: []string{"stop"}, StopReason: pointer("END"), UsageReported: true,
			Tokens: &tokens{Input: new(int64(1200)), InputUncached: new(int64(176)), CacheRead: new(int64(1024)), Output: new(int64(90)), Reasoning: new(int64(64)), Total: new(int64(1290))},
		},
		Record: json.RawMessage(`{"model":"gpt-5-nano-2025-08-07","inputTokenCount":1200,"outputTokenCount":90,"totalTokenCount":1290,` +
			`"reasoningTokenCount":64,"cacheReadTokenCount":1024,"stopReason":"END","isStreamed":false,"transactionId":"t"}`),
	}
}

func TestCompare(t *testing.T) {
	tests := map[string]struct {
		change func(*outcome)
		expect map[string]string // instead of the case's
		want   []difference
	}{
		"right": {change: func(*outcome) {}},
		"nothing at all": {
			change: func(o *outcome) { *o = outcome{Call: call{FinishReasons: []string{}}} },
			want: []difference{
				{"api", "null", `"openai.chat"`},
				{"provider", "null", `"openai"`},
				{"operation", "null", `"chat"`},
				{"billable", "false", "true"},
				{"requestModel", "null", `"gpt-5-nano"`},
				{"responseModel", "null", `"gpt-5-nano-2025-08-07"`},
				{"responseId", "null", `"chatcmpl-garden1"`},
				{"finishReasons", "[]", `["stop"]`},
				{"stopReason", "null", `"END"`},
				{"usageReported", "false", "true"},
				{"tokens", "null", `{"input":1200,"inputUncached":176,"cacheRead":1024,"cacheCreation":null,"output":90,"reasoning":64,"total":1290}`},
				{"record", "none", "one"},
			},
		},
		"another accepted value": {
			change: func(o *outcome) { o.Call.Provider = pointer("azure.ai.openai") },
			expect: map[string]string{"providerAccept": `["azure.ai.openai"]`},
		},
		"zero is not null": {
			change: func(o *outcome) { o.Call.Tokens.CacheCreation = new(int64(0)) },
			want:   []difference{{"tokens.cacheCreation", "0", "null"}},
		},
		"request ids": {
			change: func(o *outcome) { o.Call.RequestIDs = map[string]string{"x-request-id": "a", "request-id": "b"} },
			expect: map[string]string{"requestIds": `{"x-request-id":"a","request-id":"c","apim-request-id":"d"}`},
			want:   []difference{{"requestIds.apim-request-id", "none", "d"}, {"requestIds.request-id", "b", "c"}},
		},
		"one count": {
			change: func(o *outcome) { o.Call.Tokens.Output = new(int64(91)) },
			want:   []difference{{"tokens.output", "91", "90"}},
		},
		"record of unknown tokens": {
			change: func(o *outcome) { o.Call.Tokens, o.Call.UsageReported = nil, false },
			expect: map[string]string{"tokens": "null", "usageReported": "false"},
			want:   []difference{{"record", string(right().Record), "none"}},
		},
		"error record": {
			change: func(o *outcome) {
				o.Call.Tokens, o.Call.UsageReported, o.Call.Billable, o.Call.ErrorType = nil, false, false, pointer("429")
				o.Record = json.RawMessage(`{"model":"gpt-5-nano","inputTokenCount":0,"outputTokenCount":0,"totalTokenCount":0,"stopReason":"ERROR","transactionId":"t"}`)
				o.Call.StopReason = pointer("ERROR")
			},
			expect: map[string]string{"tokens": "null", "usageReported": "false", "billable": "false", "errorType": `"slow"`, "errorTypeAccept": `["slow","429"]`, "stopReason": `"ERROR"`},
		},
		"record": {
			change: func(o *outcome) {
				o.Record = json.RawMessage(`{"model":"gpt-4","inputTokenCount":176,"outputTokenCount":90,"totalTokenCount":1290,` +
					`"reasoningTokenCount":64,"cacheReadTokenCount":0,"cacheCreationTokenCount":0,"stopReason":"ERROR","isStreamed":true}`)
			},
			want: []difference{
				{"record.model", "gpt-4", "gpt-5-nano-2025-08-07 or gpt-5-nano"},
				{"record.transactionId", "none", "one"},
				{"record.stopReason", "ERROR", "END"},
				{"record.isStreamed", "true", "false"},
				{"record.inputTokenCount", "176", "1200"},
				{"record.cacheReadTokenCount", "0", "1024"},
				{"record.cacheCreationTokenCount", "0", "none"},
			},
		},
		"net input for Anthropic": {
			change: func(o *outcome) {
				o.Call.Provider = pointer("anthropic")
				o.Record = json.RawMessage(`{"model":"gpt-5-nano","inputTokenCount":176,"outputTokenCount":90,"totalTokenCount":1290,` +
					`"reasoningTokenCount":64,"cacheReadTokenCount":1024,"stopReason":"END","transactionId":"t"}`)
			},
			expect: map[string]string{"provider": `"anthropic"`},
		},
		"net input where the record names Anthropic": {
			change: func(o *outcome) {
				o.Record = json.RawMessage(`{"model":"gpt-5-nano","provider":"Anthropic","inputTokenCount":1200,"outputTokenCount":90,"totalTokenCount":1290,` +
					`"reasoningTokenCount":64,"cacheReadTokenCount":1024,"stopReason":"END","transactionId":"t"}`)
			},
			want: []difference{{"record.inputTokenCount", "1200", "176"}},
		},
		"tokens of audio apart": {
			change: func(o *outcome) {
				o.Record = json.RawMessage(`{"model":"gpt-5-nano","operationType":"AUDIO","inputTokenCount":1000,"inputAudioTokenCount":200,"outputTokenCount":80,"transactionId":"t"}`)
			},
			want: []difference{{"record.outputTokenCount and outputAudioTokenCount", "80", "90"}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			rec := load(t, "testdata/chat.json")
			for key, value := range tt.expect {
				rec.Expected[key] = json.RawMessage(value)
			}
			o := right()
			tt.change(&o)
			got, err := compare(o, rec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompareBrokenExpectation(t *testing.T) {
	for key, value := range map[string]string{"providerAccept": `"openai"`, "tokens": `[]`, "requestIds": `"x"`, "complete": `"yes"`} {
		rec := load(t, "testdata/chat.json")
		rec.Expected[key] = json.RawMessage(value)
		if _, err := compare(right(), rec); err == nil {
			t.Errorf("expected.%s = %s was accepted", key, value)
		}
	}
}
