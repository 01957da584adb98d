// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestRecordRoundTrip(t *testing.T) {
	at := time.Unix(0, 1_790_000_000_987_654_321)
	for name, it := range map[string]Item{
		"usual": {
			Frozen:   metering.Frozen{Endpoint: metering.EndpointImages, TransactionID: "a-b", IdempotencyKey: "a-b-c", Body: []byte(`{"a":"b"}`)},
			Created:  time.Unix(0, 1_790_000_000_123_456_789),
			Attempts: 300,
		},
		"empty": {Created: time.Unix(0, 0)},
		"long": {
			Frozen:  metering.Frozen{TransactionID: string(bytes.Repeat([]byte("t"), 7_000)), Body: bytes.Repeat([]byte{0xff, 0}, 1<<10)},
			Created: time.Unix(-1, 1),
		},
	} {
		t.Run(name, func(t *testing.T) {
			raw := appendRecord([]byte("before"), &it, at)[len("before"):]
			if len(raw) > encodedSize(&it) {
				t.Errorf("%d bytes, estimated as %d at most", len(raw), encodedSize(&it))
			}
			rec, err := parseRecord(raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(it, rec.item()); diff != "" {
				t.Errorf("item (-want +got):\n%s", diff)
			}
			if rec.size() != it.Size() || rec.put != at.UnixNano() {
				t.Errorf("size %d, put at %d", rec.size(), rec.put)
			}
			for n := range min(len(raw), 200) {
				if _, err := parseRecord(raw[:n]); err == nil {
					t.Errorf("read a record that is cut after %d bytes", n)
				}
			}
		})
	}
}

// Whatever is found in a file is a record or an error.
func FuzzParseRecord(f *testing.F) {
	f.Add(appendRecord(nil, &Item{Frozen: metering.Frozen{Body: []byte("{}")}}, time.Unix(0, 0)))
	f.Add([]byte{recordVersion, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		rec, err := parseRecord(raw)
		if err != nil {
			return
		}
		it := rec.item()
		again := appendRecord(nil, &it, time.Unix(0, rec.put))
		if other, err := parseRecord(again); err != nil || !cmp.Equal(it, other.item()) {
			t.Errorf("%x became %x: %v", raw, again, err)
		}
	})
}
