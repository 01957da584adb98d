// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

// Default bounds of [Memory]. A chat record takes about 1 KB, so that the two
// bounds are reached at about the same time.
const (
	DefaultMaxEntries = 32768
	DefaultMaxBytes   = 48 << 20
)

// DefaultMaxDiskBytes is the default bound of each queue of a [Directory], in
// bytes of its items. It has no bound in entries by default. The files are larger
// than that by about a third.
const DefaultMaxDiskBytes = 1 << 30

// limits are the bounds of a queue and what it does at them.
type limits struct {
	maxEntries int // 0 = unbounded
	maxBytes   int64
	overflow   OverflowPolicy
}

// LimitOption bounds a queue, be it in memory or on disk.
type LimitOption interface {
	MemoryOption
	DirectoryOption
	applyLimits(l *limits)
}

type limitOptionFunc func(*limits)

func (f limitOptionFunc) applyLimits(l *limits)               { f(l) }
func (f limitOptionFunc) applyMemory(q *Memory)               { f(&q.limits) }
func (f limitOptionFunc) applyDirectory(c *directorySettings) { f(&c.limits) }

// WithMaxEntries bounds the number of items; the default is [DefaultMaxEntries] in
// memory and none on disk. A value below one is ignored.
func WithMaxEntries(n int) LimitOption {
	return limitOptionFunc(func(l *limits) {
		if n > 0 {
			l.maxEntries = n
		}
	})
}

// WithMaxBytes bounds the bytes of all items together; the default is
// [DefaultMaxBytes] in memory and [DefaultMaxDiskBytes] on disk. A value below one
// is ignored.
func WithMaxBytes(n int64) LimitOption {
	return limitOptionFunc(func(l *limits) {
		if n > 0 {
			l.maxBytes = n
		}
	})
}

// WithOverflow chooses what a full queue gives up; the default is [DropNewest].
func WithOverflow(policy OverflowPolicy) LimitOption {
	return limitOptionFunc(func(l *limits) { l.overflow = policy })
}
