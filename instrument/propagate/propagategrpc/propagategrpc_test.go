// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagategrpc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/instrument/propagate/propagategrpc"
	"github.com/revenium/revenium-otel-go/semconv"
)

// service is a gRPC service with a unary and a streaming method that notes whom a
// call is for.
type service struct {
	healthpb.UnimplementedHealthServer
	seen chan instrument.Metadata
}

func (s *service) Check(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
	s.seen <- instrument.FromContext(ctx)
	return &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING}, nil
}

func (s *service) Watch(_ *healthpb.HealthCheckRequest, stream healthpb.Health_WatchServer) error {
	s.seen <- instrument.FromContext(stream.Context())
	return stream.Send(&healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_SERVING})
}

// start starts a service that believes what trust does, and returns it with a
// client.
func start(tb testing.TB, trust propagate.Trust, server, client credentials.TransportCredentials, opts ...propagate.Option) (*service, healthpb.HealthClient) {
	tb.Helper()
	srv := grpc.NewServer(grpc.Creds(server),
		grpc.ChainUnaryInterceptor(propagategrpc.UnaryServerInterceptor(propagate.WithTrust(trust))),
		grpc.ChainStreamInterceptor(propagategrpc.StreamServerInterceptor(propagate.WithTrust(trust))))
	s := &service{seen: make(chan instrument.Metadata, 1)}
	healthpb.RegisterHealthServer(srv, s)
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(client),
		grpc.WithChainUnaryInterceptor(propagategrpc.UnaryClientInterceptor(opts...)),
		grpc.WithChainStreamInterceptor(propagategrpc.StreamClientInterceptor(opts...)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := conn.Close(); err != nil {
			tb.Error(err)
		}
		srv.Stop()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
	return s, healthpb.NewHealthClient(conn)
}

// called makes a unary call and a stream, and returns whom each was for.
func called(ctx context.Context, tb testing.TB, s *service, client healthpb.HealthClient) (unary, stream instrument.Metadata) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if _, err := client.Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
		tb.Fatal(err)
	}
	unary = <-s.seen
	watch, err := client.Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := watch.Recv(); err != nil {
		tb.Fatal(err)
	}
	return unary, <-s.seen
}

func TestInterceptors(t *testing.T) {
	loopback, elsewhere := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")
	sent := instrument.Metadata{
		Organization: "Acme", QualityScore: new(0.5), Agent: "planner",
		Subscriber: instrument.Subscriber{Email: "jo@example.com", CredentialValue: "secret"},
	}
	arrives := sent
	arrives.Subscriber.CredentialValue = ""
	for _, tt := range []struct {
		name  string
		trust propagate.Trust
		opts  []propagate.Option
		sent  instrument.Metadata
		pairs []string // of the call's own metadata
		want  instrument.Metadata
	}{
		{name: "nothing is believed", sent: sent},
		{name: "a network", trust: propagate.TrustNetworks(loopback), sent: sent, want: arrives},
		{name: "another network", trust: propagate.TrustNetworks(elsewhere), sent: sent},
		{name: "a certificate without TLS", trust: propagate.TrustCertificates("gateway.example"), sent: sent},
		{name: "nothing to send", trust: propagate.TrustAlways()},
		{
			name: "what the caller has set stays", trust: propagate.TrustAlways(), sent: sent, pairs: []string{"x-revenium-organization-id", "own", "x-other", "y"},
			want: arrives.Merge(instrument.Metadata{Organization: "own"}),
		},
		{
			name: "baggage", trust: propagate.TrustAlways(), sent: instrument.Metadata{Agent: "header"}, pairs: []string{"baggage", "revenium.agent.name=baggage,color=blue", "baggage", "revenium.task.type=chat"},
			want: instrument.Metadata{Agent: "header", TaskType: "chat"},
		},
		{
			name: "what gRPC would refuse is left out", trust: propagate.TrustAlways(), opts: []propagate.Option{propagate.WithNonASCII()},
			sent: instrument.Metadata{Organization: "Müller", Product: "a\r\nb", Agent: strings.Repeat("x", 64<<10), TaskType: "a\x00b", Region: "a\tb", TicketID: "ok"}, want: instrument.Metadata{TicketID: "ok"},
		},
		{
			name: "a list", trust: propagate.TrustAlways(), opts: []propagate.Option{propagate.WithOnlyHeaderFields(semconv.ReveniumAgentNameKey)},
			sent: sent, want: instrument.Metadata{Agent: "planner"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, client := start(t, tt.trust, insecure.NewCredentials(), insecure.NewCredentials(), tt.opts...)
			ctx := metadata.AppendToOutgoingContext(instrument.WithMetadata(t.Context(), tt.sent), tt.pairs...)
			unary, stream := called(ctx, t, s, client)
			if diff := cmp.Diff(tt.want, unary); diff != "" {
				t.Errorf("unary (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, stream); diff != "" {
				t.Errorf("stream (-want +got):\n%s", diff)
			}
		})
	}
}

// certificate issues a certificate for a name, by itself or by an issuer.
func certificate(tb testing.TB, name string, issuer *tls.Certificate) *tls.Certificate {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: issuer == nil, BasicConstraintsValid: true,
	}
	parent, signer := template, any(key)
	if issuer != nil {
		parent, signer = issuer.Leaf, issuer.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// TestCertificate has a client identify itself by its certificate.
func TestCertificate(t *testing.T) {
	authority := certificate(t, "authority.example", nil)
	pool := x509.NewCertPool()
	pool.AddCert(authority.Leaf)
	server := credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{*certificate(t, "server.example", authority)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
	})
	acme := instrument.Metadata{Organization: "Acme"}
	for name, want := range map[string]instrument.Metadata{"gateway.example": acme, "other.example": {}} {
		client := credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{*certificate(t, name, authority)}, RootCAs: pool, MinVersion: tls.VersionTLS12,
		})
		s, calls := start(t, propagate.TrustCertificates("gateway.example"), server, client)
		unary, stream := called(instrument.WithMetadata(t.Context(), acme), t, s, calls)
		if !cmp.Equal(want, unary) || !cmp.Equal(want, stream) {
			t.Errorf("%s: %v and %v, want %v", name, unary, stream, want)
		}
	}
}
