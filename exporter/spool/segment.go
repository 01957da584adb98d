// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Buckets of a file. Each tenant has one of the first two kinds.
const (
	recordsPrefix  = "records/"  // key → record
	attemptsPrefix = "attempts/" // key → number of attempts, where it has grown since
	metaBucket     = "spool"
	formatKey      = "format"
	formatVersion  = "1"
)

const (
	// mapBytes is the address space that a file gets at once, so that it need not
	// be mapped anew, which waits for readers, when it grows. It costs no memory.
	mapBytes = 4 * segmentBytes
	// allocBytes is the step by which a file grows.
	allocBytes = 1 << 20
	// fillPercent packs pages tightly: keys only grow.
	fillPercent = 0.95
)

var (
	// errInUse means that another process has a file open, or another part of this
	// one.
	errInUse = errors.New("in use")
	// errDamaged means that a file is not what was written to it.
	errDamaged = errors.New("damaged")
	// errFormat means that a file is well but of another build.
	errFormat = errors.New("unknown format")
)

// segment is one file with records of any number of tenants. Whoever has it open
// holds its lock, which the system releases when the process dies.
type segment struct {
	path string
	db   *bolt.DB
	// live is the number of records that are not deleted, written the size of the
	// file when it was opened and the bytes that were put since. The committer alone
	// uses them.
	live    int
	written int64
	// failed: the file was found to be damaged and is not used any more.
	failed atomic.Bool
}

// guard runs f, which reads memory that a file backs: damage shows as a panic of
// bbolt or as a memory fault. Neither may end the process.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errDamaged, p)
		}
	}()
	return f()
}

// openSegment opens a file, or makes a new one, for reading and writing. sync is
// false to leave out fsync.
func openSegment(path string, sync bool) (*segment, error) {
	s := &segment{path: path}
	// bbolt keeps its file, and with it the lock, when it panics.
	var file *os.File
	err := guard(func() (err error) {
		s.db, err = bolt.Open(path, fileMode, &bolt.Options{
			Timeout:         time.Nanosecond, // do not wait for the lock
			FreelistType:    bolt.FreelistMapType,
			InitialMmapSize: mapBytes,
			NoSync:          !sync,
			NoStatistics:    true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				var err error
				file, err = os.OpenFile(name, flag, mode)
				return file, err
			},
		})
		return err
	})
	if err != nil {
		if file != nil {
			_ = file.Close() // bbolt has closed it unless it panicked
		}
		return nil, openError(err)
	}
	s.db.AllocSize = allocBytes
	if err := guard(s.checkFormat); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// openError tells damage from a file that cannot be opened now.
func openError(err error) error {
	var path *fs.PathError
	var errno syscall.Errno
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return errInUse
	case errors.Is(err, errDamaged), errors.As(err, &path), errors.As(err, &errno):
		return err
	default:
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
}

// checkFormat marks a new file, and refuses one that is cut off or of another
// build.
func (s *segment) checkFormat() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	var format string
	err = s.db.View(func(tx *bolt.Tx) error {
		s.written = tx.Size()
		if tx.Size() > info.Size() {
			return fmt.Errorf("%w: it has %d bytes instead of %d", errDamaged, info.Size(), tx.Size())
		}
		if meta := tx.Bucket([]byte(metaBucket)); meta != nil {
			format = string(meta.Get([]byte(formatKey)))
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case format == formatVersion:
		return nil
	case format != "":
		return fmt.Errorf("%w %q: this build reads %q", errFormat, format, formatVersion)
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%w: it has no format", errDamaged)
		}
		meta, err := tx.CreateBucket([]byte(metaBucket))
		if err != nil {
			return err
		}
		return meta.Put([]byte(formatKey), []byte(formatVersion))
	})
}

// close closes the file and releases its lock.
func (s *segment) close() error {
	return guard(s.db.Close)
}

// content is what a file has of one tenant.
type content struct {
	tenant      string
	first, last uint64 // keys
	entries     int
	bytes       int64     // of the items, as Item.Size counts
	created     time.Time // of the oldest
}

// unreadableSize is what a record that cannot be read counts against the bounds of
// a queue.
func unreadableSize(raw []byte) int64 { return int64(len(raw)) + entryOverhead }

// scan reads the whole file and says what is in it. What it has not complained
// about can be read later.
func (s *segment) scan() (all []content, err error) {
	err = guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
				tenant, ok := strings.CutPrefix(string(name), recordsPrefix)
				if !ok {
					return nil
				}
				c := content{tenant: tenant}
				err := walk(b, 0, func(key uint64, raw []byte) bool {
					c.add(key, raw)
					return true
				})
				if c.entries > 0 {
					all = append(all, c)
				}
				return err
			})
		})
	})
	return all, err
}

// add notes a record.
func (c *content) add(key uint64, raw []byte) {
	if c.entries == 0 {
		c.first = key
	}
	c.last = key
	c.entries++
	rec, err := parseRecord(raw)
	if err != nil {
		c.bytes += unreadableSize(raw)
		return
	}
	c.bytes += rec.size()
	if created := time.Unix(0, rec.created); c.created.IsZero() || created.Before(c.created) {
		c.created = created
	}
}

// walk shows the records of a bucket from a key on, until visit says false. Keys
// have to grow: a damaged file must not lead in a circle.
func walk(b *bolt.Bucket, from uint64, visit func(key uint64, raw []byte) bool) error {
	c := b.Cursor()
	last, begun := uint64(0), false
	for k, v := c.Seek(recordKey(from)); k != nil; k, v = c.Next() {
		if len(k) != 8 || v == nil {
			return fmt.Errorf("%w: it has a key of %d bytes", errDamaged, len(k))
		}
		key := binary.BigEndian.Uint64(k)
		if begun && key <= last {
			return fmt.Errorf("%w: its keys are not in order", errDamaged)
		}
		last, begun = key, true
		if !visit(key, v) {
			return nil
		}
	}
	return nil
}

// rawRecord is a stored record as it was found.
type rawRecord struct {
	key      uint64
	raw      []byte
	attempts int // since it was stored; 0 if there were none
}

// read returns records of a tenant from first to last, at most limit or about
// maxBytes of them, and whether there are more. The slices are copies. With an
// error it returns what it had read until then.
func (s *segment) read(tenant string, first, last uint64, limit, maxBytes int) (records []rawRecord, more bool, err error) {
	err = guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte(recordsPrefix + tenant))
			if b == nil {
				return nil
			}
			attempts := tx.Bucket([]byte(attemptsPrefix + tenant))
			size := 0
			return walk(b, first, func(key uint64, raw []byte) bool {
				if key > last {
					return false
				}
				if len(records) == limit || size >= maxBytes {
					more = true
					return false
				}
				r := rawRecord{key: key, raw: append([]byte(nil), raw...)}
				if attempts != nil {
					n, _ := binary.Uvarint(attempts.Get(recordKey(key)))
					r.attempts = int(n)
				}
				records = append(records, r)
				size += len(raw)
				return true
			})
		})
	})
	return records, more, err
}

// segmentOps are changes of one file that become durable together.
type segmentOps struct {
	puts     []put
	deletes  []change
	attempts []change
}

// put is an item to be stored.
type put struct {
	queue *Disk
	e     *element
	key   uint64
	due   time.Time
	item  Item
}

// change is about a record that is stored.
type change struct {
	queue *Disk
	place place
	// e and attempts are for a change of the number of attempts.
	e        *element
	attempts int
}

func (c *change) key() []byte { return recordKey(c.place.part.key(c.place.id)) }

// apply makes changes in one transaction. After an error none of them is made.
func (s *segment) apply(ops *segmentOps) error {
	size := 0
	for i := range ops.puts {
		size += encodedSize(&ops.puts[i].item)
	}
	buf := make([]byte, 0, size) // bbolt keeps the slices until the commit
	err := guard(func() error {
		return s.db.Update(func(tx *bolt.Tx) error {
			buckets := bucketCache{tx: tx}
			for i := range ops.puts {
				p := &ops.puts[i]
				b, err := buckets.make(recordsPrefix, p.queue.tenant)
				if err != nil {
					return err
				}
				start := len(buf)
				buf = appendRecord(buf, &p.item, p.due)
				if err := b.Put(recordKey(p.key), buf[start:len(buf):len(buf)]); err != nil {
					return err
				}
			}
			return buckets.change(ops)
		})
	})
	if err == nil {
		s.live += len(ops.puts) - len(ops.deletes)
		s.written += int64(len(buf))
	}
	return err
}

// bucketCache remembers the bucket that was used last: changes come tenant by
// tenant.
type bucketCache struct {
	tx   *bolt.Tx
	name string
	b    *bolt.Bucket
}

// find returns a bucket, nil if it is not there.
func (c *bucketCache) find(prefix, tenant string) *bolt.Bucket {
	if name := prefix + tenant; name != c.name {
		c.name, c.b = name, c.tx.Bucket([]byte(name))
	}
	return c.b
}

// make returns a bucket, a new one if it is not there.
func (c *bucketCache) make(prefix, tenant string) (*bolt.Bucket, error) {
	if b := c.find(prefix, tenant); b != nil {
		b.FillPercent = fillPercent
		return b, nil
	}
	b, err := c.tx.CreateBucket([]byte(c.name))
	if err != nil {
		return nil, err
	}
	b.FillPercent = fillPercent
	c.b = b
	return b, nil
}

// change makes the deletions and notes attempts.
func (c *bucketCache) change(ops *segmentOps) error {
	for _, prefix := range []string{recordsPrefix, attemptsPrefix} {
		for i := range ops.deletes {
			del := &ops.deletes[i]
			if b := c.find(prefix, del.queue.tenant); b != nil {
				if err := b.Delete(del.key()); err != nil {
					return err
				}
			}
		}
	}
	for i := range ops.attempts {
		a := &ops.attempts[i]
		b, err := c.make(attemptsPrefix, a.queue.tenant)
		if err != nil {
			return err
		}
		if err := b.Put(a.key(), binary.AppendUvarint(nil, uint64(a.attempts))); err != nil {
			return err
		}
	}
	return nil
}
