// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Limits of headers.
const (
	// maxValueBytes is more than any valid value has.
	maxValueBytes = 4096
	// maxHeaderBytes is how much of headers is sent. Servers take 8 KiB and more for
	// all the headers of a request.
	maxHeaderBytes = 6144
)

// rawHeaders are the headers of a request that may be metadata, under the names that
// http.Header gives them. The map is nobody else's.
type rawHeaders http.Header

// sessionHeader is the one header without our prefix that metadata is read from.
var sessionHeader = http.CanonicalHeaderKey(semconv.HeaderClaudeCodeSessionID)

// readHeaders picks from a carrier the headers that may be metadata.
func readHeaders(c propagation.TextMapCarrier) rawHeaders {
	var raw rawHeaders
	add := func(name string, values []string) {
		if raw == nil {
			raw = make(rawHeaders)
		}
		if _, ok := raw[name]; !ok {
			raw[name] = values
		}
	}
	if h, ok := c.(propagation.HeaderCarrier); ok {
		for name, values := range h {
			if strings.HasPrefix(name, headerPrefix) || name == sessionHeader {
				add(name, values)
			}
		}
		return raw
	}
	var names []string
	for _, name := range c.Keys() {
		if hasPrefixFold(name, headerPrefix) || strings.EqualFold(name, sessionHeader) {
			names = append(names, name)
		}
	}
	// Carriers may tell names apart that differ in their case; those in lower case,
	// which is last in order, go first.
	slices.Sort(names)
	for _, name := range slices.Backward(names) {
		add(http.CanonicalHeaderKey(name), valuesOf(c, name))
	}
	return raw
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// ours counts the headers that have our prefix.
func (raw rawHeaders) ours() int {
	n := len(raw)
	if _, ok := raw[sessionHeader]; ok {
		n--
	}
	return n
}

// fromHeaders reads the fields of the set.
func (p *Propagator) fromHeaders(ctx context.Context, raw rawHeaders, set fieldSet) instrument.Metadata {
	if len(raw) == 0 {
		return instrument.Metadata{}
	}
	notOnList, long := 0, 0
	for name, values := range raw {
		i, ok := fields().byHeader[name]
		switch {
		case !ok || !set[i]:
			if name != sessionHeader {
				notOnList++
			}
			delete(raw, name)
		case slices.ContainsFunc(values, func(v string) bool { return len(v) > maxValueBytes }):
			long++
			delete(raw, name)
		}
	}
	p.drops.count(ctx, in, inHeader, notAllowed, notOnList)
	p.drops.report(ctx, in, inHeader, tooLarge, long, func() error {
		return fmt.Errorf("%d values are longer than %d bytes", long, maxValueBytes)
	})
	m, err := instrument.FromHeaders(http.Header(raw))
	p.drops.invalid(ctx, in, inHeader, set, err)
	return m
}

// writeHeaders sets the headers of valid metadata. Fields of which there is a header
// already are left as they are.
func (p *Propagator) writeHeaders(ctx context.Context, attrs []attribute.KeyValue, nonASCII bool, has func(name string) bool, set func(name, value string)) {
	size, large, notASCII := 0, 0, 0
	for _, kv := range attrs {
		names := fields().headers[fields().byKey[kv.Key]]
		if slices.ContainsFunc(names, has) {
			continue
		}
		value := strings.TrimSpace(kv.Value.String())
		if !nonASCII && !isASCII(value) {
			notASCII++
			continue
		}
		more := 0
		for _, name := range names {
			more += len(name) + len(value) + len(": \r\n")
		}
		if size+more > maxHeaderBytes {
			large++
			continue
		}
		size += more
		for _, name := range names {
			set(name, value)
		}
	}
	p.drops.report(ctx, out, inHeader, invalid, notASCII, func() error {
		return fmt.Errorf("%d values are not ASCII", notASCII)
	})
	p.drops.report(ctx, out, inHeader, tooLarge, large, func() error {
		return fmt.Errorf("%d values would make the headers larger than %d bytes", large, maxHeaderBytes)
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}
