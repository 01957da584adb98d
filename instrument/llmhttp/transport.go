// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
	"github.com/revenium/revenium-otel-go/semconv"
)

// ScopeName is the name of the instrumentation scope of the transport's spans.
const ScopeName = "github.com/revenium/revenium-otel-go/instrument/llmhttp"

// Transport is an http.RoundTripper that makes a span of every model call that
// goes through it and leaves all other requests alone. It is safe for concurrent
// use. Make one with [NewTransport].
type Transport struct {
	base     http.RoundTripper
	config   config
	settings *hostSettings
	jobs     *jobs
	drift    *drift
	capture  capture
	metrics  *instrument.Metrics // nil for none
	reused   *reused
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport returns a transport that sends requests with base. A nil base is
// http.DefaultTransport as it is when a request is sent.
func NewTransport(base http.RoundTripper, opts ...Option) *Transport {
	c := newConfig(opts)
	t := &Transport{
		base:   base,
		config: c,
		settings: &hostSettings{
			providers:   c.providerHosts,
			litellm:     hosts.NewList(c.litellmHosts),
			streamUsage: hosts.NewList(c.streamUsageHosts),
		},
		jobs:    &jobs{},
		drift:   &drift{meters: c.meters},
		capture: newCapture(c.capture),
		reused:  &reused{},
	}
	if c.metrics {
		metrics, err := instrument.NewMetrics(c.meters)
		if err != nil {
			otel.Handle(fmt.Errorf("llmhttp: no metrics: %w", err))
		}
		t.metrics = metrics
	}
	return t
}

// CloseIdleConnections closes the idle connections of the base transport, if it
// can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.baseTransport().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *Transport) baseTransport() http.RoundTripper {
	if t.base != nil {
		return t.base
	}
	return http.DefaultTransport
}

// Recognize is the function [Recognize] with what the transport's options and
// earlier answers say about hosts.
func (t *Transport) Recognize(req *http.Request) (Recognized, bool) {
	target, ok := recognize(req, t.settings)
	if !ok {
		return Recognized{}, false
	}
	return target.recognized(), true
}

// seenKey marks the context of a request that has its span already.
type seenKey struct{}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	target, ok := recognize(req, t.settings)
	if !ok || req.Context().Value(seenKey{}) != nil {
		return t.baseTransport().RoundTrip(req)
	}
	return t.meter(req, target)
}

func (t *Transport) meter(req *http.Request, target target) (*http.Response, error) {
	q := peek(req, &target, t)
	if q.read && (!target.known || target.api.strict) && req.Method == http.MethodPost && !q.plausible(&target) {
		closeBody(q.fresh)
		return t.baseTransport().RoundTrip(replaceBody(req, q.body)) // shares its path, no more
	}
	target.refineByRequest(q.params())
	e := exchange{transport: t, target: target, question: q, original: req}
	return e.roundTrip()
}

// replaceBody returns req with another body, if there is one.
func replaceBody(req *http.Request, body io.ReadCloser) *http.Request {
	if body == nil {
		return req
	}
	clone := req.Clone(req.Context())
	clone.Body = body
	return clone
}

// exchange is one recognised request and its answer.
type exchange struct {
	transport *Transport
	target    target
	question  *question
	original  *http.Request
	ctx       context.Context // with the span, for what is beneath it
	call      *instrument.Call
	started   time.Time
	model     string               // that is asked for, as far as it is known
	extra     []attribute.KeyValue // that the user's functions returned
	// asked says that the request was changed to ask for usage.
	asked bool
}

func (e *exchange) roundTrip() (*http.Response, error) {
	ctx := e.start()
	resp, err := e.send(ctx)
	e.question.release(&e.transport.reused.scanners)
	if err != nil {
		e.end(contextError(e.original.Context(), err))
		return resp, err
	}
	if resp == nil { // against the rules of http.RoundTripper; the caller will find out
		e.end(&instrument.Error{})
		return resp, err
	}
	resp.Request = e.original
	e.answered(resp)
	return resp, nil
}

// contextError returns err, or why the context has ended where err does not say
// that it has: it may be the cause that the context was cancelled with, or what
// http.Client.Timeout makes of its own channel a moment before the context ends.
func contextError(ctx context.Context, err error) error {
	if instrument.ErrorType(err) != instrument.ErrorTypeOther {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		return context.DeadlineExceeded
	}
	return err
}

// start starts the span.
func (e *exchange) start() context.Context {
	req, target, params := e.original, &e.target, e.question.params()
	model := params.model
	if model == "" {
		model = target.modelOfPath(req.URL)
	}
	e.model = model
	if target.litellm {
		target.useModelPrefix(model)
	}
	list := e.transport.reused.lists.take()
	defer e.transport.reused.lists.give(list)
	attributes := params.attributes(*list, target)
	if target.api.aside == asideBatch {
		attributes = append(attributes, semconv.ReveniumMeteringSkipKey.Bool(true))
	}
	if n, ok := retryNumber(req.Header); ok {
		attributes = append(attributes, semconv.ReveniumRetryNumberKey.Int(n))
	}
	for _, f := range e.transport.config.requestAttributes {
		e.extra = append(e.extra, f(req)...)
	}
	attributes = append(attributes, e.extra...)
	e.started = time.Now()
	*list = attributes
	e.ctx, e.call = e.startCall(req.Context(), target.spanOperation(), model, params.stream, attributes)
	return context.WithValue(e.ctx, seenKey{}, true)
}

// startCall starts the span of the call, or of a part of it.
func (e *exchange) startCall(ctx context.Context, operation, model string, stream bool, attributes []attribute.KeyValue) (context.Context, *instrument.Call) {
	return instrument.StartCall(ctx, instrument.CallParams{
		Operation:     operation,
		Provider:      e.target.provider,
		Model:         model,
		Stream:        stream,
		ServerAddress: e.target.host,
		ServerPort:    e.target.port,
	},
		e.transport.reused.tracers.option(e.transport.config.provider),
		instrument.WithStartTime(e.started),
		instrument.WithAttributes(attributes...),
		instrument.WithMetrics(e.transport.metrics),
	)
}

// retryNumber reads how many attempts came before this one, as the clients that
// Stainless generates (OpenAI's and Anthropic's among them) say, or AWS's.
func retryNumber(h http.Header) (int, bool) {
	if text := h.Get("X-Stainless-Retry-Count"); text != "" {
		n, err := strconv.ParseUint(text, 10, 16)
		return int(n), err == nil && n > 0
	}
	for part := range strings.SplitSeq(h.Get("Amz-Sdk-Request"), ";") { // attempt=2; max=3
		if text, ok := strings.CutPrefix(strings.TrimSpace(part), "attempt="); ok {
			n, err := strconv.ParseUint(text, 10, 16)
			return int(n) - 1, err == nil && n > 1
		}
	}
	return 0, false
}

// send sends the request. A request that was changed to ask for usage and is
// refused for that is sent once more as the caller made it.
func (e *exchange) send(ctx context.Context) (*http.Response, error) {
	req := e.outgoing(ctx)
	base := e.transport.baseTransport()
	ask, ok := e.mayAskForUsage()
	if !ok {
		return base.RoundTrip(req)
	}
	changed, err := asking(req, ask)
	if err != nil {
		return base.RoundTrip(req)
	}
	closeBody(req.Body) // nothing of it was read
	e.asked = true
	resp, err := base.RoundTrip(changed)
	if err != nil || resp == nil || !refusesStreamOptions(resp) {
		return resp, err
	}
	body, err := e.original.GetBody()
	if err != nil {
		return resp, nil
	}
	e.transport.settings.refusedUsage.add(e.usageKey())
	e.asked = false
	closeBody(resp.Body)
	again := e.outgoing(ctx)
	again.Body = body
	return base.RoundTrip(again)
}

// outgoing returns the request to send: the caller's, with the trace context of
// the span.
func (e *exchange) outgoing(ctx context.Context) *http.Request {
	req := e.original.Clone(ctx)
	if req.Header == nil {
		req.Header = make(http.Header)
	}
	body := e.question.toSend(req.Body)
	switch {
	case body != nil:
		req.Body = body
	case !e.question.read && e.call.IsRecording():
		if req.Body != nil && req.Body != http.NoBody {
			req.Body = newReadingAlong(req.Body, e.target, e.call, e.question)
		}
	}
	e.inject(ctx, req.Header)
	return req
}

func (e *exchange) inject(ctx context.Context, h http.Header) {
	c := &e.transport.config
	if !c.propagate {
		return
	}
	if c.propagator != nil {
		c.propagator.Inject(ctx, propagation.HeaderCarrier(h))
		return
	}
	carrier := propagation.TextMapCarrier(propagation.HeaderCarrier(h))
	if e.target.public {
		carrier = withoutBaggage{propagation.HeaderCarrier(h)}
	}
	otel.GetTextMapPropagator().Inject(ctx, carrier)
}

// withoutBaggage is a carrier that takes everything but baggage.
type withoutBaggage struct{ propagation.HeaderCarrier }

// Set implements propagation.TextMapCarrier.
func (c withoutBaggage) Set(key, value string) {
	if !strings.EqualFold(key, "baggage") {
		c.HeaderCarrier.Set(key, value)
	}
}

// answered looks at the answer and arranges for the end of the call.
func (e *exchange) answered(resp *http.Response) {
	e.learn(resp.Header)
	var buf [3]attribute.KeyValue
	attributes := append(buf[:0], semconv.HTTPResponseStatusCodeKey.Int(resp.StatusCode))
	e.call.SetAttributes(requestIDs(attributes, resp.Header, e.target.litellm)...)
	switch {
	case resp.StatusCode >= 400:
		e.refused(resp)
	case resp.StatusCode < 200 || resp.StatusCode >= 300:
		// A redirect, which is followed by a request of its own, or another
		// protocol: no call, and the body is left as it is.
		e.call.SetAttributes(semconv.ReveniumMeteringSkipKey.Bool(true))
		e.end(nil)
	case resp.Body == nil || resp.Body == http.NoBody || !e.call.IsRecording():
		e.end(nil)
	default:
		e.watch(resp)
	}
}

// watch puts a recorder between the answer's body and the caller.
func (e *exchange) watch(resp *http.Response) {
	encoding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
	r := newRecorder(e, resp.Header, encoding)
	var h *hider
	if e.asked && encoding == "" && isEventStream(resp.Header) {
		h = newHider()
		if resp.ContentLength >= 0 { // of the stream with the chunk
			resp.ContentLength = -1
			resp.Header.Del("Content-Length")
		}
	}
	resp.Body = newBody(resp.Body, r, h)
}

func isEventStream(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "text/event-stream")
}

// refused ends the call that an error answers, with the provider's word for it.
func (e *exchange) refused(resp *http.Response) {
	failure := &instrument.Error{StatusCode: resp.StatusCode}
	if e.call.IsRecording() && hasErrorBody(resp) {
		ahead, ok := resp.Body.(*errorBody)
		if !ok {
			ahead = readAhead(resp.Body)
			resp.Body = ahead
		}
		failure.Type = e.readFailure(ahead.beginning(), resp.Header.Get("Content-Encoding"))
	}
	if word := headerFailure(resp.Header); word != "" {
		failure.Type = word
	}
	e.end(failure)
}

// headerFailure returns the word for a failure that AWS has in a header, as in
// "ThrottlingException:http://internal.amazon.com/...", or "".
func headerFailure(h http.Header) string {
	word, _, _ := strings.Cut(h.Get("X-Amzn-Errortype"), ":")
	if !stableWord(word) {
		return ""
	}
	return word
}

// readFailure returns the provider's word for a failure, or "".
func (e *exchange) readFailure(body []byte, encoding string) (word string) {
	defer func() {
		if p := recover(); p != nil {
			word = ""
			otel.Handle(fmt.Errorf("llmhttp: reading an error answer: %v", p))
		}
	}()
	return readError(newReplyReader(&e.target, true), body, strings.ToLower(encoding)).errorType()
}

func closeBody(body io.Closer) {
	if body != nil {
		_ = body.Close() // nothing of it is wanted, nor how its closing went
	}
}
