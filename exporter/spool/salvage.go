// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// salvage copies what can be read of a damaged file into a new one and sets the
// damaged one aside.
func (d *Directory) salvage(path string, damage error) ([]adoption, error) {
	saved, n, err := d.copyReadable(path)
	if err != nil {
		// The new file could not be written: the next process tries again.
		d.event(Event{Kind: EventSkipped, Path: path, Err: errors.Join(damage, err)})
		return nil, nil
	}
	aside := path + damagedSuffix
	if err := os.Rename(path, aside); err != nil {
		d.event(Event{Kind: EventSkipped, Path: path, Err: errors.Join(damage, err)})
		return nil, errors.Join(saved.discard())
	}
	d.event(Event{Kind: EventSetAside, Path: aside, Records: n, Err: damage})
	if saved == nil {
		return nil, nil
	}
	found, err := saved.scan()
	if err != nil {
		return nil, errors.Join(err, saved.close())
	}
	return []adoption{newAdoption(saved, found)}, nil
}

// discard closes a file and removes it.
func (s *segment) discard() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.close(), os.Remove(s.path))
}

// copyReadable copies the records of a damaged file, as far as they can be reached
// and their checksums are right, into a new file; nil if there are none.
func (d *Directory) copyReadable(path string) (saved *segment, n int, err error) {
	var failed error
	readable(path, func(tenant string, records []rawRecord) bool {
		if saved == nil {
			if saved, failed = d.newSegment(); failed != nil {
				return false
			}
		}
		if failed = saved.restore(tenant, records); failed != nil {
			return false
		}
		n += len(records)
		return true
	})
	if failed != nil {
		return nil, 0, errors.Join(failed, saved.discard())
	}
	return saved, n, nil
}

// restore puts records as they were found under the keys that they had.
func (s *segment) restore(tenant string, records []rawRecord) error {
	return guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			buckets := bucketCache{tx: tx}
			for i := range records {
				r := &records[i]
				b, err := buckets.make(recordsPrefix, tenant)
				if err != nil {
					return err
				}
				if err := b.Put(recordKey(r.key), r.raw); err != nil {
					return err
				}
			}
			for i := range records {
				r := &records[i]
				if r.attempts == 0 {
					continue
				}
				b, err := buckets.make(attemptsPrefix, tenant)
				if err != nil {
					return err
				}
				if err := b.Put(recordKey(r.key), binary.AppendUvarint(nil, uint64(r.attempts))); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// maxSkip bounds by how many keys a damaged place of a file is jumped over.
const maxSkip = 1 << 20

// readable shows the records of a damaged file that can be reached and whose
// checksums are right, until visit says false.
func readable(path string, visit func(tenant string, records []rawRecord) bool) {
	var db *bolt.DB
	err := guard(func() (err error) {
		db, err = bolt.Open(path, fileMode, &bolt.Options{ReadOnly: true, Timeout: time.Nanosecond})
		return err
	})
	if err != nil {
		return // not even its beginning can be read
	}
	s := &segment{path: path, db: db}
	defer func() { _ = s.close() }() // it was only read
	for _, tenant := range s.tenants() {
		if !s.readableOf(tenant, visit) {
			return
		}
	}
}

// tenants are those of whom the file has records, as far as that can be read.
func (s *segment) tenants() (tenants []string) {
	_ = guard(func() error { // what was found until then is all there is
		return s.db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
				if tenant, ok := strings.CutPrefix(string(name), recordsPrefix); ok {
					tenants = append(tenants, tenant)
				}
				return nil
			})
		})
	})
	return tenants
}

// readableOf is readable for one tenant. It jumps over places that cannot be read.
func (s *segment) readableOf(tenant string, visit func(string, []rawRecord) bool) bool {
	from, skip := uint64(0), uint64(1)
	for skip <= maxSkip {
		records, more, err := s.read(tenant, from, ^uint64(0), readEntries, readBytes)
		if len(records) > 0 {
			from, skip = records[len(records)-1].key+1, 1
		}
		good := slices.DeleteFunc(records, func(r rawRecord) bool {
			_, err := parseRecord(r.raw)
			return err != nil
		})
		switch {
		case len(good) > 0 && !visit(tenant, good):
			return false
		case err != nil:
			from += skip
			skip *= 2
		case !more:
			return true
		}
	}
	return true
}
