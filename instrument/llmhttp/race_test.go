// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package llmhttp

// raceEnabled says that the race detector is at work.
const raceEnabled = true
