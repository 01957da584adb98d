// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package reveniumexporter is the OpenTelemetry Collector component named
// "revenium": an exporter that turns the spans and log records of LLM calls, from
// services in any language and with any GenAI instrumentation, into Revenium
// metering records.
//
// Spans are decided about and their records frozen before the sending queue, so
// that a persistent queue holds records and never a prompt, and every attempt
// sends the same bytes. README.md describes the settings.
package reveniumexporter
