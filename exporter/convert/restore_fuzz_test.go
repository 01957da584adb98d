// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// FuzzRestore: whatever is stored, restoring it neither panics nor makes the
// converter larger than its bounds, and what is converted afterwards is decided
// about.
func FuzzRestore(f *testing.F) {
	spans, links := stateChunks(f)
	for _, seed := range [][]byte{spans, links, {}} {
		f.Add(seed[:max(0, len(seed)-4)])
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		// A checksum that is right, or hardly anything would come further.
		chunk := binary.BigEndian.AppendUint32(slices.Clip(content), crc32.Checksum(content, crc32.MakeTable(crc32.Castagnoli)))
		c := newConverter(t, convert.WithJournal(), convert.WithMaxHeld(8), convert.WithRecent(16, 1e12), convert.WithLinks(64))
		r := c.Restore()
		_, err := r.Add(chunk)
		held := r.End()
		if len(held) != c.Held() || err != nil && len(held) > 0 || c.Stats().Recent > 16 {
			t.Fatalf("%d spans are restored, %d are held, %d remembered; %v", len(held), c.Held(), c.Stats().Recent, err)
		}
		before, decided := len(held), 0
		for _, s := range attempts(3) {
			for _, d := range c.Convert(nil, s) {
				if d.Kind != convert.Held {
					decided++
				}
			}
		}
		decided += len(c.Flush(nil))
		if decided != before+3 || c.Held() != 0 {
			t.Fatalf("%d spans are decided about, %d are held; want %d and none", decided, c.Held(), before+3)
		}
		if _, _, err := c.Export(); err != nil {
			t.Fatal(err)
		}
	})
}
