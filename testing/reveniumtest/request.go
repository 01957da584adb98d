// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"net/http"
	"time"
)

// Outcome says what the server made of a request.
type Outcome string

// The outcomes.
const (
	OutcomePending      Outcome = ""             // being handled: hanging, delayed, or its body still arrives
	OutcomeStored       Outcome = "stored"       // a new record
	OutcomeDuplicate    Outcome = "duplicate"    // acknowledged with 2xx, not stored: transaction id known
	OutcomeReplayed     Outcome = "replayed"     // answer of an earlier request with the same idempotency key
	OutcomeInProgress   Outcome = "in-progress"  // 409: same idempotency key is in flight
	OutcomeMismatch     Outcome = "mismatch"     // 409: same idempotency key, different body
	OutcomeRejected     Outcome = "rejected"     // 4xx: the request itself is bad
	OutcomeUnauthorized Outcome = "unauthorized" // 401 or 403
	OutcomeFault        Outcome = "fault"        // a fault answered, or cut the connection
	OutcomeGone         Outcome = "gone"         // the client left before there was an answer
)

// Request is one attempt of a client, whatever came of it.
type Request struct {
	Seq            int // from 1, in order of arrival
	Time           time.Time
	Method         string
	Path           string
	Proto          string      // "HTTP/1.1", "HTTP/2.0"
	Header         http.Header // without x-api-key and Authorization
	TransactionID  string
	IdempotencyKey string
	Model          string
	Tenant         string
	Attempt        int    // how many requests with this transaction id there were, this one included; 0 without id
	Body           []byte // as received; do not modify

	Status     int // of the answer; 0 if none was sent
	Outcome    Outcome
	Fault      FaultKind     // what struck it, if anything
	Duration   time.Duration // from arrival to the answer, in real time
	Violations []Violation
}

// Stats are the server's counters since its start or the last Reset.
type Stats struct {
	Requests   int // all attempts
	Stored     int
	Duplicates int // acknowledged, not stored
	Replayed   int
	Rejected   int
	Violations int
	Faults     int // requests that a fault struck
}

// Connections counts client connections.
type Connections struct {
	Open  int
	Peak  int // most that were open at one time
	Total int
}
