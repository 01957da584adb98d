// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// sample is a book with something of everything.
func sample() *Book {
	facts := func(model, organization string, at time.Duration) Facts {
		return Facts{
			Endpoint: metering.EndpointCompletions, Call: called.Add(at), Model: model, Provider: "OpenAI", Operation: "CHAT",
			Organization: organization, Product: "support", Environment: "production",
			Input: 1000, Output: 200, Total: 1200, CacheRead: 600, CacheCreation: 100, Reasoning: 50,
		}
	}
	images := Facts{Endpoint: metering.EndpointImages, Call: called, Model: "=cmd()", Provider: "OpenAI", Operation: "IMAGE", Images: 2}
	return &Book{Entries: []Entry{
		{ID: "1", Billed: called, Ended: called.Add(time.Second), State: Delivered, Facts: facts("gpt-4o", "Acme", 0)},
		{ID: "2", Billed: called, Ended: called.Add(time.Second), State: Duplicate, Late: true, Facts: facts("gpt-4o", "Acme", time.Minute)},
		{ID: "3", Billed: called, Ended: called.Add(time.Second), State: Delivered, Facts: facts("gpt-4o", "Blue", 24*time.Hour)},
		{ID: "4", Billed: called, State: Waiting, Facts: facts("o3", "Acme", time.Minute)},
		{ID: "5", Tenant: "t", Billed: called, Ended: called, State: DeadLettered, Reason: "rejected", Facts: images},
		{ID: "6", Tenant: "t", Billed: called, Ended: called, State: Delivered, Facts: images},
	}}
}

func TestSummarize(t *testing.T) {
	s := Summarize(sample(), ByOrganization, ByModel)
	var got []string
	for _, g := range s.Groups {
		got = append(got, strings.Join(g.Values, "/"))
	}
	if diff := cmp.Diff([]string{"/=cmd()", "Acme/gpt-4o", "Acme/o3", "Blue/gpt-4o"}, got); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	want := Sum{
		Records: 2, Input: 2000, Output: 400, Total: 2400, CacheRead: 1200, CacheCreation: 200, Reasoning: 100,
		States: map[State]int64{Delivered: 1, Duplicate: 1},
	}
	if diff := cmp.Diff(want, s.Groups[1].Sum); diff != "" {
		t.Errorf("sum (-want +got):\n%s", diff)
	}
	if s.All.Records != 6 || s.All.Images != 4 || s.Late != 1 {
		t.Errorf("all %+v, late %d", s.All, s.Late)
	}
	if want := (Balance{Billed: 6, Delivered: 3, Duplicate: 1, Waiting: 1, DeadLettered: 1}); s.Balance != want {
		t.Errorf("balance %v", s.Balance)
	}
	for _, f := range Fields() {
		if s := Summarize(sample(), f); len(s.Groups) == 0 {
			t.Errorf("no groups by %s", f)
		}
	}
	if s := Summarize(sample(), ByMonth, ByDay); s.Groups[0].Values[0] != "2026-09" || s.Groups[1].Values[1] != "2026-09-22" {
		t.Errorf("groups %v", s.Groups)
	}
}

func TestBetween(t *testing.T) {
	b := sample()
	if n := len(b.Between(called.Add(time.Minute), time.Time{}).Entries); n != 3 {
		t.Errorf("%d entries from a minute on", n)
	}
	if n := len(b.Between(time.Time{}, called.Add(time.Minute)).Entries); n != 3 {
		t.Errorf("%d entries before a minute", n)
	}
	if n := len(b.Between(called, called.Add(25*time.Hour)).Entries); n != 6 || len(b.Entries) != 6 {
		t.Errorf("%d of %d entries", n, len(b.Entries))
	}
}

func TestWriteCSV(t *testing.T) {
	var out strings.Builder
	if err := WriteCSV(&out, sample().Entries[3:5]); err != nil {
		t.Fatal(err)
	}
	want := `id,tenant,call,billed,ended,state,reason,late,endpoint,provider,model,operation,organization,product,environment,input_tokens,cache_read_tokens,cache_creation_tokens,output_tokens,reasoning_tokens,total_tokens,images,seconds,characters
4,,2026-09-21T14:14:20.000Z,2026-09-21T14:13:20.000Z,,waiting,,false,/meter/v2/ai/completions,OpenAI,o3,CHAT,Acme,support,production,1000,600,100,200,50,1200,0,0,0
5,t,2026-09-21T14:13:20.000Z,2026-09-21T14:13:20.000Z,2026-09-21T14:13:20.000Z,dead,rejected,false,/meter/v2/ai/images,OpenAI,'=cmd(),IMAGE,,,,0,0,0,0,0,0,2,0,0
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
}

func TestWriteJSONL(t *testing.T) {
	var out strings.Builder
	entries := sample().Entries
	if err := WriteJSONL(&out, entries); err != nil {
		t.Fatal(err)
	}
	var got []Entry
	for raw := range strings.Lines(out.String()) {
		var e Entry
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if diff := cmp.Diff(entries, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestWriteFOCUS(t *testing.T) {
	var out strings.Builder
	if err := WriteFOCUS(&out, sample().Entries); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		cell := func(name string) string {
			for i, column := range rows[0] {
				if column == name {
					return row[i]
				}
			}
			t.Fatalf("no column %s", name)
			return ""
		}
		got = append(got, strings.Join([]string{
			cell("ChargePeriodStart"), cell("BillingAccountId"), cell("SubAccountName"), cell("SkuId"), cell("SkuMeter"),
			cell("ConsumedQuantity"), cell("ConsumedUnit"), cell("x_Records"), cell("Tags"),
		}, " | "))
		if cell("BilledCost") != "" || cell("ChargeCategory") != "Usage" || cell("BillingPeriodStart") != "2026-09-01T00:00:00.000Z" ||
			cell("BillingPeriodEnd") != "2026-10-01T00:00:00.000Z" || cell("ServiceCategory") != "AI and Machine Learning" {
			t.Errorf("row %v", row)
		}
	}
	tags := `{"environment":"production","product":"support"}`
	want := []string{
		"2026-09-21T14:00:00.000Z |  | Acme | gpt-4o | Cache Creation Tokens | 200 | Tokens | 2 | " + tags,
		"2026-09-21T14:00:00.000Z |  | Acme | gpt-4o | Cache Read Tokens | 1200 | Tokens | 2 | " + tags,
		"2026-09-21T14:00:00.000Z |  | Acme | gpt-4o | Input Tokens | 600 | Tokens | 2 | " + tags,
		"2026-09-21T14:00:00.000Z |  | Acme | gpt-4o | Output Tokens | 400 | Tokens | 2 | " + tags,
		"2026-09-21T14:00:00.000Z | t |  | '=cmd() | Images | 2 | Images | 1 | {}",
		"2026-09-22T14:00:00.000Z |  | Blue | gpt-4o | Cache Creation Tokens | 100 | Tokens | 1 | " + tags,
		"2026-09-22T14:00:00.000Z |  | Blue | gpt-4o | Cache Read Tokens | 600 | Tokens | 1 | " + tags,
		"2026-09-22T14:00:00.000Z |  | Blue | gpt-4o | Input Tokens | 300 | Tokens | 1 | " + tags,
		"2026-09-22T14:00:00.000Z |  | Blue | gpt-4o | Output Tokens | 200 | Tokens | 1 | " + tags,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// Each token counts once, whatever the provider counts as input.
func TestUncached(t *testing.T) {
	for name, f := range map[string]Facts{
		"gross": {Input: 1000, Output: 200, Total: 1200, CacheRead: 600, CacheCreation: 100},
		"net":   {Input: 300, Output: 200, Total: 1200, CacheRead: 600, CacheCreation: 100},
	} {
		if got := f.Uncached(); got != 300 {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := (&Facts{Input: 5, CacheRead: 9}).Uncached(); got != 0 {
		t.Errorf("contradictory counts: %d", got)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestExportErrors(t *testing.T) {
	entries := make([]Entry, 2000)
	for i := range entries {
		entries[i] = sample().Entries[0]
	}
	for name, err := range map[string]error{
		"csv":   WriteCSV(brokenWriter{}, entries),
		"jsonl": WriteJSONL(brokenWriter{}, entries),
		"focus": WriteFOCUS(brokenWriter{}, entries),
	} {
		if err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
