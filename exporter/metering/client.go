// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Client sends frozen records, one per request. It is safe for concurrent use.
//
// It makes one attempt and says what came of it; when to make another is the
// caller's decision. It follows no redirect to another origin, so that the API
// key goes nowhere but to the base URL, and prints without the key.
type Client struct {
	http      *http.Client
	base      *url.URL
	targets   map[Endpoint]string
	apiKey    APIKeyFunc
	keyKind   string
	userAgent string
	timeout   time.Duration
}

// NewClient returns a client that authenticates with apiKey.
//
// The error lists all that is wrong with key and options. It wraps [ErrNoAPIKey],
// [ErrAPIKeyKind], [ErrBaseURL] or [ErrPlainHTTP] where they apply.
func NewClient(apiKey string, opts ...ClientOption) (*Client, error) {
	cfg := newClientConfig(opts)
	c := &Client{
		apiKey:    cfg.apiKey,
		keyKind:   "from a function",
		userAgent: userAgent(cfg.userAgent),
		timeout:   cfg.timeout,
	}
	var keyErr, urlErr error
	if c.apiKey == nil {
		apiKey, keyErr = checkAPIKey(apiKey)
		c.keyKind = keyKind(apiKey) + redacted
		// A key in a field of the client would be printed with it by fmt.
		c.apiKey = func(context.Context) (string, error) { return apiKey, nil }
	}
	c.base, urlErr = cfg.checkedBaseURL()
	if err := errors.Join(keyErr, urlErr, cfg.validate()); err != nil {
		return nil, err
	}
	c.targets = make(map[Endpoint]string)
	for _, endpoint := range Endpoints() {
		c.targets[endpoint] = c.base.String() + string(endpoint)
	}
	c.http = cfg.newHTTPClient()
	return c, nil
}

// Send makes one attempt to deliver f. It never fails otherwise than by what
// [Result] says; a cancelled ctx gives the outcome [Retry] and an error that wraps
// that of ctx.
func (c *Client) Send(ctx context.Context, f Frozen) Result {
	target, ok := c.targets[f.Endpoint]
	if !ok {
		return refused(fmt.Errorf("metering: no endpoint %q", f.Endpoint))
	}
	if len(f.IdempotencyKey) > maxIdempotencyKeyLen || !isHeaderToken(f.IdempotencyKey) {
		return refused(errors.New("metering: idempotency key is not 1 to 255 printable ASCII characters"))
	}
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	key, err := c.apiKey(attempt)
	if err != nil {
		return Result{Outcome: Retry, Err: fmt.Errorf("metering: no API key for this attempt: %w", err)}
	}
	if key, err = checkAPIKey(key); err != nil {
		return Result{Outcome: Unauthorized, Err: err}
	}
	req, err := http.NewRequestWithContext(attempt, http.MethodPost, target, bytes.NewReader(f.Body))
	if err != nil {
		return refused(fmt.Errorf("metering: make request: %w", err))
	}
	req.Header = c.header(key, f.IdempotencyKey)
	resp, err := c.http.Do(req)
	if err != nil {
		timedOut := attempt.Err() != nil && ctx.Err() == nil
		return Result{Outcome: Retry, Err: c.noAnswer(err, timedOut, key)}
	}
	defer func() {
		drain(resp.Body)
		// The outcome is settled by then: an error costs no more than the connection.
		_ = resp.Body.Close()
	}()
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return Result{Outcome: Delivered, StatusCode: resp.StatusCode}
	}
	return failedResult(resp, newScrubber(key, f.Body))
}

// maxIdempotencyKeyLen is the API's.
const maxIdempotencyKeyLen = 255

// IdempotencyWindow is how long the service remembers an Idempotency-Key. A
// repetition that comes later it recognises by the transaction id alone.
const IdempotencyWindow = 24 * time.Hour

// refused is the result for what this client cannot send at all, now or later.
func refused(err error) Result { return Result{Outcome: Rejected, Err: err} }

func (c *Client) header(key, idempotencyKey string) http.Header {
	h := http.Header{
		"X-Api-Key":    {key},
		"Content-Type": {"application/json"},
		"Accept":       {"application/json"},
		"User-Agent":   {c.userAgent},
	}
	if idempotencyKey != "" {
		h["Idempotency-Key"] = []string{idempotencyKey}
	}
	return h
}

// CloseIdleConnections closes connections that no attempt is using. With
// [WithHTTPClient] these are also those of other users of its transport.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// BaseURL is the normalized base URL.
func (c *Client) BaseURL() string { return c.base.String() }

// String describes the client, with no more of the key than its kind.
func (c *Client) String() string {
	return fmt.Sprintf("metering.Client{BaseURL: %s, APIKey: %s, Timeout: %v}", c.base, c.keyKind, c.timeout)
}

// GoString is String.
func (c *Client) GoString() string { return c.String() }

// LogValue describes the client to log/slog.
func (c *Client) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("base_url", c.base.String()),
		slog.String("api_key", c.keyKind),
		slog.Duration("timeout", c.timeout),
	)
}

// maxBody bounds what is read of an answer: to understand a failure, and to leave
// the connection fit for the next request.
const maxBody = 64 << 10

// drain reads the rest of an answer, so that the connection can be used again,
// unless it is so long that a new connection is cheaper.
func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxBody) }

// sendError says why there was no answer, with a text that was cleared of
// secrets.
type sendError struct {
	text string
	err  error
}

func (e *sendError) Error() string { return e.text }

func (e *sendError) Unwrap() error { return e.err }

// noAnswer describes an error of the transport. Most of them quote only addresses,
// but some quote what the other side sent.
func (c *Client) noAnswer(err error, timedOut bool, key string) error {
	cause := err
	if urlErr := (*url.Error)(nil); errors.As(err, &urlErr) {
		cause = urlErr.Err
	}
	text := newScrubber(key, nil).clean(cause.Error(), maxMessageLen)
	from := origin(c.base)
	if timedOut {
		from += fmt.Sprintf(" within %v", c.timeout)
	}
	return &sendError{text: "metering: no answer from " + from + ": " + text, err: err}
}
