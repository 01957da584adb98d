// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagategrpc

import (
	"context"
	"net"
	"net/netip"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// UnaryServerInterceptor returns an interceptor that puts what is believed of a
// call's x-revenium-* metadata and baggage into the context of its handler. Nothing
// is, unless propagate.WithTrust says so; its function is given the peer, its
// certificate and the metadata of the call.
func UnaryServerInterceptor(opts ...propagate.Option) grpc.UnaryServerInterceptor {
	p := propagate.NewPropagator(opts...)
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		return handle(incoming(ctx, p), req)
	}
}

// StreamServerInterceptor is [UnaryServerInterceptor] for streams.
func StreamServerInterceptor(opts ...propagate.Option) grpc.StreamServerInterceptor {
	p := propagate.NewPropagator(opts...)
	return func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
		return handle(srv, &serverStream{ServerStream: stream, ctx: incoming(stream.Context(), p)})
	}
}

// serverStream is a stream with another context.
type serverStream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context returns the context of the call.
func (s *serverStream) Context() context.Context { return s.ctx }

// incoming returns ctx with what is believed of a call.
func incoming(ctx context.Context, p *propagate.Propagator) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	r := propagate.Request{Carrier: carrier(md)}
	if caller, ok := peer.FromContext(ctx); ok {
		r.Peer = addrOf(caller.Addr)
		if info, ok := caller.AuthInfo.(credentials.TLSInfo); ok {
			r.TLS = &info.State
		}
	}
	return p.Receive(ctx, r)
}

// addrOf is the IP address of a peer; invalid where it has none.
func addrOf(addr net.Addr) netip.Addr {
	switch addr := addr.(type) {
	case *net.TCPAddr:
		return addr.AddrPort().Addr()
	case nil:
		return netip.Addr{}
	default:
		addrPort, _ := netip.ParseAddrPort(addr.String())
		return addrPort.Addr()
	}
}
