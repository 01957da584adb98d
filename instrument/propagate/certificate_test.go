// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

// authority issues certificates.
type authority struct {
	tb   testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(tb testing.TB) *authority {
	tb.Helper()
	a := &authority{tb: tb}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.cert, a.key = a.sign(template, nil, nil)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.tb.Fatal(err)
	}
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		a.tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return cert, key
}

// client is a certificate for the given names.
func (a *authority) client(dns, uri string) tls.Certificate {
	a.tb.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	template.Subject.CommonName = "gateway.example" // which says nothing
	if dns != "" {
		template.DNSNames = []string{dns}
	}
	if uri != "" {
		u, err := url.Parse(uri)
		if err != nil {
			a.tb.Fatal(err)
		}
		template.URIs = []*url.URL{u}
	}
	cert, key := a.sign(template, a.cert, a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// TestCertificates has clients identify themselves over real TLS.
func TestCertificates(t *testing.T) {
	const spiffe = "spiffe://cluster.example/ns/billing/sa/gateway"
	ours, theirs := newAuthority(t), newAuthority(t)
	acme := instrument.Metadata{Organization: "Acme"}
	for _, tt := range []struct {
		name string
		auth tls.ClientAuthType
		cert tls.Certificate
		want instrument.Metadata
	}{
		{"a DNS name", tls.RequireAndVerifyClientCert, ours.client("Gateway.example", ""), acme},
		{"a URI", tls.VerifyClientCertIfGiven, ours.client("other.example", spiffe), acme},
		{"another name", tls.VerifyClientCertIfGiven, ours.client("gateway.example.evil.example", "spiffe://cluster.example/ns/billing/sa/gateway2"), instrument.Metadata{}},
		{"a common name alone", tls.VerifyClientCertIfGiven, ours.client("", ""), instrument.Metadata{}},
		{"no certificate", tls.VerifyClientCertIfGiven, tls.Certificate{}, instrument.Metadata{}},
		{"one that nobody verified", tls.RequestClientCert, theirs.client("gateway.example", spiffe), instrument.Metadata{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got instrument.Metadata
			srv := httptest.NewUnstartedServer(propagate.NewMiddleware(propagate.WithTrust(propagate.TrustCertificates("gateway.example", spiffe)))(
				http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = instrument.FromContext(r.Context()) })))
			srv.TLS = &tls.Config{ClientAuth: tt.auth, ClientCAs: ours.pool(), MinVersion: tls.VersionTLS12}
			srv.StartTLS()
			t.Cleanup(srv.Close)
			base, _ := srv.Client().Transport.(*http.Transport)
			if len(tt.cert.Certificate) > 0 {
				base.TLSClientConfig.Certificates = []tls.Certificate{tt.cert}
			}
			ctx := instrument.WithMetadata(t.Context(), acme)
			resp, err := (&http.Client{Transport: propagate.NewTransport(base, []string{srv.URL})}).Do(request(ctx, t, srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}
