// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package convert_test

// fewer is by how much fewer seeds properties are tried with, where no goroutine
// takes part and the race detector makes everything slow.
const fewer = 8
