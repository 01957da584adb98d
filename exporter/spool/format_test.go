// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool_test

import (
	"encoding/binary"
	"encoding/hex"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// goldenRecord is a record as the first version stores it: version, checksum, times
// of creation and of Put, attempts, endpoint, transaction id, key, body.
const goldenRecord = "01" + "cf746c38" +
	"aab4f6b485e1add731" + "b8a4eccda5e1add731" + "02" +
	"18" + "2f6d657465722f76322f61692f636f6d706c6574696f6e73" +
	"04" + "74782d31" + "08" + "6b65792d74782d31" +
	"7b2261223a317d"

// TestFormat: what a build of the first version has stored is read for ever, with
// the attempts that stand apart.
func TestFormat(t *testing.T) {
	raw, err := hex.DecodeString(goldenRecord)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db, err := bolt.Open(filepath.Join(dir, "spool-golden.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, entry := range []struct {
			bucket     string
			key, value []byte
		}{
			{"spool", []byte("format"), []byte("1")},
			{"records/acme", binary.BigEndian.AppendUint64(nil, 41), raw},
			{"records/acme", binary.BigEndian.AppendUint64(nil, 42), raw},
			{"attempts/acme", binary.BigEndian.AppendUint64(nil, 42), []byte{0x05}},
		} {
			b, err := tx.CreateBucketIfNotExists([]byte(entry.bucket))
			if err != nil {
				return err
			}
			if err := b.Put(entry.key, entry.value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()

	q := openDir(t, dir).Queue("acme")
	want := spool.Item{
		Frozen: metering.Frozen{
			Endpoint: metering.EndpointCompletions, TransactionID: "tx-1", IdempotencyKey: "key-tx-1", Body: []byte(`{"a":1}`),
		},
		Created:  born,
		Attempts: 2,
	}
	for _, attempts := range []int{2, 5} {
		want.Attempts = attempts
		if diff := cmp.Diff(want, take(t, q).Item); diff != "" {
			t.Errorf("item (-want +got):\n%s", diff)
		}
	}
}

// TestFormatIsWritten: this build writes the form that it reads.
func TestFormatIsWritten(t *testing.T) {
	dir := t.TempDir()
	d := openDir(t, dir)
	it := spool.Item{
		Frozen: metering.Frozen{
			Endpoint: metering.EndpointCompletions, TransactionID: "tx-1", IdempotencyKey: "key-tx-1", Body: []byte(`{"a":1}`),
		},
		Created:  born,
		Attempts: 2,
	}
	if _, err := d.Queue("acme").Put(it, born.Add(4_321_098_759)); err != nil {
		t.Fatal(err)
	}
	closeDir(t, d)
	db, err := bolt.Open(oneFile(t, dir), 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		key, value := tx.Bucket([]byte("records/acme")).Cursor().First()
		if got := hex.EncodeToString(value); got != goldenRecord || binary.BigEndian.Uint64(key) != 1 {
			t.Errorf("stored under %x:\n%s\nwant\n%s", key, got, goldenRecord)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
