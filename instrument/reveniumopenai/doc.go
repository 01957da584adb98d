// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumopenai meters the calls of OpenAI's official Go client,
// github.com/openai/openai-go/v3, with one more option:
//
//	client := openai.NewClient(reveniumopenai.WithMetering())
//
// The client and its calls stay as they are. Each attempt of a call becomes a
// span with what OpenAI counted, streams and responses that run in the background
// included; package llmhttp says what is in it and what is not (no prompts, no
// answers). A span processor or exporter of this project makes records of the
// spans.
//
// # Azure, Bedrock, other servers
//
// The option goes together with those of packages azure and bedrock, before or
// after them, and with any base URL:
//
//	client := openai.NewClient(
//		azure.WithEndpoint(endpoint, "2024-10-21"),
//		azure.WithAPIKey(key),
//		reveniumopenai.WithMetering(),
//	)
//
// It does not choose the HTTP client, so that option.WithHTTPClient keeps its
// meaning wherever it stands.
package reveniumopenai
