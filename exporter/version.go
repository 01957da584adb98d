// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

// version is the version of this module; see versions.yaml.
const version = "0.1.0"
