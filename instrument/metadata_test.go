// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/semconv"
)

// notMetadata are the fields that a request may set and yet are no metadata: they
// say what a call was, or what it costs.
func notMetadata() []string {
	return []string{
		"provider", "modelSource", "modelHost", "middlewareSource",
		"pricingTier", "speed", "costMultiplier", "billingSkipped", "skipReason",
	}
}

// settable lists the registry's fields that metadata has.
func settable() []semconv.Field {
	return slices.DeleteFunc(semconv.Fields(), func(f semconv.Field) bool {
		return !f.RequestLevel || slices.Contains(notMetadata(), f.Name)
	})
}

// sample is a value that the field accepts, different for each field.
func sample(f semconv.Field) any {
	switch f.Name {
	case "responseQualityScore":
		return 0.75
	case "operationType":
		return "SUMMARIZE"
	case "skillKind":
		return "workflow"
	case "skillSource":
		return "plugin"
	case "effort":
		return "high"
	case "subscriberEmailSource":
		return "git"
	default:
		return "v-" + strings.ReplaceAll(f.Name, ".", "-")
	}
}

// one is metadata with a single field set.
func one(tb testing.TB, f semconv.Field, value any) instrument.Metadata {
	tb.Helper()
	m, err := instrument.FromMap(map[string]any{f.Name: value})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// all is metadata with every field set.
func all(tb testing.TB) instrument.Metadata {
	tb.Helper()
	values := map[string]any{}
	for _, f := range settable() {
		values[f.Name] = sample(f)
	}
	m, err := instrument.FromMap(values)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestFieldsOfMetadata checks that the struct has every field of the registry that
// is to be settable, and no other.
func TestFieldsOfMetadata(t *testing.T) {
	m := all(t)
	want := map[string]any{}
	for _, f := range settable() {
		want[string(f.Key)] = sample(f)
	}
	if len(want) < 40 {
		t.Errorf("only %d fields", len(want))
	}
	if diff := cmp.Diff(want, attributes(m.Attributes())); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	var unset []string
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		for f, value := range v.Fields() {
			switch {
			case f.Name == "_":
			case value.Kind() == reflect.Struct:
				walk(path+f.Name+".", value)
			case value.IsZero():
				unset = append(unset, path+f.Name)
			}
		}
	}
	walk("", reflect.ValueOf(m))
	if len(unset) > 0 {
		t.Errorf("fields that nothing sets: %v", unset)
	}
	if err := m.Validate(); err != nil {
		t.Errorf("the samples are not valid: %v", err)
	}
}

func TestIsZero(t *testing.T) {
	if !(instrument.Metadata{}).IsZero() || !(instrument.Metadata{Agent: " \t\u00a0\x00"}).IsZero() {
		t.Error("nothing is set, and yet it is not zero")
	}
	for _, f := range settable() {
		if one(t, f, sample(f)).IsZero() {
			t.Errorf("%s is set, and yet it is zero", f.Name)
		}
	}
	if got := (instrument.Metadata{Agent: " "}).Attributes(); len(got) != 0 {
		t.Errorf("attributes of a blank agent: %v", got)
	}
}

func TestMerge(t *testing.T) {
	score := 0.5
	base := instrument.Metadata{
		Organization: "Acme", Agent: "outer",
		Subscriber:   instrument.Subscriber{ID: "u-1", Email: "jo@example.com"},
		QualityScore: &score,
	}
	got := base.Merge(instrument.Metadata{
		Agent: "inner", Product: " ",
		Subscriber: instrument.Subscriber{ID: "u-2", CredentialName: "team key"},
	})
	score = 0.9 // of the caller alone
	want := instrument.Metadata{
		Organization: "Acme", Agent: "inner",
		Subscriber:   instrument.Subscriber{ID: "u-2", Email: "jo@example.com", CredentialName: "team key"},
		QualityScore: new(0.5),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
	everything := all(t)
	if diff := cmp.Diff(everything, (instrument.Metadata{}).Merge(everything)); diff != "" {
		t.Errorf("over nothing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(everything, everything.Merge(instrument.Metadata{})); diff != "" {
		t.Errorf("nothing over it (-want +got):\n%s", diff)
	}
}

func TestValidate(t *testing.T) {
	x := func(n int) string { return strings.Repeat("ä", n) }
	m := instrument.Metadata{
		Organization: x(1025), // bounded by ourselves
		Product:      "two\r\nlines",
		Agent:        "\xff",
		TaskType:     x(256),
		TraceType:    "customer support",
		QualityScore: new(1.5),
		Job:          instrument.Job{ID: "types", Name: x(512)},
		Skill:        instrument.Skill{Kind: "Workflow"},
		Subscriber:   instrument.Subscriber{CredentialValue: "cred-" + instrument.Secret(x(2000))},
	}
	err := m.Validate()
	invalid, ok := errors.AsType[*instrument.MetadataError](err)
	if !ok {
		t.Fatalf("error %v, want a MetadataError", err)
	}
	shown := `"` + x(64) + `…"`
	want := []instrument.FieldError{
		{Field: "organizationName", Value: shown, Problem: "is too long: 1025 characters", Limit: "at most 1024 characters"},
		{Field: "productName", Value: `"two\r\nlines"`, Problem: "has a control character"},
		{Field: "subscriber.credential.value", Value: "[REDACTED]", Problem: "is too long: 2005 characters", Limit: "at most 1024 characters"},
		{Field: "agent", Value: `"\xff"`, Problem: "is not valid UTF-8"},
		{Field: "taskType", Value: shown, Problem: "is too long: 256 characters", Limit: "at most 255 characters"},
		{Field: "agenticJobId", Value: `"types"`, Problem: "is not accepted", Limit: "matching ^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$, not types or conversion-funnel"},
		{Field: "skillKind", Value: `"Workflow"`, Problem: "is not accepted", Limit: "one of workflow"},
		{Field: "responseQualityScore", Value: "1.5", Problem: "is out of range", Limit: "0 to 1"},
		{Field: "traceType", Value: `"customer support"`, Problem: "is not accepted", Limit: "at most 128 characters, matching ^[A-Za-z0-9_-]+$"},
	}
	if diff := cmp.Diff(want, invalid.Fields); diff != "" {
		t.Errorf("bad fields (-want +got):\n%s", diff)
	}
	if field, ok := errors.AsType[*instrument.FieldError](err); !ok || field.Field != "organizationName" {
		t.Errorf("the first field error is %v", field)
	}
	if text := err.Error(); !strings.Contains(text, `responseQualityScore 1.5 is out of range (accepted: 0 to 1)`) || strings.Contains(text, "cred-") {
		t.Errorf("error text: %s", text)
	}
	for _, n := range []float64{math.NaN(), math.Inf(-1)} {
		if err := (instrument.Metadata{QualityScore: &n}).Validate(); err == nil || !strings.Contains(err.Error(), "is not a finite number") {
			t.Errorf("score %v: error %v", n, err)
		}
	}
	if err := (instrument.Metadata{}).Validate(); err != nil {
		t.Errorf("nothing set: %v", err)
	}
}

const secret = "cred-1a2b3c"

func TestSecretIsNotShown(t *testing.T) {
	m := instrument.Metadata{Organization: "Acme", QualityScore: new(0.5), Subscriber: instrument.Subscriber{ID: "u-1", CredentialValue: secret}}
	const text = `{organizationName:"Acme" subscriber.id:"u-1" subscriber.credential.value:[REDACTED] responseQualityScore:0.5}`
	if got := m.String(); got != text {
		t.Errorf("String() = %s, want %s", got, text)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "m", m, "s", m.Subscriber, "c", m.Subscriber.CredentialValue)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "m", m, "c", m.Subscriber.CredentialValue)
	for _, want := range []string{`m.organizationName=Acme`, `m.subscriber.id=u-1`, `"subscriber.credential.value":"[REDACTED]"`, `m.responseQualityScore=0.5`} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %s: %s", want, &logged)
		}
	}
	texts := []string{logged.String()}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		texts = append(texts, fmt.Sprintf(format, m), fmt.Sprintf(format, &m), fmt.Sprintf(format, m.Subscriber), fmt.Sprintf(format, []any{m.Subscriber.CredentialValue}))
	}
	for _, got := range texts {
		if strings.Contains(got, secret) {
			t.Errorf("the credential is shown: %s", got)
		}
	}
	if got := instrument.Secret("").String(); got != "" {
		t.Errorf("an unset secret is shown as %q", got)
	}
}

func TestJSON(t *testing.T) {
	for _, m := range []instrument.Metadata{{}, all(t), {Subscriber: instrument.Subscriber{CredentialValue: secret}}} {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var got instrument.Metadata
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("round trip (-want +got):\n%s", diff)
		}
	}
	data, err := json.Marshal(instrument.Metadata{
		Organization: "Acme", QualityScore: new(0.0), Job: instrument.Job{ID: "j-1"},
		Subscriber: instrument.Subscriber{Email: "jo@example.com", CredentialName: "n", CredentialValue: "v"},
	})
	const want = `{"agenticJobId":"j-1","organizationName":"Acme","responseQualityScore":0,"subscriber":{"credential":{"name":"n","value":"v"},"email":"jo@example.com"}}`
	if err != nil || string(data) != want {
		t.Errorf("%s, %v, want %s", data, err, want)
	}

	m := instrument.Metadata{Agent: "before"}
	err = json.Unmarshal([]byte(`{"organization_id":"Acme","taskType":["x"],"future":1,"quality_score":0.5}`), &m)
	if err == nil || !strings.Contains(err.Error(), "taskType") || strings.Contains(err.Error(), "future") {
		t.Errorf("error %v, want one about taskType and not about a name that is not known", err)
	}
	if diff := cmp.Diff(instrument.Metadata{Organization: "Acme", QualityScore: new(0.5)}, m); diff != "" {
		t.Errorf("what can be taken (-want +got):\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`[]`), &m); err == nil {
		t.Error("a list is taken")
	}
}

func TestHeaders(t *testing.T) {
	var withHeader []semconv.Field
	for _, f := range settable() {
		if len(f.Headers) > 0 {
			withHeader = append(withHeader, f)
		}
	}
	h, err := all(t).Headers()
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{}
	for _, f := range withHeader {
		want.Set(f.Headers[0], fmt.Sprint(sample(f)))
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	got, err := instrument.FromHeaders(h)
	if err != nil {
		t.Fatal(err)
	}
	back, err := got.Headers()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, back); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
	// Each header by itself, and each before those after it.
	for _, f := range withHeader {
		h := http.Header{}
		for i := range slices.Backward(f.Headers) {
			value := fmt.Sprint(sample(f))
			if i > 0 {
				h.Set(f.Headers[i], "0.1")
			} else {
				h.Set(f.Headers[i], value)
			}
			m, err := instrument.FromHeaders(h)
			if err != nil {
				t.Fatalf("%s: %v", f.Headers[i], err)
			}
			wanted := any("0.1")
			if i == 0 {
				wanted = sample(f)
			}
			if diff := cmp.Diff(map[string]any{string(f.Key): wanted}, attributes(m.Attributes())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.Headers[i], diff)
			}
		}
	}
}

func TestHeadersOfStrangers(t *testing.T) {
	h := http.Header{}
	h.Set("x-revenium-organization-name", "  ") // says nothing
	h.Set("x-revenium-organization-id", " Acme ")
	h["X-Revenium-Agent"] = []string{"", "M\xfcller"} // ISO 8859-1
	h.Set("x-revenium-region", "Zürich")
	h.Set("x-revenium-task-type", strings.Repeat("x", 64<<10))
	h["X-Revenium-Product-Name"] = []string{"a\r\nx-revenium-agent: b"}
	h.Set("x-revenium-response-quality-score", "excellent")
	h.Set("x-revenium-trace-type", "a b")
	h.Set("x-revenium-subscriber-credential", strings.Repeat(secret, 1000))
	h.Set("x-revenium-retry-number", "3")
	h.Set("x-revenium-parent-transaction-id", "p")
	h.Set("x-revenium-transaction-id", "t")
	h.Set("x-revenium-capture-prompts", "true")
	h.Set("authorization", "Bearer x")
	m, err := instrument.FromHeaders(h)
	if diff := cmp.Diff(instrument.Metadata{Organization: "Acme", Agent: "Müller", Region: "Zürich"}, m); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	invalid, _ := errors.AsType[*instrument.MetadataError](err)
	if invalid == nil {
		t.Fatalf("error %v, want a MetadataError", err)
	}
	var fields []string
	for _, f := range invalid.Fields {
		fields = append(fields, f.Field)
		if len(f.Value) > 200 {
			t.Errorf("%s is shown with %d bytes", f.Field, len(f.Value))
		}
	}
	if diff := cmp.Diff([]string{"productName", "subscriber.credential.value", "taskType", "responseQualityScore", "traceType"}, fields); diff != "" {
		t.Errorf("bad fields (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("the error shows the credential")
	}
}

func TestHeadersThatCannotBe(t *testing.T) {
	h, err := instrument.Metadata{Organization: "a\r\nb: c", Agent: " Müller ", Product: "a\x00", Skill: instrument.Skill{Name: "no header"}}.Headers()
	if diff := cmp.Diff(http.Header{"X-Revenium-Agent": {"Müller"}}, h); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if err == nil || !strings.Contains(err.Error(), `organizationName "a\r\nb: c" cannot be sent in a header`) || !strings.Contains(err.Error(), "productName") {
		t.Errorf("error %v", err)
	}
}
