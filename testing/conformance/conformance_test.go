// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

// casesOf reads the cases of a file. A member that the case has no field for is an
// error: nothing in the files goes untested.
func casesOf[C any](tb testing.TB, file string) []C {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var all struct {
		Description string
		Cases       []C
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	if all.Description == "" || len(all.Cases) == 0 {
		tb.Fatalf("%s has no description or no cases", file)
	}
	return all.Cases
}

// text is a text of a case: a string, a number, or what parts of it add up to.
type text string

// part is a part of a text that JSON could not hold, or not in a readable way.
type part struct {
	Repeat    string
	Times     int
	Separator string
	Hex       string
}

// UnmarshalJSON reads any of the forms.
func (t *text) UnmarshalJSON(data []byte) error {
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(t))
	case '[':
		var parts []text
		if err := json.Unmarshal(data, &parts); err != nil {
			return err
		}
		*t = ""
		for _, p := range parts {
			*t += p
		}
		return nil
	case '{':
		var p part
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&p); err != nil {
			return err
		}
		return t.take(p)
	default:
		var number json.Number
		if err := json.Unmarshal(data, &number); err != nil {
			return fmt.Errorf("%s is no text", data)
		}
		*t = text(number)
		return nil
	}
}

func (t *text) take(p part) error {
	if p.Hex != "" {
		raw, err := hex.DecodeString(p.Hex)
		*t = text(raw)
		return err
	}
	repeated := make([]string, p.Times)
	for i := range repeated {
		repeated[i] = strings.ReplaceAll(p.Repeat, "#", strconv.Itoa(i))
	}
	*t = text(strings.Join(repeated, p.Separator))
	return nil
}

// metadata is metadata by the keys of attributes.
type metadata map[attribute.Key]text

// of returns it as instrument has it.
func (m metadata) of(tb testing.TB) instrument.Metadata {
	tb.Helper()
	known := map[attribute.Key]bool{}
	for _, f := range instrument.Fields() {
		known[f.Key] = true
		for _, alias := range f.Aliases {
			known[alias] = true
		}
	}
	var attrs []attribute.KeyValue
	for key, value := range m {
		if !known[key] {
			tb.Fatalf("%s is the attribute of no field", key)
		}
		attrs = append(attrs, key.String(string(value)))
	}
	got, err := instrument.FromAttributes(attrs...)
	if err != nil {
		tb.Fatal(err)
	}
	return got
}

// fieldOf is the field of metadata that an attribute belongs to.
func fieldOf(tb testing.TB, key attribute.Key) semconv.Field {
	tb.Helper()
	for _, f := range instrument.Fields() {
		if f.Key == key {
			return f
		}
	}
	tb.Fatalf("%s is the attribute of no field", key)
	return semconv.Field{}
}

// want fails the test unless calls made with ctx carry exactly that.
func (m metadata) want(ctx context.Context, tb testing.TB) {
	tb.Helper()
	if diff := cmp.Diff(m.of(tb), instrument.FromContext(ctx)); diff != "" {
		tb.Errorf("metadata (-want +got):\n%s", diff)
	}
}

// dropped is how many values were left out, by reason.
type dropped map[string]int64

// counted is a meter provider, as an option, and a function that compares what was
// counted there.
func counted(tb testing.TB) (option propagate.Option, want func(dropped)) {
	tb.Helper()
	reader := sdkmetric.NewManualReader()
	return propagate.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))), func(want dropped) {
		tb.Helper()
		var data metricdata.ResourceMetrics
		if err := reader.Collect(context.Background(), &data); err != nil {
			tb.Fatal(err)
		}
		got := dropped{}
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
					reason, _ := point.Attributes.Value("revenium.reason")
					got[reason.AsString()] += point.Value
				}
			}
		}
		if want == nil {
			want = dropped{}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			tb.Errorf("left out (-want +got):\n%s", diff)
		}
	}
}

// TestMain keeps the reports of bad values, which are wanted here, out of the
// output.
func TestMain(m *testing.M) {
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	os.Exit(m.Run())
}
