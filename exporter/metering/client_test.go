// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const testKey = "rev_mk_test_0123456789"

// testFrozen is a record to send.
func testFrozen(t *testing.T) Frozen {
	t.Helper()
	f, _ := mustFreeze(t, typicalCompletion())
	return f
}

// startServer serves handler; newTestClient makes a client for a base URL. Both
// clean up.
func startServer(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv
}

func newTestClient(t *testing.T, baseURL string, opts ...ClientOption) *Client {
	t.Helper()
	c, err := NewClient(testKey, append([]ClientOption{WithBaseURL(baseURL)}, opts...)...)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestNewClientChecksTheKey(t *testing.T) {
	for _, tc := range []struct {
		key  string
		want error
	}{
		{"rev_mk_test_1", nil},
		{"rev_sk_test_1", nil},
		{"hak_tenant_secret", nil},
		{" rev_mk_test_1\r\n", nil},
		{"", ErrNoAPIKey},
		{" \n", ErrNoAPIKey},
		{"rev_rk_test_1", ErrAPIKeyKind},
		{"sk-proj-0123456789", ErrAPIKeyKind},
		{"REV_MK_TEST_1", ErrAPIKeyKind},
		{"rev_mk_te st", ErrAPIKeyKind},
		{"rev_mk_test\r\nx-evil: 1", ErrAPIKeyKind},
		{"rev_mk_tést", ErrAPIKeyKind},
	} {
		_, err := NewClient(tc.key)
		if !errors.Is(err, tc.want) {
			t.Errorf("key %q: error %v, want %v", tc.key, err, tc.want)
		}
		if err != nil && len(tc.key) > 8 && strings.Contains(err.Error(), tc.key[7:]) {
			t.Errorf("the error quotes the key: %v", err)
		}
	}
}

func TestNewClientReportsAllThatIsWrong(t *testing.T) {
	_, err := NewClient("", WithBaseURL("nowhere"), WithTimeout(0), WithMaxConns(0), WithUserAgent("a\nb"),
		WithHTTPClient(&http.Client{Transport: http.NewFileTransport(nil)}), WithTLSConfig(&tls.Config{}), WithProxy(nil))
	if !errors.Is(err, ErrNoAPIKey) || !errors.Is(err, ErrBaseURL) {
		t.Fatalf("error = %v, want it to wrap ErrNoAPIKey and ErrBaseURL", err)
	}
	for _, want := range []string{"timeout is 0s", "connections is 0", "user agent", "WithTLSConfig", "WithProxy"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not mention %q:\n%v", want, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := NewClient(testKey, WithBaseURL(""))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.BaseURL(); got != "https://api.revenium.ai" {
		t.Errorf("base URL = %q", got)
	}
	if got := c.targets[EndpointToolEvents]; got != "https://api.revenium.ai/meter/v2/tool/events" {
		t.Errorf("target = %q", got)
	}
	transport := c.http.Transport.(*http.Transport)
	if transport == http.DefaultTransport || transport.MaxConnsPerHost != 32 || transport.MaxIdleConnsPerHost != 32 ||
		!transport.ForceAttemptHTTP2 || transport.Proxy == nil || c.timeout != 10*time.Second {
		t.Errorf("transport = %+v, timeout %v", transport, c.timeout)
	}
}

func TestSendRequest(t *testing.T) {
	type request struct {
		Method, Path, Key, Idempotency, ContentType, Agent, Authorization string
		Length                                                            int64
		Body                                                              string
	}
	got := make(chan request, 1)
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- request{
			r.Method, r.URL.RequestURI(), r.Header.Get("x-api-key"), r.Header.Get("Idempotency-Key"),
			r.Header.Get("Content-Type"), r.Header.Get("User-Agent"), r.Header.Get("Authorization"), r.ContentLength, string(body),
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"id":"1","resourceType":"metering"}`))
	})
	for _, base := range []string{srv.URL, srv.URL + "/gateway/meter/v2/"} {
		c := newTestClient(t, base, WithUserAgent("billing-worker/1.4"))
		prefix := strings.TrimSuffix(strings.TrimPrefix(base, srv.URL), "/meter/v2/")
		for _, tc := range recordCases {
			f, _ := mustFreeze(t, tc.full())
			res := c.Send(t.Context(), f)
			if diff := cmp.Diff(Result{Outcome: Delivered, StatusCode: 201}, res); diff != "" {
				t.Errorf("%s: result (-want +got):\n%s", tc.name, diff)
			}
			req := <-got
			agent := req.Agent
			req.Agent = ""
			want := request{
				Method: "POST", Path: prefix + string(tc.endpoint), Key: testKey, Idempotency: f.IdempotencyKey,
				ContentType: "application/json", Length: int64(len(f.Body)), Body: string(f.Body),
			}
			if diff := cmp.Diff(want, req); diff != "" {
				t.Errorf("%s: request (-want +got):\n%s", tc.name, diff)
			}
			pattern := regexp.MustCompile(`^billing-worker/1\.4 revenium-otel-go/\S+ \(go1\.\S+; [a-z0-9]+/[a-z0-9]+\)$`)
			if !pattern.MatchString(agent) {
				t.Errorf("user agent = %q", agent)
			}
		}
	}
}

func TestSendRefusesWhatCannotBeSent(t *testing.T) {
	c := newTestClient(t, "http://127.0.0.1:1")
	for name, f := range map[string]Frozen{
		"no endpoint":      {Body: []byte("{}")},
		"foreign endpoint": {Endpoint: "@elsewhere.example/", Body: []byte("{}")},
		"bad key":          {Endpoint: EndpointVideo, IdempotencyKey: "a b"},
		"long key":         {Endpoint: EndpointVideo, IdempotencyKey: strings.Repeat("x", 256)},
	} {
		if res := c.Send(t.Context(), f); res.Outcome != Rejected || res.Err == nil || res.StatusCode != 0 {
			t.Errorf("%s: %+v, want rejected with an error", name, res)
		}
	}
}

func TestAPIKeyFunc(t *testing.T) {
	var seen []string
	srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("x-api-key"))
		w.WriteHeader(http.StatusCreated)
	})
	vaultDown := errors.New("vault is down")
	answers := []struct {
		key  string
		err  error
		want Outcome
		is   error
	}{
		{"rev_mk_test_first", nil, Delivered, nil},
		{"rev_mk_test_second\n", nil, Delivered, nil},
		{"", vaultDown, Retry, vaultDown},
		{"", nil, Unauthorized, ErrNoAPIKey},
		{"rev_rk_test_third", nil, Unauthorized, ErrAPIKeyKind},
	}
	n := 0
	type ctxKey struct{}
	c := newTestClient(t, srv.URL, WithAPIKeyFunc(func(ctx context.Context) (string, error) {
		if ctx.Value(ctxKey{}) != "here" {
			t.Error("the context of Send does not reach the function")
		}
		return answers[n].key, answers[n].err
	}))
	f := testFrozen(t)
	for ; n < len(answers); n++ {
		res := c.Send(context.WithValue(t.Context(), ctxKey{}, "here"), f)
		if res.Outcome != answers[n].want || !errors.Is(res.Err, answers[n].is) {
			t.Errorf("answer %d: %+v, want %v with %v", n, res, answers[n].want, answers[n].is)
		}
	}
	if diff := cmp.Diff([]string{"rev_mk_test_first", "rev_mk_test_second"}, seen); diff != "" {
		t.Errorf("keys that were sent (-want +got):\n%s", diff)
	}
}

// TestNoAnswer covers what ends without a status.
func TestNoAnswer(t *testing.T) {
	f := testFrozen(t)
	check := func(t *testing.T, res Result, is error, text string) {
		t.Helper()
		if res.Outcome != Retry || res.StatusCode != 0 || res.Err == nil {
			t.Fatalf("result = %+v, want a retry without status", res)
		}
		if is != nil && !errors.Is(res.Err, is) {
			t.Errorf("error %v does not wrap %v", res.Err, is)
		}
		if !strings.Contains(res.Err.Error(), text) {
			t.Errorf("error %q does not say %q", res.Err, text)
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
	t.Run("timeout", func(t *testing.T) {
		srv := startServer(t, hang)
		res := newTestClient(t, srv.URL, WithTimeout(50*time.Millisecond)).Send(t.Context(), f)
		check(t, res, context.DeadlineExceeded, "no answer from "+srv.URL+" within 50ms")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		srv := startServer(t, func(w http.ResponseWriter, r *http.Request) {
			cancel()
			hang(w, r)
		})
		res := newTestClient(t, srv.URL).Send(ctx, f)
		check(t, res, context.Canceled, "no answer from "+srv.URL)
		if strings.Contains(res.Err.Error(), "within") {
			t.Errorf("error %q speaks of the timeout", res.Err)
		}
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check(t, newTestClient(t, "http://127.0.0.1:1").Send(ctx, f), context.Canceled, "")
	})
	t.Run("reset", func(t *testing.T) {
		srv := startServer(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		check(t, newTestClient(t, srv.URL).Send(t.Context(), f), io.EOF, "EOF")
	})
	t.Run("refused", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := "http://" + ln.Addr().String()
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		check(t, newTestClient(t, addr).Send(t.Context(), f), nil, "refused")
	})
	t.Run("no HTTP, and it quotes the key", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				t.Error(err)
			}
			_, _ = conn.Write([]byte("your key is " + testKey + "\r\n\r\n"))
		}()
		res := newTestClient(t, "http://"+ln.Addr().String()).Send(t.Context(), f)
		check(t, res, nil, "malformed HTTP")
		if strings.Contains(res.Err.Error(), testKey) {
			t.Errorf("the error quotes the key: %v", res.Err)
		}
		_ = ln.Close()
		<-done
	})
}

// TestDefaultTransportIsNotUsed puts a transport in the place of the process-wide
// one that fails the test.
func TestDefaultTransportIsNotUsed(t *testing.T) {
	before := http.DefaultTransport
	http.DefaultTransport = roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("http.DefaultTransport was used")
		return nil, errors.New("no")
	})
	t.Cleanup(func() { http.DefaultTransport = before })
	srv := startServer(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	custom := &http.Client{}
	for _, opts := range [][]ClientOption{nil, {WithHTTPClient(custom)}} {
		if res := newTestClient(t, srv.URL, opts...).Send(t.Context(), testFrozen(t)); res.Outcome != Delivered {
			t.Errorf("result = %+v", res)
		}
	}
	if custom.Transport != nil || custom.CheckRedirect != nil {
		t.Error("the user's client was changed")
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCustomTransportIsUsed(t *testing.T) {
	var calls atomic.Int64
	c := newTestClient(t, "https://api.revenium.ai", WithHTTPClient(&http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			calls.Add(1)
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
		}),
	}))
	if res := c.Send(t.Context(), testFrozen(t)); res.Outcome != Delivered || calls.Load() != 1 {
		t.Errorf("result = %+v after %d calls", res, calls.Load())
	}
}

func TestProxy(t *testing.T) {
	var through []string
	proxy := startServer(t, func(w http.ResponseWriter, r *http.Request) {
		through = append(through, r.URL.String())
		w.WriteHeader(http.StatusCreated)
	})
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := newTestClient(t, "http://revenium.invalid", WithPlainHTTP(), WithProxy(http.ProxyURL(proxyURL)))
	if res := c.Send(t.Context(), testFrozen(t)); res.Outcome != Delivered {
		t.Errorf("result = %+v", res)
	}
	if diff := cmp.Diff([]string{"http://revenium.invalid/meter/v2/ai/completions"}, through); diff != "" {
		t.Errorf("requests through the proxy (-want +got):\n%s", diff)
	}
}

func TestTLSAndHTTP2(t *testing.T) {
	var protos sync.Map
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protos.Store(r.Proto, true)
		w.WriteHeader(http.StatusCreated)
	}))
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	f := testFrozen(t)

	if res := newTestClient(t, srv.URL).Send(t.Context(), f); res.Outcome != Retry || !strings.Contains(res.Err.Error(), "certificate") {
		t.Errorf("an unknown authority: %+v, want a retry that names the certificate", res)
	}
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	c := newTestClient(t, srv.URL, WithTLSConfig(&tls.Config{RootCAs: config.RootCAs}))
	for range 3 {
		if res := c.Send(t.Context(), f); res.Outcome != Delivered {
			t.Fatalf("result = %+v", res)
		}
	}
	if _, ok := protos.Load("HTTP/2.0"); !ok {
		t.Error("HTTP/2 was offered, but not used")
	}
}

// TestConnections checks that connections are bounded, and used again whatever the
// answers look like.
func TestConnections(t *testing.T) {
	var opened atomic.Int64
	bodies := []struct {
		status int
		body   string
	}{
		{201, `{"id":"1"}`},
		{200, strings.Repeat("x", maxBody/2)},
		{400, `{"message":"no"}`},
		{500, strings.Repeat("x", maxBody+maxBody/2)},
		{503, ""},
	}
	var n atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := bodies[int(n.Add(1))%len(bodies)]
		w.WriteHeader(b.status)
		_, _ = w.Write([]byte(b.body))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	f := testFrozen(t)

	c := newTestClient(t, srv.URL)
	for range 4 * len(bodies) {
		c.Send(t.Context(), f)
	}
	if got := opened.Load(); got != 1 {
		t.Errorf("%d connections for requests one after the other, want 1", got)
	}

	opened.Store(0)
	c = newTestClient(t, srv.URL, WithMaxConns(3))
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() { c.Send(t.Context(), f) })
	}
	wg.Wait()
	if got := opened.Load(); got < 1 || got > 3 {
		t.Errorf("%d connections, want at most 3", got)
	}
}

// TestClientPrintsNoKey prints a client in all ways.
func TestClientPrintsNoKey(t *testing.T) {
	c, err := NewClient(testKey)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %#v %s %q\n%v %+v %#v\n", c, c, c, c, c, *c, *c, *c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "client", c)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "client", c)
	fmt.Fprintf(&out, "%v %+v\n", newClientConfig([]ClientOption{WithAPIKeyFunc(c.apiKey)}), WithAPIKeyFunc(c.apiKey))
	if strings.Contains(out.String(), "0123456789") {
		t.Errorf("the key is printed:\n%s", out.String())
	}
	if want := "metering.Client{BaseURL: https://api.revenium.ai, APIKey: rev_mk_[REDACTED], Timeout: 10s}"; c.String() != want {
		t.Errorf("String() = %s, want %s", c, want)
	}
}

func TestModuleVersion(t *testing.T) {
	module := func(path, version string) *debug.Module { return &debug.Module{Path: path, Version: version} }
	for _, tc := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "devel"},
		{&debug.BuildInfo{Main: *module(modulePath, "(devel)")}, "devel"},
		{&debug.BuildInfo{Main: *module("example.com/app", "v9.9.9")}, "devel"},
		{&debug.BuildInfo{Deps: []*debug.Module{module("example.com/other", "v9.9.9"), module(modulePath, "v0.1.2")}}, "v0.1.2"},
		{&debug.BuildInfo{Deps: []*debug.Module{{Path: modulePath, Version: "v0.1.2", Replace: module("../fork", "")}}}, "devel"},
	} {
		if got := moduleVersion(tc.info); got != tc.want {
			t.Errorf("moduleVersion(%+v) = %q, want %q", tc.info, got, tc.want)
		}
	}
}
