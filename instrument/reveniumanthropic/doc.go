// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumanthropic meters the calls of Anthropic's official Go client,
// github.com/anthropics/anthropic-sdk-go, with one more option:
//
//	client := anthropic.NewClient(reveniumanthropic.WithMetering())
//
// The client and its calls stay as they are. Each attempt of a call becomes a
// span with what Anthropic counted, the cache in its two durations and streams
// included; package llmhttp says what is in it and what is not (no prompts, no
// answers). A span processor or exporter of this project makes records of the
// spans.
//
// # The client's own spans
//
// This client makes spans of its own, with counts, as soon as a global tracer
// provider is registered: one call would be two spans that look billable. The
// option therefore turns them off. If you want to have them, for your tracing,
// turn them on again after it:
//
//	client := anthropic.NewClient(
//		reveniumanthropic.WithMetering(),
//		option.WithOpenTelemetryTraces(true),
//	)
//
// The span of this package is then a child of the client's, which is marked with
// revenium.metering.skip: one call, one bill.
//
// # Bedrock and Vertex AI
//
// The option goes together with those of packages bedrock and vertex. Before them
// is the better place, where the client's authors want middleware to be:
//
//	client := anthropic.NewClient(
//		reveniumanthropic.WithMetering(),
//		bedrock.WithConfig(cfg),
//	)
//
// After them it works as well: it sees Bedrock's own format there, and changes
// nothing of what is signed.
package reveniumanthropic
