// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumgenai meters the calls of Google's Gen AI client for Go,
// google.golang.org/genai, on Gemini's API and on Vertex AI. A client is made here
// instead of there:
//
//	client, err := reveniumgenai.NewClient(ctx, &genai.ClientConfig{APIKey: key})
//
// It is the same client with the same calls. Each of them becomes a span with what
// Google counted, streams, thoughts, tools and embeddings included; package
// llmhttp says what is in it and what is not (no prompts, no answers). A span
// processor or exporter of this project makes records of the spans.
//
// # Credentials
//
// On Vertex AI the client authorises its requests only if it also makes the client
// for HTTP: a metered one in its configuration would lose the credentials.
// [NewClient] has the client make its own and meters that. A client for HTTP that
// the configuration has is used and is, as without metering, the one that
// authorises.
package reveniumgenai
