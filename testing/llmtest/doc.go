// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package llmtest is an in-process LLM provider for tests and demonstrations. It speaks OpenAI's HTTP API: chat
// completions, legacy completions and embeddings, plain and streamed, with and without /v1, under Azure's
// /openai/deployments/{deployment} and LiteLLM's /engines/{model}; with [WithLiteLLM] it answers as a LiteLLM proxy.
//
// # In a test
//
// [Start] gives a server that lives as long as the test. Any OpenAI client talks to it:
//
//	llm := llmtest.Start(t)
//	client := openai.NewClient(option.WithBaseURL(llm.BaseURL()), option.WithAPIKey("any"))
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
// # Streams
//
// Whether an answer is streamed is up to the request. Chunks have OpenAI's shape: with
// stream_options.include_usage each has "usage":null and one without choices brings the usage before [DONE];
// without it there is no usage. [Stream] changes that to other providers' habits, slows the stream down, and ends it
// badly: cut, by an error event, without [DONE], or never. A [Answer.Gate] gives each event into the test's hand:
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
