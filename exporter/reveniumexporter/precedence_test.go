// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"encoding/json"
	"strings"
	"testing"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// levelValues are two values that a field can have, as text.
func levelValues(field string) (first, second string) {
	switch field {
	case "pricingTier":
		return "BATCH", "STANDARD"
	case "skillSource":
		return "bundled", "plugin"
	case "costMultiplier":
		return "2.5", "3.5"
	default:
		return "first", "second"
	}
}

// TestPrecedenceOfClientMetadata checks of every field that a request's metadata
// may give that it stands between the span and the scope: each level wins over
// all that are lower. The levels above the span's own are those of the process
// that made it.
func TestPrecedenceOfClientMetadata(t *testing.T) {
	const header = "x-level"
	tested := 0
	for _, f := range semconv.Fields() {
		field, ok := (&ClientMetadataConfig{Key: header, Field: f.Name}).field()
		if !ok || !f.ResourceLevel || f.Name == "provider" || f.Name == "skillKind" {
			continue // of another level, with one value only, or worked out from more
		}
		tested++
		t.Run(f.Name, func(t *testing.T) {
			first, second := levelValues(f.Name)
			allowed := (&AttributionConfig{ClientMetadata: []ClientMetadataConfig{{Key: header, Field: f.Name}}}).clientAttributes()
			levels := []string{"span", "client", "scope", "resource", "default"}
			for highest := range levels {
				values := map[string]string{}
				for i, level := range levels {
					switch {
					case i == highest:
						values[level] = first
					case i > highest:
						values[level] = second
					}
				}
				if got := attributed(t, field, header, allowed, values); got != first {
					t.Errorf("from %s on: got %q, want %q", levels[highest], got, first)
				}
			}
		})
	}
	if tested < 30 {
		t.Errorf("only %d fields were tested", tested)
	}
}

// attributed converts a call for which the levels say what values has of them, and
// returns what the record says.
func attributed(t *testing.T, f semconv.Field, header string, allowed []clientAttribute, values map[string]string) string {
	t.Helper()
	td := calls(0, 1)
	rs := td.ResourceSpans().At(0)
	ss := rs.ScopeSpans().At(0)
	put := func(m pcommon.Map, level string) {
		if v := values[level]; v != "" {
			m.PutStr(string(f.Key), v)
		}
	}
	span := ss.Spans().At(0)
	put(span.Attributes(), "span")
	put(ss.Scope().Attributes(), "scope")
	put(rs.Resource().Attributes(), "resource")
	var opts []convert.Option
	if v := values["default"]; v != "" {
		opts = append(opts, convert.WithDefault(f.Name, v, convert.OriginDefault))
	}
	metadata := map[string][]string{}
	if v := values["client"]; v != "" {
		metadata[header] = []string{v}
	}
	converter, err := convert.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return textOf(t, converter, span, ss.Scope(), rs.Resource(), given(client.NewMetadata(metadata), allowed), f.Name)
}

func textOf(t *testing.T, converter *convert.Converter, span ptrace.Span, scope pcommon.InstrumentationScope, resource pcommon.Resource, given []attributeValue, field string) string {
	t.Helper()
	decisions := converter.Convert(nil, &attributedView{arrival: pdataview.New(span, scope, resource), given: given})
	if len(decisions) != 1 || decisions[0].Kind != convert.Billed {
		t.Fatalf("decisions %+v", decisions)
	}
	frozen, _, err := metering.Freeze(decisions[0].Record)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(frozen.Body, &value); err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(field, ".") {
		object, _ := value.(map[string]any)
		value = object[part]
	}
	if text, ok := value.(string); ok {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
