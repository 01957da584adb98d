// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter.
func NewFactory() exporter.Factory {
	f := &factory{engines: make(map[*Config]*engine)}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithTraces(f.createTraces, metadata.TracesStability),
		exporter.WithLogs(f.createLogs, metadata.LogsStability))
}

// factory keeps the engines that the signals of one exporter share. A Collector
// passes the same configuration for each of them.
type factory struct {
	mu      sync.Mutex
	engines map[*Config]*engine
}

func (f *factory) createTraces(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	d, err := f.open(set, cfg)
	if err != nil {
		return nil, err
	}
	return &tracesDoor{d}, nil
}

func (f *factory) createLogs(_ context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	d, err := f.open(set, cfg)
	if err != nil {
		return nil, err
	}
	return &logsDoor{d}, nil
}

// open returns a door to the engine of a configuration.
func (f *factory) open(set exporter.Settings, cfg component.Config) (*door, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return nil, fmt.Errorf("reveniumexporter: configuration of type %T", cfg)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e, ok := f.engines[c]
	if !ok {
		var err error
		if e, err = newEngine(set, c); err != nil {
			return nil, err
		}
		f.engines[c] = e
	}
	e.open()
	return &door{engine: e, forget: func() { f.forget(c) }}, nil
}

func (f *factory) forget(cfg *Config) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.engines, cfg)
}

// door is the exporter as one signal sees it.
type door struct {
	engine *engine
	forget func()
	once   sync.Once
}

// Start starts the engine with the first door.
func (d *door) Start(ctx context.Context, host component.Host) error {
	return d.engine.start(ctx, host)
}

// Shutdown stops the engine with the last door.
func (d *door) Shutdown(ctx context.Context) (err error) {
	d.once.Do(func() {
		d.forget()
		err = d.engine.shutdown(ctx)
	})
	return err
}

// Capabilities says that data is only read.
func (*door) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: false} }

// tracesDoor takes spans.
type tracesDoor struct{ *door }

// ConsumeTraces meters the LLM calls among the spans.
func (d *tracesDoor) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return d.engine.consumeTraces(ctx, td)
}

// logsDoor takes log records.
type logsDoor struct{ *door }

// ConsumeLogs meters the calls among the log records, of which coding assistants
// write one for each.
func (d *logsDoor) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return d.engine.consumeLogs(ctx, ld)
}
