// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// The stored form of a request, all of it written and read by codec:
//
//	"RVNM" | version (1 byte) | run (8 bytes) | number of records (uvarint)
//	per record: created, nanoseconds since 1970 (varint) | incomplete | endpoint |
//	            transaction id | idempotency key | body (each uvarint length, bytes)
//	CRC-32C of all before (4 bytes, big endian)
//
// Every version that was ever released stays readable: testdata/stored has a file
// of each. A new version gets a new number and a new file.
const (
	storedMagic    = "RVNM"
	storedVersion1 = 1
	runLength      = 8
)

// run names one run of the component, so that records of an earlier one are
// recognised when they come out of storage.
type run [runLength]byte

// codec writes and reads requests for the persistent queue.
type codec struct {
	run run
	// recovered is told of records that an earlier run has stored.
	recovered func(records int)
}

// Marshal writes a request. What this build could not read, it writes as it was.
func (c *codec) Marshal(_ context.Context, r xexporterhelper.Request) ([]byte, error) {
	req, ok := r.(*request)
	if !ok {
		return nil, fmt.Errorf("reveniumexporter: cannot store a request of type %T", r)
	}
	if req.unreadable != nil {
		return req.unreadable, nil
	}
	return appendStored(make([]byte, 0, req.BytesSize()), c.run, req.records), nil
}

// Unmarshal reads a request. It does not fail, because the queue forgets what
// cannot be read: such bytes become a request that ends as a dead letter.
func (c *codec) Unmarshal(stored []byte) (context.Context, xexporterhelper.Request, error) {
	from, records, err := parseStored(stored)
	if err != nil {
		// The bytes are the storage's own.
		return context.Background(), &request{unreadable: append([]byte{}, stored...)}, nil
	}
	if from != c.run {
		c.recovered(len(records))
	}
	return context.Background(), &request{records: records}, nil
}

func appendStored(dst []byte, r run, records []record) []byte {
	start := len(dst)
	dst = append(dst, storedMagic...)
	dst = append(dst, storedVersion1)
	dst = append(dst, r[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(records)))
	for i := range records {
		rec := &records[i]
		dst = binary.AppendVarint(dst, rec.created.UnixNano())
		dst = appendBytes(dst, rec.incomplete)
		dst = appendBytes(dst, rec.Endpoint)
		dst = appendBytes(dst, rec.TransactionID)
		dst = appendBytes(dst, rec.IdempotencyKey)
		dst = appendBytes(dst, rec.Body)
	}
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli()))
}

func appendBytes[T ~string | ~[]byte](dst []byte, v T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(v)))
	return append(dst, v...)
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Errors of parseStored.
var (
	errNotStored = errors.New("is not a request of this exporter")
	errVersion   = errors.New("was stored by a version that this one does not know")
	errDamaged   = errors.New("is damaged")
)

// parseStored reads the stored form, copying what it returns.
func parseStored(stored []byte) (run, []record, error) {
	rest, ok := bytes.CutPrefix(stored, []byte(storedMagic))
	switch {
	case !ok || len(rest) < 1+runLength+4:
		return run{}, nil, errNotStored
	case rest[0] != storedVersion1:
		return run{}, nil, errVersion
	}
	content := stored[:len(stored)-4]
	if crc32.Checksum(content, castagnoli()) != binary.BigEndian.Uint32(stored[len(stored)-4:]) {
		return run{}, nil, errDamaged
	}
	from := run(rest[1 : 1+runLength])
	p := parser{rest: bytes.Clone(rest[1+runLength : len(rest)-4])}
	n := p.uvarint()
	if n > uint64(len(p.rest)) {
		return run{}, nil, errDamaged
	}
	records := make([]record, 0, n)
	for range n {
		created := time.Unix(0, p.varint())
		records = append(records, record{
			created:    created,
			incomplete: string(p.bytes()),
			Frozen: metering.Frozen{
				Endpoint:       metering.Endpoint(p.bytes()),
				TransactionID:  string(p.bytes()),
				IdempotencyKey: string(p.bytes()),
				Body:           p.bytes(),
			},
		})
	}
	if p.failed || len(p.rest) > 0 {
		return run{}, nil, errDamaged
	}
	return from, records, nil
}

// parser reads what the append functions wrote.
type parser struct {
	rest   []byte
	failed bool
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.rest)
	p.skip(n)
	return v
}

func (p *parser) varint() int64 {
	v, n := binary.Varint(p.rest)
	p.skip(n)
	return v
}

func (p *parser) skip(n int) {
	if n <= 0 {
		p.failed = true
		p.rest = nil
		return
	}
	p.rest = p.rest[n:]
}

func (p *parser) bytes() []byte {
	n := p.uvarint()
	if n > uint64(len(p.rest)) {
		p.failed = true
		p.rest = nil
		return nil
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b
}
