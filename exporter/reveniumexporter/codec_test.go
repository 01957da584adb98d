// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"bytes"
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

var update = flag.Bool("update", false, "write the file of the current version in testdata/stored")

// storedExample is what the files in testdata/stored hold.
func storedExample() []record {
	return []record{
		{
			created: time.Unix(1795514400, 123456789),
			Frozen: metering.Frozen{
				Endpoint:       metering.EndpointCompletions,
				TransactionID:  "0102030405060708090a0b0c0d0e0f10-0102030405060708",
				IdempotencyKey: "0102030405060708090a0b0c0d0e0f10-0102030405060708-1122334455667788",
				Body:           []byte(`{"model":"gpt-4o","provider":"OpenAI"}`),
			},
		},
		{
			created:    time.Unix(1795514401, 0),
			incomplete: "missing organizationName",
			Frozen:     metering.Frozen{Endpoint: metering.EndpointImages, TransactionID: "2", IdempotencyKey: "2-1", Body: []byte(`{}`)},
		},
	}
}

// TestStoredVersions checks that what any version has stored is still read, and
// that the current one still writes it so.
func TestStoredVersions(t *testing.T) {
	current := filepath.Join("testdata", "stored", "v1.hex")
	c := &codec{run: run{1, 2, 3, 4, 5, 6, 7, 8}, recovered: func(int) {}}
	written, err := c.Marshal(t.Context(), &request{records: storedExample()})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(current), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(current, []byte(hex.Dump(written)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "stored", "v*.hex"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		stored := undump(t, file)
		_, r, err := c.Unmarshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(storedExample(), r.(*request).records, cmp.AllowUnexported(record{}, spanKey{})); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
		if file == current && !bytes.Equal(written, stored) {
			t.Errorf("%s is written differently now: give the new form a new version", file)
		}
	}
}

// undump reads what hex.Dump wrote.
func undump(tb testing.TB, file string) (content []byte) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		digits, _, _ := strings.Cut(line, "|")
		_, digits, _ = strings.Cut(digits, " ")
		part, err := hex.DecodeString(strings.Join(strings.Fields(digits), ""))
		if err != nil {
			tb.Fatal(err)
		}
		content = append(content, part...)
	}
	return content
}

func TestRecovered(t *testing.T) {
	recovered := 0
	first := &codec{run: run{1}}
	second := &codec{run: run{2}, recovered: func(n int) { recovered += n }}
	stored, err := first.Marshal(t.Context(), &request{records: storedExample()})
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := second.Unmarshal(stored)
	if err != nil || recovered != 2 {
		t.Fatalf("%d records recovered, %v; want 2", recovered, err)
	}
	if stored, err = second.Marshal(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err = second.Unmarshal(stored); err != nil || recovered != 2 {
		t.Errorf("%d records recovered, %v; its own are not", recovered, err)
	}
}

// unreadable are bytes that this build cannot read, for each reason.
func unreadable() map[string][]byte {
	good := appendStored(nil, run{}, storedExample())
	later := bytes.Clone(good)
	later[4] = 99
	damaged := bytes.Clone(good)
	damaged[60] ^= 1
	return map[string][]byte{"empty": {}, "foreign": []byte("something else, long enough to be one"), "later version": later, "damaged": damaged, "cut off": good[:len(good)-9]}
}

// TestUnreadable checks that what cannot be read is kept as it is until it is
// buried.
func TestUnreadable(t *testing.T) {
	c := &codec{recovered: func(int) { t.Error("counted as recovered before it was buried") }}
	for name, stored := range unreadable() {
		_, r, err := c.Unmarshal(stored)
		if err != nil || r.ItemsCount() != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := c.Marshal(t.Context(), r)
		if err != nil || !bytes.Equal(again, stored) {
			t.Errorf("%s: became %q, %v", name, again, err)
		}
	}
}

// TestUnreadableInQueue checks that an unreadable request ends counted, and holds
// nothing back.
func TestUnreadableInQueue(t *testing.T) {
	srv := reveniumtest.Start(t)
	release := srv.Hang()
	storage := newMemoryStorage()
	m := start(t, srv, newHost(storage), nil)
	for i := range 30 {
		m.consume(t, calls(i, 1))
	}
	crashed := storage.snapshot()
	release()
	m.stop(t)
	srv.Reset()

	corrupted := 0
	for _, s := range crashed.stores {
		for _, v := range s {
			if bytes.HasPrefix(v, []byte(storedMagic)) && corrupted < 3 {
				v[4] = 99
				corrupted++
			}
		}
	}
	again := start(t, srv, newHost(crashed), nil)
	waitFor(t, srv, 27)
	eventually(t, "the end of the unreadable", func() bool {
		return again.sum(t, "records_finished", attrReason.String(string(deadletter.ReasonUnreadable))) == 3
	})
	eventually(t, "the end of all", func() bool { return again.sum(t, "records_pending") == 0 })
	again.checkSums(t)
}

func FuzzParseStored(f *testing.F) {
	f.Add(appendStored(nil, run{1}, storedExample()))
	for _, stored := range unreadable() {
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		from, records, err := parseStored(stored)
		if err != nil {
			return
		}
		if again := appendStored(nil, from, records); !bytes.Equal(again, stored) {
			// Numbers can be written in more than one way; what they say is the same.
			if _, twice, err := parseStored(again); err != nil || len(twice) != len(records) {
				t.Errorf("read %d records, then %d, %v", len(records), len(twice), err)
			}
		}
	})
}

func TestMergeSplit(t *testing.T) {
	recordsOf := func(sizes ...int) *request {
		r := &request{}
		for i, size := range sizes {
			r.records = append(r.records, record{Frozen: metering.Frozen{TransactionID: string(rune('a' + i)), Body: make([]byte, size)}})
		}
		return r
	}
	items, size := exporterhelper.RequestSizerTypeItems, exporterhelper.RequestSizerTypeBytes
	lost := &request{unreadable: []byte("x")}
	for name, tc := range map[string]struct {
		first, second *request
		max           int
		sizer         exporterhelper.RequestSizerType
		want          []int // items of each
	}{
		"alone, no bound":   {recordsOf(1, 2, 3), nil, 0, items, []int{3}},
		"merged, no bound":  {recordsOf(1, 2), recordsOf(3), 0, items, []int{3}},
		"items":             {recordsOf(1, 2, 3), recordsOf(4, 5), 2, items, []int{2, 2, 1}},
		"exactly":           {recordsOf(1, 2), recordsOf(4, 5), 2, items, []int{2, 2}},
		"bytes":             {recordsOf(1000, 1000, 10), nil, 1200, size, []int{1, 1, 1}},
		"larger than bytes": {recordsOf(10, 5000, 10), nil, 1000, size, []int{1, 1, 1}},
		"unreadable":        {recordsOf(1, 2), lost, 0, items, []int{2, 1}},
		"two unreadable":    {lost, lost, 0, items, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var other xexporterhelper.Request
			if tc.second != nil {
				other = tc.second
			}
			got, err := tc.first.MergeSplit(t.Context(), tc.max, tc.sizer, other)
			if err != nil {
				t.Fatal(err)
			}
			var counts []int
			for i, r := range got {
				counts = append(counts, r.ItemsCount())
				if i > 0 && r.(*request).sizeBy(tc.sizer) > got[i-1].(*request).sizeBy(tc.sizer) {
					t.Errorf("part %d is larger than the one before", i)
				}
			}
			if diff := cmp.Diff(tc.want, counts); diff != "" {
				t.Error(diff)
			}
		})
	}
}
