// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import "sync"

// spanKey names a span.
type spanKey struct {
	trace [16]byte
	span  [8]byte
}

// waitingAccounts knows where the records of held spans go, unless it is the
// exporter's own key. Package convert bounds how many are held.
type waitingAccounts struct {
	mu sync.Mutex
	by map[spanKey]*account
}

func (w *waitingAccounts) put(span spanKey, of *account) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by == nil {
		w.by = make(map[spanKey]*account)
	}
	w.by[span] = of
}

// take returns and forgets the account of a span, fallback if there is none.
func (w *waitingAccounts) take(span spanKey, fallback *account) *account {
	w.mu.Lock()
	defer w.mu.Unlock()
	of, ok := w.by[span]
	if !ok {
		return fallback
	}
	delete(w.by, span)
	return of
}
