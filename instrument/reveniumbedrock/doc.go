// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumbedrock meters the calls of AWS's client for Amazon Bedrock,
// github.com/aws/aws-sdk-go-v2/service/bedrockruntime, with one more option:
//
//	client := bedrockruntime.NewFromConfig(cfg, reveniumbedrock.WithMetering())
//
// The client and its calls stay as they are. Each attempt of Converse,
// ConverseStream, InvokeModel and InvokeModelWithResponseStream becomes a span
// with what Bedrock counted; package llmhttp says what is in it and what is not
// (no prompts, no answers). A span processor or exporter of this project makes
// records of the spans.
//
// # Signatures, certificates, timeouts
//
// Requests are seen after they have been signed, and nothing that is signed is
// changed: neither path nor query, body or signed headers.
//
// The option belongs here and not into the configuration. The AWS SDK tunes the
// client for HTTP (timeouts of the defaults mode, the long read timeout of models,
// AWS_CA_BUNDLE) only as long as it is its own, and refuses to load a
// configuration with AWS_CA_BUNDLE and a foreign client. The option wraps the
// client when all of that is done.
package reveniumbedrock
