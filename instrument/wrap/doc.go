// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package wrap makes functions say who pays for the calls inside them: what a
// decorator does elsewhere. A wrapped function has the type of the function
// itself. Whatever it calls with its context carries the metadata:
//
//	answer := wrap.Func1(service.answer,
//		instrument.Metadata{Agent: "Lead Analyst", TaskType: "research"},
//		wrap.Organization(func(q Question) string { return q.Tenant }),
//	)
//	result, err := answer(ctx, question)
//
// The metadata is fixed, or follows from the arguments by a [Source], whose
// selector the compiler checks against the function. [Func0] to [Func3] are for
// functions that return a value and an error, [Err0] to [Err3] for those that
// return an error alone; [Method0] and its like are for method expressions such as
// (*Service).Answer, whose selectors see the receiver as well. (A method value,
// service.Answer, is a function.) [Middleware] is for chains of
// func(context.Context) error, and [Context] for functions of any other shape, which
// call it in their first line.
//
// # What goes before what
//
// Wrapped functions go before contexts (instrument.WithMetadata), also before one
// that is set inside them. What is passed to a call itself, or set on its span,
// goes before both. Of wrapped functions inside each other the inner one goes
// first, and of several sources of one the later. All this is per field; the
// parts of the subscriber are merged one by one.
//
// # When a value is missing
//
// An empty value is skipped: the field is then as it is outside. A source that is
// [Source.Required] refuses the call with a [MissingError] instead. A selector
// that panics or returns an error never stands in the way of the call; that is
// reported to OpenTelemetry's error handler, and its value is skipped.
package wrap
