// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package pdataview shows the spans of the Collector's data model to package
// convert without copying them.
//
// It is a module of its own, so that whoever meters with the OpenTelemetry SDK
// alone need not have the Collector's packages.
package pdataview
