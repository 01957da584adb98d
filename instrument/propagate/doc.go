// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package propagate carries metadata, who pays for a call, from one process to the
// next: as W3C baggage between services, and as x-revenium-* headers to LiteLLM
// proxies. docs/attribution.md of this module has the rules independent of any
// language, and testing/conformance the cases that go with them.
//
// # Out
//
// [Propagator] is an OpenTelemetry propagator that goes in the place of
// propagation.Baggage: besides the program's own baggage it sends the metadata of
// the context, in members that are named like the attributes. By default these are
// trace, organization, product, task and agent; the credential of a subscriber is
// never among them. Where a propagator puts baggage, any host can read it.
//
// [Transport] is an http.RoundTripper that adds x-revenium-* headers to requests to
// the hosts that it is given, and to no others.
//
// # In
//
// Whoever can set metadata decides who pays. Nothing that comes from outside is
// believed unless a [Trust] says so:
//
//	handler = propagate.NewMiddleware(
//		propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("10.0.0.0/8"))),
//	)(handler)
//
// [NewMiddleware] is for net/http; [Propagator.Extract] for whatever has carriers
// (message queues, RPC) and [Propagator.Receive] for those who know more of the
// sender than the carrier; module propagategrpc has interceptors for gRPC. What is
// believed comes after all that the program itself says, headers before baggage.
//
// # What is left out
//
// A value that is not sent or not believed is left out alone: the request, its
// trace context, the program's baggage and all other values are as they would be
// without it. It is counted by the metric revenium.propagate.values.dropped, with
// the attributes revenium.direction ("in", "out"), revenium.carrier ("header",
// "baggage") and revenium.reason:
//
//   - untrusted: its sender is not believed;
//   - not_allowed: no field has the name, or the field is not on the list;
//   - invalid: it is outside the field's limits, or cannot be written where it
//     should go: control characters, in headers what is not ASCII;
//   - too_large: the whole would be larger than what servers take;
//   - malformed: a member of baggage that does not follow the grammar.
//
// All but the first two are also reported to OpenTelemetry's error handler, of each
// kind at most one in a minute.
package propagate
