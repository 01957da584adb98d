// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package limits holds what Revenium's metering API accepts as values of the
// fields of a record, by the Revenium API reference.
//
// Revenium's OTLP endpoint drops a value that is too long without a word, and its
// metering API refuses a whole record for some malformed values. That is why
// values are checked before they are sent.
//
// Lengths are in characters (Unicode code points), not in bytes. The package
// imports nothing of OpenTelemetry.
package limits
