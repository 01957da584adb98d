// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// level is a place where a value can be set, the highest first.
type level int

const (
	spanLater level = iota // on the span, after its start
	spanStart
	callOption
	innerWrapper
	outerWrapper
	contextInside // of the wrapped functions
	contextOutside
	step // a workflow or agent that is running
	header
	baggage
	scope
	resourceLevel
	defaultLevel
	environment
	levels
)

func (l level) String() string {
	return [...]string{
		"span, after its start", "span, at its start", "call option", "inner wrapper", "outer wrapper",
		"context inside the wrapped function", "context outside", "step", "header", "baggage", "scope", "resource", "default", "environment",
	}[l]
}

// has says whether a field can be set on a level.
func (l level) has(f semconv.Field) bool {
	switch l {
	case step:
		return slices.Contains([]string{"agent", "agentVersion", "traceName", "traceType"}, f.Name)
	case scope, resourceLevel, defaultLevel:
		return f.ResourceLevel
	case environment:
		return len(f.Env) > 0
	default:
		return true
	}
}

// value is what a field is set to on a level: different on levels that are next to
// each other, and as different as it can be between fields.
func (l level) value(f semconv.Field) string {
	switch f.Name {
	case "responseQualityScore":
		return fmt.Sprintf("0.%02d1", l)
	case "operationType":
		return []string{"CHAT", "GENERATE", "EMBED", "CLASSIFY", "SUMMARIZE", "TRANSLATE", "TOOL_CALL", "RERANK", "SEARCH", "MODERATION", "VISION", "TRANSFORM", "GUARDRAIL", "OTHER"}[l]
	case "skillSource":
		return []string{"bundled", "projectSettings", "userSettings", "plugin"}[l%4]
	case "skillKind":
		return "workflow" // there is no other
	default:
		return fmt.Sprintf("L%02d-%d", l, slices.IndexFunc(instrument.Fields(), func(g semconv.Field) bool { return g.Name == f.Name }))
	}
}

// metadata has every field with the value of the level.
func (l level) metadata(t *testing.T) instrument.Metadata {
	t.Helper()
	values := map[string]any{}
	for _, f := range instrument.Fields() {
		if l.has(f) {
			values[f.Name] = l.value(f)
		}
	}
	m, err := instrument.FromMap(values)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// scopedProvider gives the scopes of its spans attributes.
type scopedProvider struct {
	trace.TracerProvider
	attrs []attribute.KeyValue
}

func (p scopedProvider) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return p.TracerProvider.Tracer(name, append(opts, trace.WithInstrumentationAttributes(p.attrs...))...)
}

// attributed makes one call to which every level from the given one on says
// something of every field, and returns its record. The call is one of package
// instrument, or one of an instrumentation that knows nothing of metadata.
func attributed(t *testing.T, from level, foreign bool) reveniumtest.Record {
	t.Helper()
	clearEnv(t)
	attrs := func(l level) []attribute.KeyValue {
		if l < from {
			return nil
		}
		m := l.metadata(t)
		return m.Attributes()
	}
	metadata := func(l level) instrument.Metadata {
		if l < from {
			return instrument.Metadata{}
		}
		return l.metadata(t)
	}
	var opts []Option
	for _, f := range instrument.Fields() {
		if environment >= from && environment.has(f) {
			t.Setenv(f.Env[0], environment.value(f))
		}
		if defaultLevel >= from && defaultLevel.has(f) {
			opts = append(opts, WithExporterOptions(exporter.WithDefault(f.Name, defaultLevel.value(f))))
		}
	}
	opts = append(opts, WithResource(resource.NewSchemaless(attrs(resourceLevel)...)))
	srv := reveniumtest.Start(t)
	sdk := start(t, srv, opts...)
	provider := scopedProvider{sdk.TracerProvider(), attrs(scope)}

	call := func(ctx context.Context) error {
		ctx = instrument.WithMetadata(ctx, metadata(contextInside))
		in, out := int64(10), int64(5)
		if foreign {
			_, span := provider.Tracer("other").Start(ctx, "chat gpt-4o", trace.WithAttributes(
				append(attrs(spanStart), semconv.GenAIOperationNameChat, semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"))...))
			span.SetAttributes(append(attrs(spanLater), semconv.GenAIUsageInputTokens(int(in)), semconv.GenAIUsageOutputTokens(int(out)))...)
			span.End()
			return nil
		}
		_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "openai", Model: "gpt-4o"},
			instrument.WithTracerProvider(provider), metadata(callOption), instrument.WithAttributes(attrs(spanStart)...))
		call.SetAttributes(attrs(spanLater)...)
		call.SetUsage(instrument.Usage{Input: &in, Output: &out})
		call.End(nil)
		return nil
	}
	wrapped := wrap.Err0(wrap.Err0(call, metadata(innerWrapper)), metadata(outerWrapper))

	ctx := instrument.WithBaggageMetadata(t.Context(), metadata(baggage))
	ctx = instrument.WithHeaderMetadata(ctx, metadata(header))
	if running := metadata(step); step >= from {
		// Without what the request says of its trace, which goes before a workflow.
		workflow := instrument.WithoutMetadata(ctx, semconv.ReveniumTraceNameKey, semconv.ReveniumTraceTypeKey)
		workflow, run := instrument.StartWorkflow(workflow, instrument.WorkflowParams{Name: running.TraceName, Type: running.TraceType}, instrument.WithTracerProvider(provider))
		defer run.End(nil)
		var agent *instrument.Step
		ctx, agent = instrument.StartAgent(workflow, instrument.AgentParams{Name: running.Agent, Version: running.AgentVersion}, instrument.WithTracerProvider(provider))
		defer agent.End(nil)
	}
	ctx = instrument.WithMetadata(ctx, metadata(contextOutside))
	if err := wrapped(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// TestPrecedence has every level decide about every field: of all levels from one
// on, that one counts, or, for a field that cannot be set there, the next.
func TestPrecedence(t *testing.T) {
	for _, foreign := range []bool{false, true} {
		for from := range levels {
			if foreign && from == callOption {
				continue
			}
			t.Run(fmt.Sprintf("foreign %t/%v", foreign, from), func(t *testing.T) {
				record := attributed(t, from, foreign)
				for _, f := range instrument.Fields() {
					decides := from
					for decides < levels && !decides.has(f) {
						decides++
					}
					want := ""
					if decides < levels {
						want = decides.value(f)
					}
					got := record.Text(f.Name)
					if decides == levels && (f.Name == "traceId" || f.Name == "operationType" || f.Name == "transactionName") {
						continue // follows from something else
					}
					if got != want {
						t.Errorf("%s is %q, want %q", f.Name, got, want)
					}
				}
			})
		}
	}
}

// TestMetadata shows that the metadata of a context reaches the record of a call
// whose instrumentation knows nothing of it.
func TestMetadata(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	spans := tracetest.NewSpanRecorder()
	sdk := start(t, srv, WithMetadataOptions(instrument.WithOrigins()), WithTracerProviderOptions(sdktrace.WithSpanProcessor(spans)))
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{
		Organization: "Acme", QualityScore: new(0.5), Subscriber: instrument.Subscriber{ID: "user-4711", CredentialName: "team key"},
	})
	request(ctx, sdk.TracerProvider())
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	for field, want := range map[string]string{
		"organizationName": "Acme", "responseQualityScore": "0.5", "subscriber.id": "user-4711", "subscriber.credential.name": "team key",
	} {
		if got := records[0].Text(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	span := spans.Ended()[0]
	origins := attribute.NewSet(span.Attributes()...)
	value, _ := origins.Value(semconv.ReveniumAttributionOriginKey)
	if got := value.AsStringSlice(); len(got) != 4 || got[0] != "organizationName=context" {
		t.Errorf("origins of %s: %v", span.Name(), got)
	}
}

// TestSteps shows that workflows, agents and tools are no calls, and whose the
// calls beneath them are.
func TestSteps(t *testing.T) {
	clearEnv(t)
	srv := reveniumtest.Start(t)
	sdk := start(t, srv)
	provider := instrument.WithTracerProvider(sdk.TracerProvider())
	ctx, workflow := instrument.StartWorkflow(t.Context(), instrument.WorkflowParams{Name: "Ticket 1234", Type: "support"}, provider, instrument.Metadata{Organization: "Acme"})
	for _, name := range []string{"Researcher", "Writer"} {
		ctx, agent := instrument.StartAgent(ctx, instrument.AgentParams{Name: name}, provider)
		_, tool := instrument.StartTool(ctx, instrument.ToolParams{Name: "search"}, provider)
		tool.End(nil)
		request(ctx, sdk.TracerProvider()) // an instrumentation that knows nothing of agents
		// Sums that frameworks put on their steps are not billed either.
		agent.SetAttributes(semconv.GenAIProviderNameOpenAI, semconv.GenAIRequestModel("gpt-4o"), semconv.GenAIUsageInputTokens(10), semconv.GenAIUsageOutputTokens(5))
		agent.End(nil)
	}
	workflow.End(nil)
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	agents := map[string]bool{}
	for _, record := range srv.Records() {
		agents[record.Text("agent")] = true
		if record.Text("organizationName") != "Acme" || record.Text("traceName") != "Ticket 1234" || record.Text("traceType") != "support" || record.Text("operationType") != "CHAT" {
			t.Errorf("record %s", record.Body)
		}
	}
	if len(srv.Records()) != 2 || !agents["Researcher"] || !agents["Writer"] {
		t.Errorf("%d records of agents %v, want one of each agent", len(srv.Records()), agents)
	}
}

// TestBadMetadata shows that bad values cost nothing but themselves.
func TestBadMetadata(t *testing.T) {
	clearEnv(t)
	logged := captureLog(t)
	srv := reveniumtest.Start(t) // fails the test on a record that the API would not take as it is
	sdk := start(t, srv)
	long := strings.Repeat("x", 64<<10)
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{
		Organization: "Acme\r\nx-revenium-agent: b", Product: "p\xff", TaskType: long, TraceType: "not a type", TraceName: long, QualityScore: new(80.0),
		Agent: "good", Job: instrument.Job{ID: "types", Name: "bad with its id"}, Skill: instrument.Skill{Source: "Plugin", Name: "good"},
		Subscriber: instrument.Subscriber{ID: long, Email: "jo@example.com", CredentialValue: "cred-1"},
	})
	request(ctx, sdk.TracerProvider())
	report, err := sdk.Shutdown(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	says(t, records[0], map[string]string{
		"organizationName": "Acme  x-revenium-agent: b", "productName": "p\ufffd", "taskType": long[:255], "traceType": "", "traceName": long[:256], "responseQualityScore": "",
		"agent": "good", "agenticJobId": "", "agenticJobName": "", "skillSource": "", "skillName": "good",
		"subscriber.id": "", "subscriber.email": "jo@example.com", "subscriber.credential.value": "cred-1", "inputTokenCount": "10",
	})
	for _, field := range []string{"organizationName", "productName", "taskType", "traceType", "traceName", "responseQualityScore", "agenticJobId", "skillSource", "subscriber.id"} {
		if !strings.Contains(logged.String(), "field="+field+" ") {
			t.Errorf("nothing is said of %s", field)
		}
	}
	if report.Lost != 0 || report.Delivered != 1 {
		t.Errorf("report: %v", report)
	}
}
