// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// storageName is the name under which the exporter keeps what is not in a queue.
const storageName = "state"

// Keys in the storage. The index lists the entries, because a storage cannot.
const (
	keyIndex    = "backlog"
	entryPrefix = "backlog/"
)

// store keeps the backlog in the Collector's storage extension. A nil store, that
// of an exporter without storage, keeps nothing. The backlog's lock guards it.
type store struct {
	client storage.Client
	run    run
	ids    []uint64
	lastID uint64
	// report is told of failures of which the caller cannot make anything.
	report func(error)
}

// openStore opens the storage that the sending queue has, for the backlog.
func openStore(ctx context.Context, host component.Host, storageID, owner component.ID, r run, report func(error)) (*store, error) {
	client, err := openClient(ctx, host, storageID, owner, storageName)
	if err != nil {
		return nil, err
	}
	return &store{client: client, run: r, report: report}, nil
}

// openClient opens a part of the storage.
func openClient(ctx context.Context, host component.Host, storageID, owner component.ID, name string) (storage.Client, error) {
	extension, ok := host.GetExtensions()[storageID].(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("reveniumexporter: %q is no storage extension of this Collector: list it under service::extensions", storageID)
	}
	client, err := extension.GetClient(ctx, component.KindExporter, owner, name)
	if err != nil {
		return nil, fmt.Errorf("reveniumexporter: open storage %q: %w", storageID, err)
	}
	return client, nil
}

func (s *store) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	return s.client.Close(ctx)
}

// saveEntry saves an entry of the backlog and gives it an id.
func (s *store) saveEntry(e *backlogEntry) error {
	if s == nil {
		return nil
	}
	id := s.lastID + 1
	err := s.client.Batch(context.Background(),
		storage.SetOperation(entryKey(id), appendEntry(nil, s.run, e)),
		storage.SetOperation(keyIndex, appendIDs(nil, append(slices.Clip(s.ids), id))))
	if err != nil {
		return fmt.Errorf("reveniumexporter: save a record outside of the queue: %w", err)
	}
	s.lastID = id
	s.ids = append(s.ids, id)
	e.id = id
	return nil
}

// removeEntry forgets an entry. If that fails the record is delivered once more
// after a restart, which is harmless.
func (s *store) removeEntry(e *backlogEntry) {
	if s == nil || e.id == 0 {
		return
	}
	s.ids = slices.DeleteFunc(s.ids, func(id uint64) bool { return id == e.id })
	err := s.client.Batch(context.Background(),
		storage.DeleteOperation(entryKey(e.id)),
		storage.SetOperation(keyIndex, appendIDs(nil, s.ids)))
	if err != nil {
		s.report(fmt.Errorf("reveniumexporter: forget a record outside of the queue: %w", err))
	}
}

// loadEntries returns what an earlier run had left, and separately what cannot be
// read.
func (s *store) loadEntries(ctx context.Context, account func(name string) *account) (entries []*backlogEntry, unreadable [][]byte, err error) {
	index, err := s.client.Get(ctx, keyIndex)
	if err != nil {
		return nil, nil, fmt.Errorf("reveniumexporter: read the index of the backlog: %w", err)
	}
	ids, err := parseIDs(index)
	if err != nil {
		return nil, [][]byte{bytes.Clone(index)}, nil
	}
	for _, id := range ids {
		stored, err := s.client.Get(ctx, entryKey(id))
		if err != nil {
			return nil, nil, fmt.Errorf("reveniumexporter: read the backlog: %w", err)
		}
		s.lastID = max(s.lastID, id)
		if stored == nil {
			continue
		}
		e, err := parseEntry(stored, account)
		if err != nil {
			unreadable = append(unreadable, bytes.Clone(stored))
			continue
		}
		e.id = id
		s.ids = append(s.ids, id)
		entries = append(entries, e)
	}
	return entries, unreadable, nil
}

func entryKey(id uint64) string { return entryPrefix + strconv.FormatUint(id, 10) }

// appendEntry writes an entry: whether the queue refused it, the name of its
// account, and the record in the form of the queue.
func appendEntry(dst []byte, r run, e *backlogEntry) []byte {
	refused := byte(0)
	if e.refused {
		refused = 1
	}
	dst = append(dst, refused)
	dst = appendBytes(dst, e.of.name)
	return appendStored(dst, r, []record{e.record})
}

func parseEntry(stored []byte, account func(string) *account) (*backlogEntry, error) {
	if len(stored) == 0 || stored[0] > 1 {
		return nil, errNotStored
	}
	p := parser{rest: stored[1:]}
	name := string(p.bytes())
	if p.failed {
		return nil, errDamaged
	}
	_, records, err := parseStored(p.rest)
	switch {
	case err != nil:
		return nil, err
	case len(records) != 1:
		return nil, errDamaged
	}
	return &backlogEntry{of: account(name), record: records[0], refused: stored[0] == 1, due: time.Now()}, nil
}

func appendIDs(dst []byte, ids []uint64) []byte {
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, id)
	}
	return dst
}

var errIndex = errors.New("reveniumexporter: the index of the backlog is damaged")

func parseIDs(b []byte) ([]uint64, error) {
	p := parser{rest: b}
	var ids []uint64
	for len(p.rest) > 0 {
		ids = append(ids, p.uvarint())
	}
	if p.failed {
		return nil, errIndex
	}
	return ids, nil
}
