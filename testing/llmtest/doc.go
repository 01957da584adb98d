// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package llmtest is an in-process LLM provider for tests and demonstrations. It speaks the HTTP APIs of those that Go
// programs call, plain and streamed, so that the official clients talk to it without noticing:
//
//   - OpenAI: chat completions, responses (stored, in the background, compacted), legacy completions, embeddings,
//     images, videos, transcription, translation, speech, moderation; with and without /v1, under Azure's
//     /openai/deployments/{deployment} and LiteLLM's /engines/{model}
//   - Anthropic: completions, messages and their count, also as Vertex AI has them (:rawPredict, :streamRawPredict)
//   - Google: generateContent and streamGenerateContent (server-sent events, or a list), embeddings, countTokens,
//     videos; on Vertex AI also :predict, for embeddings and images
//   - Amazon Bedrock: Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream, with event streams and
//     the bodies of Claude, Titan, Nova, Llama, Mistral, Command and imported models
//   - Cohere: chat in versions 1 and 2, embed, rerank
//   - Ollama: chat, generate, embed
//
// With [WithLiteLLM] it answers as a LiteLLM proxy. Requests that the provider would refuse are refused in its words.
//
// # In a test
//
// [Start] gives a server that lives as long as the test. What a client is told is the server's address, or for
// OpenAI's the address with /v1:
//
//	llm := llmtest.Start(t)
//
//	openai.NewClient(option.WithBaseURL(llm.BaseURL()), option.WithAPIKey("any"))
//	anthropic.NewClient(option.WithBaseURL(llm.URL()), option.WithAPIKey("any"))
//	genai.NewClient(ctx, &genai.ClientConfig{APIKey: "any", HTTPOptions: genai.HTTPOptions{BaseURL: llm.URL()}})
//	bedrockruntime.NewFromConfig(cfg, func(o *bedrockruntime.Options) { o.BaseEndpoint = aws.String(llm.URL()) })
//	ollama.NewClient(url, http.DefaultClient) // url is the parsed llm.URL()
//
// Without more ado it repeats what was asked, with plausible usage (see [CountTokens]), the same every time.
// [Server.Enqueue] scripts the next answers, [Server.Handle] decides by request:
//
//	llm.Enqueue(
//		llmtest.Fail(429),
//		llmtest.Answer{Text: "Hello!", Usage: &llmtest.Usage{PromptTokens: 1200, CachedTokens: 1024, CompletionTokens: 2}},
//		llmtest.Answer{ToolCalls: []llmtest.ToolCall{{Name: "weather", Arguments: `{"city":"Delft"}`}}},
//	)
//
// One script serves all APIs: an [Answer] says things once, and each is written as the provider of that API would,
// its arithmetic included. Of the 1,200 tokens above, Anthropic and Bedrock count 176 as input and 1,024 beside it,
// OpenAI and Google count 1,200 of which 1,024 were cached. What only one provider says goes into the Extra fields.
//
// # Streams
//
// Whether an answer is streamed is up to the request. Chunks of OpenAI's chats have its shape: with
// stream_options.include_usage each has "usage":null and one without choices brings the usage before [DONE];
// without it there is no usage. [Stream] changes that to other providers' habits. It also slows streams of all kinds
// down, and ends them badly: cut, by an error event, without the mark of their end, or never. A [Answer.Gate] gives
// each event into the test's hand:
//
//	gate := make(chan struct{})
//	llm.Enqueue(llmtest.Answer{Pieces: []string{"Hel", "lo"}, Gate: gate})
//	...
//	gate <- struct{}{} // the first chunk goes out
//
// # What clients did
//
// [Server.Requests] tells what arrived, what was answered and whether the client left before the end. A client's
// leaving is seen when the server waits or writes: an answer that was already on its way as a whole counts as sent.
package llmtest
