// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// content is what a span says of the content of a call.
type content struct{ system, input, output string }

func contentOf(span spanView) content {
	text := func(key string) string {
		s, _ := span.attributes[key].(string)
		return s
	}
	return content{system: text("gen_ai.system_instructions"), input: text("gen_ai.input.messages"), output: text("gen_ai.output.messages")}
}

// textParts and the like are what the conventions make of texts.
func textPart(text string) string { return `{"type":"text","content":"` + text + `"}` }

func userSays(text string) string { return `[{"role":"user","parts":[` + textPart(text) + `]}]` }

func modelSays(text string) string {
	return `[{"role":"assistant","parts":[` + textPart(text) + `],"finish_reason":"stop"}]`
}

func TestContentCapture(t *testing.T) {
	tests := []struct {
		name, url, request, contentType, answer string
		want                                    content
	}{
		{
			name: "chat", url: chatURL,
			request: `{"model":"m","messages":[{"role":"system","content":"be brief"},{"content":[{"type":"text","text":"one"},{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"text","text":"two"}],"role":"user"},
				{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Z\\u00fcrich\"}"}}]},{"role":"tool","tool_call_id":"call_1","content":"sunny"}]}`,
			answer: `{"choices":[{"index":0,"message":{"role":"assistant","content":"fine","reasoning_content":"hm"},"finish_reason":"stop"},{"index":1,"message":{"content":"","tool_calls":[{"id":"c2","function":{"name":"f","arguments":"no JSON"}}]},"finish_reason":"tool_calls"}]}`,
			want: content{
				input: `[{"role":"system","parts":[` + textPart("be brief") + `]},{"role":"user","parts":[` + textPart("one") + `,` + textPart("two") + `]},` +
					`{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"weather","arguments":{"city":"Z\u00fcrich"}}]},` +
					`{"role":"tool","parts":[{"type":"tool_call_response","id":"call_1","response":"sunny"}]}]`,
				output: `[{"role":"assistant","parts":[` + textPart("fine") + `,{"type":"reasoning","content":"hm"}],"finish_reason":"stop"},` +
					`{"role":"assistant","parts":[{"type":"tool_call","id":"c2","name":"f","arguments":"no JSON"}],"finish_reason":"tool_call"}]`,
			},
		},
		{
			name: "chat, stream", url: chatURL, request: `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`, contentType: "text/event-stream",
			answer: sse(`{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1,"delta":{"content":"x"}}]}`, `{"choices":[{"index":1,"delta":{"content":"y"},"finish_reason":"length"}]}`,
				`{"choices":[{"index":0,"delta":{"content":"b","tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}},{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}]}}]}`,
				`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"n\":"}}]}}]}`, `{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}`) + doneEvent,
			want: content{
				input: userSays("hi"),
				output: `[{"role":"assistant","parts":[` + textPart("ab") + `,{"type":"tool_call","id":"c1","name":"f","arguments":{"n":1}},{"type":"tool_call","id":"c2","name":"g","arguments":{}}],"finish_reason":"tool_call"},` +
					`{"role":"assistant","parts":[` + textPart("xy") + `],"finish_reason":"length"}]`,
			},
		},
		{
			name: "completions", url: "http://api.openai.com/v1/completions", request: `{"model":"m","prompt":"once"}`, answer: `{"choices":[{"index":0,"text":"upon","finish_reason":"stop"}]}`,
			want: content{input: userSays("once"), output: modelSays("upon")},
		},
		{
			name: "responses", url: responsesURL,
			request: `{"model":"m","instructions":"be brief","input":[{"role":"user","content":"hi"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"7"}]}`,
			answer:  `{"id":"r","status":"completed","output":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}]},{"type":"message","content":[{"type":"output_text","text":"fine"}]},{"type":"function_call","call_id":"c2","name":"g","arguments":"{}"}]}`,
			want: content{
				system: `[` + textPart("be brief") + `]`,
				input: `[{"role":"user","parts":[` + textPart("hi") + `]},{"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"f","arguments":{}}]},` +
					`{"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":7}]}]`,
				output: `[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},` + textPart("fine") + `,{"type":"tool_call","id":"c2","name":"g","arguments":{}}],"finish_reason":"stop"}]`,
			},
		},
		{
			name: "responses, stream", url: responsesURL, request: `{"model":"m","input":"hi","stream":true}`, contentType: "text/event-stream",
			answer: sse(`response.output_text.delta:{"type":"response.output_text.delta","delta":"fi"}`,
				`response.completed:{"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"fine"}]}]}}`),
			want: content{input: userSays("hi"), output: modelSays("fine")},
		},
		{
			name: "Anthropic", url: "http://api.anthropic.com/v1/messages",
			request: `{"model":"m","system":[{"type":"text","text":"be "},{"type":"text","text":"brief"}],"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{"n":[1,"}"]}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"7"}]},{"type":"text","text":"so?"}]}]}`,
			answer: `{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"fine"},{"type":"tool_use","id":"t2","name":"g","input":{}}],"stop_reason":"tool_use"}`,
			want: content{
				system: `[` + textPart("be brief") + `]`,
				input: `[{"role":"user","parts":[` + textPart("hi") + `]},{"role":"assistant","parts":[{"type":"tool_call","id":"t1","name":"f","arguments":{"n":[1,"}"]}}]},` +
					`{"role":"user","parts":[{"type":"tool_call_response","id":"t1","response":7},` + textPart("so?") + `]}]`,
				output: `[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},` + textPart("fine") + `,{"type":"tool_call","id":"t2","name":"g","arguments":{}}],"finish_reason":"tool_call"}]`,
			},
		},
		{
			name: "Anthropic, stream", url: "http://api.anthropic.com/v1/messages", request: `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`, contentType: "text/event-stream",
			answer: sse(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"fi"}}`,
				`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ne"}}`, `{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t2","name":"g","input":{}}}`,
				`{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}`, `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}`,
				`{"type":"message_delta","delta":{"stop_reason":"tool_use"}}`, `{"type":"message_stop"}`),
			want: content{
				input:  userSays("hi"),
				output: `[{"role":"assistant","parts":[` + textPart("fine") + `,{"type":"tool_call","id":"t2","name":"g","arguments":{"a":1}}],"finish_reason":"tool_call"}]`,
			},
		},
		{
			name: "Gemini", url: geminiModels + "g:streamGenerateContent?alt=sse", contentType: "text/event-stream",
			request: `{"systemInstruction":{"parts":[{"text":"be brief"}]},"contents":[{"role":"user","parts":[{"text":"hi"},{"inlineData":{"data":"QUJD"}}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"n":1}}}]},
				{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"r":7}}}]}]}`,
			answer: sse(`{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}]}}]}`, `{"candidates":[{"content":{"parts":[{"text":"fi"}]}}]}`,
				`{"candidates":[{"content":{"parts":[{"text":"ne"},{"functionCall":{"name":"g","args":{}}}]},"finishReason":"MAX_TOKENS"}]}`),
			want: content{
				system: `[` + textPart("be brief") + `]`,
				input: `[{"role":"user","parts":[` + textPart("hi") + `]},{"role":"assistant","parts":[{"type":"tool_call","name":"f","arguments":{"n":1}}]},` +
					`{"role":"user","parts":[{"type":"tool_call_response","id":"f","response":{"r":7}}]}]`,
				output: `[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},` + textPart("fine") + `,{"type":"tool_call","name":"g","arguments":{}}],"finish_reason":"length"}]`,
			},
		},
		{
			name: "Converse", url: bedrockModels + "m/converse", request: `{"system":[{"text":"be brief"}],"messages":[{"role":"user","content":[{"text":"hi"},{"toolResult":{"toolUseId":"t1","content":[{"json":{"r":7}}]}}]}]}`,
			answer: `{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"fine"},{"toolUse":{"toolUseId":"t2","name":"g","input":{"a":1}}}]}},"stopReason":"tool_use"}`,
			want: content{
				system: `[` + textPart("be brief") + `]`,
				input:  `[{"role":"user","parts":[` + textPart("hi") + `,{"type":"tool_call_response","id":"t1","response":{"r":7}}]}]`,
				output: `[{"role":"assistant","parts":[{"type":"reasoning","content":"hm"},` + textPart("fine") + `,{"type":"tool_call","id":"t2","name":"g","arguments":{"a":1}}],"finish_reason":"tool_call"}]`,
			},
		},
		{
			name: "Converse, stream", url: bedrockModels + "m/converse-stream", request: `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, contentType: awsStreamType,
			answer: awsEvent("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"fi"}}`) + awsEvent("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"ne"}}`) +
				awsEvent("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"name":"g","toolUseId":"t2"}}}`) + awsEvent("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{}"}}}`) +
				awsEvent("messageStop", `{"stopReason":"tool_use"}`) + awsEvent("metadata", `{"usage":{"inputTokens":1,"outputTokens":1}}`),
			want: content{
				input:  userSays("hi"),
				output: `[{"role":"assistant","parts":[` + textPart("fine") + `,{"type":"tool_call","id":"t2","name":"g","arguments":{}}],"finish_reason":"tool_call"}]`,
			},
		},
		{
			name: "InvokeModel, stream", url: bedrockModels + "amazon.titan-text/invoke-with-response-stream", request: `{"inputText":"hi"}`, contentType: awsStreamType,
			answer: awsChunk(`{"outputText":"fi"}`) + awsChunk(`{"outputText":"ne","completionReason":"FINISH","amazon-bedrock-invocationMetrics":{"inputTokenCount":1,"outputTokenCount":1}}`),
			want:   content{input: userSays("hi"), output: modelSays("fine")},
		},
		{
			name: "Cohere", url: "http://api.cohere.com/v1/chat", request: `{"model":"m","message":"and now?","preamble":"be brief","chat_history":[{"role":"USER","message":"hi"},{"role":"CHATBOT","message":"hello"}]}`,
			answer: `{"text":"fine","finish_reason":"COMPLETE"}`,
			want: content{
				system: `[` + textPart("be brief") + `]`,
				input:  `[{"role":"user","parts":[` + textPart("hi") + `]},{"role":"assistant","parts":[` + textPart("hello") + `]},{"role":"user","parts":[` + textPart("and now?") + `]}]`,
				output: modelSays("fine"),
			},
		},
		{
			name: "Cohere, stream", url: "http://api.cohere.com/v2/chat", request: `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`, contentType: "text/event-stream",
			answer: sse(`{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"fi"}}}}`, `{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"ne"}}}}`,
				`{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}`),
			want: content{input: userSays("hi"), output: modelSays("fine")},
		},
		{
			name: "Ollama", url: "http://localhost:11434/api/chat", request: `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, contentType: "application/x-ndjson",
			answer: `{"message":{"role":"assistant","content":"fi"},"done":false}` + "\n" + `{"message":{"content":"ne","tool_calls":[{"function":{"name":"g","arguments":{"a":1}}}]},"done":true,"done_reason":"stop"}` + "\n",
			want: content{
				input:  userSays("hi"),
				output: `[{"role":"assistant","parts":[` + textPart("fine") + `,{"type":"tool_call","name":"g","arguments":{"a":1}}],"finish_reason":"stop"}]`,
			},
		},
		{
			name: "speech", url: "http://api.openai.com/v1/audio/speech", request: `{"model":"m","input":"say it"}`, contentType: "audio/mpeg", answer: "ID3",
			want: content{input: userSays("say it")},
		},
		{
			name: "refused", url: chatURL, request: `{"model":"m","messages":[{"role":"user","content":"hi"}]}`, answer: "", want: content{input: userSays("hi")},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, piece := range []int{1 << 20, 1} {
				status := 0
				if tt.name == "refused" {
					status = http.StatusTooManyRequests
				}
				c := formatCase{answerType: tt.contentType, answer: tt.answer, status: status}
				h := newHarness(t, c.serve(piece), WithContentCapture())
				h.exchange(tt.url, tt.request)
				if diff := cmp.Diff(tt.want, contentOf(h.only()), cmp.AllowUnexported(content{})); diff != "" {
					t.Errorf("content (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// Content is captured where an option or the environment says so, and an option
// goes before the environment.
func TestContentCaptureSettings(t *testing.T) {
	tests := []struct {
		name, on, limit string
		opts            []Option
		captured        bool
		length          int // 0: whole
		complaint       string
	}{
		{name: "nothing said"},
		{name: "environment", on: "true", captured: true},
		{name: "environment, no", on: "0"},
		{name: "environment, not understood", on: "perhaps", complaint: "REVENIUM_CAPTURE_PROMPTS"},
		{name: "option against the environment", on: "true", opts: []Option{WithoutContentCapture()}},
		{name: "limit of the environment", limit: "100", opts: []Option{WithContentCapture()}, captured: true, length: 100},
		{name: "limit of the environment, not understood", limit: "-1", opts: []Option{WithContentCapture()}, captured: true, complaint: "REVENIUM_MAX_PROMPT_SIZE"},
		{name: "limit of an option", limit: "100", opts: []Option{WithContentCapture(), WithMaxContentSize(150)}, captured: true, length: 150},
		{name: "no room", opts: []Option{WithContentCapture(), WithMaxContentSize(0)}},
		{name: "a negative limit is none", opts: []Option{WithContentCapture(), WithMaxContentSize(-5)}},
	}
	long := strings.Repeat("é\\n", 1000)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("REVENIUM_CAPTURE_PROMPTS", tt.on)
			t.Setenv("REVENIUM_MAX_PROMPT_SIZE", tt.limit)
			handled := handleErrors(t)
			h := newHarness(t, answering(200, "application/json", chatAnswer), tt.opts...)
			h.exchange(chatURL, `{"model":"m","messages":[{"role":"user","content":"`+long+`"}]}`)
			got := contentOf(h.only())
			if captured := got.input != "" || got.output != ""; captured != tt.captured {
				t.Errorf("captured: %+v", got)
			}
			if n := utf8.RuneCountInString(got.input); tt.length > 0 && (n > tt.length || n < tt.length-40) {
				t.Errorf("%d characters, want about %d: %s", n, tt.length, got.input)
			}
			if tt.length > 0 && (!json.Valid([]byte(got.input)) || !strings.Contains(got.input, cutMark)) {
				t.Errorf("cut: %s", got.input)
			}
			complaints := fmt.Sprint(*handled)
			if tt.complaint == "" && len(*handled) > 0 || !strings.Contains(complaints, tt.complaint) {
				t.Errorf("handled %v, want %q", *handled, tt.complaint)
			}
		})
	}
}

func TestContentRedaction(t *testing.T) {
	redact := func(text string) string {
		if text == "secret answer" {
			return ""
		}
		return strings.ReplaceAll(text, "4711", "****")
	}
	h := newHarness(t, answering(200, "application/json", `{"choices":[{"index":0,"message":{"content":"secret answer","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{\"card\":4711}"}}]},"finish_reason":"stop"}]}`),
		WithContentCapture(), WithContentRedaction(redact))
	h.exchange(chatURL, `{"model":"m","messages":[{"role":"user","content":"my card is 4711"}]}`)
	want := content{
		input:  userSays("my card is ****"),
		output: `[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"f","arguments":"{\"card\":****}"}],"finish_reason":"stop"}]`,
	}
	if diff := cmp.Diff(want, contentOf(h.only()), cmp.AllowUnexported(content{})); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
}

// A request that cannot be had twice is read as it is sent, its content too.
func TestContentOfLargeRequests(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", chatAnswer), WithContentCapture(), WithMaxContentSize(1000))
	body := `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("x", 2*maxBuffered) + `"},{"role":"user","content":"last"}]}`
	req := h.request(t.Context(), chatURL, body)
	req.GetBody = nil
	resp, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	got := contentOf(h.only())
	if !json.Valid([]byte(got.input)) || len(got.input) > 1000 || !strings.Contains(got.input, "xxx"+cutMark) {
		t.Errorf("content %s", got.input)
	}
	if got.output != modelSays("secret answer") {
		t.Errorf("output %s", got.output)
	}
}
