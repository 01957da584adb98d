// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package ledger keeps a local account of everything that was billed: which record,
// when, of which model, with how many tokens, for whom, and what became of it. It is
// there to be compared with an invoice.
//
// A [Writer] appends lines of JSON to files of a directory, one when a record is
// billed and one when it has reached its end. Writers of several processes share a
// directory without touching each other's files. [Load] reads them all and has one
// [Entry] for each transaction; [Summarize] adds up, and [WriteCSV], [WriteJSONL] and
// [WriteFOCUS] give the entries away.
//
// A ledger is no queue: it sends nothing, and what it holds is the account of what
// the exporter did, not of what the service has done with it. It holds neither
// content nor keys, and no person: organization and product, but no subscriber.
package ledger
