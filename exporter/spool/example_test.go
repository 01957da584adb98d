// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// A record stays in the queue until its delivery is acknowledged; a failed attempt
// puts it back for later.
func Example() {
	queue := spool.NewMemory(spool.WithMaxEntries(2))
	now := time.Now()
	for _, id := range []string{"one", "two", "three"} {
		_, err := queue.Put(spool.Item{Frozen: metering.Frozen{TransactionID: id}, Created: now}, now)
		if errors.Is(err, spool.ErrFull) {
			fmt.Println("no room for", id)
		}
	}

	entry, _, err := queue.Take(now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sending", entry.TransactionID)
	if err := queue.Requeue(entry.ID, entry.Attempts+1, now.Add(time.Second)); err != nil {
		fmt.Println(err)
	}

	entry, _, _ = queue.Take(now)
	fmt.Println("sending", entry.TransactionID)
	if err := queue.Ack(entry.ID); err != nil {
		fmt.Println(err)
	}
	fmt.Println(queue.Stats().Entries, "left")
	// Output:
	// no room for three
	// sending one
	// sending two
	// 1 left
}

// What is in a directory survives the process: the next one that opens it goes on.
func ExampleOpen() {
	path, err := os.MkdirTemp("", "spool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(path) }()

	dir, err := spool.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Now()
	if _, err := dir.Queue("").Put(spool.Item{Frozen: metering.Frozen{TransactionID: "one"}, Created: now}, now); err != nil {
		fmt.Println(err)
	}
	if err := dir.Sync(); err != nil { // from here on it is safe
		fmt.Println(err)
	}
	if err := dir.Close(); err != nil {
		fmt.Println(err)
	}

	dir, err = spool.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	entry, _, err := dir.Queue("").Take(time.Now())
	fmt.Println(entry.TransactionID, err)
	if err := dir.Close(); err != nil {
		fmt.Println(err)
	}
	// Output: one <nil>
}
