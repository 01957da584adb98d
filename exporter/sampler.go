// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// SamplerOption configures [NewSampler].
type SamplerOption interface {
	applySampler(*sampler)
}

type samplerOptionFunc func(*sampler)

func (f samplerOptionFunc) applySampler(s *sampler) { f(s) }

// WithRecordAll records every span that the base sampler drops. It costs about as
// much as sampling everything without exporting, and is for services whose LLM
// spans cannot be recognised when they start.
func WithRecordAll() SamplerOption {
	return samplerOptionFunc(func(s *sampler) { s.all = true })
}

// WithRecordFunc records, besides what is recognised, each span for which record
// returns true. It is called at the start of every span that the base sampler
// drops, concurrently, and has to be quick.
func WithRecordFunc(record func(sdktrace.SamplingParameters) bool) SamplerOption {
	return samplerOptionFunc(func(s *sampler) { s.record = record })
}

// NewSampler wraps the sampler of a provider so that LLM calls are metered
// however few traces are sampled. A nil base is
// ParentBased(AlwaysSample()), the SDK's default. It has to be the outermost
// sampler: NewSampler(ParentBased(TraceIDRatioBased(0.01))).
//
// What base samples, it leaves alone. What base drops becomes RecordOnly, which
// tracing backends and downstream services do not notice, if the span
//
//   - is recognisable as an LLM call when it starts: by a gen_ai.* or revenium.*
//     attribute, or an attribute or name of one of the known instrumentations;
//   - has a parent in this process that is recorded, so that what belongs to a
//     recorded call or agent is seen with it;
//   - is named by [WithRecordFunc], or [WithRecordAll] is set.
//
// A sampler sees only the name and the attributes that a span starts with. A span
// that becomes an LLM call later, without a recorded parent, cannot be promised:
// use WithRecordFunc for it. And a Collector never sees what is not sampled; only
// a processor in the process does.
func NewSampler(base sdktrace.Sampler, opts ...SamplerOption) sdktrace.Sampler {
	if base == nil {
		base = sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
	s := &sampler{base: base}
	for _, opt := range opts {
		if opt != nil {
			opt.applySampler(s)
		}
	}
	return s
}

type sampler struct {
	base   sdktrace.Sampler
	all    bool
	record func(sdktrace.SamplingParameters) bool
}

var _ sdktrace.Sampler = (*sampler)(nil)

// ShouldSample keeps the base sampler's attributes and trace state in any case.
func (s *sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := s.base.ShouldSample(p)
	if result.Decision == sdktrace.Drop && s.keep(p) {
		result.Decision = sdktrace.RecordOnly
	}
	return result
}

// keep reports whether a dropped span has to be recorded nevertheless.
func (s *sampler) keep(p sdktrace.SamplingParameters) bool {
	if s.all || semconv.IsLLMSpan(p.Name, p.Attributes) {
		return true
	}
	if parent := trace.SpanFromContext(p.ParentContext); parent.IsRecording() && !parent.SpanContext().IsRemote() {
		return true
	}
	return s.record != nil && s.record(p)
}

// Description names the base sampler.
func (s *sampler) Description() string {
	if s.all {
		return "ReveniumSampler{" + s.base.Description() + ",record:all}"
	}
	return "ReveniumSampler{" + s.base.Description() + "}"
}
