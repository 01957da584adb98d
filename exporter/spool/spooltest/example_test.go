// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spooltest_test

import (
	"fmt"

	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/exporter/spool/spooltest"
)

func ExampleCheck() {
	err := spooltest.Check(func(l spooltest.Limits) (spool.Queue, error) {
		return spool.NewMemory(spool.WithMaxEntries(l.MaxEntries), spool.WithMaxBytes(l.MaxBytes), spool.WithOverflow(l.Overflow)), nil
	})
	fmt.Println(err)
	// Output: <nil>
}
