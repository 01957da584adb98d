// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// TestFromAttributes gives every field under each of its names, and under all of
// them at once.
func TestFromAttributes(t *testing.T) {
	everything := all(t)
	got, err := instrument.FromAttributes(everything.Attributes()...)
	if diff := cmp.Diff(everything, got); err != nil || diff != "" {
		t.Errorf("all of it: error %v (-want +got):\n%s", err, diff)
	}
	for _, f := range settable() {
		want := one(t, f, sample(f))
		keys := append([]attribute.Key{f.Key}, f.Aliases...)
		var attrs []attribute.KeyValue
		for i, key := range keys {
			value := sample(f)
			if got, err := instrument.FromAttributes(attributeOf(key, value)); err != nil || !cmp.Equal(want, got) {
				t.Errorf("%s as %s: %v, error %v", f.Name, key, got, err)
			}
			if i > 0 {
				value = "0.1" // which goes for every field
			}
			attrs = append(attrs, attributeOf(key, value))
		}
		for range 2 { // in whichever order
			if got, err := instrument.FromAttributes(attrs...); err != nil || !cmp.Equal(want, got) {
				t.Errorf("%s under all names %v: %v, error %v", f.Name, attrs, got, err)
			}
			slices.Reverse(attrs)
		}
	}
}

func TestFields(t *testing.T) {
	if diff := cmp.Diff(settable(), instrument.Fields()); diff != "" {
		t.Errorf("fields of metadata (-registry +got):\n%s", diff)
	}
}

func attributeOf(key attribute.Key, value any) attribute.KeyValue {
	if n, ok := value.(float64); ok {
		return key.Float64(n)
	}
	return key.String(value.(string))
}

func TestFromAttributesBad(t *testing.T) {
	m, err := instrument.FromAttributes(
		semconv.ReveniumTaskType("research"),
		semconv.ReveniumAgentName("a"), semconv.ReveniumAgentName("b"), semconv.ReveniumAgentName(" "),
		attribute.String("revenium.response.quality_score", "high"),
		attribute.StringSlice("revenium.product.name", []string{"p"}),
		attribute.Bool("revenium.ticket.id", true),
		semconv.GenAIRequestModel("m"), attribute.String("revenium.organisation", "x"),
	)
	if want := (instrument.Metadata{TaskType: "research", Agent: "b", TicketID: "true"}); !cmp.Equal(want, m) {
		t.Errorf("got %v, want %v", m, want)
	}
	bad, _ := errors.AsType[*instrument.MetadataError](err)
	if bad == nil || len(bad.Fields) != 2 || bad.Fields[0].Field != "responseQualityScore" || bad.Fields[1].Field != "productName" {
		t.Errorf("error %v, want the score and the product", err)
	}
}

func TestValid(t *testing.T) {
	m := all(t)
	if got, err := m.Valid(); err != nil || !cmp.Equal(m, got) {
		t.Errorf("of valid metadata: %v, error %v", got, err)
	}
	score := 80.0
	m.QualityScore = &score
	m.TaskType = strings.Repeat("x", 256)
	m.Region = "eu\r\nwest"
	want := m
	want.QualityScore, want.TaskType, want.Region = nil, "", ""
	got, err := m.Valid()
	if !cmp.Equal(want, got) {
		t.Errorf("got %v", got)
	}
	if bad, _ := errors.AsType[*instrument.MetadataError](err); bad == nil || len(bad.Fields) != 3 {
		t.Errorf("error %v, want three fields", err)
	}
	if m.QualityScore == nil || m.TaskType == "" {
		t.Error("the original changed")
	}
}
