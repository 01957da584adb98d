// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
)

// This file is the code of docs/attribution.md, word for word, and runs it; TestPage
// compares the two. What needs package revenium stands in the module's root.

func contexts(ctx context.Context) context.Context {
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{
		Organization: "Acme",
		Subscriber:   instrument.Subscriber{ID: "user-4711"},
	})
	return ctx
}

type question struct{ Tenant string }

type support struct{}

func (support) answer(ctx context.Context, _ question) (instrument.Metadata, error) {
	return instrument.FromContext(ctx), nil
}

func wrapped(ctx context.Context, s support) (instrument.Metadata, error) {
	answer := wrap.Func1(s.answer, instrument.Metadata{Agent: "Lead Analyst"},
		wrap.Organization(func(q question) string { return q.Tenant }),
	)
	return answer(ctx, question{Tenant: "Acme"})
}

func oneCall(ctx context.Context, params instrument.CallParams) context.Context {
	ctx, call := instrument.StartCall(ctx, params, instrument.Metadata{TaskType: "research"})
	call.End(nil)
	return ctx
}

func neighbours(handler http.Handler) http.Handler {
	handler = propagate.NewMiddleware(
		propagate.WithTrust(propagate.TrustNetworks(netip.MustParsePrefix("10.0.0.0/8"))),
	)(handler)
	return handler
}

type claims struct{ Tenant, Subject string }

func verify(r *http.Request) (claims, bool) {
	return claims{"Acme", "user-4711"}, r.Header.Get("Authorization") == "Bearer good"
}

func token(handler http.Handler) http.Handler {
	handler = propagate.NewMiddleware(
		propagate.WithTrust(propagate.TrustClaims(func(_ context.Context, r *propagate.Request) (instrument.Metadata, bool) {
			claims, ok := verify(r.HTTP)
			return instrument.Metadata{Organization: claims.Tenant, Subscriber: instrument.Subscriber{ID: claims.Subject}}, ok
		})),
	)(handler)
	return handler
}

func proxied() *http.Client {
	client := &http.Client{Transport: propagate.NewTransport(nil, []string{"litellm.example:4000"})}
	return client
}

type keyStore map[string]propagate.LiteLLMKey

func (s keyStore) find(authorization string) (propagate.LiteLLMKey, bool) {
	key, ok := s[authorization]
	return key, ok
}

func gateway(handler http.Handler, keys keyStore) http.Handler {
	handler = propagate.NewMiddleware(
		propagate.WithTrust(propagate.TrustLiteLLMKeys(func(_ context.Context, r *propagate.Request) (propagate.LiteLLMKey, bool) {
			return keys.find(r.HTTP.Header.Get("Authorization"))
		})),
		propagate.WithHeaderRemoval(), // what callers say of themselves goes no further
	)(handler)
	return handler
}

func TestPageCode(t *testing.T) {
	acme := instrument.Metadata{Organization: "Acme", Subscriber: instrument.Subscriber{ID: "user-4711"}}
	wantMetadata(contexts(t.Context()), t, acme)
	if m, err := wrapped(t.Context(), support{}); err != nil || m != (instrument.Metadata{Organization: "Acme", Agent: "Lead Analyst"}) {
		t.Errorf("wrapped: %v, error %v", m, err)
	}
	wantMetadata(oneCall(t.Context(), instrument.CallParams{}), t, instrument.Metadata{})
	if proxied().Transport == nil {
		t.Error("no transport")
	}
	keys := keyStore{"Bearer good": {TeamAlias: "Acme"}}
	for name, tt := range map[string]struct {
		middleware func(http.Handler) http.Handler
		want       instrument.Metadata
	}{
		"neighbours": {neighbours, instrument.Metadata{TaskType: "chat"}},
		"token":      {token, acme.Merge(instrument.Metadata{TaskType: "chat"})},
		"gateway":    {func(h http.Handler) http.Handler { return gateway(h, keys) }, instrument.Metadata{Organization: "Acme", TaskType: "chat"}},
	} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		req.RemoteAddr = "10.1.2.3:4567"
		req.Header.Set("Authorization", "Bearer good")
		req.Header.Set("X-Revenium-Task-Type", "chat")
		tt.middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := instrument.FromContext(r.Context()); got != tt.want {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
			}
		})).ServeHTTP(httptest.NewRecorder(), req)
	}
}

func TestPage(t *testing.T) {
	page := readFile(t, "../../docs/attribution.md")
	code := unindented(readFile(t, "page_test.go") + readFile(t, "../../page_test.go"))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) < 7 {
		t.Errorf("%d pieces of code", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(code, unindented(block[1])) {
			t.Errorf("on the page, and not compiled:\n%s", block[1])
		}
	}
}

func readFile(tb testing.TB, name string) string {
	tb.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return string(content)
}

// unindented is code without indentation.
func unindented(code string) string {
	return regexp.MustCompile(`(?m)^[\t ]+`).ReplaceAllString(code, "")
}
