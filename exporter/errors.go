// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"errors"
	"fmt"
)

// ErrShutdown is returned for spans that arrive after Shutdown.
var ErrShutdown = errors.New("exporter: already shut down")

// errNotExported is why a [Forwarder] lost spans where no error says it: its queue
// was full.
var errNotExported = errors.New("the queue was full or the exporter failed; see the log")

// errKeyRefused ends a flush early: waiting longer would not make the key valid.
var errKeyRefused = errors.New("the service refuses the API key: check REVENIUM_METERING_API_KEY (a metering key begins with rev_mk_)")

// ConfigError is a setting that makes metering impossible. It is returned by the
// constructors; several problems are joined (see [errors.Join]).
type ConfigError struct {
	// Setting is the environment variable or the option that is to be mended,
	// for instance "REVENIUM_METERING_API_KEY" or "WithSenders".
	Setting string
	// Problem says what is wrong and how to mend it. It never holds a key.
	Problem string
	// Err is the cause, if there is one.
	Err error
}

// Error describes the problem in one line.
func (e *ConfigError) Error() string { return "exporter: " + e.Problem }

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// FlushError says that a flush ended before all records that were waiting had
// reached their end. Nothing is lost by that: delivery goes on.
type FlushError struct {
	// Waiting is the number of records that still wait for delivery.
	Waiting int
	// Report is the account of all records at the end of the flush. With a spool,
	// what waits is on disk then.
	Report Report
	// Err is the reason: the error of the context or a refused key.
	Err error
}

// Error describes what is still waiting and why.
func (e *FlushError) Error() string {
	return fmt.Sprintf("exporter: flush ended with %s waiting: %v", plural(int64(e.Waiting), "record"), e.Err)
}

// Unwrap returns the reason.
func (e *FlushError) Unwrap() error { return e.Err }

// ShutdownError says that records were lost, before or at the shutdown that
// returns it.
type ShutdownError struct {
	// Report is the account of the exporter's whole life.
	Report Report
	// Err is what ended the drain early: the error of the context or a refused
	// key. It is nil when the losses are older than the shutdown.
	Err error
}

// Error tells how many records were lost, by reason.
func (e *ShutdownError) Error() string {
	text := fmt.Sprintf("exporter: shutdown: %s lost of %d billed%s",
		plural(e.Report.Lost, "record"), e.Report.Billed, reasonList(" (", e.Report.LostBy, ")"))
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns what ended the drain early.
func (e *ShutdownError) Unwrap() error { return e.Err }

// plural is a count with its noun.
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
