// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package exporter_test

const raceEnabled = true
