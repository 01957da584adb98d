// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package semconv holds the names that this project reads and writes: the keys of
// span attributes, the x-revenium-* HTTP headers and the environment variables.
// Names and nothing else; the limits of values are in the package limits.
//
// The revenium.* attributes say who pays for a call and what it is part of. The
// gen_ai.* attributes, those of the OpenTelemetry GenAI conventions, say what
// happened; they are here because OpenTelemetry's own Go package has none of them
// since version 1.42 of the conventions.
//
// Each attribute has a key and, unless it is an older name that is only read or
// has a list of known values, a function that makes an attribute of it:
//
//	span.SetAttributes(
//		semconv.ReveniumOrganizationName("acme"),
//		semconv.GenAIOperationNameChat,
//		semconv.GenAIUsageInputTokens(100),
//	)
//
// [Fields] ties the fields of a metering record to the attributes, headers and
// environment variables that give their values. [IsLLMSpan] knows an LLM span by
// the names that it starts with.
//
// All of it is generated from the registry in semconv/model, which is in the
// format of OpenTelemetry's weaver, so that other languages can generate theirs.
// The reference page docs/attributes.md comes from there as well.
package semconv
