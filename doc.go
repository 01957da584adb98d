// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package revenium meters the LLM calls of a Go service with one call, for
// services that have no OpenTelemetry set up yet.
//
// [Start] makes a TracerProvider whose spans are metered by package exporter,
// and sets it as the global one together with propagators for trace context and
// baggage. What makes the spans is up to the service: packages instrument and
// instrument/llmhttp, or any instrumentation that follows the OpenTelemetry GenAI
// conventions. Who pays for the calls is said with instrument.WithMetadata, whose
// values Start has stamped on LLM spans of any instrumentation. A service that has
// a TracerProvider already adds instrument.NewSpanProcessor, exporter.NewProcessor
// and exporter.NewSampler to it and does not need this package.
//
// # Settings
//
// REVENIUM_METERING_API_KEY is required, here or by an option. Package exporter
// lists the other REVENIUM_* variables. Of OpenTelemetry's own:
//
//   - OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name the service;
//   - OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG choose which traces are
//     exported. LLM calls are metered in any case. [WithSampler] outranks them;
//   - spans also go to an OTLP endpoint, such as a Collector, if
//     OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set or
//     OTEL_TRACES_EXPORTER is "otlp", and not if the latter is "none".
//     OTEL_EXPORTER_OTLP_TRACES_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL chooses
//     "http/protobuf" (the default), "http/json" or "grpc"; packages
//     otlptracehttp and otlptracegrpc list the others;
//   - OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT bounds the attributes of a span. The default
//     here is 512 instead of the SDK's 128: spans that carry messages as
//     attributes would otherwise lose token counts, which come last;
//   - OTEL_BSP_* tune the batches that go to OTLP.
//
// An empty variable counts as unset; one that is not understood is logged and
// ignored.
//
// Do not point OTLP at Revenium's own OTLP endpoint as well: each call would be
// billed twice, under two ids. Start warns when it sees that.
package revenium
