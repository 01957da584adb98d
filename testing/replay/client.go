// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
)

// An exchange is what a client saw of a replayed recording.
type exchange struct {
	request *http.Request // as the client made it
	status  int
	body    []byte // what the client read
	readErr error  // how the body ended, nil for a proper end
	done    bool   // the client stopped at the end marker, without reading on
}

// play serves the recording on loopback and sends its request through the
// transport that wrap makes around the connection, as a client of the provider
// would. The exchange is complete, its body read and closed, when play returns.
func play(ctx context.Context, rec *recording, wrap func(http.RoundTripper) http.RoundTripper) (_ *exchange, _ *provider, err error) {
	body, err := rec.Response.bytes()
	if err != nil {
		return nil, nil, err
	}
	server := &provider{response: rec.Response, body: body}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("serve the response: %w", err)
	}
	httpServer := &http.Server{Handler: server, ReadHeaderTimeout: caseTimeout}
	served := make(chan error, 1)
	go func() { served <- httpServer.Serve(listener) }()
	wire := &loopback{addr: listener.Addr().String(), transport: &http.Transport{
		// The recorded client asked for compression or did not, and decoded the
		// answer itself.
		DisableCompression: true,
		DisableKeepAlives:  true,
	}}
	defer func() {
		wire.transport.CloseIdleConnections()
		err = errors.Join(err, httpServer.Close())
		if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
			err = errors.Join(err, serveErr)
		}
	}()

	request, err := newRequest(ctx, rec)
	if err != nil {
		return nil, nil, err
	}
	// A RoundTripper must not follow redirects, nor does a recording of one.
	client := &http.Client{
		Transport:     wrap(wire),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	got := &exchange{request: request, status: response.StatusCode}
	got.consume(response)
	return got, server, nil
}

// newRequest makes the recorded request, with the recorded URL.
func newRequest(ctx context.Context, rec *recording) (*http.Request, error) {
	body, err := rec.Request.bytes()
	if err != nil {
		return nil, err
	}
	var reader io.Reader
	if len(body) > 0 {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, rec.Request.Method, rec.Request.URL, reader)
	if err != nil {
		return nil, err
	}
	for name, value := range rec.Request.Headers {
		if !perConnection(name) {
			request.Header.Set(name, value)
		}
	}
	return request, nil
}

// consume reads the body as clients do: an event stream line by line up to its
// end marker, everything else to its end. Then it closes it.
func (e *exchange) consume(response *http.Response) {
	contentType := response.Header.Get("Content-Type")
	events := strings.HasPrefix(contentType, "text/event-stream") && response.Header.Get("Content-Encoding") == ""
	reader := bufio.NewReader(response.Body)
	for {
		line, err := reader.ReadBytes('\n')
		e.body = append(e.body, line...)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				e.readErr = err
			}
			break
		}
		if events && bytes.Equal(bytes.TrimSpace(line), []byte("data: [DONE]")) {
			e.done = true
			break
		}
	}
	if err := response.Body.Close(); err != nil {
		e.readErr = errors.Join(e.readErr, err)
	}
}

// loopback is the base transport: it keeps the URL that the transport around it
// sees and sends the request to a loopback address, without TLS.
type loopback struct {
	addr      string
	transport *http.Transport
}

func (l *loopback) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if sent.Host == "" {
		sent.Host = sent.URL.Host
	}
	sent.URL.Scheme, sent.URL.Host = "http", l.addr
	response, err := l.transport.RoundTrip(sent)
	if response != nil {
		response.Request = r
	}
	return response, err
}

// changes says what the transport under test altered on the way, which it must
// not: of the request only that a stream is asked for its usage, and headers of
// its own; of the response nothing but the chunk that answers this.
func (e *exchange) changes(rec *recording, server *provider) []difference {
	var diffs []difference
	add := func(field, got, want string) { diffs = append(diffs, difference{Field: field, Got: got, Want: want}) }
	if e.status != rec.Response.Status {
		add("http status", strconv.Itoa(e.status), strconv.Itoa(rec.Response.Status))
	}
	requests := server.received()
	recorded, err := rec.Request.bytes()
	if err == nil && len(requests) == 2 && sameRequest(requests[0].body, recorded) && bytes.Equal(requests[1].body, recorded) &&
		!bytes.Equal(requests[0].body, recorded) {
		requests = requests[1:] // asked for its usage, refused for that, and sent as it was recorded
	}
	want := server.body
	if err == nil && len(requests) == 1 && !bytes.Equal(requests[0].body, recorded) {
		want = withoutUsageChunk(want) // a few servers send it to whoever has not asked
	}
	if e.done && len(e.body) <= len(want) {
		want = want[:len(e.body)]
	}
	if !bytes.Equal(e.body, want) {
		add("response body", "different "+firstDifference(e.body, want), "the recorded bytes")
	}
	if len(requests) != 1 {
		add("requests sent", strconv.Itoa(len(requests)), "1")
		return diffs
	}
	sent := requests[0]
	if sent.method != rec.Request.Method {
		add("request method", sent.method, rec.Request.Method)
	}
	if sent.host != e.request.URL.Host {
		add("request host", sent.host, e.request.URL.Host)
	}
	if sent.uri != e.request.URL.RequestURI() {
		add("request path", sent.uri, e.request.URL.RequestURI())
	}
	for name := range rec.Request.Headers {
		if got, want := sent.header.Get(name), e.request.Header.Get(name); !perConnection(name) && got != want {
			add("request header "+name, got, want)
		}
	}
	if err == nil && !sameRequest(sent.body, recorded) {
		add("request body", "different "+firstDifference(sent.body, recorded), "the recorded bytes")
	}
	return diffs
}

// sameRequest says whether the bodies are equal up to a stream_options that asks
// for the usage.
func sameRequest(sent, recorded []byte) bool {
	if bytes.Equal(sent, recorded) {
		return true
	}
	var a, b map[string]any
	if json.Unmarshal(sent, &a) != nil || json.Unmarshal(recorded, &b) != nil {
		return false
	}
	options, _ := a["stream_options"].(map[string]any)
	if options["include_usage"] != true {
		return false
	}
	delete(options, "include_usage")
	if _, had := b["stream_options"]; !had && len(options) == 0 {
		delete(a, "stream_options")
	}
	return reflect.DeepEqual(a, b)
}

// withoutUsageChunk returns a stream of events without those that have usage and
// no choice.
func withoutUsageChunk(stream []byte) []byte {
	var rest []byte
	for _, event := range cutWith(stream, endOfEvent) {
		var chunk struct{ Choices, Usage json.RawMessage }
		data, isData := bytes.CutPrefix(event, []byte("data:"))
		if isData && json.Unmarshal(data, &chunk) == nil && string(chunk.Choices) == "[]" && len(chunk.Usage) > 0 && chunk.Usage[0] == '{' {
			continue
		}
		rest = append(rest, event...)
	}
	return rest
}

func firstDifference(got, want []byte) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("from byte %d on", i)
		}
	}
	return fmt.Sprintf("length %d, recorded %d", len(got), len(want))
}
