// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// encodeWithStandardLibrary is what the encoder of this package must equal.
func encodeWithStandardLibrary(tb testing.TB, rec Record) string {
	tb.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(rec); err != nil {
		tb.Fatalf("encoding/json: %v", err)
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

// filler sets the fields of records at random, with a liking for what is awkward.
type filler struct {
	*rand.Rand
	extra string // text from a fuzzer
}

func (f filler) pick(n int) bool { return f.IntN(n) == 0 }

func (f filler) text() string {
	switch f.IntN(12) {
	case 0:
		return f.extra
	case 1:
		return ""
	case 2:
		return " \t\n "
	case 3:
		return "a\x00b\x1f\x7f\u0085\u2028\u2029<>&\"\\/\b\f\n\r\t"
	case 4:
		return "\xff\xc3 broken \xe2\x82" + f.extra
	case 5:
		return strings.Repeat("ä€😀", f.IntN(600))
	case 6:
		return strings.Repeat(f.extra+"x", f.IntN(60))
	case 7:
		return "types"
	case 8:
		return [...]string{"END", "chat", "plugin", "PER_SECOND", "batch", "FREE_TIER", "SUCCESS"}[f.IntN(7)]
	default:
		return fmt.Sprintf("value-%d", f.IntN(1000))
	}
}

func (f filler) int() int64 {
	values := []int64{0, 1, -1, 42, 200, 429, 1500, math.MaxInt32, math.MaxInt32 + 1, maxCount, maxCount + 1, math.MinInt64, math.MaxInt64}
	if f.pick(3) {
		return values[f.IntN(len(values))]
	}
	return f.Int64N(2000)
}

func (f filler) float() float64 {
	values := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.25, 4, 1e-6, 9.99e-7, 1e-7, 1e21, 9.9e20, 1e-300, math.MaxFloat64,
		math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), math.Inf(-1),
	}
	if f.pick(2) {
		return values[f.IntN(len(values))]
	}
	return f.Float64() * 3
}

func (f filler) time() Timestamp {
	switch f.IntN(12) {
	case 0:
		return Timestamp{}
	case 1:
		return Timestamp{time.Date(f.IntN(20000)-5000, 1, 1, 0, 0, 0, 0, time.UTC)}
	default:
		at := testStart.Add(time.Duration(f.Int64N(int64(3 * time.Second))))
		return Timestamp{at.In(time.FixedZone("", f.IntN(48*3600)-24*3600))}
	}
}

// fill sets the fields of *v.
func (f filler) fill(v reflect.Value) {
	switch v.Type() {
	case reflect.TypeFor[Timestamp]():
		v.Set(reflect.ValueOf(f.time()))
		return
	case reflect.TypeFor[map[string]any]():
		if f.pick(2) {
			v.Set(reflect.ValueOf(map[string]any{f.text(): f.text(), "f": f.float(), "n": []any{f.int(), nil}, "c": make(chan int)}))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(v.Field(i))
		}
	case reflect.Pointer:
		if f.pick(3) {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.String:
		v.SetString(f.text())
	case reflect.Int64:
		v.SetInt(f.int())
	case reflect.Float64:
		v.SetFloat(f.float())
	case reflect.Bool:
		v.SetBool(f.pick(2))
	default:
		panic("no rule for " + v.Type().String())
	}
}

// randomRecord is a record of any type. Half of them have what is required.
func (f filler) randomRecord() Record {
	records := []Record{&Completion{}, &Image{}, &Audio{}, &Video{}, &ToolEvent{}}
	rec := records[f.IntN(len(records))]
	v := reflect.ValueOf(rec).Elem()
	f.fill(v)
	if f.pick(2) {
		return rec
	}
	if call := v.FieldByName("Call"); call.IsValid() {
		c := call.Addr().Interface().(*Call)
		c.Model, c.Provider, c.TransactionID, c.RequestTime, c.ResponseTime = "m", "p", "id", testStart, testEnd
	}
	switch r := rec.(type) {
	case *Completion:
		r.InputTokenCount, r.OutputTokenCount, r.TotalTokenCount = 1, 2, 3
	case *Image:
		r.ActualImageCount = 1
	case *Video:
		r.DurationSeconds = 1
	case *ToolEvent:
		r.ToolID, r.TransactionID, r.Timestamp = "t", "id", testStart
	}
	return rec
}

// checkFreeze freezes rec and checks what holds for every record. It reports
// whether the record was valid.
func checkFreeze(tb testing.TB, rec Record) bool {
	tb.Helper()
	f, changes, err := Freeze(rec)
	for _, c := range changes {
		if c.Field == "" || c.Reason == "" || c.Action == "" {
			tb.Errorf("incomplete change %+v", c)
		}
	}
	if err != nil {
		if invalid := (*InvalidRecordError)(nil); !errors.As(err, &invalid) || len(invalid.Problems) == 0 {
			tb.Errorf("error is not an InvalidRecordError with problems: %v", err)
		}
		if diff := cmp.Diff(Frozen{}, f); diff != "" {
			tb.Errorf("an invalid record was frozen: %s", diff)
		}
		return false
	}
	if got, want := string(f.Body), encodeWithStandardLibrary(tb, rec); got != want {
		tb.Errorf("bytes differ from those of encoding/json:\n got %q\nwant %q", got, want)
	}
	if !utf8.Valid(f.Body) || !json.Valid(f.Body) || bytes.Contains(f.Body, []byte(`\u0000`)) {
		tb.Errorf("body is not clean JSON: %q", f.Body)
	}
	again, changes, err := Freeze(rec)
	if err != nil || len(changes) > 0 {
		tb.Errorf("a frozen record is changed when it is frozen again: %v, %v", changes, err)
	}
	if !bytes.Equal(f.Body, again.Body) || f.IdempotencyKey != again.IdempotencyKey {
		tb.Errorf("freezing again gives something else:\n%s\n%s", f.Body, again.Body)
	}
	return true
}

func TestEncodingEqualsStandardLibrary(t *testing.T) {
	const records = 2000
	fill := filler{Rand: rand.New(rand.NewPCG(1, 2)), extra: "extra \u00e9"}
	valid := 0
	for range records {
		if checkFreeze(t, fill.randomRecord()) {
			valid++
		}
		if t.Failed() {
			return
		}
	}
	if valid < records/4 {
		t.Errorf("only %d of %d random records were valid: the test proves little", valid, records)
	}
}

func TestTimestampEqualsFormat(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 1, 2, 3, 4, 5, 6_999_999, time.UTC),
		time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.FixedZone("", -3600)),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		want := `"` + at.UTC().Format(timestampLayout) + `"`
		if got := string(appendTimestamp(nil, Timestamp{at})); got != want {
			t.Errorf("%v is written as %s, want %s", at, got, want)
		}
	}
	got, err := json.Marshal([]Timestamp{{}, testStart})
	if want := `[null,"2026-03-14T15:09:26.535Z"]`; err != nil || string(got) != want {
		t.Errorf("JSON of timestamps = %s, %v, want %s", got, err, want)
	}
	var back []Timestamp
	if err := json.Unmarshal(got, &back); err != nil || !back[0].IsZero() || !back[1].Equal(testStart.Time) {
		t.Errorf("timestamps read back = %v, %v", back, err)
	}
}

// TestRecordsReadBack is for whoever reads stored bodies.
func TestRecordsReadBack(t *testing.T) {
	for _, tc := range recordCases {
		f, _ := mustFreeze(t, tc.full())
		rec := reflect.New(reflect.TypeOf(tc.full()).Elem()).Interface().(Record)
		if err := json.Unmarshal(f.Body, rec); err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		again, changes := mustFreeze(t, rec)
		if len(changes) > 0 || !bytes.Equal(again.Body, f.Body) {
			t.Errorf("%s read back and frozen again differs (%v):\n got %s\nwant %s", tc.name, changes, again.Body, f.Body)
		}
	}
}

func FuzzFreeze(f *testing.F) {
	f.Add(uint64(1), "")
	f.Add(uint64(2), "\x00\xff\u2028")
	f.Add(uint64(3), "\u00e9 \xc3")
	f.Fuzz(func(t *testing.T, seed uint64, text string) {
		fill := filler{Rand: rand.New(rand.NewPCG(seed, 0)), extra: text}
		checkFreeze(t, fill.randomRecord())
	})
}

// RandomRecord is for tests outside of the package: a record of any type, valid
// or not, with its own transaction id.
func RandomRecord(r *rand.Rand, id string) Record {
	rec := filler{Rand: r, extra: "extra \u00e9"}.randomRecord()
	reflect.ValueOf(rec).Elem().FieldByName("TransactionID").SetString(id)
	return rec
}
