// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Settings of the transport that are not options. Those that http.DefaultTransport
// has, too, have its values.
const (
	maxDialTimeout        = 5 * time.Second
	keepAlive             = 30 * time.Second
	tlsHandshakeTimeout   = 10 * time.Second
	idleConnTimeout       = 90 * time.Second
	expectContinueTimeout = time.Second
	maxResponseHeader     = 64 << 10
	// An HTTP/2 connection is shared by all senders. Without pings, one that a
	// middle box forgot would fail all of them until TCP gives up, which takes a
	// quarter of an hour.
	http2PingAfter   = 15 * time.Second
	http2PingTimeout = 10 * time.Second
)

// checkedBaseURL parses the base URL and refuses to send a key over a network
// unencrypted, unless that was asked for.
func (c clientConfig) checkedBaseURL() (*url.URL, error) {
	u, err := parseBaseURL(c.baseURL)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !c.plainHTTP && !isLoopback(u) {
		return nil, fmt.Errorf("%w: %s: use https, or allow it with WithPlainHTTP", ErrPlainHTTP, origin(u))
	}
	return u, nil
}

// newHTTPClient returns a client of our own, or a copy of the user's.
func (c clientConfig) newHTTPClient() *http.Client {
	client := &http.Client{}
	if c.httpClient != nil {
		*client = *c.httpClient
	}
	if client.Transport == nil {
		client.Transport = c.newTransport()
	}
	client.CheckRedirect = checkRedirect
	return client
}

// newTransport makes a transport that shares nothing with http.DefaultTransport,
// so that what others do to that one neither traces nor breaks metering.
func (c clientConfig) newTransport() *http.Transport {
	var tlsConfig *tls.Config
	if c.tls != nil {
		tlsConfig = c.tls.Clone()
	}
	dialer := &net.Dialer{Timeout: min(c.timeout, maxDialTimeout), KeepAlive: keepAlive}
	return &http.Transport{
		Proxy:                  c.proxy,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    min(c.timeout, tlsHandshakeTimeout),
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: http2PingAfter, PingTimeout: http2PingTimeout},
		MaxConnsPerHost:        c.maxConns,
		MaxIdleConns:           c.maxConns,
		MaxIdleConnsPerHost:    c.maxConns,
		IdleConnTimeout:        idleConnTimeout,
		ExpectContinueTimeout:  expectContinueTimeout,
		MaxResponseHeaderBytes: maxResponseHeader,
	}
}

// maxRedirects bounds redirects within the origin of the base URL.
const maxRedirects = 3

// checkRedirect lets a request be repeated elsewhere only within the origin to
// which the key belongs, and only as it is: after 301, 302 and 303, net/http would
// turn it into a GET, whose success says nothing about the record. What is not
// followed becomes the result.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if req.Method != first.Method || origin(req.URL) != origin(first.URL) || len(via) > maxRedirects {
		return http.ErrUseLastResponse
	}
	return nil
}

// modulePath is the module that this package is part of.
const modulePath = "github.com/revenium/revenium-otel-go"

// userAgent is such as "revenium-otel-go/v0.1.0 (go1.26.0; linux/amd64)", after
// the product of whoever embeds it.
func userAgent(product string) string {
	info, _ := debug.ReadBuildInfo()
	own := fmt.Sprintf("revenium-otel-go/%s (%s; %s/%s)", moduleVersion(info), goVersion(), runtime.GOOS, runtime.GOARCH)
	return strings.TrimSpace(product + " " + own)
}

// goVersion is the version of Go without what a toolchain may append to it.
func goVersion() string {
	version, _, _ := strings.Cut(runtime.Version(), " ")
	return version
}

// moduleVersion is the version of this module in the running program; "devel" in
// a checkout.
func moduleVersion(info *debug.BuildInfo) string {
	const unknown = "devel"
	if info == nil {
		return unknown
	}
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Path != modulePath {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if isHeaderToken(m.Version) && strings.HasPrefix(m.Version, "v") {
			return m.Version
		}
	}
	return unknown
}
