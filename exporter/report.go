// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Report is the account of what became of the spans and records of one exporter,
// from its start to the moment of the report. Two sums hold:
//
//	Converted          = Billed + Suppressed + Skipped + Held
//	Billed + Recovered = Delivered + Duplicate + Queued + OnDisk + Parked + DeadLettered + Lost
type Report struct {
	// Converted is the number of spans that look like GenAI and were decided
	// about. Other spans are not counted.
	Converted int64
	// Billed is the number of spans that became a metering record.
	Billed int64
	// Suppressed is the number of spans whose call is billed by another span.
	Suppressed int64
	// Skipped is the number of spans that are not to be billed.
	Skipped int64
	// Held is the number of spans that wait for a decision.
	Held int64

	// Recovered is the number of records that were in the queue when the
	// exporter started, left by an earlier process.
	Recovered int64
	// Delivered is the number of records that the service accepted.
	Delivered int64
	// Duplicate is the number of records that the service was known to have
	// already.
	Duplicate int64
	// Queued is the number of records that wait in memory for delivery, those
	// being sent included.
	Queued int64
	// OnDisk is the number of records that wait and would survive the end of
	// the process.
	OnDisk int64
	// Parked is the number of records that wait because the service refuses the
	// API key.
	Parked int64
	// DeadLettered is the number of records that were given up and are in
	// somebody's hands: among the dead letters ([WithDeadLetter]) or with the
	// handler of [WithRejectedHandler].
	DeadLettered int64
	// Lost is the number of records that will never be delivered.
	Lost int64
	// Late is the number of delivered and duplicate records that were older than a
	// day, for which the service remembers idempotency keys. It still recognised a
	// repetition of those by their transaction ids.
	Late int64

	// The same numbers by reason.
	BilledBy, SuppressedBy, SkippedBy, DeadLetteredBy, LostBy map[string]int64

	// Attempts is the number of requests by outcome ("delivered", "retry", …).
	Attempts map[string]int64
	// Changed is the number of values that could not be metered as they were
	// (dropped, truncated, replaced) or are uncertain (guessed, doubtful), by field
	// and action ("traceName truncated").
	Changed map[string]int64
	// TruncatedSpans is the number of spans whose attributes exceeded the limit
	// of the SDK, so that some of them were dropped before the exporter saw them.
	TruncatedSpans int64
	// SetAside is the number of damaged files of the spool that are not used any
	// more. What was in them and could not be read is not part of the sums.
	SetAside int64
	// Tenants has the records of each tenant, where there are tenants. Those of none
	// in particular are under the empty name.
	Tenants map[string]TenantReport
}

// TenantReport is the part of a [Report] that one tenant has in its second sum.
type TenantReport struct {
	Billed, Recovered                                                int64
	Delivered, Duplicate, Queued, OnDisk, Parked, DeadLettered, Lost int64
}

// newReport makes a report of the counts.
func newReport(c counts, w waiting) Report {
	r := Report{
		Converted:      c.converted,
		Billed:         c.billedSum,
		Suppressed:     c.suppressedSum,
		Skipped:        c.skippedSum,
		Held:           c.held,
		Recovered:      c.recovered,
		Delivered:      c.delivered,
		Duplicate:      c.duplicate,
		DeadLettered:   c.deadSum,
		Lost:           c.lostSum,
		BilledBy:       c.billed,
		SuppressedBy:   c.suppressed,
		SkippedBy:      c.skipped,
		DeadLetteredBy: c.dead,
		LostBy:         c.lost,
		Attempts:       make(map[string]int64, len(c.attempts)),
		Changed:        make(map[string]int64, len(c.changed)),
		TruncatedSpans: c.truncated,
		Late:           c.late,
		SetAside:       c.setAside,
	}
	for outcome, n := range c.attempts {
		r.Attempts[outcome.String()] = n
	}
	for key, n := range c.changed {
		r.Changed[key.field+" "+key.action] = n
	}
	r.Queued, r.OnDisk, r.Parked = w.states(c.pending)
	for name, a := range c.tenants {
		if name == "" && len(c.tenants) == 1 {
			break // there are no tenants
		}
		if r.Tenants == nil {
			r.Tenants = make(map[string]TenantReport, len(c.tenants))
		}
		r.Tenants[name] = w.tenantReport(name, a.counts)
	}
	return r
}

// states splits the pending records: those that are parked because their key is
// refused; else those on disk and the rest.
func (w *waiting) states(pending int64) (queued, onDisk, parked int64) {
	parked = min(w.parked, pending)
	onDisk = min(w.durable, pending-parked)
	return pending - parked - onDisk, onDisk, parked
}

// tenantReport adds what waits to what is counted of a tenant.
func (w *waiting) tenantReport(tenant string, t TenantReport) TenantReport {
	pending := t.Billed + t.Recovered - t.Delivered - t.Duplicate - t.DeadLettered - t.Lost
	if w.isParked[tenant] {
		t.Parked = pending
		return t
	}
	t.OnDisk = min(int64(w.byTenant[tenant].Durable), pending)
	t.Queued = pending - t.OnDisk
	return t
}

// String is the report for people: aligned lines, without those that are zero
// and say nothing.
func (r Report) String() string {
	var b strings.Builder
	line := func(indent, name string, n int64, always bool, by map[string]int64) {
		if n == 0 && !always {
			return
		}
		fmt.Fprintf(&b, "%-16s %8d%s\n", indent+name, n, reasonList("   ", by, ""))
	}
	line("", "spans", r.Converted, true, nil)
	line("  ", "billed", r.Billed, true, r.BilledBy)
	line("  ", "suppressed", r.Suppressed, true, r.SuppressedBy)
	line("  ", "skipped", r.Skipped, true, r.SkippedBy)
	line("  ", "held", r.Held, false, nil)
	line("", "records", r.Billed+r.Recovered, true, nil)
	line("  ", "recovered", r.Recovered, false, nil)
	line("  ", "delivered", r.Delivered, true, nil)
	line("  ", "duplicate", r.Duplicate, false, nil)
	line("  ", "queued", r.Queued, false, nil)
	line("  ", "on disk", r.OnDisk, false, nil)
	line("  ", "parked", r.Parked, false, nil)
	line("  ", "dead letters", r.DeadLettered, false, r.DeadLetteredBy)
	line("  ", "lost", r.Lost, true, r.LostBy)
	line("", "attempts", sum(r.Attempts), true, r.Attempts)
	line("", "noted values", sum(r.Changed), false, r.Changed)
	line("", "late records", r.Late, false, nil)
	line("", "cut spans", r.TruncatedSpans, false, nil)
	line("", "damaged files", r.SetAside, false, nil)
	return strings.TrimSuffix(b.String(), "\n")
}

// LogValue is the report for logs: the numbers that are not zero.
func (r Report) LogValue() slog.Value {
	var attrs []slog.Attr
	add := func(name string, n int64, by map[string]int64) {
		if n == 0 {
			return
		}
		attrs = append(attrs, slog.Int64(name, n))
		if len(by) > 0 {
			attrs = append(attrs, slog.String(name+"_by", reasonList("", by, "")))
		}
	}
	add("converted", r.Converted, nil)
	add("billed", r.Billed, nil)
	add("suppressed", r.Suppressed, r.SuppressedBy)
	add("skipped", r.Skipped, r.SkippedBy)
	add("held", r.Held, nil)
	add("recovered", r.Recovered, nil)
	add("delivered", r.Delivered, nil)
	add("duplicate", r.Duplicate, nil)
	add("queued", r.Queued, nil)
	add("on_disk", r.OnDisk, nil)
	add("parked", r.Parked, nil)
	add("dead_lettered", r.DeadLettered, r.DeadLetteredBy)
	add("lost", r.Lost, r.LostBy)
	add("attempts", sum(r.Attempts), nil)
	add("changed", sum(r.Changed), r.Changed)
	add("late", r.Late, nil)
	add("truncated_spans", r.TruncatedSpans, nil)
	add("set_aside", r.SetAside, nil)
	return slog.GroupValue(attrs...)
}

// reasonList is "usage 7, error 1" between before and after, the most frequent
// first; nothing when there are no reasons.
func reasonList(before string, by map[string]int64, after string) string {
	if len(by) == 0 {
		return ""
	}
	reasons := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), cmp.Compare(a, b))
	})
	parts := make([]string, len(reasons))
	for i, reason := range reasons {
		parts[i] = fmt.Sprintf("%s %d", reason, by[reason])
	}
	return before + strings.Join(parts, ", ") + after
}

// sum adds the numbers of all reasons.
func sum(by map[string]int64) int64 {
	var n int64
	for _, v := range by {
		n += v
	}
	return n
}
