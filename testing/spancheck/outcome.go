// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/convert/pdataview"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// outcome is what became of a case.
type outcome struct {
	Name    string    `json:"name"`
	Records []record  `json:"records"`
	Others  []verdict `json:"others"` // spans that have to do with GenAI and are not billed
}

// record is a metering record and the span that it was made of.
type record struct {
	SpanID   string          `json:"spanId"`
	Reason   string          `json:"reason"`
	Endpoint string          `json:"endpoint"`
	Body     json.RawMessage `json:"body"`

	fields fields
}

// fields are those of a record's fields that cases speak of.
type fields struct {
	Model            string  `json:"model"`
	Provider         string  `json:"provider"`
	OperationType    string  `json:"operationType"`
	StopReason       string  `json:"stopReason"`
	IsStreamed       bool    `json:"isStreamed"`
	Input            int64   `json:"inputTokenCount"`
	Output           int64   `json:"outputTokenCount"`
	Total            int64   `json:"totalTokenCount"`
	CacheRead        *int64  `json:"cacheReadTokenCount"`
	CacheCreation    *int64  `json:"cacheCreationTokenCount"`
	CacheCreation5m  *int64  `json:"cacheCreation5mTokenCount"`
	CacheCreation1h  *int64  `json:"cacheCreation1hTokenCount"`
	Reasoning        *int64  `json:"reasoningTokenCount"`
	TimeToFirstToken *int64  `json:"timeToFirstToken"`
	Duration         int64   `json:"requestDuration"`
	ErrorCode        *int64  `json:"errorCode"`
	RetryNumber      *int64  `json:"retryNumber"`
	Effort           string  `json:"effort"`
	ServiceTier      string  `json:"actualServiceTier"`
	Organization     string  `json:"organizationName"`
	Product          string  `json:"productName"`
	Agent            string  `json:"agent"`
	TaskType         string  `json:"taskType"`
	Subscriber       *person `json:"subscriber"`
}

type person struct {
	ID    string `json:"id"`
	Email string `json:"email"`
}

// usage reports whether the record bills tokens.
func (r *record) usage() bool { return r.fields.Input > 0 || r.fields.Output > 0 || r.fields.Total > 0 }

// verdict is about a span without a record.
type verdict struct {
	SpanID   string `json:"spanId"`
	Name     string `json:"name"`
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
}

// convertCase converts the requests of a case in order.
func convertCase(c *testCase) (outcome, error) {
	out := outcome{Name: c.Name, Records: []record{}, Others: []verdict{}}
	converter, err := convert.New(options()...)
	if err != nil {
		return out, err
	}
	for _, file := range c.Files {
		data, err := os.ReadFile(filepath.Join(c.dir, file))
		if err != nil {
			return out, err
		}
		traces, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(data)
		if err != nil {
			return out, fmt.Errorf("%s: not an OTLP export: %w", file, err)
		}
		logs, err := new(plog.JSONUnmarshaler).UnmarshalLogs(data)
		if err != nil {
			return out, fmt.Errorf("%s: not an OTLP export: %w", file, err)
		}
		if traces.SpanCount()+logs.LogRecordCount() == 0 {
			return out, fmt.Errorf("%s: an export without spans and log records", file)
		}
		batch := converter.NewBatch()
		var decisions []convert.Decision
		for span := range pdataview.Spans(traces) {
			decisions = batch.Convert(decisions, span)
		}
		for record := range pdataview.Logs(logs) {
			decisions = batch.Convert(decisions, record)
		}
		if err := out.add(batch.End(decisions)); err != nil {
			return out, err
		}
	}
	return out, out.add(converter.Flush(nil))
}

// options are those under which the cases are checked: all attribution
// that can be had is wanted.
func options() []convert.Option {
	return []convert.Option{convert.WithTrustedHeaders(), convert.WithDialectAttribution()}
}

// add takes decisions that are final.
func (o *outcome) add(decisions []convert.Decision) error {
	for i := range decisions {
		d := &decisions[i]
		spanID := hex.EncodeToString(d.SpanID[:])
		switch d.Kind {
		case convert.Held:
		case convert.Billed:
			frozen, _, err := metering.Freeze(d.Record)
			if err != nil {
				return fmt.Errorf("span %s: %w", spanID, err)
			}
			r := record{SpanID: spanID, Reason: string(d.Reason), Endpoint: string(frozen.Endpoint), Body: frozen.Body}
			if err := json.Unmarshal(frozen.Body, &r.fields); err != nil {
				return fmt.Errorf("span %s: %w", spanID, err)
			}
			o.Records = append(o.Records, r)
		default:
			o.Others = append(o.Others, verdict{SpanID: spanID, Name: d.SpanName, Decision: d.Kind.String(), Reason: string(d.Reason)})
		}
	}
	return nil
}
