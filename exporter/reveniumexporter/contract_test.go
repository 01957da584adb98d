// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter/internal/metadata"
)

// TestConsumeContract runs the Collector's own check of what an exporter owes:
// what a pipeline gave it arrives, whatever the service answers.
func TestConsumeContract(t *testing.T) {
	for _, signal := range []pipeline.Signal{pipeline.SignalTraces, pipeline.SignalLogs} {
		t.Run(signal.String(), func(t *testing.T) { checkConsumeContract(t, signal) })
	}
}

func checkConsumeContract(t *testing.T, signal pipeline.Signal) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()

	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = testKey
	cfg.HTTP.Endpoint = "http://" + address
	cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	cfg.RetryConfig.InitialInterval = time.Millisecond
	cfg.RetryConfig.MaxInterval = 2 * time.Millisecond

	exportertest.CheckConsumeContract(exportertest.CheckConsumeContractParams{
		T:                    t,
		NumberOfTestElements: 10,
		Signal:               signal,
		ExporterFactory:      meteringEverything(),
		ExporterConfig:       cfg,
		ReceiverFactory:      meteringReceiver(address),
	})
}

// meteringEverything is the factory of an exporter that is given a call for each
// span of the check, whose spans are empty but for their id.
func meteringEverything() exporter.Factory {
	factory := NewFactory()
	return exporter.NewFactory(metadata.Type, factory.CreateDefaultConfig,
		exporter.WithTraces(func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
			traces, err := factory.CreateTraces(ctx, set, cfg)
			return &asCalls{Traces: traces}, err
		}, component.StabilityLevelAlpha),
		exporter.WithLogs(func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
			logs, err := factory.CreateLogs(ctx, set, cfg)
			return &asEvents{Logs: logs}, err
		}, component.StabilityLevelAlpha))
}

// asCalls makes LLM calls of spans.
type asCalls struct {
	exporter.Traces
	n int
}

func (a *asCalls) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	id, _ := span.Attributes().Get("test_id")
	a.n++
	made := calls(a.n, 1)
	made.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutStr("revenium.task.type", id.Str())
	return a.Traces.ConsumeTraces(ctx, made)
}

// asEvents makes events of LLM calls of log records.
type asEvents struct {
	exporter.Logs
	n int
}

func (a *asEvents) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	id, _ := record.Attributes().Get("test_id")
	a.n++
	made := events(a.n, 1)
	made.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("revenium.task.type", id.Str())
	return a.Logs.ConsumeLogs(ctx, made)
}

// meteringReceiver is a service whose answers are those of the check, and which
// hands on the id of each record.
func meteringReceiver(address string) receiver.Factory {
	return receiver.NewFactory(component.MustNewType("metering"), func() component.Config { return &struct{}{} },
		receiver.WithTraces(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
			return &service{address: address, next: func(ctx context.Context, id string) error {
				td := ptrace.NewTraces()
				td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes().PutStr("test_id", id)
				return next.ConsumeTraces(ctx, td)
			}}, nil
		}, component.StabilityLevelAlpha),
		receiver.WithLogs(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
			return &service{address: address, next: func(ctx context.Context, id string) error {
				ld := plog.NewLogs()
				ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr("test_id", id)
				return next.ConsumeLogs(ctx, ld)
			}}, nil
		}, component.StabilityLevelAlpha))
}

type service struct {
	address string
	next    func(ctx context.Context, id string) error
	server  http.Server
}

func (s *service) Start(context.Context, component.Host) error {
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.server.Handler = s
	go func() { _ = s.server.Serve(listener) }()
	return nil
}

func (s *service) Shutdown(ctx context.Context) error { return s.server.Shutdown(ctx) }

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var record struct {
		TaskType string `json:"taskType"`
	}
	if err := json.NewDecoder(r.Body).Decode(&record); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err := s.next(r.Context(), record.TaskType)
	switch {
	case err == nil:
		w.WriteHeader(http.StatusCreated)
	case consumererror.IsPermanent(err):
		w.WriteHeader(http.StatusUnprocessableEntity)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}
