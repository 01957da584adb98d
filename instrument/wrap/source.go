// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Source says how metadata follows from the argument A of a wrapped function, or
// from its arguments [Args2] or [Args3].
type Source[A any] struct {
	// name is what the source gives, for people.
	name     string
	selector func(A) (instrument.Metadata, error)
	required bool
}

// Required returns the source with which a function that gets an empty value is
// not called: it returns a [MissingError].
func (s Source[A]) Required() Source[A] {
	s.required = true
	return s
}

// MissingError says that a function was not called because a source that is
// required gave no value.
type MissingError struct {
	// Name is what the source would have given: "organization".
	Name string
}

// Error says what is missing.
func (e *MissingError) Error() string {
	return "wrap: no " + e.Name + " in the arguments, and it is required: the function was not called"
}

// Agent takes the name of the agent from the arguments.
func Agent[A any](name func(A) string) Source[A] {
	return from("agent", name, func(m *instrument.Metadata, s string) { m.Agent = s })
}

// Task takes the type of the task from the arguments.
func Task[A any](taskType func(A) string) Source[A] {
	return from("task type", taskType, func(m *instrument.Metadata, s string) { m.TaskType = s })
}

// Trace takes the id that groups calls from the arguments.
func Trace[A any](id func(A) string) Source[A] {
	return from("trace id", id, func(m *instrument.Metadata, s string) { m.TraceID = s })
}

// Organization takes the name of the organization from the arguments.
func Organization[A any](name func(A) string) Source[A] {
	return from("organization", name, func(m *instrument.Metadata, s string) { m.Organization = s })
}

// Subscription takes the id of the subscription from the arguments.
func Subscription[A any](id func(A) string) Source[A] {
	return from("subscription", id, func(m *instrument.Metadata, s string) { m.Subscription = s })
}

// Product takes the name of the product from the arguments.
func Product[A any](name func(A) string) Source[A] {
	return from("product", name, func(m *instrument.Metadata, s string) { m.Product = s })
}

// Subscriber takes the subscriber from the arguments. Parts that are empty are as
// they are outside.
func Subscriber[A any](subscriber func(A) instrument.Subscriber) Source[A] {
	return from("subscriber", subscriber, func(m *instrument.Metadata, s instrument.Subscriber) { m.Subscriber = s })
}

// Quality takes the score of the answer from the arguments, 0 to 1; nil is none.
func Quality[A any](score func(A) *float64) Source[A] {
	return from("quality score", score, func(m *instrument.Metadata, s *float64) { m.QualityScore = s })
}

// Job takes the agentic job from the arguments. Parts that are empty are as they
// are outside.
func Job[A any](job func(A) instrument.Job) Source[A] {
	return from("job", job, func(m *instrument.Metadata, j instrument.Job) { m.Job = j })
}

// Metadata takes any metadata from the arguments. The functions that read metadata
// from something else fit into it:
//
//	wrap.Metadata(func(t Ticket) (instrument.Metadata, error) { return instrument.FromStruct(t) })
func Metadata[A any](metadata func(A) (instrument.Metadata, error)) Source[A] {
	return Source[A]{name: "metadata", selector: metadata}
}

func from[A, V any](name string, selector func(A) V, set func(*instrument.Metadata, V)) Source[A] {
	return Source[A]{name: name, selector: func(args A) (instrument.Metadata, error) {
		var m instrument.Metadata
		set(&m, selector(args))
		return m, nil
	}}
}

// value asks the selector. failed says that it could not tell.
func (s Source[A]) value(args A) (m instrument.Metadata, failed bool) {
	defer func() {
		if p := recover(); p != nil {
			failed = true
			otel.Handle(fmt.Errorf("wrap: the selector of the %s panicked: %v; the function is called without its value", s.name, p))
		}
	}()
	m, err := s.selector(args)
	if err != nil {
		otel.Handle(fmt.Errorf("wrap: the selector of the %s failed: %w; the function is called with what it could tell", s.name, err))
	}
	return m, err != nil
}

// Context returns the context with which a wrapped function would be called: ctx
// with fixed metadata and that of the sources for the arguments. Functions that
// none of the others fit call it in their first line. The error is nil or a
// [MissingError].
func Context[A any](ctx context.Context, args A, fixed instrument.Metadata, sources ...Source[A]) (context.Context, error) {
	for _, source := range sources {
		if source.selector == nil {
			continue
		}
		m, failed := source.value(args)
		if source.required && !failed && m.IsZero() {
			return ctx, &MissingError{Name: source.name}
		}
		fixed = fixed.Merge(m)
	}
	return instrument.WithWrapperMetadata(ctx, fixed), nil
}

// settled copies what a function is wrapped with, so that later changes of what it
// was made from change nothing, and reports fixed metadata that Revenium will not
// take as it is.
func settled[A any](fixed instrument.Metadata, sources []Source[A]) (instrument.Metadata, []Source[A]) {
	if err := fixed.Validate(); err != nil {
		otel.Handle(fmt.Errorf("wrap: %w", err))
	}
	return fixed.Merge(instrument.Metadata{}), slices.Clone(sources)
}
