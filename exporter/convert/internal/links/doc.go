// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package links remembers which span is the parent of which, for the spans of the
// last moments, and for those that have not come, what waits for them. It is asked about every span of
// a process or a Collector: it is bounded, does not allocate once it has its size,
// and is not locked as a whole.
package links
