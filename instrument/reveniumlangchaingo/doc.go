// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumlangchaingo meters the model calls of LangChainGo,
// github.com/tmc/langchaingo. Each of its providers takes a client for HTTP:
//
//	llm, err := openai.New(openai.WithHTTPClient(reveniumlangchaingo.Client()))
//
// What is built on such a model stays as it is: chains, agents, tools. Each call of
// the model becomes a span with what the provider counted, streams included;
// package llmhttp says what is in it and what is not (no prompts, no answers). A
// span processor or exporter of this project makes records of the spans.
//
// LangChainGo's own callbacks tell of tokens too, but by another name for each
// provider, once for every choice, and not for all calls: they are no base for a
// bill.
//
// # Google
//
// Google's libraries send no key when they are given a client for HTTP, so that the
// client has to: that is [ClientWithKey].
//
// # Providers without a client
//
// LangChainGo's cohere takes none; its bedrock takes AWS's client for Bedrock, for
// which there is package reveniumbedrock; its googleai/vertex speaks gRPC.
package reveniumlangchaingo
