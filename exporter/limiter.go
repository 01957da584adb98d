// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"slices"
	"sync"
	"sync/atomic"
)

// With several tenants, so many requests are under way at the same time for all of
// them together. Tenants for which the service does not answer take the requests
// with which they probe from a pool of their own, so that those that hang leave the
// others room.
const (
	regularRequests = 24
	probeRequests   = 8
)

// limiter shares requests between the deliveries of several tenants. Nil does not
// limit.
type limiter struct {
	regular, probes pool
}

// pool is a number of permissions to work, and who waits for one, in order.
type pool struct {
	mu      sync.Mutex
	free    int
	waiting []*delivery
	waiters atomic.Int32
}

func newLimiter() *limiter {
	l := &limiter{}
	l.regular.free, l.probes.free = regularRequests, probeRequests
	return l
}

// pool is the one from which a delivery takes, probing or not.
func (l *limiter) pool(probing bool) *pool {
	switch {
	case l == nil:
		return nil
	case probing:
		return &l.probes
	default:
		return &l.regular
	}
}

// take reports whether d may start a sender. If not, d is told when it may.
func (p *pool) take(d *delivery) bool {
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()

	if p.free > 0 {
		p.free--
		return true
	}
	if !slices.Contains(p.waiting, d) {
		p.waiting = append(p.waiting, d)
		p.waiters.Store(int32(len(p.waiting)))
	}
	return false
}

// give returns what take gave, and lets the one go that has waited longest.
func (p *pool) give() {
	if p == nil {
		return
	}
	for {
		p.mu.Lock()
		if len(p.waiting) == 0 {
			p.free++
			p.mu.Unlock()
			return
		}
		next := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		p.waiters.Store(int32(len(p.waiting)))
		p.mu.Unlock()
		if next.begin(p) {
			return
		}
	}
}

// contended reports whether somebody waits: a sender should let it have its turn.
func (p *pool) contended() bool { return p != nil && p.waiters.Load() > 0 }
