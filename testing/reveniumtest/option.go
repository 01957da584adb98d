// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"maps"
	"net"
	"slices"
	"time"
)

const (
	// defaultMaxBody admits a record whose three captured texts are full (3 × 50,000 characters of up to four
	// bytes) with room for everything else.
	defaultMaxBody = 1 << 20

	defaultTenant = "default"

	keepAll = -1
)

type config struct {
	listener      net.Listener
	addr          string
	tls           bool
	keys          map[string]string // key → tenant; nil accepts every key of a kind that may meter
	now           func() time.Time
	maxBody       int64
	bodies        bool
	limit         int
	verify        bool
	ignored       map[Rule]bool
	allowViolated bool
	faults        []Fault
	seed          uint64
}

func newConfig(opts []Option) config {
	c := config{
		addr:    "127.0.0.1:0",
		now:     time.Now,
		maxBody: defaultMaxBody,
		bodies:  true,
		limit:   keepAll,
		verify:  true,
		seed:    1,
	}
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

// WithAddr listens on addr ("127.0.0.1:4010"). The default is a free port of the loopback interface.
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

// WithTLS serves HTTPS with a certificate of its own, and HTTP/2 to clients that offer it. [Server.Client] and
// [Server.TLSConfig] trust the certificate.
func WithTLS() Option {
	return optionFunc(func(c config) config {
		c.tls = true
		return c
	})
}

// WithAPIKeys accepts these keys and no others; they belong to one account. Without it every key that may meter
// is accepted: rev_mk_, rev_sk_ and hak_ ones. A read-only key (rev_rk_) is always answered with 403.
func WithAPIKeys(keys ...string) Option { return WithTenant(defaultTenant, keys...) }

// WithTenant accepts keys as those of the account named tenant. Deduplication and idempotency keys are per
// account: the same transaction id in two accounts is two records.
func WithTenant(tenant string, keys ...string) Option {
	return optionFunc(func(c config) config {
		m := make(map[string]string, len(c.keys)+len(keys))
		maps.Copy(m, c.keys)
		for _, k := range keys {
			m[k] = tenant
		}
		c.keys = m
		return c
	})
}

// WithClock makes now the server's clock: received times, the 24 hours for which idempotency keys are kept, and
// the rate limit follow it. Delays of faults always pass in real time.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(c config) config {
		c.now = now
		return c
	})
}

// WithMaxBody sets the largest body, in bytes, that is read; a larger one is a violation and gets 413. The
// default is 1 MiB.
func WithMaxBody(bytes int64) Option {
	return optionFunc(func(c config) config {
		c.maxBody = bytes
		return c
	})
}

// WithRecordLimit keeps only the newest n records, requests and violations (0: none). Counters and
// deduplication go on. It bounds memory in load tests.
func WithRecordLimit(n int) Option {
	return optionFunc(func(c config) config {
		c.limit = max(n, 0)
		return c
	})
}

// WithoutBodies keeps records and requests without their bodies: Body and Fields are nil. It saves memory in
// load tests.
func WithoutBodies() Option {
	return optionFunc(func(c config) config {
		c.bodies = false
		return c
	})
}

// WithoutVerification accepts any well-formed JSON document without looking at its fields. It is for benchmarks
// of the sender alone; authentication, idempotency and deduplication still work.
func WithoutVerification() Option {
	return optionFunc(func(c config) config {
		c.verify = false
		return c
	})
}

// WithoutRules does not report violations of these rules. What the service itself refuses, it still refuses.
func WithoutRules(rules ...Rule) Option {
	return optionFunc(func(c config) config {
		m := make(map[Rule]bool, len(c.ignored)+len(rules))
		maps.Copy(m, c.ignored)
		for _, r := range rules {
			m[r] = true
		}
		c.ignored = m
		return c
	})
}

// WithoutViolationCheck lets a test that was given to [Start] pass although violations were found. See
// [Server.TakeViolations] for tests that expect certain ones.
func WithoutViolationCheck() Option {
	return optionFunc(func(c config) config {
		c.allowViolated = true
		return c
	})
}

// WithFaults starts the server with these faults, as [Server.AddFault] does later.
func WithFaults(faults ...Fault) Option {
	return optionFunc(func(c config) config {
		c.faults = append(slices.Clip(c.faults), faults...)
		return c
	})
}

// WithSeed seeds the dice of faults with a [Fault.Chance]. The default seed is 1, so that runs are alike.
func WithSeed(seed uint64) Option {
	return optionFunc(func(c config) config {
		c.seed = seed
		return c
	})
}
