// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
)

// Request is a request or message that came in, as far as it matters to whom it is
// from. What is not known is the zero value.
type Request struct {
	// Carrier has what came along as text: the headers of a request, the metadata of
	// a gRPC call, the headers of a message.
	Carrier propagation.TextMapCarrier
	// Peer is the address at the other end of the connection.
	Peer netip.Addr
	// TLS is the state of the connection.
	TLS *tls.ConnectionState
	// HTTP is the request where it came over net/http.
	HTTP *http.Request
}

// Verdict is what is believed of a request.
type Verdict struct {
	// Trusted says that the metadata in its headers and baggage is believed.
	Trusted bool
	// Except names, by the keys of their attributes, fields about which they are not
	// believed all the same.
	Except []attribute.Key
	// Verified is what is known of the sender in another way, such as the claims of a
	// token. It goes before what headers and baggage say, and needs no Trusted.
	Verified instrument.Metadata
	// Fallback, if there is one, is given all of the above and returns values for
	// fields about which it says nothing. What it returns of other fields is ignored.
	Fallback func(said instrument.Metadata) instrument.Metadata
}

// Trust says what is believed of a request. It is called for each request,
// concurrently; ctx is that of the request. One that panics is reported, and
// nothing is believed.
type Trust func(ctx context.Context, r *Request) Verdict

// TrustAlways believes everything that arrives: for carriers that only trusted
// programs can write to, such as the queues of a system.
func TrustAlways() Trust {
	return func(context.Context, *Request) Verdict { return Verdict{Trusted: true} }
}

// TrustNetworks believes requests whose direct peer has an address in one of the
// networks. Headers that proxies set (X-Forwarded-For) make no difference: where a
// proxy in these networks lets outsiders in, they are believed as well, and
// [TrustForwarded] is what is wanted.
func TrustNetworks(networks ...netip.Prefix) Trust {
	networks = slices.Clone(networks)
	return func(_ context.Context, r *Request) Verdict {
		return Verdict{Trusted: within(networks, r.Peer)}
	}
}

// TrustForwarded believes requests that come from one of the clients' networks
// through proxies: the direct peer has to be a proxy, and the last address of
// X-Forwarded-For that is no proxy's has to be a client's. Each of the proxies must
// add to that header the address that it was called from. A request that a proxy
// makes on its own, without the header, is not believed.
func TrustForwarded(proxies []netip.Prefix, clients ...netip.Prefix) Trust {
	proxies, clients = slices.Clone(proxies), slices.Clone(clients)
	return func(_ context.Context, r *Request) Verdict {
		if r.Carrier == nil || !within(proxies, r.Peer) {
			return Verdict{}
		}
		client, ok := forwardedFor(r.Carrier, proxies)
		return Verdict{Trusted: ok && within(clients, client)}
	}
}

// maxForwarded bounds how many addresses of X-Forwarded-For are looked at.
const maxForwarded = 32

// forwardedFor is the last address of X-Forwarded-For that is no proxy's. An entry
// that is no address ends the search: nobody knows who it was.
func forwardedFor(c propagation.TextMapCarrier, proxies []netip.Prefix) (netip.Addr, bool) {
	rest := strings.Join(valuesOf(c, "X-Forwarded-For"), ",")
	for range maxForwarded {
		entry := rest
		comma := strings.LastIndexByte(rest, ',')
		if comma >= 0 {
			entry, rest = rest[comma+1:], rest[:comma]
		}
		addr, ok := parseAddr(strings.TrimSpace(entry))
		if !ok {
			return netip.Addr{}, false
		}
		if !within(proxies, addr) {
			return addr, true
		}
		if comma < 0 {
			break
		}
	}
	return netip.Addr{}, false
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) (netip.Addr, bool) {
	if addrPort, err := netip.ParseAddrPort(s); err == nil {
		return addrPort.Addr(), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return addr, err == nil
}

// within says whether an address is in one of the networks.
func within(networks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsValid() && slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// TrustClaims believes requests about whose sender verify knows something in a way
// that cannot be forged, such as a token whose signature it has checked. What verify
// returns goes before what the headers say. About who pays ([CustomerFields]) the
// claims alone are believed: whoever has a token can say what the work is, and not
// for whom. Where verify returns false, nothing is believed.
func TrustClaims(verify func(ctx context.Context, r *Request) (instrument.Metadata, bool)) Trust {
	customer := CustomerFields()
	return func(ctx context.Context, r *Request) Verdict {
		claims, ok := verify(ctx, r)
		if !ok {
			return Verdict{}
		}
		return Verdict{Trusted: true, Except: customer, Verified: claims}
	}
}

// TrustCertificates believes requests that came over TLS with a client certificate
// which the server has verified and which is for one of the identities: a DNS name
// or URI ("spiffe://cluster.example/ns/billing/sa/gateway") among its subject
// alternative names, compared as a whole. The server's tls.Config must ask for
// certificates and verify them (tls.RequireAndVerifyClientCert or
// tls.VerifyClientCertIfGiven).
func TrustCertificates(identities ...string) Trust {
	identities = slices.Clone(identities)
	return func(_ context.Context, r *Request) Verdict {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
			return Verdict{}
		}
		leaf := r.TLS.VerifiedChains[0][0]
		for _, name := range leaf.DNSNames {
			if slices.ContainsFunc(identities, func(id string) bool { return strings.EqualFold(id, name) }) {
				return Verdict{Trusted: true}
			}
		}
		for _, uri := range leaf.URIs {
			if slices.Contains(identities, uri.String()) {
				return Verdict{Trusted: true}
			}
		}
		return Verdict{}
	}
}

// TrustAny asks one after the other and takes the first verdict that believes or
// knows anything.
func TrustAny(trusts ...Trust) Trust {
	trusts = slices.Clone(trusts)
	return func(ctx context.Context, r *Request) Verdict {
		for _, trust := range trusts {
			if trust == nil {
				continue
			}
			if v := trust(ctx, r); v.Trusted || v.Fallback != nil || !v.Verified.IsZero() {
				return v
			}
		}
		return Verdict{}
	}
}

// judge asks trust, which may be nil.
func judge(ctx context.Context, trust Trust, r *Request) (v Verdict) {
	if trust == nil {
		return Verdict{}
	}
	defer func() {
		if p := recover(); p != nil {
			otel.Handle(fmt.Errorf("propagate: the function of WithTrust panicked: %v; nothing of the request is believed", p))
			v = Verdict{}
		}
	}()
	return trust(ctx, r)
}

// fallback asks the verdict for what nothing says.
func (v *Verdict) fallback(said instrument.Metadata) (m instrument.Metadata) {
	if v.Fallback == nil {
		return instrument.Metadata{}
	}
	defer func() {
		if p := recover(); p != nil {
			otel.Handle(fmt.Errorf("propagate: the fallback of a verdict panicked: %v; nothing is filled in", p))
			m = instrument.Metadata{}
		}
	}()
	var unsaid []attribute.KeyValue
	says := said.Attributes()
	for _, kv := range v.Fallback(said).Attributes() {
		if !slices.ContainsFunc(says, func(s attribute.KeyValue) bool { return s.Key == kv.Key }) {
			unsaid = append(unsaid, kv)
		}
	}
	m, _ = instrument.FromAttributes(unsaid...) // they are metadata's own
	return m
}
