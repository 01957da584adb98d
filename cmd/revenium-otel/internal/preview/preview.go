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
	docs := newDocuments(in)
	for n := 0; ; n++ {
		doc, line, err := docs.next()
		var syntax *syntaxError
		switch {
		case errors.Is(err, io.EOF) && n == 0:
			complain(fmt.Errorf("%s: empty: want OTLP JSON (an ExportTraceServiceRequest with resourceSpans)", name))
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
		traces, err := parse(doc)
		if err != nil {
			complain(fmt.Errorf("%s: line %d: %w", name, line, err))
			continue
		}
		if err := p.traces(traces); err != nil {
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

// parse reads one export request. A document of another kind would read as a
// request without spans, so it is told apart here.
func parse(doc json.RawMessage) (ptrace.Traces, error) {
	if !bytes.HasPrefix(doc, []byte("{")) {
		return ptrace.Traces{}, errors.New("not an OTLP trace export: want a JSON object with resourceSpans")
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(doc, &keys); err != nil {
		return ptrace.Traces{}, fmt.Errorf("not an OTLP trace export: %w", err)
	}
	_, camel := keys["resourceSpans"]
	_, snake := keys["resource_spans"]
	if !camel && !snake && len(keys) > 0 { // {} is a request without spans
		for _, signal := range []string{"resourceLogs", "resourceMetrics", "resourceProfiles"} {
			if _, ok := keys[signal]; ok {
				return ptrace.Traces{}, fmt.Errorf("not an OTLP trace export: it holds %s, and only spans are previewed", signal)
			}
		}
		return ptrace.Traces{}, errors.New("not an OTLP trace export: it has no resourceSpans")
	}
	traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(doc)
	if err != nil {
		return ptrace.Traces{}, fmt.Errorf("not an OTLP trace export: %w", err)
	}
	return traces, nil
}

// traces converts one export request.
func (p *previewer) traces(traces ptrace.Traces) error {
	batch := p.converter.NewBatch()
	for span := range pdataview.Spans(traces) {
		p.summary.spans++
		if p.opts.Explain {
			p.current.stamped = stampedBy(span.Span())
		}
		p.decisions = batch.Convert(p.decisions[:0], span)
		if err := p.print(p.decisions); err != nil {
			return err
		}
	}
	return p.print(batch.End(nil))
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
