// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// timeLayout is that of times in tables: RFC 3339 in UTC with milliseconds.
const timeLayout = "2006-01-02T15:04:05.000Z"

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// WriteJSONL writes one entry a line, as JSON.
func WriteJSONL(w io.Writer, entries []Entry) error {
	buf := bufio.NewWriter(w)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for i := range entries {
		if err := enc.Encode(&entries[i]); err != nil {
			return fmt.Errorf("ledger: encoding entry %s: %w", entries[i].ID, err)
		}
	}
	return buf.Flush()
}

// csvColumns are the columns of WriteCSV.
var csvColumns = []struct {
	name  string
	value func(e *Entry) string
}{
	{"id", func(e *Entry) string { return e.ID }},
	{"tenant", func(e *Entry) string { return e.Tenant }},
	{"call", func(e *Entry) string { return timeText(e.Call) }},
	{"billed", func(e *Entry) string { return timeText(e.Billed) }},
	{"ended", func(e *Entry) string { return timeText(e.Ended) }},
	{"state", func(e *Entry) string { return string(e.State) }},
	{"reason", func(e *Entry) string { return e.Reason }},
	{"late", func(e *Entry) string { return strconv.FormatBool(e.Late) }},
	{"endpoint", func(e *Entry) string { return string(e.Endpoint) }},
	{"provider", func(e *Entry) string { return e.Provider }},
	{"model", func(e *Entry) string { return e.Model }},
	{"operation", func(e *Entry) string { return e.Operation }},
	{"organization", func(e *Entry) string { return e.Organization }},
	{"product", func(e *Entry) string { return e.Product }},
	{"environment", func(e *Entry) string { return e.Environment }},
	{"input_tokens", func(e *Entry) string { return strconv.FormatInt(e.Input, 10) }},
	{"cache_read_tokens", func(e *Entry) string { return strconv.FormatInt(e.CacheRead, 10) }},
	{"cache_creation_tokens", func(e *Entry) string { return strconv.FormatInt(e.CacheCreation, 10) }},
	{"output_tokens", func(e *Entry) string { return strconv.FormatInt(e.Output, 10) }},
	{"reasoning_tokens", func(e *Entry) string { return strconv.FormatInt(e.Reasoning, 10) }},
	{"total_tokens", func(e *Entry) string { return strconv.FormatInt(e.Total, 10) }},
	{"images", func(e *Entry) string { return strconv.FormatInt(e.Images, 10) }},
	{"seconds", func(e *Entry) string { return number(e.Seconds) }},
	{"characters", func(e *Entry) string { return strconv.FormatInt(e.Characters, 10) }},
}

// number is a quantity without needless digits.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// WriteCSV writes the entries as CSV with a header. A value that a spreadsheet would
// take for a formula is preceded by an apostrophe.
func WriteCSV(w io.Writer, entries []Entry) error {
	out := csv.NewWriter(w)
	row := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for n := range entries {
		for i, c := range csvColumns {
			row[i] = defused(c.value(&entries[n]))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// defused is a text that no spreadsheet takes for a formula: names of models and
// organizations come from outside.
func defused(text string) string {
	if text == "" {
		return text
	}
	switch text[0] {
	case '=', '+', '-', '@', '\t', '\r':
		return "'" + text
	default:
		return text
	}
}

// WriteFOCUS writes the consumption of the entries that the service has, as CSV with
// the columns of FOCUS, the FinOps Open Cost and Usage Specification, version 1.2:
// one row for each hour, provider, model, organization, product, environment,
// tenant and meter, such as input tokens. Tokens read from and written to a cache
// have meters of their own, so that each token counts once.
//
// Revenium knows the prices, the ledger does not: columns of costs and prices are
// empty, so that the file is not a complete FOCUS data set.
func WriteFOCUS(w io.Writer, entries []Entry) error {
	out := csv.NewWriter(w)
	row := make([]string, len(focusColumns))
	for i, c := range focusColumns {
		row[i] = c.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for _, u := range focusUsage(entries) {
		for i, c := range focusColumns {
			row[i] = ""
			if c.value != nil {
				row[i] = defused(c.value(&u))
			}
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// focusRow is what one row is about.
type focusRow struct {
	focusKey
	quantity float64
	records  int64
}

// focusKey tells rows apart.
type focusKey struct {
	hour                                       time.Time
	tenant, organization, product, environment string
	provider, model, operation, meter, unit    string
}

// focusMeters are the quantities of an entry that have a price of their own.
var focusMeters = []struct {
	meter, unit string
	quantity    func(e *Entry) float64
}{
	{"Input Tokens", "Tokens", func(e *Entry) float64 { return float64(e.Uncached()) }},
	{"Cache Read Tokens", "Tokens", func(e *Entry) float64 { return float64(e.CacheRead) }},
	{"Cache Creation Tokens", "Tokens", func(e *Entry) float64 { return float64(e.CacheCreation) }},
	{"Output Tokens", "Tokens", func(e *Entry) float64 { return float64(e.Output) }},
	{"Images", "Images", func(e *Entry) float64 { return float64(e.Images) }},
	{"Media Time", "Seconds", func(e *Entry) float64 { return e.Seconds }},
	{"Characters", "Characters", func(e *Entry) float64 { return float64(e.Characters) }},
}

// focusUsage adds up what the service has.
func focusUsage(entries []Entry) []focusRow {
	sums := make(map[focusKey]*focusRow)
	for i := range entries {
		e := &entries[i]
		if e.State != Delivered && e.State != Duplicate {
			continue
		}
		for _, m := range focusMeters {
			quantity := m.quantity(e)
			if quantity == 0 {
				continue
			}
			key := focusKey{
				hour: e.Call.UTC().Truncate(time.Hour), tenant: e.Tenant, organization: e.Organization, product: e.Product,
				environment: e.Environment, provider: e.Provider, model: e.Model, operation: e.Operation, meter: m.meter, unit: m.unit,
			}
			r := sums[key]
			if r == nil {
				r = &focusRow{focusKey: key}
				sums[key] = r
			}
			r.quantity += quantity
			r.records++
		}
	}
	rows := make([]focusRow, 0, len(sums))
	for _, r := range sums {
		rows = append(rows, *r)
	}
	slices.SortFunc(rows, func(a, b focusRow) int {
		return cmp.Or(a.hour.Compare(b.hour), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.organization, b.organization),
			cmp.Compare(a.product, b.product), cmp.Compare(a.environment, b.environment), cmp.Compare(a.provider, b.provider),
			cmp.Compare(a.model, b.model), cmp.Compare(a.operation, b.operation), cmp.Compare(a.meter, b.meter))
	})
	return rows
}

// focusColumns are FOCUS's columns in alphabetical order, and ours, which begin with
// x_, behind them. Those without a value are for prices.
var focusColumns = []struct {
	name  string
	value func(r *focusRow) string
}{
	{"BilledCost", nil},
	{"BillingAccountId", func(r *focusRow) string { return r.tenant }},
	{"BillingAccountName", func(r *focusRow) string { return r.tenant }},
	{"BillingCurrency", nil},
	{"BillingPeriodEnd", func(r *focusRow) string { return timeText(month(r.hour).AddDate(0, 1, 0)) }},
	{"BillingPeriodStart", func(r *focusRow) string { return timeText(month(r.hour)) }},
	{"ChargeCategory", func(*focusRow) string { return "Usage" }},
	{"ChargeClass", nil},
	{"ChargeDescription", func(r *focusRow) string { return r.model + " " + r.meter }},
	{"ChargeFrequency", func(*focusRow) string { return "Usage-Based" }},
	{"ChargePeriodEnd", func(r *focusRow) string { return timeText(r.hour.Add(time.Hour)) }},
	{"ChargePeriodStart", func(r *focusRow) string { return timeText(r.hour) }},
	{"ConsumedQuantity", func(r *focusRow) string { return number(r.quantity) }},
	{"ConsumedUnit", func(r *focusRow) string { return r.unit }},
	{"ContractedCost", nil},
	{"EffectiveCost", nil},
	{"InvoiceIssuerName", nil},
	{"ListCost", nil},
	{"PricingQuantity", func(r *focusRow) string { return number(r.quantity) }},
	{"PricingUnit", func(r *focusRow) string { return r.unit }},
	{"ProviderName", func(r *focusRow) string { return r.provider }},
	{"PublisherName", func(r *focusRow) string { return r.provider }},
	{"ResourceId", func(r *focusRow) string { return r.model }},
	{"ResourceName", func(r *focusRow) string { return r.model }},
	{"ResourceType", func(*focusRow) string { return "Model" }},
	{"ServiceCategory", func(*focusRow) string { return "AI and Machine Learning" }},
	{"ServiceName", func(r *focusRow) string { return r.operation }},
	{"ServiceSubcategory", func(*focusRow) string { return "Generative AI" }},
	{"SkuId", func(r *focusRow) string { return r.model }},
	{"SkuMeter", func(r *focusRow) string { return r.meter }},
	{"SubAccountId", func(r *focusRow) string { return r.organization }},
	{"SubAccountName", func(r *focusRow) string { return r.organization }},
	{"Tags", tags},
	{"x_Records", func(r *focusRow) string { return strconv.FormatInt(r.records, 10) }},
}

// month is the first moment of the month.
func month(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

// tags are a JSON object, as FOCUS has it.
func tags(r *focusRow) string {
	pairs := make(map[string]string)
	if r.product != "" {
		pairs["product"] = r.product
	}
	if r.environment != "" {
		pairs["environment"] = r.environment
	}
	raw, err := json.Marshal(pairs)
	if err != nil {
		return "{}" // a map of strings always can
	}
	return string(raw)
}
