// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// env returns the first of the variables that is set and not blank.
func env(names ...string) string {
	for _, name := range names {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v
		}
	}
	return ""
}

// baseSampler is the sampler to wrap: the option's, that of the environment, or
// the SDK's default. The SDK reads the environment only where no sampler is set,
// so that it has to be read here.
func baseSampler(option sdktrace.Sampler) sdktrace.Sampler {
	if option != nil {
		return option
	}
	name := strings.ToLower(env("OTEL_TRACES_SAMPLER"))
	switch name {
	case "", "parentbased_always_on":
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "always_on":
		return sdktrace.AlwaysSample()
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return ratioSampler()
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(ratioSampler())
	default:
		slog.Warn("revenium: OTEL_TRACES_SAMPLER ignored: use one of always_on, always_off, traceidratio, "+
			"parentbased_always_on, parentbased_always_off, parentbased_traceidratio, or WithSampler", slog.String("value", name))
	}
	return sdktrace.ParentBased(sdktrace.AlwaysSample())
}

// ratioSampler samples the share of OTEL_TRACES_SAMPLER_ARG. As in the SDK, a
// missing or bad share means all.
func ratioSampler() sdktrace.Sampler {
	arg := env("OTEL_TRACES_SAMPLER_ARG")
	if arg == "" {
		return sdktrace.TraceIDRatioBased(1)
	}
	ratio, err := strconv.ParseFloat(arg, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		slog.Warn("revenium: OTEL_TRACES_SAMPLER_ARG ignored: it must be a number between 0 and 1", slog.String("value", arg))
		return sdktrace.TraceIDRatioBased(1)
	}
	return sdktrace.TraceIDRatioBased(ratio)
}

// newOTLPExporter returns the exporter that the standard variables ask for, and
// nil if they ask for none.
func newOTLPExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	endpoint := env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
	if !otlpWanted(endpoint) {
		return nil, nil //nolint:nilnil // no exporter is what is asked for
	}
	warnOfDoubleMetering(endpoint)
	protocol := env("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
	switch protocol {
	case "grpc":
		exp, err := otlptracegrpc.New(ctx)
		if err != nil {
			return nil, fmt.Errorf("revenium: set up OTLP export over gRPC: %w", err)
		}
		return exp, nil
	case "", "http/protobuf", "http/json": // otlptracehttp reads which of them
	default:
		slog.Warn("revenium: OTEL_EXPORTER_OTLP_PROTOCOL ignored, http/protobuf is used: use http/protobuf, http/json or grpc",
			slog.String("value", protocol))
	}
	exp, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("revenium: set up OTLP export over HTTP: %w", err)
	}
	return exp, nil
}

// otlpWanted reports whether spans are to be exported over OTLP.
func otlpWanted(endpoint string) bool {
	names := strings.Split(env("OTEL_TRACES_EXPORTER"), ",")
	for i := range names {
		names[i] = strings.ToLower(strings.TrimSpace(names[i]))
	}
	switch {
	case slices.Contains(names, "otlp"):
		return true
	case slices.Equal(names, []string{""}):
		return endpoint != ""
	case !slices.Equal(names, []string{"none"}):
		slog.Warn("revenium: OTEL_TRACES_EXPORTER ignored: only otlp and none are supported; add other exporters with WithTracerProviderOptions",
			slog.String("value", strings.Join(names, ",")))
	}
	return false
}

// warnOfDoubleMetering notices that spans would be metered a second time.
func warnOfDoubleMetering(endpoint string) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return // the exporter says so better
	}
	host := strings.ToLower(u.Hostname())
	for _, domain := range []string{"revenium.ai", "revenium.io"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			slog.Warn("revenium: OTLP export goes to Revenium as well: every call is billed twice; unset the OTLP endpoint", slog.String("host", host))
		}
	}
}
