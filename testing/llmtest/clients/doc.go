// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package clients runs official clients that have no adapter of their own against
// package llmtest, through the transport of package llmhttp. It has tests only;
// the other clients are run in the modules of their adapters.
package clients
