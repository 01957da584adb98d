// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package literal reads single values out of texts that hold structured data: JSON
// and the literals that Python prints, also where one is encoded inside a string
// of the other. It builds no tree, evaluates nothing and is bounded in size and
// depth.
package literal
