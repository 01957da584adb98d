// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// The stored form of an item:
//
//	1 byte    version
//	4 bytes   CRC-32C of all that follows, big endian
//	varint    time of creation in nanoseconds since 1970
//	varint    time at which it was put, likewise
//	uvarint   attempts
//	3 times   uvarint length and text: endpoint, transaction id, idempotency key
//	rest      body
//
// Later attempts stand apart, so that a retry does not write the body again. The
// form must be readable for ever: another one gets another version.
const (
	recordVersion = 1
	checksumSize  = 4
	headerSize    = 1 + checksumSize
)

// castagnoli is computed by hardware on most machines.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encodedSize bounds the size of the stored form.
func encodedSize(it *Item) int {
	return headerSize + 6*binary.MaxVarintLen64 + len(it.Endpoint) + len(it.TransactionID) + len(it.IdempotencyKey) + len(it.Body)
}

// appendRecord appends the stored form of an item that was put at that time to dst.
func appendRecord(dst []byte, it *Item, at time.Time) []byte {
	start := len(dst)
	dst = append(dst, recordVersion, 0, 0, 0, 0)
	dst = binary.AppendVarint(dst, it.Created.UnixNano())
	dst = binary.AppendVarint(dst, at.UnixNano())
	dst = binary.AppendUvarint(dst, uint64(max(it.Attempts, 0)))
	for _, text := range []string{string(it.Endpoint), it.TransactionID, it.IdempotencyKey} {
		dst = binary.AppendUvarint(dst, uint64(len(text)))
		dst = append(dst, text...)
	}
	dst = append(dst, it.Body...)
	sum := crc32.Checksum(dst[start+headerSize:], castagnoli)
	binary.BigEndian.PutUint32(dst[start+1:], sum)
	return dst
}

var (
	errChecksum = errors.New("its checksum is wrong")
	errCut      = errors.New("it is cut off")
)

// storedRecord is a stored form that was checked. Its parts are those of the bytes
// that it was read from.
type storedRecord struct {
	created, put                       int64
	attempts                           int
	endpoint, transactionID, key, body []byte
}

// parseRecord reads the stored form.
func parseRecord(raw []byte) (storedRecord, error) {
	switch {
	case len(raw) < headerSize:
		return storedRecord{}, errCut
	case raw[0] != recordVersion:
		return storedRecord{}, fmt.Errorf("it is of version %d, this build reads version %d", raw[0], recordVersion)
	case crc32.Checksum(raw[headerSize:], castagnoli) != binary.BigEndian.Uint32(raw[1:]):
		return storedRecord{}, errChecksum
	}
	r := fieldReader{rest: raw[headerSize:]}
	rec := storedRecord{
		created:       r.varint(),
		put:           r.varint(),
		attempts:      int(r.uvarint()),
		endpoint:      r.text(),
		transactionID: r.text(),
		key:           r.text(),
	}
	rec.body = r.rest
	if r.failed {
		return storedRecord{}, errCut
	}
	return rec, nil
}

// size is what the item counts against the bounds of a queue.
func (r *storedRecord) size() int64 {
	return int64(len(r.body)+len(r.transactionID)+len(r.key)+len(r.endpoint)) + entryOverhead
}

// item is a copy of the record.
func (r *storedRecord) item() Item {
	return Item{
		Frozen: metering.Frozen{
			Endpoint:       metering.Endpoint(r.endpoint),
			TransactionID:  string(r.transactionID),
			IdempotencyKey: string(r.key),
			Body:           append([]byte(nil), r.body...),
		},
		Created:  time.Unix(0, r.created),
		Attempts: r.attempts,
	}
}

// fieldReader reads one field after the other, until one is not there.
type fieldReader struct {
	rest   []byte
	failed bool
}

func (r *fieldReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *fieldReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *fieldReader) text() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return nil
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

func (r *fieldReader) skip(n int) {
	if n <= 0 {
		r.failed = true
		return
	}
	r.rest = r.rest[n:]
}

// recordKey is the key of an entry in a file.
func recordKey(key uint64) []byte { return binary.BigEndian.AppendUint64(nil, key) }
