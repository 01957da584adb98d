// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"context"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Args2 are the arguments of a function with two, or receiver and argument of a
// method.
type Args2[A, B any] struct {
	First  A
	Second B
}

// Args3 are the arguments of a function with three, or receiver and arguments of a
// method.
type Args3[A, B, C any] struct {
	First  A
	Second B
	Third  C
}

// call is what all wrapped functions do.
func call[A, R any](ctx context.Context, args A, fixed instrument.Metadata, sources []Source[A], fn func(context.Context) (R, error)) (R, error) {
	ctx, err := Context(ctx, args, fixed, sources...)
	if err != nil {
		var none R
		return none, err
	}
	return fn(ctx)
}

// callErr is call for functions without a value.
func callErr[A any](ctx context.Context, args A, fixed instrument.Metadata, sources []Source[A], fn func(context.Context) error) error {
	ctx, err := Context(ctx, args, fixed, sources...)
	if err != nil {
		return err
	}
	return fn(ctx)
}

// Func0 wraps a function without arguments. Its sources see the context.
func Func0[R any](fn func(context.Context) (R, error), fixed instrument.Metadata, sources ...Source[context.Context]) func(context.Context) (R, error) {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context) (R, error) {
		return call(ctx, ctx, fixed, sources, fn)
	}
}

// Func1 wraps a function of one argument.
func Func1[A, R any](fn func(context.Context, A) (R, error), fixed instrument.Metadata, sources ...Source[A]) func(context.Context, A) (R, error) {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A) (R, error) {
		return call(ctx, a, fixed, sources, func(ctx context.Context) (R, error) { return fn(ctx, a) })
	}
}

// Func2 wraps a function of two arguments.
func Func2[A, B, R any](fn func(context.Context, A, B) (R, error), fixed instrument.Metadata, sources ...Source[Args2[A, B]]) func(context.Context, A, B) (R, error) {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A, b B) (R, error) {
		return call(ctx, Args2[A, B]{a, b}, fixed, sources, func(ctx context.Context) (R, error) { return fn(ctx, a, b) })
	}
}

// Func3 wraps a function of three arguments.
func Func3[A, B, C, R any](fn func(context.Context, A, B, C) (R, error), fixed instrument.Metadata, sources ...Source[Args3[A, B, C]]) func(context.Context, A, B, C) (R, error) {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A, b B, c C) (R, error) {
		return call(ctx, Args3[A, B, C]{a, b, c}, fixed, sources, func(ctx context.Context) (R, error) { return fn(ctx, a, b, c) })
	}
}

// Err0 wraps a function without arguments that returns an error alone. Its sources
// see the context.
func Err0(fn func(context.Context) error, fixed instrument.Metadata, sources ...Source[context.Context]) func(context.Context) error {
	return Middleware(fixed, sources...)(fn)
}

// Err1 wraps a function of one argument that returns an error alone.
func Err1[A any](fn func(context.Context, A) error, fixed instrument.Metadata, sources ...Source[A]) func(context.Context, A) error {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A) error {
		return callErr(ctx, a, fixed, sources, func(ctx context.Context) error { return fn(ctx, a) })
	}
}

// Err2 wraps a function of two arguments that returns an error alone.
func Err2[A, B any](fn func(context.Context, A, B) error, fixed instrument.Metadata, sources ...Source[Args2[A, B]]) func(context.Context, A, B) error {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A, b B) error {
		return callErr(ctx, Args2[A, B]{a, b}, fixed, sources, func(ctx context.Context) error { return fn(ctx, a, b) })
	}
}

// Err3 wraps a function of three arguments that returns an error alone.
func Err3[A, B, C any](fn func(context.Context, A, B, C) error, fixed instrument.Metadata, sources ...Source[Args3[A, B, C]]) func(context.Context, A, B, C) error {
	fixed, sources = settled(fixed, sources)
	return func(ctx context.Context, a A, b B, c C) error {
		return callErr(ctx, Args3[A, B, C]{a, b, c}, fixed, sources, func(ctx context.Context) error { return fn(ctx, a, b, c) })
	}
}

// Middleware returns what wraps the functions of a chain. Its sources see the
// context.
func Middleware(fixed instrument.Metadata, sources ...Source[context.Context]) func(next func(context.Context) error) func(context.Context) error {
	fixed, sources = settled(fixed, sources)
	return func(next func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			return callErr(ctx, ctx, fixed, sources, next)
		}
	}
}
