// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

// Version is the version of this module, and of the instrumentation scopes of
// its spans.
const Version = "0.1.0"

// ScopeName is the name of the instrumentation scope of spans made by hand.
const ScopeName = "github.com/revenium/revenium-otel-go/instrument"
