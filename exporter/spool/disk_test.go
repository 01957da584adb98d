// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"errors"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/exporter/spool/spooltest"
)

// ownDirectory is a queue with a directory of its own.
type ownDirectory struct {
	*spool.Disk
	dir *spool.Directory
}

func (q ownDirectory) Close() error { return errors.Join(q.Disk.Close(), q.dir.Close()) }

// TestDiskContract: a queue on disk is a queue, however much of it is in memory
// and however soon it is written.
func TestDiskContract(t *testing.T) {
	for name, opts := range map[string][]spool.DirectoryOption{
		"usual":                      nil,
		"nothing cached":             {spool.WithReadAhead(0, 2), spool.WithCommitInterval(0)},
		"little cached":              {spool.WithReadAhead(700, 3), spool.WithCommitInterval(50 * time.Microsecond)},
		"written late":               {spool.WithCommitInterval(time.Hour)},
		"without fsync":              {spool.WithoutFsync(), spool.WithCommitInterval(0)},
		"without fsync, little read": {spool.WithoutFsync(), spool.WithReadAhead(400, 1), spool.WithCommitInterval(0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := spooltest.Check(func(l spooltest.Limits) (spool.Queue, error) {
				dir, err := spool.Open(t.TempDir(), append(opts,
					spool.WithMaxEntries(l.MaxEntries), spool.WithMaxBytes(l.MaxBytes), spool.WithOverflow(l.Overflow))...)
				if err != nil {
					return nil, err
				}
				return ownDirectory{dir.Queue(""), dir}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}
