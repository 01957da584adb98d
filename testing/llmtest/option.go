// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"net"
	"slices"
	"time"
)

type config struct {
	listener net.Listener
	addr     string
	tls      bool
	keys     []string
	now      func() time.Time
	litellm  *LiteLLM
	answer   Answer
	gzip     bool
	limit    int // requests kept; negative: all
}

func newConfig(opts []Option) config {
	c := config{addr: "127.0.0.1:0", now: time.Now, limit: -1}
	for _, o := range opts {
		c = o.apply(c)
	}
	return c
}

// Option changes how a [Server] is made.
type Option interface {
	apply(config) config
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithAddr listens on addr ("127.0.0.1:4000"). The default is a free port of the loopback interface.
func WithAddr(addr string) Option {
	return optionFunc(func(c config) config {
		c.addr = addr
		return c
	})
}

// WithListener serves on l, which the server closes, instead of opening a port. It serves in-memory networks.
func WithListener(l net.Listener) Option {
	return optionFunc(func(c config) config {
		c.listener = l
		return c
	})
}

// WithTLS serves HTTPS with a certificate of its own, and HTTP/2 to clients that offer it. [Server.Client]
// trusts the certificate.
func WithTLS() Option {
	return optionFunc(func(c config) config {
		c.tls = true
		return c
	})
}

// WithAPIKeys accepts these keys and answers others with 401: as bearer tokens, in the api-key (Azure), x-api-key
// (Anthropic) or x-goog-api-key header, as the query's key (Google), or as the name of the key with which a request to
// AWS is signed, whose signature is not checked. By default no key is wanted.
func WithAPIKeys(keys ...string) Option {
	return optionFunc(func(c config) config {
		c.keys = append(slices.Clip(c.keys), keys...)
		return c
	})
}

// WithClock makes now the source of the answers' "created" and of [Request.Time].
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c config) config {
		c.now = now
		return c
	})
}

// WithLiteLLM answers as a LiteLLM proxy does: its response headers, its shape of streams.
func WithLiteLLM(l LiteLLM) Option {
	return optionFunc(func(c config) config {
		c.litellm = &l
		return c
	})
}

// WithAnswer makes a the answer to requests for which nothing is scripted.
func WithAnswer(a Answer) Option {
	return optionFunc(func(c config) config {
		c.answer = a
		return c
	})
}

// WithGzip compresses every answer for clients that accept it, as OpenAI does.
func WithGzip() Option {
	return optionFunc(func(c config) config {
		c.gzip = true
		return c
	})
}

// WithRequestLimit keeps only the newest n requests (0: none), to bound memory in load tests.
func WithRequestLimit(n int) Option {
	return optionFunc(func(c config) config {
		c.limit = max(n, 0)
		return c
	})
}
