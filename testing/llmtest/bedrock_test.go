// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	converse  = `{"messages":[{"role":"user","content":[{"text":"Hello there"}]}],"system":[{"text":"Be brief."}],"inferenceConfig":{"maxTokens":100}}`
	claudeID  = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
	claudeARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + claudeID
)

func modelPath(model, rest string) string {
	return "/model/" + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(model) + "/" + rest
}

func TestConverse(t *testing.T) {
	s := start(t)
	s.Enqueue(Answer{}, full(), Answer{Text: "a", OmitUsage: true, FinishReason: "guardrail_intervened"})
	for i, want := range []string{
		`{"metrics":{"latencyMs":12},"output":{"message":{"content":[{"text":"You said: Hello there"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":17,"outputTokens":6,"totalTokens":23}}`,
		`{"metrics":{"latencyMs":12},"output":{"message":{"content":[{"reasoningContent":{"reasoningText":{"text":"Hm ok"}}},{"text":"Hi you"},{"toolUse":{"toolUseId":"call_000000","name":"weather","input":{"city":"Delft"}}}],"role":"assistant"}},` +
			`"stopReason":"tool_use","usage":{"inputTokens":100,"outputTokens":50,"totalTokens":1250,"cacheReadInputTokens":1000,"cacheWriteInputTokens":100,"cacheDetails":[{"ttl":"5m","inputTokens":60},{"ttl":"1h","inputTokens":40}]}}`,
		`{"metrics":{"latencyMs":12},"output":{"message":{"content":[{"text":"a"}],"role":"assistant"}},"stopReason":"guardrail_intervened"}`,
	} {
		got := post(t, s, modelPath(claudeARN, "converse"), converse)
		if diff := cmp.Diff(want, got.text); diff != "" || got.Header.Get("X-Amzn-Requestid") != "00000000-0000-4000-8000-00000000000"+itoa(i+1) {
			t.Errorf("%v (-want +got):\n%s", got.Header, diff)
		}
	}
	if r := s.Requests()[0]; r.API != APIConverse || r.Model != claudeARN || r.LastUserText != "Hello there" {
		t.Errorf("request: %+v", r)
	}
}

func TestConverseStream(t *testing.T) {
	s := start(t)
	a := full()
	s.Enqueue(a)
	delta := func(index, delta string) string {
		return `contentBlockDelta: {"contentBlockIndex":` + index + `,"delta":{` + delta + `}}`
	}
	stop := func(index string) string { return `contentBlockStop: {"contentBlockIndex":` + index + `}` }
	want := []string{
		`messageStart: {"role":"assistant"}`,
		delta("0", `"reasoningContent":{"text":"Hm"}`),
		delta("0", `"reasoningContent":{"text":" ok"}`),
		stop("0"),
		delta("1", `"text":"Hi"`),
		delta("1", `"text":" you"`),
		stop("1"),
		`contentBlockStart: {"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"call_000000","name":"weather"}}}`,
		delta("2", `"toolUse":{"input":"{\"city\":"}`),
		delta("2", `"toolUse":{"input":"\"Delft\"}"}`),
		stop("2"),
		`messageStop: {"stopReason":"tool_use"}`,
		`metadata: {"metrics":{"latencyMs":12},"usage":{"inputTokens":100,"outputTokens":50,"totalTokens":1250,"cacheReadInputTokens":1000,"cacheWriteInputTokens":100,"cacheDetails":[{"ttl":"5m","inputTokens":60},{"ttl":"1h","inputTokens":40}]}}`,
	}
	if diff := cmp.Diff(want, post(t, s, modelPath(claudeID, "converse-stream"), converse).frames(t)); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	if r := s.Requests()[0]; !r.Stream || r.Model != claudeID {
		t.Errorf("request: %+v", r)
	}
	for name, tc := range map[string]struct {
		stream Stream
		frames int
		last   string
	}{
		"without the end": {Stream{End: EndWithoutDone}, 4, `messageStop: {"stopReason":"end_turn"}`},
		"throttled":       {Stream{End: EndError, After: 1, Error: &Error{Status: 429}}, 2, `exception throttlingException: {"message":"Too many requests, please wait before trying again."}`},
		"model's error":   {Stream{End: EndError, Error: &Error{Type: "modelStreamErrorException", Message: "m"}}, 1, `exception modelStreamErrorException: {"message":"m"}`},
		"nothing told":    {Stream{}, 5, `metadata: {"metrics":{"latencyMs":12}}`},
	} {
		s.Enqueue(Answer{Text: "a", OmitUsage: true, Stream: tc.stream})
		frames := post(t, s, modelPath(claudeID, "converse-stream"), converse).frames(t)
		if len(frames) != tc.frames || frames[tc.frames-1] != tc.last {
			t.Errorf("%s: %v", name, frames)
		}
	}
}

func TestAWSErrors(t *testing.T) {
	for status, want := range map[int]string{
		400: "ValidationException", 401: "AccessDeniedException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
		408: "ModelTimeoutException", 424: "ModelErrorException", 429: "ThrottlingException", 500: "InternalServerException",
		503: "ServiceUnavailableException",
	} {
		s := start(t)
		s.Enqueue(Fail(status))
		got := post(t, s, modelPath(claudeID, "converse-stream"), converse)
		if got.StatusCode != status || got.Header.Get("X-Amzn-Errortype") != want+":http://internal.amazon.com/coral/com.amazon.bedrock/" || !strings.HasPrefix(got.text, `{"message":"`) {
			t.Errorf("%d: %s %v %s", status, got.Status, got.Header, got.text)
		}
	}
	bad := func(message string) string { return `{"message":"` + message + `"}` }
	const noJSON = "Malformed input request: invalid character 'x' looking for beginning of value"
	checkRefusals(t, map[string]refusal{
		"no JSON":         {modelPath(claudeID, "converse"), "x", bad(noJSON)},
		"no messages":     {modelPath(claudeID, "converse"), "{}", bad("1 validation error detected: Value at 'messages' failed to satisfy constraint: Member must not be empty")},
		"titan":           {modelPath("amazon.titan-text-lite-v1", "invoke"), "x", bad(noJSON)},
		"titan embed":     {modelPath("amazon.titan-embed-text-v2:0", "invoke"), "x", bad(noJSON)},
		"titan dimension": {modelPath("amazon.titan-embed-text-v2:0", "invoke"), `{"inputText":"x","dimensions":0}`, bad("dimensions is out of range")},
		"llama":           {modelPath("meta.llama3-8b", "invoke"), "x", bad(noJSON)},
		"generations":     {modelPath("cohere.command-text-v14", "invoke"), `{"prompt":"x","num_generations":500}`, bad("num_generations is out of range")},
		"claude":          {modelPath(claudeID, "invoke"), `{"messages":[]}`, bad("max_tokens: Field required")},
		"imported":        {modelPath("arn:aws:bedrock:us-east-1:1:imported-model/abc", "invoke"), `{}`, bad("Missing required parameter: 'messages'.")},
		"no stream":       {modelPath("amazon.titan-embed-text-v2:0", "invoke-with-response-stream"), `{"inputText":"x"}`, bad("The model is unsupported for streaming")},
	})
	s := start(t, WithAPIKeys("AKIDTEST"))
	for auth, want := range map[string]int{
		"AWS4-HMAC-SHA256 Credential=AKIDTEST/20261124/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=00": 200,
		"AWS4-HMAC-SHA256 Credential=AKIDOTHER/20261124/us-east-1/bedrock/aws4_request":                                  401,
	} {
		if got := post(t, s, modelPath(claudeID, "converse"), converse, "Authorization", auth); got.StatusCode != want {
			t.Errorf("%s: %s", auth, got.Status)
		}
	}
}

// Each family of models has a body of its own; the headers have the counts for all of them.
func TestInvokeModel(t *testing.T) {
	const hello = `{"prompt":"Hello there"}`
	claude := strings.Replace(messages, `"model":"claude-opus-4"`, `"anthropic_version":"bedrock-2023-05-31"`, 1)
	usage := &Usage{PromptTokens: 12, CompletionTokens: 7}
	for name, tc := range map[string]struct {
		model, body string
		answer      Answer
		want        string
		in, out     string
	}{
		"claude": {claudeARN, claude, full(), `{"model":"claude-3-7-sonnet-20250219","id":"msg_bdrk_000001","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"Hm ok","signature":"c2lnbmVk"},{"type":"text","text":"Hi you"},` +
			`{"type":"tool_use","id":"call_000000","name":"weather","input":{"city":"Delft"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":100,` + cached + `,"output_tokens":50,"output_tokens_details":{"thinking_tokens":30},"service_tier":"standard"}}`, "100", "50"},
		"titan": {
			"amazon.titan-text-express-v1", `{"inputText":"Hello there","textGenerationConfig":{"maxTokenCount":2}}`,
			Answer{},
			`{"inputTextTokenCount":3,"results":[{"tokenCount":2,"outputText":"You said","completionReason":"LENGTH"}]}`, "3", "2",
		},
		"titan embed": {"amazon.titan-embed-text-v2:0", `{"inputText":"Hello there"}`, Answer{Embeddings: [][]float32{{1, 2}}}, `{"embedding":[1,2],"inputTextTokenCount":3}`, "3", ""},
		"nova": {
			"us.amazon.nova-2-lite-v1:0", converse,
			Answer{Text: "Hi", Usage: usage},
			`{"output":{"message":{"content":[{"text":"Hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":12,"outputTokens":7,"totalTokens":19}}`, "12", "7",
		},
		"llama":   {"meta.llama3-1-70b-instruct-v1:0", `{"prompt":"Hello there","max_gen_len":2}`, Answer{}, `{"generation":"You said","prompt_token_count":3,"generation_token_count":2,"stop_reason":"length"}`, "3", "2"},
		"mistral": {"mistral.mistral-7b-instruct-v0:2", hello, Answer{Text: "Hi", Usage: usage}, `{"outputs":[{"text":"Hi","stop_reason":"stop"}]}`, "12", "7"},
		"command": {
			"cohere.command-light-text-v14", `{"prompt":"Hello there","num_generations":2}`,
			Answer{Text: "Hi", Usage: usage},
			`{"id":"msg_bdrk_000001","generations":[{"id":"msg_bdrk_000001-0","text":"Hi","finish_reason":"COMPLETE"},{"id":"msg_bdrk_000001-1","text":"Hi","finish_reason":"COMPLETE"}],"prompt":"Hello there"}`, "12", "7",
		},
		"cohere embed": {"cohere.embed-english-v3", `{"texts":["Hello","there"]}`, Answer{Embeddings: [][]float32{{1}, {2}}}, `{"id":"msg_bdrk_000001","texts":["Hello","there"],"embeddings":[[1],[2]],"response_type":"embeddings_floats"}`, "4", ""},
		"imported": {
			"arn:aws:bedrock:us-east-1:123456789012:imported-model/abc", `{"messages":[{"role":"user","content":"Hello"}]}`,
			Answer{Text: "Hi", Model: "m", Usage: usage},
			`{"id":"msg_bdrk_000001","object":"chat.completion","created":1795514400,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19,` + noDetails + `}}`, "12", "7",
		},
		"nothing told": {"meta.llama3-1-70b-instruct-v1:0", hello, Answer{Text: "Hi", OmitUsage: true}, `{"generation":"Hi","stop_reason":"stop"}`, "", ""},
		"more":         {"mistral.mistral-7b-instruct-v0:2", hello, Answer{Text: "Hi", Usage: usage, Extra: map[string]any{"x": 1}}, `{"outputs":[{"text":"Hi","stop_reason":"stop"}],"x":1}`, "12", "7"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(tc.answer)
			got := post(t, s, modelPath(tc.model, "invoke"), tc.body)
			if diff := cmp.Diff(tc.want, got.text); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			h := got.Header
			if h.Get("X-Amzn-Bedrock-Input-Token-Count") != tc.in || h.Get("X-Amzn-Bedrock-Output-Token-Count") != tc.out || h.Get("X-Amzn-Bedrock-Invocation-Latency") != "12" {
				t.Errorf("headers: %v", h)
			}
			if read := h.Get("X-Amzn-Bedrock-Cache-Read-Input-Token-Count"); (read == "1000") != (name == "claude") {
				t.Errorf("headers: %v", h)
			}
			if r := s.Requests()[0]; r.API != APIInvokeModel || r.Model != tc.model || r.Stream {
				t.Errorf("request: %+v", r)
			}
		})
	}
}

// The pieces of a stream are in chunks, as base64; the last has what the call took.
func TestInvokeModelStream(t *testing.T) {
	const metrics = `"amazon-bedrock-invocationMetrics":{"inputTokenCount":12,"outputTokenCount":7,"invocationLatency":12,"firstByteLatency":3}}`
	const hello = `{"prompt":"Hello there"}`
	claude := strings.Replace(messages, `"model":"claude-opus-4"`, `"anthropic_version":"bedrock-2023-05-31"`, 1)
	for name, tc := range map[string]struct {
		model, body string
		want        []string
	}{
		"titan": {"amazon.titan-text-express-v1", `{"inputText":"Hello there"}`, []string{
			`{"outputText":"Hi","index":0,"inputTextTokenCount":12}`,
			`{"outputText":" you","index":0,"totalOutputTextTokenCount":7,"completionReason":"FINISH",` + metrics,
		}},
		"llama": {"meta.llama3-8b", hello, []string{
			`{"generation":"Hi","prompt_token_count":12,"stop_reason":null}`,
			`{"generation":" you","prompt_token_count":12,"stop_reason":null}`,
			`{"generation":"","prompt_token_count":12,"generation_token_count":7,"stop_reason":"stop",` + metrics,
		}},
		"mistral": {"mistral.mistral-7b", hello, []string{
			`{"outputs":[{"text":"Hi","stop_reason":null}]}`, `{"outputs":[{"text":" you","stop_reason":null}]}`, `{"outputs":[{"text":"","stop_reason":"stop"}],` + metrics,
		}},
		"command": {"cohere.command-r-v1:0", hello, []string{
			`{"is_finished":false,"text":"Hi"}`, `{"is_finished":false,"text":" you"}`, `{"is_finished":true,"finish_reason":"COMPLETE",` + metrics,
		}},
		"nova": {"amazon.nova-lite-v1:0", converse, []string{
			`{"messageStart":{"role":"assistant"}}`, `{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":"Hi"}}}`,
			`{"contentBlockDelta":{"contentBlockIndex":0,"delta":{"text":" you"}}}`, `{"contentBlockStop":{"contentBlockIndex":0}}`,
			`{"messageStop":{"stopReason":"end_turn"}}`, `{"metadata":{"metrics":{"latencyMs":12},"usage":{"inputTokens":12,"outputTokens":7,"totalTokens":19}},` + metrics,
		}},
		"claude": {claudeID, claude, []string{
			`{"type":"message_start","message":{"model":"claude-3-7-sonnet-20250219","id":"msg_bdrk_000001","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":12,` + noCache + `,"output_tokens":1,"service_tier":"standard"}}}`,
			`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, `{"type":"ping"}`,
			`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" you"}}`,
			`{"type":"content_block_stop","index":0}`,
			`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":12,` + noCache + `,"output_tokens":7,"service_tier":"standard"}}`,
			`{"type":"message_stop",` + metrics,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.Enqueue(Answer{Pieces: []string{"Hi", " you"}, Usage: &Usage{PromptTokens: 12, CompletionTokens: 7}})
			var got []string
			for _, f := range post(t, s, modelPath(tc.model, "invoke-with-response-stream"), tc.body).frames(t) {
				b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(strings.TrimPrefix(f, `chunk: {"bytes":"`), `"}`))
				if err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				got = append(got, string(b))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("chunks (-want +got):\n%s", diff)
			}
			if r := s.Requests()[0]; r.Model != tc.model || !r.Stream || r.Status != http.StatusOK {
				t.Errorf("request: %+v", r)
			}
			s.Enqueue(Answer{Text: "a", OmitUsage: true, Stream: Stream{End: EndError, After: 1, Error: &Error{Status: 503}}})
			frames := post(t, s, modelPath(tc.model, "invoke-with-response-stream"), tc.body).frames(t)
			if last := frames[len(frames)-1]; last != `exception serviceUnavailableException: {"message":"Bedrock is unable to process your request."}` {
				t.Errorf("frames: %v", frames)
			}
		})
	}
}
