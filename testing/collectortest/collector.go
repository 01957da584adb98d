// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collectortest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/nopexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter"
)

// stopTimeout bounds the end of a Collector that was given to [Start].
const stopTimeout = 30 * time.Second

// Collector is a Collector that runs.
type Collector struct {
	collector *otelcol.Collector
	log       *listener
	done      chan struct{}
	err       error // valid when done is closed
}

// Start runs a Collector until the end of the test, which fails if the Collector
// does not start or does not end well.
func Start(tb testing.TB, config ...string) *Collector {
	tb.Helper()
	c, err := New(tb.Context(), config...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// New runs a Collector and returns when it is ready. config is its configuration
// as YAML; of several, later ones outrank earlier ones key by key. ctx bounds the
// start alone. Warnings and errors of its log go to standard error.
func New(ctx context.Context, config ...string) (*Collector, error) {
	uris := make([]string, len(config))
	for i := range config {
		uris[i] = "yaml:" + config[i]
	}
	c := &Collector{log: &listener{http: make(map[string]string), grpc: make(map[string]string)}, done: make(chan struct{})}
	var err error
	c.collector, err = otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: factories,
		BuildInfo: component.BuildInfo{Command: "collectortest", Version: "0.0.0"},
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              uris,
			ProviderFactories: []confmap.ProviderFactory{envprovider.NewFactory(), yamlprovider.NewFactory()},
		}},
		DisableGracefulShutdown: true, // signals are those of the program
		LoggingOptions:          []zap.Option{zap.WrapCore(c.log.wrap)},
	})
	if err != nil {
		return nil, fmt.Errorf("collectortest: %w", err)
	}
	go func() {
		defer close(c.done)
		// The Collector lives until Stop, not until the end of ctx.
		c.err = c.collector.Run(context.WithoutCancel(ctx))
	}()
	for c.collector.GetState() != otelcol.StateRunning {
		select {
		case <-c.done:
			return nil, fmt.Errorf("collectortest: start: %w", errors.Join(c.err, errEnded))
		case <-ctx.Done():
			c.collector.Shutdown()
			<-c.done
			return nil, fmt.Errorf("collectortest: start: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return c, nil
}

var errEnded = errors.New("the Collector ended")

// factories are the components that a configuration can name.
func factories() (otelcol.Factories, error) {
	var f otelcol.Factories
	var errs [3]error
	f.Receivers, errs[0] = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory())
	f.Exporters, errs[1] = otelcol.MakeFactoryMap[exporter.Factory](reveniumexporter.NewFactory(), nopexporter.NewFactory())
	f.Extensions, errs[2] = otelcol.MakeFactoryMap[extension.Factory](filestorage.NewFactory())
	f.Telemetry = otelconftelemetry.NewFactory()
	return f, errors.Join(errs[:]...)
}

// HTTP is the address at which a receiver, named by its id, takes OTLP over HTTP;
// empty if it does not.
func (c *Collector) HTTP(receiver string) string { return c.log.address(c.log.http, receiver) }

// GRPC is the address at which a receiver takes OTLP over gRPC; empty if it does
// not.
func (c *Collector) GRPC(receiver string) string { return c.log.address(c.log.grpc, receiver) }

// Stop ends the Collector as a signal would and returns what Run returned, or an
// error if that takes longer than ctx. A second time it returns the same.
func (c *Collector) Stop(ctx context.Context) error {
	select {
	case <-c.done:
		return c.err
	default:
	}
	c.collector.Shutdown()
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return fmt.Errorf("collectortest: stop: %w", ctx.Err())
	}
}

// listener learns from the log where receivers listen: there is no other way.
type listener struct {
	mu         sync.Mutex
	http, grpc map[string]string
}

func (l *listener) address(of map[string]string, receiver string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return of[receiver]
}

func (l *listener) wrap(core zapcore.Core) zapcore.Core {
	return &listeningCore{Core: core, listener: l}
}

// listeningCore passes warnings and errors on and listens to all else.
type listeningCore struct {
	zapcore.Core
	listener *listener
	receiver string
}

func (*listeningCore) Enabled(level zapcore.Level) bool { return level >= zapcore.InfoLevel }

func (c *listeningCore) With(fields []zapcore.Field) zapcore.Core {
	with := &listeningCore{Core: c.Core.With(fields), listener: c.listener, receiver: c.receiver}
	if id, ok := text(fields, "otelcol.component.id"); ok {
		with.receiver = id
	}
	return with
}

func (c *listeningCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return checked.AddCore(entry, c)
}

func (c *listeningCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if address, ok := text(fields, "endpoint"); ok {
		c.listener.mu.Lock()
		switch entry.Message {
		case "Starting HTTP server":
			c.listener.http[c.receiver] = address
		case "Starting GRPC server":
			c.listener.grpc[c.receiver] = address
		}
		c.listener.mu.Unlock()
	}
	if entry.Level < zapcore.WarnLevel || !c.Core.Enabled(entry.Level) {
		return nil
	}
	return c.Core.Write(entry, fields)
}

// text is the value of a field of text. Some fields hold several.
func text(fields []zapcore.Field, key string) (string, bool) {
	enc := zapcore.NewMapObjectEncoder()
	for i := range fields {
		fields[i].AddTo(enc)
	}
	s, ok := enc.Fields[key].(string)
	return s, ok
}
