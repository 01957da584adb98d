// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/revenium/revenium-otel-go/semconv"
)

// WithCallOptions returns a context for one call, which gets the options although
// something else starts its span: package llmhttp or an adapter for a client.
//
//	ctx := instrument.WithCallOptions(ctx,
//		instrument.Metadata{TaskType: "summarize"},
//		instrument.WithParentTransactionID(parent),
//	)
//	answer, err := client.Chat.Completions.New(ctx, params)
//
// Pass the context to that call and to nothing else. A client that tries again
// makes several calls of it, and ids are those of a single one: from the second on,
// a transaction id gets "-2", "-3" and so on at its end. The spans of
// instrumentations other than this module's get the metadata alone, by
// [NewSpanProcessor]. Options that are passed to [StartCall] itself go before.
func WithCallOptions(ctx context.Context, opts ...Option) context.Context {
	c := newConfig(nil)
	if outer := callOptionsOf(ctx); outer != nil {
		c = outer.config
	}
	// Applied now and not when the call starts: what the options were made from may
	// have changed by then.
	c = c.with(opts)
	c.attributes = slices.Clone(c.attributes)
	if c.metadata.set != 0 {
		ctx = context.WithValue(ctx, carriedKey{}, carriedBy(ctx).with(slotCall, c.metadata))
	}
	return context.WithValue(ctx, callOptionsKey{}, &callOptions{config: c})
}

type callOptionsKey struct{}

// callOptions are options of a call that something else starts.
type callOptions struct {
	config config       // what they say
	calls  atomic.Int64 // started so far
}

func callOptionsOf(ctx context.Context) *callOptions {
	o, _ := ctx.Value(callOptionsKey{}).(*callOptions)
	return o
}

// configFor returns the configuration of a call that is started with ctx and opts,
// and ctx for what is beneath it, to which nothing of that is passed on.
func configFor(ctx context.Context, opts []Option) (config, context.Context) {
	given := callOptionsOf(ctx)
	if given == nil {
		return newConfig(opts), ctx
	}
	c := given.config.with(opts)
	if n := given.calls.Add(1); n > 1 {
		c.attributes = slices.Clone(c.attributes)
		for i := range c.attributes {
			if a := &c.attributes[i]; a.Key == semconv.ReveniumTransactionIDKey {
				*a = semconv.ReveniumTransactionID(a.Value.AsString() + "-" + strconv.FormatInt(n, 10))
			}
		}
	}
	ctx = context.WithValue(ctx, callOptionsKey{}, (*callOptions)(nil))
	if carried := carriedBy(ctx); carried != nil && carried.slots[slotCall].set != 0 {
		ctx = context.WithValue(ctx, carriedKey{}, carried.without(slotCall, carried.slots[slotCall].set))
	}
	return c, ctx
}
