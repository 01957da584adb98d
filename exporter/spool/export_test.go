// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

// WithReadAhead bounds what a queue keeps in memory of what is on disk, and how
// many entries it reads at once.
func WithReadAhead(cache int64, entries int) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) { s.cacheBytes, s.readEntries = cache, entries })
}

// WithFault makes operations on files fail: "create", "commit", "adopt", "read".
func WithFault(fault func(op, path string) error) DirectoryOption {
	return directoryOptionFunc(func(s *directorySettings) { s.fault = fault })
}
