// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package preview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/table"
)

// summary adds lines up for people.
type summary struct {
	spans     int // all spans and log records read, GenAI or not
	groups    map[group]*sums
	decisions map[string]map[string]int // decision → reason → lines
}

// group is what one row of the table stands for.
type group struct {
	Organization string `json:"organizationName"`
	Provider     string `json:"provider"`
	Model        string `json:"model"`
	Operation    string `json:"operationType"`
}

// sums are the counts as sent: what Revenium would add up. With cached input
// that is, by provider, the input with or without its cached part.
type sums struct {
	Records       int   `json:"-"`
	Failed        int   `json:"-"`
	Input         int64 `json:"inputTokenCount"`
	CacheRead     int64 `json:"cacheReadTokenCount"`
	CacheCreation int64 `json:"cacheCreationTokenCount"`
	Output        int64 `json:"outputTokenCount"`
	Reasoning     int64 `json:"reasoningTokenCount"`
	Total         int64 `json:"totalTokenCount"`
}

func newSummary() *summary {
	return &summary{groups: make(map[group]*sums), decisions: make(map[string]map[string]int)}
}

// add counts a line.
func (s *summary) add(line Line) error {
	reasons := s.decisions[line.Decision]
	if reasons == nil {
		reasons = make(map[string]int)
		s.decisions[line.Decision] = reasons
	}
	reason, _, _ := strings.Cut(line.Reason, ":") // one row for all invalid records
	reasons[reason]++
	if line.Record == nil {
		return nil
	}
	var record struct {
		group
		sums
		StopReason string `json:"stopReason"`
		ErrorCode  int    `json:"errorCode"`
	}
	if err := json.Unmarshal(line.Record, &record); err != nil {
		return fmt.Errorf("add up the record of span %s: %w", line.SpanID, err)
	}
	total := s.groups[record.group]
	if total == nil {
		total = new(sums)
		s.groups[record.group] = total
	}
	total.add(record.sums)
	total.Records++
	if failedStops[record.StopReason] {
		total.Failed++
	}
	return nil
}

// failedStops are the stop reasons of calls that did not come to an end of their
// own.
var failedStops = map[string]bool{"ERROR": true, "TIMEOUT": true, "CANCELLED": true, "COST_LIMIT": true}

func (s *sums) add(other sums) {
	s.Records += other.Records
	s.Failed += other.Failed
	s.Input += other.Input
	s.CacheRead += other.CacheRead
	s.CacheCreation += other.CacheCreation
	s.Output += other.Output
	s.Reasoning += other.Reasoning
	s.Total += other.Total
}

// write prints the records by customer and model, then the decisions by reason.
func (s *summary) write(w io.Writer) error {
	if len(s.groups) > 0 {
		if err := s.writeRecords(w); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w); err != nil {
			return err
		}
	}
	return s.writeDecisions(w)
}

func (s *summary) writeRecords(w io.Writer) error {
	columns := []table.Align{table.Left, table.Left, table.Left, table.Left, table.Right, table.Right, table.Right, table.Right, table.Right, table.Right, table.Right, table.Right}
	rows := [][]string{{"ORGANIZATION", "PROVIDER", "MODEL", "OPERATION", "RECORDS", "FAILED", "INPUT", "CACHE READ", "CACHE WRITE", "OUTPUT", "REASONING", "TOTAL"}}
	var all sums
	for _, g := range slices.SortedFunc(maps.Keys(s.groups), compareGroups) {
		one := *s.groups[g]
		all.add(one)
		rows = append(rows, append([]string{table.OrDash(g.Organization), table.OrDash(g.Provider), table.OrDash(g.Model), table.OrDash(g.Operation)}, one.cells()...))
	}
	rows = append(rows, append([]string{"all", "", "", ""}, all.cells()...))
	return table.Write(w, columns, rows)
}

func compareGroups(a, b group) int {
	return cmp.Or(
		cmp.Compare(a.Organization, b.Organization),
		cmp.Compare(a.Provider, b.Provider),
		cmp.Compare(a.Model, b.Model),
		cmp.Compare(a.Operation, b.Operation),
	)
}

func (s *sums) cells() []string {
	return []string{
		table.Thousands(int64(s.Records)), table.Thousands(int64(s.Failed)), table.Thousands(s.Input), table.Thousands(s.CacheRead),
		table.Thousands(s.CacheCreation), table.Thousands(s.Output), table.Thousands(s.Reasoning), table.Thousands(s.Total),
	}
}

func (s *summary) writeDecisions(w io.Writer) error {
	rows := [][]string{{"DECISION", "REASON", "SPANS"}}
	genAI := 0
	for _, decision := range slices.Sorted(maps.Keys(s.decisions)) {
		reasons := s.decisions[decision]
		for _, reason := range slices.Sorted(maps.Keys(reasons)) {
			rows = append(rows, []string{decision, reason, table.Thousands(int64(reasons[reason]))})
			genAI += reasons[reason]
		}
	}
	rows = append(rows,
		[]string{"not GenAI", "", table.Thousands(int64(s.spans - genAI))},
		[]string{"all", "", table.Thousands(int64(s.spans))})
	return table.Write(w, []table.Align{table.Left, table.Left, table.Right}, rows)
}
