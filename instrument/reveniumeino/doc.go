// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumeino meters the model calls of Eino, github.com/cloudwego/eino.
// Its models take a client for HTTP in their configuration:
//
//	model, err := openai.NewChatModel(ctx, &openai.ChatModelConfig{
//		Model:      "gpt-4o",
//		APIKey:     key,
//		HTTPClient: reveniumeino.Client(nil),
//	})
//
// What is built on such a model stays as it is: chains, graphs, agents. Each call of
// the model becomes a span with what the provider counted, streams included;
// package llmhttp says what is in it and what is not (no prompts, no answers). A
// span processor or exporter of this project makes records of the spans.
//
// # Graphs and tools
//
// [Handler] is a callback that makes spans of runs of graphs, chains and workflows
// and of executions of tools, by their names, with the model's calls beneath them.
// It is registered once, when the program starts:
//
//	callbacks.AppendGlobalHandlers(reveniumeino.Handler())
//
// Those spans are never billed. Eino's callbacks tell of tokens too, without those
// that were written to a cache; the bill is made of what went over the wire.
package reveniumeino
