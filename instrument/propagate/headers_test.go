// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

// message is the header of a message in a queue: names as they were sent, and no
// way to ask for several values.
type message map[string]string

func (m message) Get(key string) string { return m[key] }
func (m message) Set(key, value string) { m[key] = value }
func (m message) Keys() []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// withHeaders are the keys of fields that have a header.
func withHeaders(except ...attribute.Key) []attribute.Key {
	var keys []attribute.Key
	for _, f := range instrument.Fields() {
		if len(f.Headers) > 0 && !slices.Contains(except, f.Key) {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

// TestHeaders sends every field as headers and reads it again.
func TestHeaders(t *testing.T) {
	readable := withHeaders(semconv.ReveniumSubscriberCredentialValueKey)
	if len(readable) < 29 {
		t.Errorf("only %d fields", len(readable))
	}
	for name, carrier := range map[string]propagation.TextMapCarrier{
		"http": propagation.HeaderCarrier{}, "map": propagation.MapCarrier{}, "message": message{},
	} {
		t.Run(name, func(t *testing.T) {
			option, dropped := counted()
			p := propagate.NewPropagator(option, propagate.WithTrust(propagate.TrustAlways()))
			p.InjectHeaders(instrument.WithMetadata(t.Context(), everything(t)), carrier)
			wantMetadata(p.Extract(t.Context(), carrier), t, only(t, everything(t), readable...))
			wantDrops(t, dropped(t), drops{"in header not_allowed": 1}) // the credential
			asked := propagate.NewPropagator(propagate.WithOnlyHeaderFields(withHeaders()...), propagate.WithTrust(propagate.TrustAlways()))
			wantMetadata(asked.Extract(t.Context(), carrier), t, only(t, everything(t), withHeaders()...))
		})
	}
}

// TestHeaderNames lists what is sent by name: the table of the LiteLLM middleware,
// and what came later.
func TestHeaderNames(t *testing.T) {
	carrier := propagation.HeaderCarrier{}
	propagate.NewPropagator().InjectHeaders(instrument.WithMetadata(t.Context(), everything(t)), carrier)
	var got []string
	for name := range carrier {
		got = append(got, strings.TrimPrefix(strings.ToLower(name), "x-revenium-"))
	}
	slices.Sort(got)
	want := []string{
		"agent", "agent-version", "agentic-job-id", "agentic-job-name", "agentic-job-type", "agentic-job-version",
		"credential-alias", "effort", "environment", "operation-subtype", "operation-type",
		"organization-id", "organization-name", "product-id", "product-name", "region", "response-quality-score",
		"squad-id", "squad-name", "squad-role",
		"subscriber-credential", "subscriber-credential-name", "subscriber-email", "subscriber-id",
		"subscription-id", "subscription-tier", "task-type", "ticket-id", "trace-id", "trace-name", "trace-type", "transaction-name",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, name := range []string{"organization-id", "organization-name"} {
		if got := carrier.Get("x-revenium-" + name); got != "v-organizationName" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// TestReadHeaders reads what others send.
func TestReadHeaders(t *testing.T) {
	acme := instrument.Metadata{Organization: "Acme"}
	for _, tt := range []struct {
		name    string
		carrier propagation.TextMapCarrier
		opts    []propagate.Option
		want    instrument.Metadata
		drop    drops
	}{
		{name: "nothing", carrier: propagation.MapCarrier{"traceparent": "x", "x-other": "y"}},
		{name: "both names", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Id": {"Other"}, "X-Revenium-Organization-Name": {"Acme"}}, want: acme},
		{name: "the older name", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Id": {"Acme"}}, want: acme},
		{name: "a blank before the older name", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Id": {"Acme"}, "X-Revenium-Organization-Name": {" "}}, want: acme},
		{name: "twice, the first counts", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Name": {"Acme", "Other"}}, want: acme},
		{name: "any case", carrier: message{"X-REVENIUM-Organization-NAME": "Acme"}, want: acme},
		{name: "of several cases the lower one", carrier: message{"X-Revenium-Organization-Name": "Other", "x-revenium-organization-name": "Acme", "X-REVENIUM-ORGANIZATION-NAME": "Third"}, want: acme},
		{name: "the session of Claude Code", carrier: message{"X-Claude-Code-Session-Id": "s-1"}, want: instrument.Metadata{TraceID: "s-1"}},
		{name: "the trace before it", carrier: propagation.HeaderCarrier{"X-Claude-Code-Session-Id": {"s-1"}, "X-Revenium-Trace-Id": {"t-1"}}, want: instrument.Metadata{TraceID: "t-1"}},
		{
			name: "ids of a call, and no names of ours", want: acme, drop: drops{"in header not_allowed": 4},
			carrier: message{"x-revenium-organization-name": "Acme", "x-revenium-transaction-id": "1", "x-revenium-retry-number": "1", "x-revenium-parent-transaction-id": "2", "x-revenium-organisation-name": "x"},
		},
		{
			name: "a list", opts: []propagate.Option{propagate.WithOnlyHeaderFields(semconv.ReveniumOrganizationNameKey)}, want: acme, drop: drops{"in header not_allowed": 1},
			carrier: message{"x-revenium-organization-name": "Acme", "x-revenium-agent": "a", "x-claude-code-session-id": "s"},
		},
		{
			name: "an empty list", opts: []propagate.Option{propagate.WithOnlyHeaderFields()}, drop: drops{"in header not_allowed": 1},
			carrier: message{"x-revenium-organization-name": "Acme"},
		},
		{
			name: "out of limits", want: acme, drop: drops{"in header invalid": 5, "in header too_large": 1},
			carrier: propagation.HeaderCarrier{
				"X-Revenium-Organization-Name": {"Acme"}, "X-Revenium-Task-Type": {strings.Repeat("x", 256)}, "X-Revenium-Agent": {strings.Repeat("x", 64<<10)},
				"X-Revenium-Response-Quality-Score": {"80"}, "X-Revenium-Trace-Type": {"a b"}, "X-Revenium-Ticket-Id": {"a\x01b"}, "X-Revenium-Region": {"a\r\nx-evil: 1"},
			},
		},
		{name: "bytes that are not UTF-8", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Name": {"M\xfcller"}}, want: instrument.Metadata{Organization: "Müller"}},
		{name: "UTF-8", carrier: propagation.HeaderCarrier{"X-Revenium-Organization-Name": {"Müller"}}, want: instrument.Metadata{Organization: "Müller"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 { // the order of maps differs
				option, dropped := counted()
				p := propagate.NewPropagator(append(tt.opts, option, propagate.WithTrust(propagate.TrustAlways()))...)
				wantMetadata(p.Extract(t.Context(), tt.carrier), t, tt.want)
				wantDrops(t, dropped(t), tt.drop)
				option, dropped = counted()
				stranger := propagate.NewPropagator(append(tt.opts, option)...)
				wantMetadata(stranger.Extract(t.Context(), tt.carrier), t, instrument.Metadata{})
				ours := int64(0)
				for _, key := range tt.carrier.Keys() {
					if strings.HasPrefix(strings.ToLower(key), "x-revenium-") {
						ours++
					}
				}
				if got := dropped(t)["in header untrusted"]; got != ours && tt.name != "of several cases the lower one" {
					t.Errorf("%d values untrusted, want %d", got, ours)
				}
			}
		})
	}
}

// TestHeadersBeforeBaggage has both say something.
func TestHeadersBeforeBaggage(t *testing.T) {
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()))
	ctx := p.Extract(t.Context(), propagation.MapCarrier{
		"x-revenium-organization-name": "header", "x-revenium-subscriber-id": "u-1",
		"baggage": "revenium.organization.name=baggage,revenium.agent.name=baggage",
	})
	wantMetadata(ctx, t, instrument.Metadata{Organization: "header", Agent: "baggage", Subscriber: instrument.Subscriber{ID: "u-1"}})
	wantMetadata(instrument.WithMetadata(ctx, instrument.Metadata{Organization: "program"}), t,
		instrument.Metadata{Organization: "program", Agent: "baggage", Subscriber: instrument.Subscriber{ID: "u-1"}})
}

// TestWriteHeaders writes what headers cannot hold, and beside what is there.
func TestWriteHeaders(t *testing.T) {
	long := strings.Repeat("x", 1000)
	for _, tt := range []struct {
		name string
		opts []propagate.Option
		m    instrument.Metadata
		has  map[string]string
		want map[string]string
		drop drops
	}{
		{name: "nothing"},
		{
			name: "injection", drop: drops{"out header invalid": 4}, want: map[string]string{"X-Revenium-Agent": "ok"},
			m: instrument.Metadata{Agent: "ok", Organization: "a\r\nX-Evil: 1", Product: "a\nb", TaskType: "a\x00b", Region: "a\x7fb"},
		},
		{
			name: "not ASCII", drop: drops{"out header invalid": 2}, want: map[string]string{"X-Revenium-Agent": "ok"},
			m: instrument.Metadata{Agent: "ok", Organization: "Müller", Product: "日本語"},
		},
		{
			name: "too long", drop: drops{"out header invalid": 2}, want: map[string]string{"X-Revenium-Agent": "ok"},
			m: instrument.Metadata{Agent: "ok", TaskType: strings.Repeat("x", 256), Organization: strings.Repeat("x", 64<<10)},
		},
		{
			name: "too much", drop: drops{"out header too_large": 2},
			m: instrument.Metadata{Subscription: long, SubscriptionTier: long, Agent: long, TransactionName: long, Region: long, TraceID: long, Subscriber: instrument.Subscriber{ID: long}},
			want: map[string]string{
				"X-Revenium-Subscription-Id": long, "X-Revenium-Subscription-Tier": long, "X-Revenium-Agent": long,
				"X-Revenium-Subscriber-Id": long, "X-Revenium-Region": long,
			},
		},
		{
			name: "what is there stays", m: instrument.Metadata{Organization: "Acme", Agent: " planner ", QualityScore: new(0.5)},
			has:  map[string]string{"X-Revenium-Organization-Id": "own"},
			want: map[string]string{"X-Revenium-Organization-Id": "own", "X-Revenium-Agent": "planner", "X-Revenium-Response-Quality-Score": "0.5"},
		},
		{
			name: "a list", opts: []propagate.Option{propagate.WithOnlyHeaderFields(semconv.ReveniumAgentNameKey)},
			m: instrument.Metadata{Organization: "Müller", Agent: "planner"}, want: map[string]string{"X-Revenium-Agent": "planner"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			option, dropped := counted()
			carrier := propagation.HeaderCarrier{}
			for name, value := range tt.has {
				carrier.Set(name, value)
			}
			propagate.NewPropagator(append(tt.opts, option)...).InjectHeaders(instrument.WithMetadata(t.Context(), tt.m), carrier)
			got := map[string]string{}
			for name, values := range carrier {
				got[name] = strings.Join(values, "|")
			}
			want := tt.want
			if want == nil {
				want = map[string]string{}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			wantDrops(t, dropped(t), tt.drop)
		})
	}
}

// TestWriteMessage writes headers of a message: in lower case, and beside names in
// whatever case.
func TestWriteMessage(t *testing.T) {
	carrier := message{"X-Revenium-Agent": "own", "Traceparent": "tp"}
	propagate.NewPropagator().InjectHeaders(instrument.WithMetadata(t.Context(), instrument.Metadata{Agent: "planner", TaskType: "chat"}), carrier)
	if diff := cmp.Diff(message{"X-Revenium-Agent": "own", "Traceparent": "tp", "x-revenium-task-type": "chat"}, carrier); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestOnlyHeaderFieldsReports shows that a list with a mistake is noticed.
func TestOnlyHeaderFieldsReports(t *testing.T) {
	reports := reported(t)
	propagate.NewPropagator(propagate.WithOnlyHeaderFields("revenium.organisation", semconv.ReveniumSkillNameKey, semconv.ReveniumAgentNameKey))
	if got := reports(); len(got) != 2 {
		t.Errorf("reported %q", got)
	}
}
