// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// born is the time at which the records of the tests were made.
var born = time.Date(2026, 9, 21, 14, 13, 20, 123456789, time.UTC)

// open opens a store in dir.
func open(tb testing.TB, dir string, opts ...Option) *Store {
	tb.Helper()
	s, err := Open(dir, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// letter is a refused record.
func letter(id string) Letter {
	return Letter{
		Time:   born.Add(time.Minute),
		Reason: ReasonRejected,
		Tenant: "acme",
		Record: metering.Frozen{
			Endpoint:       metering.EndpointCompletions,
			TransactionID:  id,
			IdempotencyKey: "key-" + id,
			Body:           fmt.Appendf(nil, `{"transactionId":%q,"product":"a <b> & \u2028","n":1.50}`, id),
		},
		Created:    born,
		Attempts:   2,
		StatusCode: http.StatusBadRequest,
		Code:       "validation",
		Message:    "model is unknown",
	}
}

// add appends letters with these transaction ids.
func add(tb testing.TB, s *Store, ids ...string) {
	tb.Helper()
	for _, id := range ids {
		if err := s.Append(letter(id)); err != nil {
			tb.Fatal(err)
		}
	}
}

// read returns the letters and the errors of a store.
func read(s *Store) (letters []Letter, errs []error) {
	for l, err := range s.Letters() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		letters = append(letters, l)
	}
	return letters, errs
}

// transactions are the transaction ids of the letters of a store that has no
// other lines.
func transactions(tb testing.TB, s *Store) []string {
	tb.Helper()
	letters, errs := read(s)
	for _, err := range errs {
		tb.Error(err)
	}
	ids := make([]string, len(letters))
	for i, l := range letters {
		ids[i] = l.Record.TransactionID
	}
	return ids
}
