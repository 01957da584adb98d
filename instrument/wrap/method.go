// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"context"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Method0 wraps the expression of a method without arguments. Its sources see the
// receiver.
func Method0[T, R any](method func(T, context.Context) (R, error), fixed instrument.Metadata, sources ...Source[T]) func(T, context.Context) (R, error) {
	wrapped := Func1(func(ctx context.Context, t T) (R, error) { return method(t, ctx) }, fixed, sources...)
	return func(t T, ctx context.Context) (R, error) { return wrapped(ctx, t) }
}

// Method1 wraps the expression of a method of one argument. Its sources see the
// receiver first, then the argument.
func Method1[T, A, R any](method func(T, context.Context, A) (R, error), fixed instrument.Metadata, sources ...Source[Args2[T, A]]) func(T, context.Context, A) (R, error) {
	wrapped := Func2(func(ctx context.Context, t T, a A) (R, error) { return method(t, ctx, a) }, fixed, sources...)
	return func(t T, ctx context.Context, a A) (R, error) { return wrapped(ctx, t, a) }
}

// Method2 wraps the expression of a method of two arguments. Its sources see the
// receiver first, then the arguments.
func Method2[T, A, B, R any](method func(T, context.Context, A, B) (R, error), fixed instrument.Metadata, sources ...Source[Args3[T, A, B]]) func(T, context.Context, A, B) (R, error) {
	wrapped := Func3(func(ctx context.Context, t T, a A, b B) (R, error) { return method(t, ctx, a, b) }, fixed, sources...)
	return func(t T, ctx context.Context, a A, b B) (R, error) { return wrapped(ctx, t, a, b) }
}

// MethodErr0 wraps the expression of a method without arguments that returns an
// error alone. Its sources see the receiver.
func MethodErr0[T any](method func(T, context.Context) error, fixed instrument.Metadata, sources ...Source[T]) func(T, context.Context) error {
	wrapped := Err1(func(ctx context.Context, t T) error { return method(t, ctx) }, fixed, sources...)
	return func(t T, ctx context.Context) error { return wrapped(ctx, t) }
}

// MethodErr1 wraps the expression of a method of one argument that returns an
// error alone. Its sources see the receiver first, then the argument.
func MethodErr1[T, A any](method func(T, context.Context, A) error, fixed instrument.Metadata, sources ...Source[Args2[T, A]]) func(T, context.Context, A) error {
	wrapped := Err2(func(ctx context.Context, t T, a A) error { return method(t, ctx, a) }, fixed, sources...)
	return func(t T, ctx context.Context, a A) error { return wrapped(ctx, t, a) }
}

// MethodErr2 wraps the expression of a method of two arguments that returns an
// error alone. Its sources see the receiver first, then the arguments.
func MethodErr2[T, A, B any](method func(T, context.Context, A, B) error, fixed instrument.Metadata, sources ...Source[Args3[T, A, B]]) func(T, context.Context, A, B) error {
	wrapped := Err3(func(ctx context.Context, t T, a A, b B) error { return method(t, ctx, a, b) }, fixed, sources...)
	return func(t T, ctx context.Context, a A, b B) error { return wrapped(ctx, t, a, b) }
}
