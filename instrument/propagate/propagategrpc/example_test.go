// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagategrpc_test

import (
	"net/netip"

	"google.golang.org/grpc"

	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/instrument/propagate/propagategrpc"
)

func Example() {
	neighbours := propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("10.0.0.0/8")))
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(propagategrpc.UnaryServerInterceptor(neighbours)),
		grpc.ChainStreamInterceptor(propagategrpc.StreamServerInterceptor(neighbours)),
	)
	defer server.Stop()
	// Output:
}
