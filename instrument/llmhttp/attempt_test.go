// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"testing"
)

func TestRetryNumber(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		want        int
		ok          bool
	}{
		{"X-Other", "2", 0, false},
		{"X-Stainless-Retry-Count", "0", 0, false},
		{"X-Stainless-Retry-Count", "2", 2, true},
		{"X-Stainless-Retry-Count", "x", 0, false},
		{"Amz-Sdk-Request", "attempt=1; max=3", 0, false},
		{"Amz-Sdk-Request", "attempt=2; max=3", 1, true},
		{"Amz-Sdk-Request", "ttl=20261124T100000Z; attempt=3;max=3", 2, true},
		{"Amz-Sdk-Request", "attempt=x", 0, false},
		{"Amz-Sdk-Request", "max=3", 0, false},
	} {
		h := http.Header{}
		h.Set(tt.name, tt.value)
		if n, ok := retryNumber(h); ok != tt.ok || ok && n != tt.want {
			t.Errorf("%s: %s: %d, %t, want %d, %t", tt.name, tt.value, n, ok, tt.want, tt.ok)
		}
	}
}

// AWS's client calls the body of InvokeModel bytes of any kind unless told better.
func TestBodyOfAnyKind(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", `{"generation":"Hi","prompt_token_count":3,"generation_token_count":2,"stop_reason":"stop"}`))
	h.exchange("http://bedrock-runtime.us-east-1.amazonaws.com/model/meta.llama3-8b-instruct-v1:0/invoke", `{"prompt":"And now?"}`,
		"Content-Type", "application/octet-stream")
	h.only().want(t, map[string]any{"gen_ai.usage.input_tokens": int64(3), "gen_ai.usage.output_tokens": int64(2)})
}
