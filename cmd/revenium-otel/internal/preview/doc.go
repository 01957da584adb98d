// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package preview reads exported spans and log records and says what each of them
// would cost: which are billed, with which request, and why the others are not.
package preview
