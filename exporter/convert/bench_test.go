// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// typicalChat is a chat span as our own transport makes it in a service with
// attribution: 22 attributes, and a resource of 9.
func typicalChat() *span {
	s := call(
		"gen_ai.operation.name", "chat",
		"gen_ai.provider.name", "openai",
		"gen_ai.request.model", "gpt-4o",
		"gen_ai.request.stream", true,
		"server.address", "api.openai.com",
		"server.port", 443,
		"gen_ai.request.temperature", 0.7,
		"gen_ai.request.max_tokens", 1024,
		"gen_ai.response.id", "chatcmpl-AbCdEf0123456789",
		"gen_ai.response.model", "gpt-4o-2024-08-06",
		"gen_ai.response.finish_reasons", []string{"stop"},
		"gen_ai.response.time_to_first_chunk", 0.412,
		"openai.response.system_fingerprint", "fp_44709d6fcb",
		"openai.response.service_tier", "default",
		"gen_ai.usage.input_tokens", 1310,
		"gen_ai.usage.cache_read.input_tokens", 1152,
		"gen_ai.usage.output_tokens", 217,
		"gen_ai.usage.reasoning.output_tokens", 192,
		"revenium.organization.name", "acme",
		"revenium.product.name", "support-bot",
		"revenium.task.type", "summarize-ticket",
		"revenium.subscriber.id", "user-4711",
	)
	s.parent = [8]byte{9}
	s.resource = with(
		"service.name", "checkout",
		"service.version", "1.2.3",
		"service.instance.id", "5c0f1f2e-7d7b-4b5e-8f0a-1f2e3d4c5b6a",
		"host.name", "node-1",
		"deployment.environment.name", "production",
		"cloud.region", "eu-central-1",
		"telemetry.sdk.name", "opentelemetry",
		"telemetry.sdk.language", "go",
		"telemetry.sdk.version", "1.47.0",
	)
	return s
}

// httpSpan is a span of a service that calls no model.
func httpSpan() *span {
	s := call(
		"http.request.method", "GET",
		"url.scheme", "https",
		"url.path", "/api/v1/orders/4711",
		"server.address", "shop.example.com",
		"server.port", 443,
		"network.peer.address", "10.1.2.3",
		"network.protocol.version", "1.1",
		"user_agent.original", "Mozilla/5.0",
		"http.route", "/api/v1/orders/{id}",
		"http.response.status_code", 200,
		"http.response.body.size", 5120,
	)
	s.kind = convert.KindServer
	return s
}

// responseIDs are as many ids as a converter remembers calls, and more.
func responseIDs() []convert.Value {
	ids := make([]convert.Value, 1<<16)
	for i := range ids {
		ids[i] = convert.StringValue(fmt.Sprintf("chatcmpl-AbCdEf0123%06d", i))
	}
	return ids
}

// rename makes the span another call: ids, and the time.
func rename(s *span, ids []convert.Value, n uint64) {
	binary.BigEndian.PutUint64(s.trace[:], n)
	binary.BigEndian.PutUint64(s.id[:], n)
	binary.BigEndian.PutUint64(s.parent[:], n+1)
	for i := range s.attrs {
		if s.attrs[i].key == "gen_ai.response.id" {
			s.attrs[i].value = ids[n%uint64(len(ids))]
		}
	}
}

// exported is a span whose resource is recognised, as those of an SDK are.
type exported struct{ *span }

func (e exported) ResourceIdentity() any { return e.span }

func BenchmarkConvertChat(b *testing.B) {
	c := newConverter(b)
	s := typicalChat()
	view := exported{s}
	ids := responseIDs()
	dst := make([]convert.Decision, 0, 4)
	var n uint64
	b.ReportAllocs()
	for b.Loop() {
		n++
		rename(s, ids, n)
		dst = c.Convert(dst[:0], view)
		if len(dst) != 1 || dst[0].Kind != convert.Billed {
			b.Fatalf("got %+v", dst)
		}
		dst[0].Release()
	}
}

func BenchmarkConvertChatParallel(b *testing.B) {
	c := newConverter(b)
	ids := responseIDs()
	var n atomic.Uint64
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		s := typicalChat()
		view := exported{s}
		dst := make([]convert.Decision, 0, 4)
		for pb.Next() {
			rename(s, ids, n.Add(1))
			dst = c.Convert(dst[:0], view)
			dst[0].Release()
		}
	})
}

func BenchmarkConvertOther(b *testing.B) {
	c := newConverter(b)
	s := httpSpan()
	dst := make([]convert.Decision, 0, 4)
	var n uint64
	b.ReportAllocs()
	for b.Loop() {
		n++
		binary.BigEndian.PutUint64(s.trace[:], n)
		binary.BigEndian.PutUint64(s.id[:], n)
		if dst = c.Convert(dst[:0], s); len(dst) != 0 {
			b.Fatalf("got %+v", dst)
		}
	}
}

// BenchmarkConvertOtherWhileHeld is the same while a failure waits, as happens
// whenever a provider has a bad minute.
func BenchmarkConvertOtherWhileHeld(b *testing.B) {
	c := newConverter(b)
	failed := chat("gen_ai.usage.input_tokens", nil, "gen_ai.usage.output_tokens", nil, "http.response.status_code", 503)
	failed.parent = [8]byte{1}
	if c.Convert(nil, failed); c.Held() != 1 {
		b.Fatal("the failure is not held")
	}
	s := httpSpan()
	dst := make([]convert.Decision, 0, 4)
	b.ReportAllocs()
	for b.Loop() {
		if dst = c.Convert(dst[:0], s); len(dst) != 0 {
			b.Fatalf("got %+v", dst)
		}
	}
}
