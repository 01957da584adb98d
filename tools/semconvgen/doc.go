// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command semconvgen writes the Go files of the packages semconv and
// semconv/limits and the reference page docs/attributes.md from the registry in
// semconv/model.
//
// Run it from the root of the repository:
//
//	go run ./tools/semconvgen
//	go run ./tools/semconvgen -check
//
// The first writes what has changed and names it. The second writes nothing,
// names what is stale and exits with 1 if anything is.
package main
