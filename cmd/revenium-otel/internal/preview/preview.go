// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
)

// Options are what a user can choose.
type Options struct {
	// Billed leaves out the lines of what is not billed.
	Billed bool
	// Summary prints a table instead of lines.
	Summary bool
	// Explain says of each record where its values came from.
	Explain bool
	// Convert changes the conversion, as it would an exporter's.
	Convert []convert.Option
}

// Stdin is the name by which standard input is asked for.
const Stdin = "-"

// ErrInput says that some of the input could not be read. What exactly was told
// on the error stream.
var ErrInput = errors.New("some input could not be read")

// Run previews the files, Stdin for in, as successive exports that one exporter
// gets in this order, and prints to out. Problems of the input go to complain
// one by one, do not keep the rest from being read, and make Run return
// [ErrInput]; any other error is one of writing or of the options.
func Run(files []string, in io.Reader, out io.Writer, complain func(error), opts Options) error {
	converter, err := convert.New(append(slices.Clone(opts.Convert), convert.WithSources())...)
	if err != nil {
		return err
	}
	p := &previewer{
		converter: converter,
		opts:      opts,
		out:       json.NewEncoder(out),
		summary:   newSummary(),
		held:      make(map[spanKey]waiting),
	}
	p.out.SetEscapeHTML(false) // the record is printed byte by byte
	var input error
	for _, file := range files {
		err := p.file(file, in, func(err error) {
			input = ErrInput
			complain(err)
		})
		if err != nil {
			return err
		}
	}
	// The end of the input is the end of all waiting.
	if err := p.print(p.converter.Flush(nil)); err != nil {
		return err
	}
	if opts.Summary {
		if err := p.summary.write(out); err != nil {
			return err
		}
	}
	return input
}

type previewer struct {
	converter *convert.Converter
	opts      Options
	out       *json.Encoder
	summary   *summary

	current   waiting             // the span that is being read
	held      map[spanKey]waiting // every span whose decision is still to come
	decisions []convert.Decision  // reused from span to span
}

// waiting is what is known of a span besides its decision.
type waiting struct {
	file    string
	stamped map[string]string // origins of its metadata
}

type spanKey struct {
	trace [16]byte
	span  [8]byte
}

// file reads one file to its end.
func (p *previewer) file(name string, in io.Reader, complain func(error)) error {
	p.current.file = name
	if name != Stdin {
		f, err := open(name)
		if err != nil {
			complain(err)
			return nil
		}
		defer func() { _ = f.Close() }() // read only, nothing can be lost
		in = f
	}
	docs, err := newDocuments(in)
	if err != nil {
		complain(fmt.Errorf("%s: %w", name, err))
		return nil
	}
	for n := 0; ; n++ {
		doc, line, err := docs.next()
		var syntax *syntaxError
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			complain(fmt.Errorf("%s: empty: want OTLP JSON (an export request with resourceSpans or resourceLogs)", name))
			return nil
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &syntax):
			complain(fmt.Errorf("%s: %w", name, err))
			continue
		case err != nil:
			complain(fmt.Errorf("%s: %w", name, err))
			return nil
		}
		request, err := parse(doc)
		if err != nil {
			complain(fmt.Errorf("%s: line %d: %w", name, line, err))
			continue
		}
		if err := p.convert(request); err != nil {
			return err
		}
	}
}

func open(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s: is a directory: name the files in it, for example %s/*.json", name, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// request is one export request: of spans or of log records.
type request struct {
	traces ptrace.Traces
	logs   plog.Logs
}

// signals are the lists that export requests hold, in the two ways in which JSON
// writes their names, and how they are read; those of other signals are nil.
var signals = []struct {
	keys [2]string
	read func(doc json.RawMessage, into *request) error
}{
	{[2]string{"resourceSpans", "resource_spans"}, func(doc json.RawMessage, into *request) (err error) {
		into.traces, err = new(ptrace.JSONUnmarshaler).UnmarshalTraces(doc)
		return err
	}},
	{[2]string{"resourceLogs", "resource_logs"}, func(doc json.RawMessage, into *request) (err error) {
		into.logs, err = new(plog.JSONUnmarshaler).UnmarshalLogs(doc)
		return err
	}},
	{[2]string{"resourceMetrics", "resource_metrics"}, nil},
	{[2]string{"resourceProfiles", "resource_profiles"}, nil},
}

// parse reads one export request. A document of another kind would read as a
// request without spans, so it is told apart here.
func parse(doc json.RawMessage) (request, error) {
	read := request{traces: ptrace.NewTraces(), logs: plog.NewLogs()}
	if !bytes.HasPrefix(doc, []byte("{")) {
		return read, errors.New("not an OTLP export: want a JSON object with resourceSpans or resourceLogs")
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(doc, &keys); err != nil {
		return read, fmt.Errorf("not an OTLP export: %w", err)
	}
	known := len(keys) == 0 // {} is a request without spans
	for _, s := range signals {
		_, camel := keys[s.keys[0]]
		_, snake := keys[s.keys[1]]
		switch {
		case !camel && !snake:
			continue
		case s.read == nil:
			return read, fmt.Errorf("it holds %s, and only spans and log records are previewed", s.keys[0])
		}
		known = true
		if err := s.read(doc, &read); err != nil {
			return read, fmt.Errorf("not an OTLP export: %s", problem(err))
		}
	}
	if !known {
		return read, errors.New("not an OTLP export: it has neither resourceSpans nor resourceLogs")
	}
	return read, nil
}

// problem is what the JSON reader says without the piece of the document that it
// quotes, in which a prompt may be, and with a hint where ids are in base64, as the
// JSON of other protocol buffers has them.
func problem(err error) string {
	text, _, _ := strings.Cut(err.Error(), ", error found in #")
	if strings.Contains(text, "ID.UnmarshalJSON") {
		text += ": trace ids are 32 hexadecimal digits in OTLP JSON, span ids 16"
	}
	return text
}

// convert converts one export request.
func (p *previewer) convert(r request) error {
	batch := p.converter.NewBatch()
	for span := range pdataview.Spans(r.traces) {
		p.summary.spans++
		if err := p.one(batch, span, span.Span().Attributes()); err != nil {
			return err
		}
	}
	for record := range pdataview.Logs(r.logs) {
		p.summary.spans++
		if err := p.one(batch, record, record.LogRecord().Attributes()); err != nil {
			return err
		}
	}
	return p.print(batch.End(nil))
}

// one converts a span or a log record, which has the given attributes.
func (p *previewer) one(batch *convert.Batch, s convert.Span, attributes pcommon.Map) error {
	if p.opts.Explain {
		p.current.stamped = stampedBy(attributes)
	}
	p.decisions = batch.Convert(p.decisions[:0], s)
	return p.print(p.decisions)
}

// print prints decisions: about the current span, and about earlier ones that
// were held. That a span is held is only remembered; its decision follows.
func (p *previewer) print(decisions []convert.Decision) error {
	for _, d := range decisions {
		key := spanKey{trace: d.TraceID, span: d.SpanID}
		span := p.current
		switch {
		case d.Kind == convert.Held:
			p.held[key] = p.current
			continue
		case d.WasHeld:
			span = p.held[key]
			delete(p.held, key)
		}
		line := newLine(span.file, d)
		if p.opts.Explain {
			line.explain(d, span.stamped)
		}
		switch {
		case p.opts.Summary:
			if err := p.summary.add(line); err != nil {
				return err
			}
		case p.opts.Billed && line.Decision != decisionBilled:
		default:
			if err := p.out.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}
