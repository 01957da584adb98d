// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// WithContentCapture puts what is asked and answered into the records, where it is
// on the spans, in the words of whichever instrumentation: the system prompt, the
// messages as a JSON document, and the answer as text or, with more than text in it,
// as JSON. It is off by default: then nothing of it is read.
//
// Whoever can see the records at Revenium, and the files of a spool or of dead letters,
// which hold records as they are sent, can read it.
func WithContentCapture() Option {
	return optionFunc(func(cfg config) config {
		cfg.content.on = true
		return cfg
	})
}

// WithoutContentCapture undoes [WithContentCapture].
func WithoutContentCapture() Option {
	return optionFunc(func(cfg config) config {
		cfg.content.on = false
		return cfg
	})
}

// WithMaxContentSize bounds each of the three texts of [WithContentCapture], in
// characters. What is longer is cut, and the record says so (promptsTruncated).
// Default, and the most that Revenium keeps: 50,000.
func WithMaxContentSize(characters int) Option {
	return optionFunc(func(cfg config) config {
		cfg.content.limit = characters
		return cfg
	})
}

// WithContentRedaction has each of the texts of [WithContentCapture] pass through
// redact before it is cut. Messages are a JSON document, and must be one afterwards.
// What redact returns is sent, "" for nothing. A panic costs the record's content.
// It is called by several goroutines.
func WithContentRedaction(redact func(text string) string) Option {
	return optionFunc(func(cfg config) config {
		cfg.content.redact = redact
		return cfg
	})
}
