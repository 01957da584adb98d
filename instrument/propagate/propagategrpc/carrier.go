// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagategrpc

import (
	"go.opentelemetry.io/otel/propagation"
	"google.golang.org/grpc/metadata"
)

// carrier is the metadata of a call as OpenTelemetry's propagators see it. Its keys
// are in lower case, as gRPC has them.
type carrier metadata.MD

var (
	_ propagation.TextMapCarrier = carrier{}
	_ propagation.ValuesGetter   = carrier{}
)

// Get returns the first value of a key.
func (c carrier) Get(key string) string {
	if values := c.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns all values of a key.
func (c carrier) Values(key string) []string { return metadata.MD(c).Get(key) }

// Set sets the value of a key.
func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

// Keys lists the keys.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
