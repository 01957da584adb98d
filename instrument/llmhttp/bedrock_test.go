// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
)

// awsFrame is a frame of an AWS event stream with its checksums.
func awsFrame(payload string, headers ...string) string {
	var h []byte
	for i := 0; i+1 < len(headers); i += 2 {
		h = append(h, byte(len(headers[i])))
		h = append(h, headers[i]...)
		h = append(h, headerString)
		h = binary.BigEndian.AppendUint16(h, uint16(len(headers[i+1])))
		h = append(h, headers[i+1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(preludeSize+len(h)+len(payload)+checksumSize))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, h...), payload...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

func awsEvent(name, payload string) string {
	return awsFrame(payload, ":event-type", name, ":content-type", "application/json", ":message-type", "event")
}

// awsChunk is a frame of InvokeModelWithResponseStream.
func awsChunk(document string) string {
	return awsEvent("chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(document))+`","p":"abcdef"}`)
}

const (
	bedrockModels = "http://bedrock-runtime.us-east-1.amazonaws.com/model/"
	awsStreamType = "application/vnd.amazon.eventstream"
)

func bedrockAttributes(operation, model string, sets ...map[string]any) map[string]any {
	return attributesOf(append([]map[string]any{{
		"gen_ai.operation.name": operation, "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": model,
	}}, sets...)...)
}

func finish(reasons ...string) map[string]any {
	return map[string]any{"gen_ai.response.finish_reasons": reasons}
}

func TestConverse(t *testing.T) {
	const (
		nova    = "amazon.nova-lite-v1:0"
		profile = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-7-sonnet-20250219-v1:0"
		request = `{"messages":[{"role":"user","content":[{"text":"secret"}]}]}`
	)
	streamed := map[string]any{"gen_ai.request.stream": true}
	stream := awsEvent("messageStart", `{"role":"assistant","p":"ab"}`) +
		awsEvent("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"x"}}`) + awsEvent("messageStop", `{"stopReason":"end_turn"}`)
	metadata := awsEvent("metadata", `{"metrics":{"latencyMs":5},"usage":{"inputTokens":10,"outputTokens":5,"totalTokens":22,"cacheReadInputTokens":7,"cacheWriteInputTokens":0,"serverToolUsage":{}}}`)
	runFormats(t, []formatCase{
		{
			name: "the cache is beside the input", url: bedrockModels + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(profile) + "/converse", span: "chat " + profile,
			request: `{"messages":[{}],"inferenceConfig":{"maxTokens":9,"temperature":0.5,"topP":0.9,"stopSequences":["x"]},"additionalModelRequestFields":{"top_k":3},"serviceTier":{"type":"flex"}}`,
			answer: `{"output":{"message":{"content":[{"text":"secret"}]}},"stopReason":"end_turn","metrics":{"latencyMs":1},"serviceTier":{"type":"flex"},
				"trace":{"guardrail":{"usage":{"inputTokens":999,"topicPolicyUnits":1}}},
				"usage":{"inputTokens":11,"outputTokens":264,"totalTokens":1303,"cacheReadInputTokens":8,"cacheWriteInputTokens":1028,"cacheDetails":[{"ttl":"5m","inputTokens":1000},{"ttl":"1h","inputTokens":28}]}}`,
			want: bedrockAttributes("chat", profile, finish("end_turn"), usageOf(1047, 264, 8, 1028), map[string]any{
				"gen_ai.request.max_tokens": int64(9), "gen_ai.request.temperature": 0.5, "gen_ai.request.top_p": 0.9, "gen_ai.request.stop_sequences": []string{"x"},
				"gen_ai.request.top_k": int64(3), "revenium.service_tier.requested": "flex", "revenium.service_tier.actual": "flex",
				"revenium.usage.cache_creation_5m_tokens": int64(1000), "revenium.usage.cache_creation_1h_tokens": int64(28),
			}),
		},
		{
			name: "stream", url: bedrockModels + nova + "/converse-stream", request: request, answerType: awsStreamType, streamed: true, answer: stream + metadata,
			want: bedrockAttributes("chat", nova, streamed, finish("end_turn"), usageOf(17, 5, 7, 0)),
		},
		{
			name: "exception in a stream", url: bedrockModels + nova + "/converse-stream", request: request, answerType: awsStreamType, streamed: true,
			answer: awsEvent("contentBlockDelta", `{"delta":{"text":"x"}}`) +
				awsFrame(`{"message":"secret"}`, ":exception-type", "throttlingException", ":content-type", "application/json", ":message-type", "exception"),
			failed: "throttlingException", want: bedrockAttributes("chat", nova, streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "stream cut within a frame", url: bedrockModels + nova + "/converse-stream", request: request, answerType: awsStreamType, streamed: true,
			answer: awsEvent("contentBlockDelta", `{"delta":{"text":"x"}}`) + metadata[:len(metadata)-5], failed: instrument.ErrorTypeUnexpectedEOF,
			want: bedrockAttributes("chat", nova, streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "stream cut between frames", url: bedrockModels + nova + "/converse-stream", request: request, answerType: awsStreamType, streamed: true,
			answer: awsEvent("contentBlockDelta", `{"delta":{"text":"x"}}`), failed: instrument.ErrorTypeUnexpectedEOF,
			want: bedrockAttributes("chat", nova, streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "refused", url: bedrockModels + nova + "/converse-stream", request: request, status: 429, failed: "ThrottlingException",
			answerHeaders: []string{"X-Amzn-Errortype", "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"}, answer: `{"message":"secret"}`,
			want: bedrockAttributes("chat", nova, streamed),
		},
		{
			name: "refused without a body", url: bedrockModels + nova + "/converse", request: request, status: 403, failed: "ExpiredTokenException",
			answerHeaders: []string{"X-Amzn-Errortype", "ExpiredTokenException"}, want: bedrockAttributes("chat", nova),
		},
		{
			name: "counting tokens", url: bedrockModels + nova + "/count-tokens", request: `{"input":{}}`, answer: `{"inputTokens":12}`, span: "count_tokens " + nova,
			want: bedrockAttributes("count_tokens", nova),
		},
	})
}

func TestInvokeModel(t *testing.T) {
	counts := []string{"X-Amzn-Bedrock-Input-Token-Count", "40", "X-Amzn-Bedrock-Output-Token-Count", "10", "X-Amzn-Bedrock-Invocation-Latency", "300"}
	streamed := map[string]any{"gen_ai.request.stream": true}
	const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
	claudeStream := awsChunk(`{"type":"message_start","message":{"model":"claude-sonnet-4-5","id":"msg_bdrk_1","usage":{"input_tokens":16,"cache_read_input_tokens":4,"output_tokens":4}}}`) +
		awsChunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}`)
	claudeAnswer := map[string]any{"gen_ai.response.id": "msg_bdrk_1", "gen_ai.response.model": "claude-sonnet-4-5"}
	runFormats(t, []formatCase{
		{
			name: "Claude", url: bedrockModels + claude + "/invoke", request: `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"top_k":5,"messages":[{}]}`, span: "chat " + claude,
			answerHeaders: counts,
			answer:        `{"id":"msg_bdrk_1","type":"message","model":"claude-sonnet-4-5","content":[{"type":"text"}],"stop_reason":"end_turn","usage":{"input_tokens":21,"cache_read_input_tokens":3,"output_tokens":22}}`,
			want:          bedrockAttributes("chat", claude, claudeAnswer, finish("end_turn"), usageOf(24, 22, 3), map[string]any{"gen_ai.request.max_tokens": int64(9), "gen_ai.request.top_k": int64(5)}),
		},
		{
			name: "Claude, stream: its own counts go before those of the platform", url: bedrockModels + claude + "/invoke-with-response-stream", request: `{"messages":[{}]}`,
			answerType: awsStreamType, streamed: true,
			answer: claudeStream + awsChunk(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}`) +
				awsChunk(`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":99,"outputTokenCount":99}}`),
			want: bedrockAttributes("chat", claude, streamed, claudeAnswer, finish("end_turn"), usageOf(20, 7, 4)),
		},
		{
			name: "Claude, stream with an exception", url: bedrockModels + claude + "/invoke-with-response-stream", request: `{"messages":[{}]}`, answerType: awsStreamType, streamed: true,
			answer: claudeStream + awsFrame(`{"message":"secret"}`, ":exception-type", "modelStreamErrorException", ":message-type", "exception"), failed: "modelStreamErrorException",
			want: bedrockAttributes("chat", claude, streamed, claudeAnswer, usageOf(20, 4, 4), map[string]any{"revenium.usage.partial": true}),
		},
		{
			name: "Titan", url: bedrockModels + "amazon.titan-text-lite-v1/invoke", span: "text_completion amazon.titan-text-lite-v1",
			request: `{"inputText":"secret","textGenerationConfig":{"maxTokenCount":10,"temperature":0.8,"topP":1,"stopSequences":["|"]}}`,
			answer:  `{"inputTextTokenCount":5,"results":[{"tokenCount":10,"outputText":"secret","completionReason":"LENGTH"},{"tokenCount":2,"completionReason":"FINISH"}]}`,
			want: bedrockAttributes("text_completion", "amazon.titan-text-lite-v1", finish("LENGTH", "FINISH"), usageOf(5, 12), map[string]any{
				"gen_ai.request.max_tokens": int64(10), "gen_ai.request.temperature": 0.8, "gen_ai.request.top_p": 1.0, "gen_ai.request.stop_sequences": []string{"|"},
			}),
		},
		{
			name: "Titan, stream", url: bedrockModels + "amazon.titan-text-express-v1/invoke-with-response-stream", request: `{"inputText":"secret"}`, answerType: awsStreamType, streamed: true,
			answer: awsChunk(`{"outputText":"x","index":0.0,"inputTextTokenCount":28.0}`) +
				awsChunk(`{"outputText":"y","totalOutputTextTokenCount":188,"completionReason":"FINISH","amazon-bedrock-invocationMetrics":{"inputTokenCount":28,"outputTokenCount":188}}`),
			want: bedrockAttributes("text_completion", "amazon.titan-text-express-v1", streamed, finish("FINISH"), usageOf(28, 188)),
		},
		{
			name: "Titan, stopped by a guardrail: nobody measured", url: bedrockModels + "amazon.titan-text-express-v1/invoke-with-response-stream", request: `{"inputText":"secret"}`, answerType: awsStreamType, streamed: true,
			answer: awsChunk(`{"outputText":"x","amazon-bedrock-guardrailAction":"INTERVENED"}`),
			want:   bedrockAttributes("text_completion", "amazon.titan-text-express-v1", streamed, map[string]any{"revenium.usage.missing": true}),
		},
		{
			name: "Titan embeddings", url: bedrockModels + "amazon.titan-embed-text-v2:0/invoke", request: `{"inputText":"secret","dimensions":256}`, answerHeaders: counts[:2],
			answer: `{"embedding":[0.1],"inputTextTokenCount":3}`,
			want:   bedrockAttributes("embeddings", "amazon.titan-embed-text-v2:0", usageOf(3), map[string]any{"gen_ai.embeddings.dimension.count": int64(256)}),
		},
		{
			name: "Llama", url: bedrockModels + "meta.llama3-1-70b-instruct-v1:0/invoke", request: `{"prompt":"secret","max_gen_len":10}`,
			answer: `{"generation":"secret","prompt_token_count":5,"generation_token_count":10,"stop_reason":"length"}`,
			want:   bedrockAttributes("text_completion", "meta.llama3-1-70b-instruct-v1:0", finish("length"), usageOf(5, 10), map[string]any{"gen_ai.request.max_tokens": int64(10)}),
		},
		{
			name: "Llama, stream", url: bedrockModels + "meta.llama3-1-70b-instruct-v1:0/invoke-with-response-stream", request: `{"prompt":"secret"}`, answerType: awsStreamType, streamed: true,
			answer: awsChunk(`{"generation":"x","prompt_token_count":5,"generation_token_count":1,"stop_reason":null}`) + awsChunk(`{"generation":"","prompt_token_count":null,"generation_token_count":3,"stop_reason":"stop"}`),
			want:   bedrockAttributes("text_completion", "meta.llama3-1-70b-instruct-v1:0", streamed, finish("stop"), usageOf(5, 3)),
		},
		{
			name: "Nova, stream", url: bedrockModels + "us.amazon.nova-pro-v1:0/invoke-with-response-stream", request: `{"messages":[{}],"inferenceConfig":{"max_new_tokens":7}}`, answerType: awsStreamType, streamed: true,
			answer: awsChunk(`{"contentBlockDelta":{"delta":{"text":"x"}}}`) + awsChunk(`{"messageStop":{"stopReason":"end_turn"}}`) + awsChunk(`{"metadata":{"usage":{"inputTokens":4,"outputTokens":6,"totalTokens":10}}}`),
			want:   bedrockAttributes("chat", "us.amazon.nova-pro-v1:0", streamed, finish("end_turn"), usageOf(4, 6), map[string]any{"gen_ai.request.max_tokens": int64(7)}),
		},
		{
			name: "Cohere: the headers have what is billed", url: bedrockModels + "cohere.command-text-v14/invoke", request: `{"prompt":"secret","num_generations":2,"p":1,"k":3}`, answerHeaders: counts,
			answer: `{"id":"i1","generations":[{"id":"a","finish_reason":"MAX_TOKENS"},{"id":"b","finish_reason":"COMPLETE"}],"prompt":"secret"}`,
			want: bedrockAttributes("text_completion", "cohere.command-text-v14", finish("MAX_TOKENS", "COMPLETE"), usageOf(40, 10), map[string]any{
				"gen_ai.response.id": "i1", "gen_ai.request.choice.count": int64(2), "gen_ai.request.top_p": 1.0, "gen_ai.request.top_k": int64(3),
			}),
		},
		{
			name: "a stream, whatever the body says", url: bedrockModels + "cohere.command-text-v14/invoke-with-response-stream", request: `{"prompt":"secret","stream":false,"model":"x"}`,
			answerType: awsStreamType, streamed: true,
			answer: awsChunk(`{"generations":[{"id":"a","finish_reason":"MAX_TOKENS","text":"x"}],"id":"i1","amazon-bedrock-invocationMetrics":{"inputTokenCount":4,"outputTokenCount":6}}`),
			want:   bedrockAttributes("text_completion", "cohere.command-text-v14", streamed, finish("MAX_TOKENS"), usageOf(4, 6), map[string]any{"gen_ai.response.id": "i1"}),
		},
		{
			name: "no stream, whatever the body says", url: bedrockModels + "cohere.command-text-v14/invoke", request: `{"prompt":"secret","stream":true}`, answerHeaders: counts,
			answer: `{"id":"i1","generations":[{"id":"a","finish_reason":"COMPLETE"}]}`,
			want:   bedrockAttributes("text_completion", "cohere.command-text-v14", finish("COMPLETE"), usageOf(40, 10), map[string]any{"gen_ai.response.id": "i1"}),
		},
		{
			name: "Mistral", url: bedrockModels + "mistral.mistral-7b-instruct-v0:2/invoke", request: `{"prompt":"secret","stop":["x"]}`, answerHeaders: counts,
			answer: `{"outputs":[{"text":"secret","stop_reason":"stop"}]}`,
			want:   bedrockAttributes("text_completion", "mistral.mistral-7b-instruct-v0:2", finish("stop"), usageOf(40, 10), map[string]any{"gen_ai.request.stop_sequences": []string{"x"}}),
		},
		{
			name: "DeepSeek", url: bedrockModels + "us.deepseek.r1-v1:0/invoke", request: `{"prompt":"secret"}`, answerHeaders: counts,
			answer: `{"choices":[{"text":"secret","stop_reason":"length"}]}`,
			want:   bedrockAttributes("text_completion", "us.deepseek.r1-v1:0", finish("length"), usageOf(40, 10)),
		},
		{
			name: "in OpenAI's shape", url: bedrockModels + "openai.gpt-oss-20b-1:0/invoke", request: `{"messages":[{}],"max_completion_tokens":7}`,
			answer: `{"id":"chatcmpl-1","model":"gpt-oss","choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":4,"total_tokens":13,"prompt_tokens_details":{"cached_tokens":2}}}`,
			want: bedrockAttributes("chat", "openai.gpt-oss-20b-1:0", finish("stop"), usageOf(9, 4, 2), map[string]any{
				"gen_ai.response.id": "chatcmpl-1", "gen_ai.response.model": "gpt-oss", "gen_ai.request.max_tokens": int64(7),
			}),
		},
		{
			name: "images", url: bedrockModels + "amazon.nova-canvas-v1:0/invoke", request: `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"secret"},"imageGenerationConfig":{"numberOfImages":2,"quality":"premium"}}`,
			answer: `{"images":["QUJD","QUJD"]}`,
			want: bedrockAttributes("image_generation", "amazon.nova-canvas-v1:0", map[string]any{
				"gen_ai.output.type": "image", "revenium.billing.unit": "PER_IMAGE", "gen_ai.request.choice.count": int64(2), "revenium.image.requested_count": int64(2),
				"revenium.image.count": int64(2), "revenium.image.quality": "premium",
			}),
		},
		{
			name: "a model of somebody's own, that is sent messages", url: bedrockModels + "arn:aws:bedrock:us-east-1:1:imported-model%2Fabc/invoke", request: `{"messages":[{}]}`, answerHeaders: counts,
			answer: `{}`, want: bedrockAttributes("chat", "arn:aws:bedrock:us-east-1:1:imported-model/abc", usageOf(40, 10)),
		},
	})
}

// AWS's clients do not say that what they send is JSON.
func TestInvokeModelOfNoType(t *testing.T) {
	h := newHarness(t, answering(200, "application/json", `{"generation":"x","prompt_token_count":5,"generation_token_count":7}`))
	h.exchange(bedrockModels+"meta.llama3/invoke", `{"prompt":"x"}`, "Content-Type", "application/octet-stream")
	h.only().want(t, usageOf(5, 7))
}

// A video by InvokeModel is metered when it is whole.
func TestAsyncInvoke(t *testing.T) {
	const url = "http://bedrock-runtime.us-east-1.amazonaws.com/async-invoke"
	const request = `{"modelId":"amazon.nova-reel-v1:1","modelInput":{"taskType":"TEXT_VIDEO","textToVideoParams":{"text":"secret"},"videoGenerationConfig":{"durationSeconds":6,"dimension":"1280x720"}}}`
	for status, want := range map[string]map[string]any{
		"Completed": {"revenium.video.duration": 6.0, "revenium.video.resolution": "1280x720", "revenium.video.completion_status": "SUCCESS", "error.type": nil},
		"Failed":    {"revenium.video.duration": nil, "revenium.video.completion_status": "FAILED", "error.type": instrument.ErrorTypeOther},
	} {
		const arn = "arn:aws:bedrock:us-east-1:1:async-invoke/x"
		server := &jobServer{answers: []string{`{"invocationArn":"` + arn + `"}`, `{"invocationArn":"` + arn + `","status":"InProgress"}`, `{"invocationArn":"` + arn + `","status":"` + status + `","failureMessage":"secret"}`}}
		h := newHarness(t, server.ServeHTTP)
		h.exchange(url, request)
		for range 2 {
			h.get(url + "/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aasync-invoke%2Fx")
		}
		spans := h.all()
		spans[0].want(t, map[string]any{"revenium.metering.skip": true, "gen_ai.request.model": "amazon.nova-reel-v1:1"})
		spans[1].want(t, map[string]any{"revenium.metering.skip": true})
		spans[2].want(t, want)
		if name := "video_generation amazon.nova-reel-v1:1"; spans[2].Name != name {
			t.Errorf("span %q, want %q", spans[2].Name, name)
		}
	}
}

// A frame of any size needs no memory, and what is no frame is not read.
func TestFrames(t *testing.T) {
	var log frameLog
	r := newFrameReader(&log)
	long := awsEvent("long", strings.Repeat("x", 1<<20))
	other := awsFrame("y", "flag", "z", ":event-type", "second")
	for piece := range chunks([]byte(long+other+awsFrame("", ":exception-type", "e")), 1000) {
		r.write(piece)
	}
	if log.size != 1<<20+1 || strings.Join(log.frames, " ") != "long/ second/ /e" {
		t.Errorf("%d bytes of payload, frames %q", log.size, log.frames)
	}
	for name, broken := range map[string]string{
		"too long":           "\xff\xff\xff\xff\x00\x00\x00\x00....",
		"headers too long":   "\x00\x00\x00\x20\x00\x00\x00\x1f....",
		"shorter than a CRC": "\x00\x00\x00\x0f\x00\x00\x00\x00....",
	} {
		log := frameLog{}
		r := newFrameReader(&log)
		r.write([]byte(broken + long))
		if len(log.frames) != 0 || r.state != framesBroken {
			t.Errorf("%s: %q, state %d", name, log.frames, r.state)
		}
	}
}

// Headers of all types are skipped over, and broken ones end the reading.
func TestFrameHeaders(t *testing.T) {
	const event = "\x0b:event-type\x07\x00\x02ev"
	for headers, want := range map[string]string{
		"\x01a\x00\x01b\x01\x01c\x02.\x01d\x03..\x01e\x04....\x01f\x05........\x01g\x06\x00\x01.\x01h\x08........\x01i\x09................" + event: "ev",
		"\x01a\x0a" + event:     "", // no such type
		"\x01a\x07\xff\xff.":    "",
		"\x01a\x07\x00":         "",
		"\x01a":                 "",
		"\xffa":                 "",
		event + "\x01a\x04..":   "ev",
		"\x0b:event-type\x05ev": "",
	} {
		var f eventFrame
		f.read([]byte(headers))
		if string(f.event) != want {
			t.Errorf("%q: event %q, want %q", headers, f.event, want)
		}
	}
}

// frameLog is a frameSink that writes down what it gets.
type frameLog struct {
	size   int
	frames []string
}

func (l *frameLog) payload(p []byte) { l.size += len(p) }

func (l *frameLog) endFrame(f *eventFrame) {
	l.frames = append(l.frames, string(f.event)+"/"+string(f.exception))
}

// Whatever comes as frames, in whatever pieces, is read in the same way.
func FuzzFrames(f *testing.F) {
	f.Add([]byte(awsEvent("a", "{}")+awsFrame("x", ":exception-type", "e")), 3)
	f.Add([]byte(awsChunk(`{"type":"message_stop"}`)), 1)
	f.Add([]byte("\x00\x00\x00\x10\x00\x00\x00\x00........"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		size = 1 + (size%64+64)%64
		read := func(size int) (frameLog, tokens) {
			var log frameLog
			r := newFrameReader(&log)
			reader := newReplyReader(targetOf(t, "bedrock.invoke"), false)
			a := newAnswer(reader)
			for piece := range chunks(stream, size) {
				r.write(piece)
				a.write(piece)
			}
			a.end()
			return log, reader.res.tokens
		}
		whole, wholeTokens := read(len(stream) + 1)
		pieces, pieceTokens := read(size)
		if whole.size != pieces.size || !slices.Equal(whole.frames, pieces.frames) || wholeTokens != pieceTokens {
			t.Errorf("whole %+v %v, pieces of %d %+v %v", whole, wholeTokens, size, pieces, pieceTokens)
		}
		if whole.size > len(stream) {
			t.Errorf("%d bytes of payload in %d", whole.size, len(stream))
		}
	})
}
