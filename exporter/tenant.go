// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// TenantKeyFunc returns the API key of a tenant for one request. It is called for
// every attempt, concurrently, and should be quick. An empty key means the one of
// [WithAPIKey]. After an error the record waits and is tried again.
type TenantKeyFunc func(ctx context.Context, tenant string) (key string, err error)

// WithTenantAttribute delivers each record for the tenant that an attribute names,
// on the span, its scope or its resource, in this order. Each tenant has a key, a
// queue, limits and an outage of its own: what befalls one does not touch the
// others. A record without the attribute is for no tenant in particular and goes
// out with the key of [WithAPIKey].
//
// The attribute decides who pays: take one that your own code sets.
func WithTenantAttribute(key attribute.Key) Option {
	return optionFunc(func(cfg config) config {
		cfg.tenants.of = func(s sdktrace.ReadOnlySpan) string { return tenantAttribute(s, key) }
		return cfg
	})
}

// WithTenantFunc is as [WithTenantAttribute] with a function instead of an
// attribute. It runs in the application's request path, for GenAI spans only, and
// should be quick.
func WithTenantFunc(tenant func(sdktrace.ReadOnlySpan) string) Option {
	return optionFunc(func(cfg config) config {
		cfg.tenants.of = tenant
		return cfg
	})
}

// WithTenantKey sets the API key of a tenant. Tenants without a key of their own use
// that of [WithAPIKey].
func WithTenantKey(tenant, key string) Option {
	return optionFunc(func(cfg config) config {
		keys := maps.Clone(cfg.tenants.keys)
		if keys == nil {
			keys = make(map[string]string)
		}
		keys[tenant] = key
		cfg.tenants.keys = keys
		return cfg
	})
}

// WithTenantKeyFunc asks key for the API keys of tenants that [WithTenantKey] does
// not know.
func WithTenantKeyFunc(key TenantKeyFunc) Option {
	return optionFunc(func(cfg config) config {
		cfg.tenants.key = key
		return cfg
	})
}

// WithTenantLimits bounds the queue of a tenant, be it in memory or on disk, apart
// from the bounds that hold for all.
func WithTenantLimits(tenant string, limits ...spool.LimitOption) Option {
	return optionFunc(func(cfg config) config {
		all := maps.Clone(cfg.tenants.limits)
		if all == nil {
			all = make(map[string][]spool.LimitOption)
		}
		all[tenant] = slices.Clone(limits)
		cfg.tenants.limits = all
		return cfg
	})
}

// tenantConfig is what the options say about tenants.
type tenantConfig struct {
	// of is the tenant of a span; nil without tenants.
	of     func(sdktrace.ReadOnlySpan) string
	keys   map[string]string
	key    TenantKeyFunc
	limits map[string][]spool.LimitOption
}

// used reports whether there are tenants.
func (t *tenantConfig) used() bool { return t.of != nil }

// hasKeys reports whether a tenant can have a key of its own.
func (t *tenantConfig) hasKeys() bool { return t.used() && (len(t.keys) > 0 || t.key != nil) }

// validate reports what is wrong.
func (t *tenantConfig) validate(problem func(setting, format string, args ...any)) {
	for _, tenant := range slices.Sorted(maps.Keys(t.keys)) {
		if err := metering.CheckAPIKey(t.keys[tenant]); err != nil {
			problem("WithTenantKey", "API key of tenant %q: %v", tenant, err)
		}
	}
	if !t.used() && (len(t.keys) > 0 || t.key != nil || len(t.limits) > 0) {
		problem("WithTenantKey", "keys or limits of tenants, but nothing says which tenant a span is of: use WithTenantAttribute or WithTenantFunc")
	}
}

// tenantAttribute is the value of an attribute of a span, its scope or its
// resource.
func tenantAttribute(s sdktrace.ReadOnlySpan, key attribute.Key) string {
	attrs := s.Attributes()
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value.String()
		}
	}
	scope := s.InstrumentationScope()
	if v, ok := scope.Attributes.Value(key); ok {
		return v.String()
	}
	if v, ok := s.Resource().Set().Value(key); ok {
		return v.String()
	}
	return ""
}

// tenantOfSpan asks the user's function and turns its panic into no tenant.
func (e *engine) tenantOfSpan(s sdktrace.ReadOnlySpan) (tenant string) {
	if !e.cfg.tenants.used() {
		return ""
	}
	defer func() {
		if p := recover(); p != nil {
			e.report.problem(slog.LevelError, "tenant", "revenium: finding the tenant of a span failed: it is metered without one",
				slog.String("panic", fmt.Sprint(p)))
			tenant = ""
		}
	}()
	return e.cfg.tenants.of(s)
}

// heldTenants remembers the tenants of spans whose decision waits. There are as
// many as package convert holds, which is bounded.
type heldTenants struct {
	mu      sync.Mutex
	tenants map[spanID]string
}

// spanID names a span.
type spanID struct {
	trace [16]byte
	span  [8]byte
}

// note remembers the tenant of a span that is held now.
func (h *heldTenants) note(d *convert.Decision, tenant string) {
	if tenant == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tenants == nil {
		h.tenants = make(map[spanID]string)
	}
	h.tenants[spanID{d.TraceID, d.SpanID}] = tenant
}

// take is the tenant of a span that was held.
func (h *heldTenants) take(d *convert.Decision) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := spanID{d.TraceID, d.SpanID}
	tenant := h.tenants[id]
	delete(h.tenants, id)
	return tenant
}

// keyOf returns the function that gives the key of the tenant of a request. common
// is the key of those without one of their own.
func (t *tenantConfig) keyOf(common metering.APIKeyFunc) metering.APIKeyFunc {
	return func(ctx context.Context) (string, error) {
		tenant := tenantOf(ctx)
		if tenant != "" {
			if !t.used() {
				// Left in the spool by a process that had tenants. Whose key that would be
				// is unknown, and no other will do.
				return "", nil
			}
			if key := t.keys[tenant]; key != "" {
				return key, nil
			}
			if t.key != nil {
				key, err := t.key(ctx, tenant)
				if err != nil {
					return "", fmt.Errorf("key of tenant %q: %w", tenant, err)
				}
				if key != "" {
					return key, nil
				}
			}
		}
		return common(ctx)
	}
}
