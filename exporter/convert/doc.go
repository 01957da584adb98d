// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package convert turns finished spans into decisions: which of them are calls of
// a model that have to be billed, with which metering record, and why the others
// are not.
package convert
