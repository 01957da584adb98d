// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func record(body string) Record { return Record{Body: []byte(body)}.decode() }

func tableRecords() []Record {
	return []Record{
		record(`{"model":"gpt-5-nano-2025-08-07","provider":"OpenAI","operationType":"CHAT","inputTokenCount":1200,"outputTokenCount":90,
			"cacheReadTokenCount":1024,"reasoningTokenCount":64,"requestTime":"2026-09-21T14:13:20.500Z","requestDuration":1500,
			"timeToFirstToken":250,"stopReason":"END","organizationName":"Tulip Trading"}`),
		record(`{"model":"text-embedding-3-small","provider":"OpenAI","operationType":"EMBED","inputTokenCount":6,"outputTokenCount":0,
			"requestTime":"2026-09-21T14:13:21.000Z","requestDuration":60,"stopReason":"END","organizationName":"Crocus\u001b[2J GmbH & Söhne"}`),
		record(`{"toolId":"weather","timestamp":"2026-09-21T16:13:22.000+02:00","durationMs":7,"success":true}`),
	}
}

func TestWriteTable(t *testing.T) {
	var out strings.Builder
	if err := WriteTable(&out, tableRecords()); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		`TIME          MODEL                   PROVIDER  OPERATION  INPUT  OUTPUT  CACHED  REASONING  DURATION   TTFT  STOP  ORGANIZATION`,
		`14:13:20.500  gpt-5-nano-2025-08-07   OpenAI    CHAT        1200      90    1024         64      1.5s  250ms  END   Tulip Trading`,
		`14:13:21.000  text-embedding-3-small  OpenAI    EMBED          6       0       -          -      60ms      -  END   Crocus?[2J GmbH & Söhne`,
		`14:13:22.000  weather                 -         -              -       -       -          -       7ms      -  -     -`,
		``,
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestWriteTableWithoutRecords(t *testing.T) {
	var out strings.Builder
	if err := WriteTable(&out, nil); err != nil {
		t.Fatal(err)
	}
	if want := "TIME  MODEL  PROVIDER  OPERATION  INPUT  OUTPUT  CACHED  REASONING  DURATION  TTFT  STOP  ORGANIZATION\n"; out.String() != want {
		t.Errorf("table = %q, want %q", out.String(), want)
	}
}

// Rows that come one by one stand under each other as long as they fit, and the
// header comes once.
func TestTableRowByRow(t *testing.T) {
	var out strings.Builder
	table := NewTable(&out)
	for _, r := range tableRecords() {
		if err := table.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.Join([]string{
		`TIME          MODEL                  PROVIDER   OPERATION  INPUT  OUTPUT  CACHED  REASONING  DURATION    TTFT  STOP         ORGANIZATION`,
		`14:13:20.500  gpt-5-nano-2025-08-07  OpenAI     CHAT        1200      90    1024         64      1.5s   250ms  END          Tulip Trading`,
		`14:13:21.000  text-embedding-3-small  OpenAI     EMBED          6       0       -          -      60ms       -  END          Crocus?[2J GmbH & Söhne`,
		`14:13:22.000  weather                 -          -              -       -       -          -       7ms       -  -            -`,
		``,
	}, "\n")
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestTableWriteError(t *testing.T) {
	full := errors.New("disk full")
	if err := WriteTable(brokenWriter{full}, tableRecords()); !errors.Is(err, full) {
		t.Errorf("WriteTable: %v, want %v", err, full)
	}
}
