// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package spool keeps frozen metering records between conversion and the wire.
//
// A [Queue] is bounded in entries and bytes and never blocks: what does not fit
// is refused or displaces the oldest record, by an explicit [OverflowPolicy], and
// the caller learns which record that was. Items are handed out in the order in
// which they become due: new ones at once, those that wait for another attempt
// when their time has come. An item that was handed out stays in the queue until
// it is acknowledged, so that a queue on disk survives a crash in the middle of
// an attempt.
//
// [Memory] is the queue in memory. [Disk] is the one on disk, of which a
// [Directory] has one for each tenant; [Inspect] looks at a directory from outside.
// Package spooltest checks whether another implementation keeps the same contract.
package spool
