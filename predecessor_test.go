// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package revenium

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// This file does in Go what the guide of the Python middleware for LiteLLM does,
// and looks at the records. The Python stands above each piece.

// litellm makes calls of a model.
type litellm struct{ provider instrument.Option }

func (l litellm) completion(ctx context.Context, opts ...instrument.Option) {
	in, out := int64(10), int64(5)
	_, call := instrument.StartCall(ctx, instrument.CallParams{Provider: "openai", Model: "gpt-4o"}, append(opts, l.provider)...)
	call.SetUsage(instrument.Usage{Input: &in, Output: &out})
	call.End(nil)
}

// metered runs what makes calls, and returns their records.
func metered(t *testing.T, run func(ctx context.Context, litellm litellm)) []reveniumtest.Record {
	t.Helper()
	clearEnv(t)
	srv := reveniumtest.Start(t)
	sdk := start(t, srv)
	run(t.Context(), litellm{instrument.WithTracerProvider(sdk.TracerProvider())})
	if _, err := sdk.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	return srv.Completions()
}

// meteredOnce is metered for a single call.
func meteredOnce(t *testing.T, run func(ctx context.Context, litellm litellm)) reveniumtest.Record {
	t.Helper()
	records := metered(t, run)
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}

// says compares fields of a record.
func says(t *testing.T, record reveniumtest.Record, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for field := range want {
		got[field] = record.Text(field)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

//	litellm.completion(model=..., messages=..., usage_metadata={
//	    "organization_id": "acme", "product_id": "assistant", "subscription_id": "sub-1",
//	    "trace_id": "conv-1", "task_type": "summary", "agent": "assistant",
//	    "response_quality_score": 0.95,
//	    "subscriber": {"id": "u-1", "email": "jo@example.com", "credential": {"name": "key", "value": "cred-1"}},
//	})
func TestPredecessorUsageMetadata(t *testing.T) {
	record := meteredOnce(t, func(ctx context.Context, litellm litellm) {
		metadata, err := instrument.FromMap(map[string]any{
			"organization_id": "acme", "product_id": "assistant", "subscription_id": "sub-1",
			"trace_id": "conv-1", "task_type": "summary", "agent": "assistant",
			"response_quality_score": 0.95,
			"subscriber":             map[string]any{"id": "u-1", "email": "jo@example.com", "credential": map[string]any{"name": "key", "value": "cred-1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		litellm.completion(ctx, metadata)
	})
	says(t, record, map[string]string{
		"organizationName": "acme", "productName": "assistant", "subscriptionId": "sub-1", "traceId": "conv-1", "taskType": "summary", "agent": "assistant",
		"responseQualityScore": "0.95", "subscriber.id": "u-1", "subscriber.email": "jo@example.com",
		"subscriber.credential.name": "key", "subscriber.credential.value": "cred-1",
	})
}

//	requests.post(LITELLM_PROXY_URL + "/chat/completions", headers={
//	    "x-revenium-trace-id": "conv-1", "x-revenium-task-type": "summary", "x-revenium-organization-id": "acme",
//	    "x-revenium-subscription-id": "sub-1", "x-revenium-product-id": "assistant", "x-revenium-agent": "assistant",
//	    "x-revenium-subscriber-id": "u-1", "x-revenium-response-quality-score": "0.95"})
func TestPredecessorHeaders(t *testing.T) {
	record := meteredOnce(t, func(ctx context.Context, litellm litellm) {
		h := http.Header{}
		for name, value := range map[string]string{
			"x-revenium-trace-id": "conv-1", "x-revenium-task-type": "summary", "x-revenium-organization-id": "acme",
			"x-revenium-subscription-id": "sub-1", "x-revenium-product-id": "assistant", "x-revenium-agent": "assistant",
			"x-revenium-subscriber-id": "u-1", "x-revenium-response-quality-score": "0.95",
		} {
			h.Set(name, value)
		}
		metadata, err := instrument.FromHeaders(h)
		if err != nil {
			t.Fatal(err)
		}
		litellm.completion(instrument.WithHeaderMetadata(ctx, metadata))
	})
	says(t, record, map[string]string{
		"traceId": "conv-1", "taskType": "summary", "organizationName": "acme", "subscriptionId": "sub-1",
		"productName": "assistant", "agent": "assistant", "subscriber.id": "u-1", "responseQualityScore": "0.95",
	})
}

// class Analyst:
//
//	def __init__(self, name): self.name = name
//
//	@track_agent(name_from_attr="name")
//	@track_task(task_type="research")
//	@track_trace(id_from_arg="request_id")
//	@track_organization(id_from_arg="tenant")
//	@track_subscription(subscription_id="gold")
//	@track_product(product_id="reports")
//	@track_subscriber(id_from_arg="user")
//	@track_quality(quality_score=0.9)
//	def analyze(self, request_id, tenant, user): litellm.completion(...)
type analyst struct {
	name    string
	litellm litellm
}

type request1 struct{ id, tenant, user string }

func (a *analyst) analyze(ctx context.Context, _ request1) error {
	a.litellm.completion(ctx)
	return nil
}

func TestPredecessorDecorators(t *testing.T) {
	record := meteredOnce(t, func(ctx context.Context, litellm litellm) {
		type args = wrap.Args2[*analyst, request1]
		analyze := wrap.MethodErr1((*analyst).analyze,
			instrument.Metadata{TaskType: "research", Subscription: "gold", Product: "reports", QualityScore: new(0.9)},
			wrap.Agent(func(a args) string { return a.First.name }),
			wrap.Trace(func(a args) string { return a.Second.id }),
			wrap.Organization(func(a args) string { return a.Second.tenant }).Required(),
			wrap.Subscriber(func(a args) instrument.Subscriber { return instrument.Subscriber{ID: a.Second.user} }),
		)
		if err := analyze(&analyst{name: "Lead Analyst", litellm: litellm}, ctx, request1{id: "conv-1", tenant: "acme", user: "u-1"}); err != nil {
			t.Fatal(err)
		}
	})
	says(t, record, map[string]string{
		"agent": "Lead Analyst", "taskType": "research", "traceId": "conv-1", "organizationName": "acme", "subscriptionId": "gold",
		"productName": "reports", "subscriber.id": "u-1", "responseQualityScore": "0.9",
	})
}

// with metadata_context.set(organization_id="acme", trace_id="conv-1"):
//
//	with metadata_context.set(agent="planner"):
//	    metadata_context.get()
//	    litellm.completion(...)
//	    metadata_context.clear("organization_id")
func TestPredecessorContext(t *testing.T) {
	record := meteredOnce(t, func(ctx context.Context, litellm litellm) {
		outer := instrument.WithMetadata(ctx, instrument.Metadata{Organization: "acme", TraceID: "conv-1"})
		inner := instrument.WithMetadata(outer, instrument.Metadata{Agent: "planner"})
		if got := instrument.FromContext(inner); got.Organization != "acme" || got.TraceID != "conv-1" || got.Agent != "planner" {
			t.Errorf("the inner context has %v", got)
		}
		litellm.completion(inner)
		if got := instrument.FromContext(outer); got.Agent != "" {
			t.Errorf("the outer context has %v", got)
		}
		if got := instrument.FromContext(instrument.WithoutMetadata(inner, semconv.ReveniumOrganizationNameKey)); got.Organization != "" || got.Agent != "planner" {
			t.Errorf("without the organization it has %v", got)
		}
	})
	says(t, record, map[string]string{"organizationName": "acme", "traceId": "conv-1", "agent": "planner"})
}

// @track_organization(organization_id="decorator")
// @track_task(task_type="decorator")
// def work():
//
//	with metadata_context.set(organization_id="context inside"):
//	    litellm.completion(..., usage_metadata={"organization_id": "explicit"})
//
// with metadata_context.set(organization_id="context", task_type="context", agent="context"):
//
//	work()
func TestPredecessorPrecedence(t *testing.T) {
	records := metered(t, func(ctx context.Context, litellm litellm) {
		work := func(opts ...instrument.Option) func(context.Context) error {
			return wrap.Err0(func(ctx context.Context) error {
				litellm.completion(instrument.WithMetadata(ctx, instrument.Metadata{Organization: "context inside"}), opts...)
				return nil
			}, instrument.Metadata{Organization: "decorator", TaskType: "decorator"})
		}
		ctx = instrument.WithMetadata(ctx, instrument.Metadata{Organization: "context", TaskType: "context", Agent: "context"})
		for _, run := range []func(context.Context) error{work(instrument.Metadata{Organization: "explicit"}), work()} {
			if err := run(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
	// The middleware lets the context inside win, against its own guide.
	organizations := map[string]int{}
	for _, record := range records {
		organizations[record.Text("organizationName")]++
		says(t, record, map[string]string{"taskType": "decorator", "agent": "context"})
	}
	if diff := cmp.Diff(map[string]int{"explicit": 1, "decorator": 1}, organizations); diff != "" {
		t.Errorf("organizations (-want +got):\n%s", diff)
	}
}

//	crew = ReveniumCrewWrapper(agents=[researcher, writer], tasks=[find, write, unowned],
//	    organization_id="acme", subscription_id="gold", product_id="reports")
//	crew.kickoff()
//
// A task whose agent is not known gets the name that it gets there.
func TestPredecessorCrew(t *testing.T) {
	records := metered(t, func(ctx context.Context, litellm litellm) {
		ask := func(ctx context.Context, in int) (int, error) {
			litellm.completion(ctx)
			return in + 1, nil
		}
		crew := instrument.Crew[int]{
			Workflow: instrument.WorkflowParams{Name: "report crew"},
			Tasks: []instrument.Task[int]{
				{Agent: instrument.AgentParams{Name: "Researcher"}, Type: "find", Run: ask},
				{Agent: instrument.AgentParams{Name: "Writer"}, Type: "write", Run: ask},
				{Type: "unowned", Run: ask},
			},
		}
		done, err := crew.Run(ctx, 0, litellm.provider, instrument.Metadata{Organization: "acme", Subscription: "gold", Product: "reports"})
		if done != 3 || err != nil {
			t.Errorf("%d tasks done, %v", done, err)
		}
	})
	got := map[string]string{}
	traces := map[string]bool{}
	for _, record := range records {
		got[record.Text("taskType")] = record.Text("agent")
		traces[record.Text("traceId")] = true
		says(t, record, map[string]string{"organizationName": "acme", "subscriptionId": "gold", "productName": "reports", "traceName": "report crew"})
	}
	if diff := cmp.Diff(map[string]string{"find": "Researcher", "write": "Writer", "unowned": "unknown_agent"}, got); diff != "" {
		t.Errorf("agents by task (-want +got):\n%s", diff)
	}
	if len(traces) != 1 {
		t.Errorf("%d traces, want one", len(traces))
	}
}
