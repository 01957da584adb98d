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
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// memoryName is the name under which the storage keeps what the converter
// remembers. It is apart from the backlog, so that neither waits for the other.
const memoryName = "selection"

// Keys in the storage. The index tells which chunks there are, because a storage
// cannot: the first and the one after the last, of spans and of links.
const (
	keyChunks   = "chunks"
	spansPrefix = "spans/"
	linksPrefix = "links/"
)

// memoryPause is the time between two attempts on a storage that fails.
const memoryPause = time.Second

// memory keeps in the Collector's storage extension what the converter remembers:
// the spans that wait, the calls of late, and who is whose parent. Each change is
// appended as a chunk; chunks that have become superfluous are deleted with the
// next one. A nil memory, that of an exporter without storage, keeps nothing.
type memory struct {
	client    storage.Client
	converter *convert.Converter
	log       *zap.Logger

	// mu is held while chunks are written, so that whoever comes meanwhile has his
	// changes in the next one, and returns when that is written.
	mu           sync.Mutex
	spans, links chunkList
	// whole: the next chunk of spans holds everything and replaces all others.
	whole bool
	// retry is when the storage, which failed, is to be tried again.
	retry time.Time
}

// chunkList are the chunks of one kind, numbered in order.
type chunkList struct {
	prefix      string
	first, next uint64
	marks       []convert.Mark // from first on
}

func (l *chunkList) key(n uint64) string { return l.prefix + strconv.FormatUint(n, 10) }

// add appends a chunk, if there is one, and returns what is to be done for it.
func (l *chunkList) add(ops []*storage.Operation, c convert.Chunk) []*storage.Operation {
	if c.Data == nil {
		return ops
	}
	ops = append(ops, storage.SetOperation(l.key(l.next), c.Data))
	l.marks = append(l.marks, c.Mark)
	l.next++
	return ops
}

// forget removes the chunks before one with a number and returns what is to be
// done for it.
func (l *chunkList) forget(ops []*storage.Operation, before uint64) []*storage.Operation {
	for ; l.first < before; l.first++ {
		ops = append(ops, storage.DeleteOperation(l.key(l.first)))
		if len(l.marks) > 0 {
			l.marks = l.marks[1:]
		}
	}
	return ops
}

// expired is the number of the first chunk that is still needed.
func (l *chunkList) expired(c *convert.Converter) uint64 {
	n := l.first
	for _, m := range l.marks {
		if !c.Expired(m) {
			break
		}
		n++
	}
	return n
}

// openMemory opens the memory and gives the converter of e what an earlier run had
// left there. What cannot be read and may hold records ends as a dead letter.
func openMemory(ctx context.Context, host component.Host, storageID component.ID, e *engine) (*memory, error) {
	client, err := openClient(ctx, host, storageID, e.set.ID, memoryName)
	if err != nil {
		return nil, err
	}
	m := &memory{
		client: client, converter: e.converter, log: e.log,
		spans: chunkList{prefix: spansPrefix}, links: chunkList{prefix: linksPrefix},
	}
	if err := m.load(ctx, e); err != nil {
		return nil, errors.Join(err, client.Close(ctx))
	}
	return m, nil
}

func (m *memory) load(ctx context.Context, e *engine) error {
	index, err := m.client.Get(ctx, keyChunks)
	if err != nil {
		return fmt.Errorf("reveniumexporter: read what is remembered of calls: %w", err)
	}
	if err := m.parseIndex(index); err != nil {
		if err := e.router.fallback.endStored(bytes.Clone(index), err); err != nil {
			return err
		}
	}
	restore := m.converter.Restore()
	if err := m.loadList(ctx, e, &m.links, restore); err != nil {
		return err
	}
	if err := m.loadList(ctx, e, &m.spans, restore); err != nil {
		return err
	}
	held := restore.End()
	for i := range held {
		if of := e.router.named(held[i].Tag); of != e.router.fallback {
			e.waiting.put(spanKey{held[i].TraceID, held[i].SpanID}, of)
		}
	}
	e.ledger.hold(int64(len(held)))
	if len(held) > 0 {
		e.set.Logger.Info("Calls wait on that an earlier run had left undecided", zap.Int("calls", len(held)))
	}
	if m.links.first == m.links.next && m.spans.first == m.spans.next {
		return nil
	}
	// The numbers of spans in the chunks are those of the earlier run.
	m.whole = true
	if err := m.write(ctx); err != nil {
		return fmt.Errorf("reveniumexporter: write what is remembered of calls: %w", err)
	}
	return nil
}

func (m *memory) loadList(ctx context.Context, e *engine, l *chunkList, restore *convert.Restore) error {
	for n := l.first; n < l.next; n++ {
		chunk, err := m.client.Get(ctx, l.key(n))
		if err != nil {
			return fmt.Errorf("reveniumexporter: read what is remembered of calls: %w", err)
		}
		var mark convert.Mark
		if chunk != nil {
			mark, err = restore.Add(chunk)
		}
		l.marks = append(l.marks, mark)
		switch {
		case err == nil:
		case convert.Waiting(chunk):
			if err := e.router.fallback.endStored(bytes.Clone(chunk), err); err != nil {
				return err
			}
		default:
			e.log.Error("A part of what is remembered of calls cannot be read: spans of them that come again may be billed again", zap.Error(err))
		}
	}
	return nil
}

// save writes what has changed. When it returns, all that changed before it was
// called is in the storage, unless that fails, which is logged: the calls are in
// memory, and the next attempt writes everything.
func (m *memory) save(ctx context.Context) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Before(m.retry) {
		return
	}
	// What has been decided is to be written even if its sender has gone.
	if err := m.write(context.WithoutCancel(ctx)); err != nil {
		m.whole, m.retry = true, time.Now().Add(memoryPause)
		m.log.Error("What is remembered of calls cannot be written to the storage: a crash would lose the calls that wait", zap.Error(err))
	}
}

// write appends what has changed and deletes what is superfluous, in one
// transaction. The lists change only if it succeeds.
func (m *memory) write(ctx context.Context) error {
	if m.whole {
		m.converter.ExportAll()
	}
	newSpans, newLinks, err := m.converter.Export()
	if err != nil {
		m.log.Error("Calls that wait cannot be written to the storage: a crash would lose them", zap.Error(err))
	}
	if newSpans.Data == nil && newLinks.Data == nil && !m.whole {
		return nil
	}
	spans, links := m.spans, m.links
	var ops []*storage.Operation
	if m.whole {
		ops = spans.forget(ops, spans.next)
	}
	ops = spans.add(ops, newSpans)
	ops = links.add(ops, newLinks)
	ops = spans.forget(ops, spans.expired(m.converter))
	ops = links.forget(ops, links.expired(m.converter))
	ops = append(ops, storage.SetOperation(keyChunks, appendIndex(nil, &spans, &links)))
	if err := m.client.Batch(ctx, ops...); err != nil {
		return err
	}
	m.spans, m.links, m.whole = spans, links, false
	return nil
}

func (m *memory) close(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.client.Close(ctx)
}

func appendIndex(dst []byte, lists ...*chunkList) []byte {
	for _, l := range lists {
		dst = binary.AppendUvarint(dst, l.first)
		dst = binary.AppendUvarint(dst, l.next)
	}
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst, castagnoli()))
}

var errChunks = errors.New("reveniumexporter: the index of what is remembered of calls is damaged")

// parseIndex reads which chunks there are; none without an index.
func (m *memory) parseIndex(index []byte) error {
	if index == nil {
		return nil
	}
	content := index[:max(0, len(index)-4)]
	if len(index) < 4 || crc32.Checksum(content, castagnoli()) != binary.BigEndian.Uint32(index[len(content):]) {
		return errChunks
	}
	p := parser{rest: content}
	numbers := [4]uint64{p.uvarint(), p.uvarint(), p.uvarint(), p.uvarint()}
	if p.failed || len(p.rest) > 0 || numbers[0] > numbers[1] || numbers[2] > numbers[3] {
		return errChunks
	}
	m.spans.first, m.spans.next, m.links.first, m.links.next = numbers[0], numbers[1], numbers[2], numbers[3]
	return nil
}
