// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumollama meters the calls of Ollama's Go client,
// github.com/ollama/ollama/api. A client is made here instead of there:
//
//	client, err := reveniumollama.ClientFromEnvironment()
//
// It is the same client with the same calls. Each chat, generation and embedding
// becomes a span with what Ollama counted, streams included; package llmhttp says
// what is in it and what is not (no prompts, no answers). A span processor or
// exporter of this project makes records of the spans.
//
// Ollama leaves out counts of 0, and older servers also leave out the prompt's
// where it was cached: what was not told is not metered as 0.
package reveniumollama
