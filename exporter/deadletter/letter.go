// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// Reason says why a record was given up.
type Reason string

// The reasons. A store keeps others, too.
const (
	// ReasonRejected: the service refused the record for good.
	ReasonRejected Reason = "rejected"
	// ReasonExpired: the record was older than it may be to be sent without asking.
	ReasonExpired Reason = "expired"
	// ReasonIncomplete: the record lacks fields that its exporter requires, so that it
	// was never sent. Message names them.
	ReasonIncomplete Reason = "incomplete"
	// ReasonUnreadable: what was stored is not a record that this build can read.
	// Body holds it as it was found.
	ReasonUnreadable Reason = "unreadable"
)

// Letter is a record that was given up, and why.
type Letter struct {
	// ID names the letter. It is a digest of tenant and record: the same record has
	// the same id whenever it is given up. [Store.Append] fills it in.
	ID string
	// Time is when the record was given up. [Store.Append] fills it in if it is zero.
	Time time.Time
	// Reason is why.
	Reason Reason
	// Tenant is whose key the record is to be sent with; empty for the only one.
	Tenant string
	// Record is what was to be sent. Its bytes never change.
	Record metering.Frozen
	// Created is the time at which the record was frozen; zero if unknown.
	Created time.Time
	// Attempts is the number of attempts to deliver it.
	Attempts int
	// StatusCode is the HTTP status of the refusal; 0 if there was none.
	StatusCode int
	// Code and Message are the service's words, or those of whoever gave the record
	// up. Either may be empty.
	Code, Message string
}

// String describes the letter without the content of its record.
func (l Letter) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", l.ID, l.Reason, l.Record)
	if l.StatusCode != 0 {
		fmt.Fprintf(&b, ": %d", l.StatusCode)
	}
	for _, text := range []string{l.Code, l.Message} {
		if text != "" {
			b.WriteString(": " + text)
		}
	}
	return b.String()
}

// LogValue describes the letter to log/slog without the content of its record.
func (l Letter) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("id", l.ID),
		slog.String("reason", string(l.Reason)),
		slog.String("transaction_id", l.Record.TransactionID),
		slog.Int("status", l.StatusCode),
	)
}

// letterID is the digest that names a letter.
func letterID(l *Letter) string {
	h := sha256.New()
	for _, part := range []string{l.Tenant, string(l.Record.Endpoint), l.Record.TransactionID, l.Record.IdempotencyKey} {
		fmt.Fprintf(h, "%d:%s", len(part), part) // the length keeps the parts apart
	}
	h.Write(l.Record.Body)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// lineVersion is the version of the stored form. Lines of other versions are
// reported when they are read, and kept.
const lineVersion = 1

// line is the stored form of a letter.
type line struct {
	Version        int       `json:"v"`
	ID             string    `json:"id"`
	Time           time.Time `json:"time"`
	Reason         Reason    `json:"reason"`
	Tenant         string    `json:"tenant,omitempty"`
	Endpoint       string    `json:"endpoint,omitempty"`
	TransactionID  string    `json:"transactionId,omitempty"`
	IdempotencyKey string    `json:"idempotencyKey,omitempty"`
	Created        time.Time `json:"created,omitzero"`
	Attempts       int       `json:"attempts,omitempty"`
	Status         int       `json:"status,omitempty"`
	Code           string    `json:"code,omitempty"`
	Message        string    `json:"message,omitempty"`
	// Body is the record where it is compact JSON, as all are that package metering
	// makes; BodyBase64 is whatever else was found.
	Body       json.RawMessage `json:"body,omitempty"`
	BodyBase64 []byte          `json:"bodyBase64,omitempty"`
}

// encode is the letter as a line, with its line end.
func encode(l Letter) ([]byte, error) {
	stored := line{
		Version:        lineVersion,
		ID:             l.ID,
		Time:           l.Time.UTC(),
		Reason:         l.Reason,
		Tenant:         l.Tenant,
		Endpoint:       string(l.Record.Endpoint),
		TransactionID:  l.Record.TransactionID,
		IdempotencyKey: l.Record.IdempotencyKey,
		Created:        l.Created.UTC(),
		Attempts:       l.Attempts,
		Status:         l.StatusCode,
		Code:           l.Code,
		Message:        l.Message,
	}
	if isCompactJSON(l.Record.Body) {
		stored.Body = l.Record.Body
	} else {
		stored.BodyBase64 = l.Record.Body
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // it would change the bytes of the record
	if err := enc.Encode(stored); err != nil {
		return nil, fmt.Errorf("deadletter: encoding letter %s: %w", l.ID, err)
	}
	return buf.Bytes(), nil
}

// isCompactJSON reports whether body is JSON that an encoder writes as it is.
func isCompactJSON(body []byte) bool {
	var compact bytes.Buffer
	compact.Grow(len(body))
	return len(body) > 0 && json.Compact(&compact, body) == nil && bytes.Equal(compact.Bytes(), body)
}

// decode reads a line.
func decode(raw []byte) (Letter, error) {
	var stored line
	if err := json.Unmarshal(raw, &stored); err != nil {
		var version struct {
			Version int `json:"v"`
		}
		if json.Unmarshal(raw, &version) == nil && version.Version > lineVersion {
			return Letter{}, versionError(version.Version)
		}
		return Letter{}, err
	}
	switch {
	case stored.Version > lineVersion:
		return Letter{}, versionError(stored.Version)
	case stored.Version < 1 || stored.ID == "":
		return Letter{}, errors.New("not a dead letter: it has no version or no id")
	}
	l := Letter{
		ID:     stored.ID,
		Time:   stored.Time,
		Reason: stored.Reason,
		Tenant: stored.Tenant,
		Record: metering.Frozen{
			Endpoint:       metering.Endpoint(stored.Endpoint),
			TransactionID:  stored.TransactionID,
			IdempotencyKey: stored.IdempotencyKey,
			Body:           stored.BodyBase64,
		},
		Created:    stored.Created,
		Attempts:   stored.Attempts,
		StatusCode: stored.Status,
		Code:       stored.Code,
		Message:    stored.Message,
	}
	if stored.Body != nil {
		l.Record.Body = stored.Body
	}
	return l, nil
}

func versionError(v int) error {
	return fmt.Errorf("it is of version %d, this build reads version %d: use a newer build", v, lineVersion)
}
