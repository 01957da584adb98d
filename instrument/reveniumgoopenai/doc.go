// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumgoopenai meters the calls of the Go client
// github.com/sashabaranov/go-openai, by a change of its configuration:
//
//	client := openai.NewClientWithConfig(reveniumgoopenai.WithMetering(openai.DefaultConfig(key)))
//
// The client and its calls stay as they are, for Azure and for compatible servers
// too. Each call becomes a span with what the provider counted, streams included;
// package llmhttp says what is in it and what is not (no prompts, no answers). A
// span processor or exporter of this project makes records of the spans.
//
// The client tries nothing again. Its streams end for the caller at the last
// event, and so does the span: it does not matter whether the stream is closed.
package reveniumgoopenai
