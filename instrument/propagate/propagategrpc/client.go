// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagategrpc

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// UnaryClientInterceptor returns an interceptor that sends the metadata of a call's
// context as x-revenium-* metadata of the call. What the caller has set stays.
// Whatever the connection leads to can read it: install it on connections to
// services of your own. propagate.WithOnlyHeaderFields and WithMeterProvider have
// an effect.
func UnaryClientInterceptor(opts ...propagate.Option) grpc.UnaryClientInterceptor {
	p := propagate.NewPropagator(opts...)
	return func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, callOpts ...grpc.CallOption) error {
		return invoke(outgoing(ctx, p), method, req, reply, conn, callOpts...)
	}
}

// StreamClientInterceptor is [UnaryClientInterceptor] for streams.
func StreamClientInterceptor(opts ...propagate.Option) grpc.StreamClientInterceptor {
	p := propagate.NewPropagator(opts...)
	return func(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, stream grpc.Streamer, callOpts ...grpc.CallOption) (grpc.ClientStream, error) {
		return stream(outgoing(ctx, p), desc, conn, method, callOpts...)
	}
}

// outgoing returns ctx with metadata of the call.
func outgoing(ctx context.Context, p *propagate.Propagator) context.Context {
	md, ok := metadata.FromOutgoingContext(ctx) // a copy
	if !ok {
		md = metadata.MD{}
	}
	before := len(md)
	p.InjectHeaders(ctx, carrier(md))
	if len(md) == before {
		return ctx
	}
	return metadata.NewOutgoingContext(ctx, md)
}
