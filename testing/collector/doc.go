// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package collector tests the distribution cmd/otelcol-revenium from outside: it
// builds the binary once, starts it as people do, sends spans by OTLP and compares
// what an in-process Revenium gets. It has nothing to import.
package collector
