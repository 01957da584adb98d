// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"reflect"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/instrument"
)

// reused is what the calls of a transport use one after the other, since most of
// what a call costs is memory. The zero value is ready for use.
type reused struct {
	tracers  tracers
	answers  answers
	scanners scanners
	lists    lists
}

// tracers keeps the tracer of a transport's spans: to look it up takes locks and
// memory.
type tracers struct {
	last atomic.Pointer[providerTracer]
}

type providerTracer struct {
	provider trace.TracerProvider
	option   instrument.Option
}

// option returns the option for spans of provider; nil is the global one, which
// may be another one each time.
func (t *tracers) option(provider trace.TracerProvider) instrument.Option {
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	// Only pointers: other types need not be comparable.
	keep := reflect.TypeOf(provider).Kind() == reflect.Pointer
	if last := t.last.Load(); keep && last != nil && last.provider == provider {
		return last.option
	}
	tracer := provider.Tracer(ScopeName, trace.WithInstrumentationVersion(instrument.Version))
	found := &providerTracer{provider: provider, option: instrument.WithTracer(tracer)}
	if keep {
		t.last.Store(found)
	}
	return found.option
}

// scanners keeps scanners that have done their work.
type scanners struct{ pool sync.Pool } // of *scanner

func (p *scanners) take(root *node, to sink) *scanner {
	s, ok := p.pool.Get().(*scanner)
	if !ok {
		return newScanner(root, to)
	}
	s.use(root, to)
	return s
}

// give takes a scanner back to which nobody refers any more.
func (p *scanners) give(s *scanner) {
	s.sink, s.pieces, s.unknowns = nil, nil, nil
	p.pool.Put(s)
}

// lists keeps lists of attributes that are needed for a moment only.
type lists struct{ pool sync.Pool } // of *attributeList

func (p *lists) take() *attributeList {
	l, ok := p.pool.Get().(*attributeList)
	if !ok {
		list := make(attributeList, 0, 20)
		return &list
	}
	return l
}

func (p *lists) give(l *attributeList) {
	clear(*l)
	*l = (*l)[:0]
	p.pool.Put(l)
}
