// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package propagategrpc carries metadata, who pays for a call, over gRPC: as
// x-revenium-* metadata of calls, by interceptors. Package propagate says what is
// sent and what is believed.
//
//	server := grpc.NewServer(
//		grpc.ChainUnaryInterceptor(propagategrpc.UnaryServerInterceptor(trust)),
//		grpc.ChainStreamInterceptor(propagategrpc.StreamServerInterceptor(trust)),
//	)
//
// The server's read baggage as well. Baggage is sent by the propagator of the
// program (propagate.NewPropagator), which instrumentations such as otelgrpc use.
package propagategrpc
