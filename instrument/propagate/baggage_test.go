// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package propagate_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

// everything is metadata with every field set.
func everything(tb testing.TB) instrument.Metadata {
	tb.Helper()
	special := map[string]any{
		"responseQualityScore": 0.75, "operationType": "SUMMARIZE", "skillKind": "workflow", "skillSource": "plugin", "effort": "high", "subscriberEmailSource": "git",
	}
	values := map[string]any{}
	for _, f := range instrument.Fields() {
		values[f.Name] = "v-" + strings.ReplaceAll(f.Name, ".", "-")
		if value, ok := special[f.Name]; ok {
			values[f.Name] = value
		}
	}
	m, err := instrument.FromMap(values)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// only returns what m says of the given fields.
func only(tb testing.TB, m instrument.Metadata, keys ...attribute.Key) instrument.Metadata {
	tb.Helper()
	var kept []attribute.KeyValue
	for _, kv := range m.Attributes() {
		for _, key := range keys {
			if kv.Key == key {
				kept = append(kept, kv)
			}
		}
	}
	m, err := instrument.FromAttributes(kept...)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// TestBaggage sends every field from one process to the next.
func TestBaggage(t *testing.T) {
	reports := reported(t)
	var all []attribute.Key
	for _, f := range instrument.Fields() {
		all = append(all, f.Key)
	}
	noSecret := append([]attribute.Key(nil), all...)
	for i, key := range noSecret {
		if key == semconv.ReveniumSubscriberCredentialValueKey {
			noSecret = append(noSecret[:i], noSecret[i+1:]...)
			break
		}
	}
	personal := append(propagate.DefaultBaggageFields(), semconv.ReveniumSubscriberIDKey)
	for _, tt := range []struct {
		name     string
		out, in  []attribute.Key
		want     []attribute.Key
		reported int
	}{
		{name: "default", want: propagate.DefaultBaggageFields()},
		{name: "one more", out: personal, in: personal, want: personal},
		{name: "one more than is read", out: personal, want: propagate.DefaultBaggageFields()},
		{name: "all but the credential", out: all, in: all, want: noSecret, reported: 2},
		{name: "a key of no field", out: []attribute.Key{"revenium.organisation"}, want: propagate.DefaultBaggageFields(), reported: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(reports())
			sender := propagate.NewPropagator(propagate.WithMoreBaggageFields(tt.out...))
			receiver := propagate.NewPropagator(propagate.WithMoreBaggageFields(tt.in...), propagate.WithTrust(propagate.TrustAlways()))
			if got := len(reports()) - before; got != tt.reported {
				t.Errorf("%d reports, want %d: %v", got, tt.reported, reports())
			}
			carrier := propagation.MapCarrier{}
			sender.Inject(instrument.WithMetadata(t.Context(), everything(t)), carrier)
			if strings.Contains(carrier["baggage"], "credential.value") || strings.Contains(carrier["baggage"], "v-subscriber-credential-value") {
				t.Errorf("the credential is in %s", carrier["baggage"])
			}
			wantMetadata(receiver.Extract(t.Context(), carrier), t, only(t, everything(t), tt.want...))
		})
	}
}

// TestBaggageValues sends what has to be encoded.
func TestBaggageValues(t *testing.T) {
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()))
	for _, value := range []string{
		"Müller & Söhne", "a,b;c=d", `"quoted" \ back`, "日本語 🎉", "100%", "a b  c", "+1", "%41", strings.Repeat("x", 255), strings.Repeat("ü", 255),
	} {
		m := instrument.Metadata{TaskType: value, Organization: "Acme"}
		carrier := propagation.HeaderCarrier{}
		p.Inject(instrument.WithMetadata(t.Context(), m), carrier)
		wantMetadata(p.Extract(t.Context(), carrier), t, m)
		for _, r := range carrier.Get("baggage") {
			if r < ' ' || r > '~' {
				t.Errorf("%q is sent as %q", value, carrier.Get("baggage"))
				break
			}
		}
	}
}

func bagOf(tb testing.TB, text string) baggage.Baggage {
	tb.Helper()
	bag, err := baggage.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return bag
}

func membersOf(bag baggage.Baggage) map[string]string {
	members := map[string]string{}
	for _, member := range bag.Members() {
		members[member.Key()] = member.String()
	}
	return members
}

// TestProgramsBaggage shows that the baggage of the program itself travels as ever.
func TestProgramsBaggage(t *testing.T) {
	option, dropped := counted()
	p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()), option)
	ctx := baggage.ContextWithBaggage(t.Context(), bagOf(t, "color=blue;ttl=3,deployment.environment.name=dev,revenium.task.type=by%20hand,revenium.agent.name=by%20hand,revenium.subscriber.credential.value=s,revenium.api_key=k"))
	ctx = instrument.WithMetadata(ctx, instrument.Metadata{Organization: "Acme", Agent: "planner"})
	carrier := propagation.HeaderCarrier{}
	p.Inject(ctx, carrier)
	want := map[string]string{
		"color": "color=blue;ttl=3", "deployment.environment.name": "deployment.environment.name=dev",
		"revenium.organization.name": "revenium.organization.name=Acme", "revenium.agent.name": "revenium.agent.name=planner",
		"revenium.task.type": "revenium.task.type=by%20hand",
	}
	if diff := cmp.Diff(want, membersOf(bagOf(t, carrier.Get("baggage")))); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	got := p.Extract(t.Context(), carrier)
	wantMetadata(got, t, instrument.Metadata{Organization: "Acme", Agent: "planner", TaskType: "by hand"})
	// What is metadata of the context is no baggage any more, or what the program
	// takes out of the one would be sent on as the other.
	want = map[string]string{"color": "color=blue;ttl=3", "deployment.environment.name": "deployment.environment.name=dev"}
	if diff := cmp.Diff(want, membersOf(baggage.FromContext(got))); diff != "" {
		t.Errorf("baggage of the receiver (-want +got):\n%s", diff)
	}
	next := propagation.HeaderCarrier{}
	p.Inject(instrument.WithoutMetadata(got, semconv.ReveniumAgentNameKey), next)
	if diff := cmp.Diff(instrument.Metadata{Organization: "Acme", TaskType: "by hand"}, instrument.FromContext(p.Extract(t.Context(), next))); diff != "" {
		t.Errorf("sent on (-want +got):\n%s", diff)
	}
	wantDrops(t, dropped(t), drops{"out baggage not_allowed": 2})
}

// TestUntrustedBaggage shows that what is not believed goes no further, and what is
// no metadata does.
func TestUntrustedBaggage(t *testing.T) {
	const text = "color=blue,revenium.organization.name=Victim,revenium.metering.skip=true,revenium.new=x,cloud.region=eu"
	for _, tt := range []struct {
		name string
		opts []propagate.Option
		rest string
		drop drops
	}{
		{name: "nothing is believed by default", rest: "color=blue,cloud.region=eu", drop: drops{"in baggage untrusted": 3}},
		{
			name: "a field that was added", opts: []propagate.Option{propagate.WithMoreBaggageFields(semconv.CloudRegionKey)},
			rest: "color=blue", drop: drops{"in baggage untrusted": 4},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			option, dropped := counted()
			p := propagate.NewPropagator(append(tt.opts, option)...)
			ctx := p.Extract(t.Context(), propagation.HeaderCarrier{"Baggage": {text}})
			wantMetadata(ctx, t, instrument.Metadata{})
			if diff := cmp.Diff(membersOf(bagOf(t, tt.rest)), membersOf(baggage.FromContext(ctx))); diff != "" {
				t.Errorf("baggage (-want +got):\n%s", diff)
			}
			wantDrops(t, dropped(t), tt.drop)
			sent := propagation.HeaderCarrier{}
			p.Inject(ctx, sent)
			if strings.Contains(sent.Get("baggage"), "Victim") || strings.Contains(sent.Get("baggage"), "skip") {
				t.Errorf("sent on: %s", sent.Get("baggage"))
			}
		})
	}
}

// TestBadBaggage reads what nobody in his right mind sends.
func TestBadBaggage(t *testing.T) {
	const good = "revenium.organization.name=Acme"
	many := func(n int, format string) string {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(members, ",")
	}
	acme := instrument.Metadata{Organization: "Acme"}
	for _, tt := range []struct {
		name    string
		headers []string
		want    instrument.Metadata
		members int // of the baggage of the context
		drop    drops
	}{
		{name: "nothing"},
		{name: "64 KB", headers: []string{good + ",x=" + strings.Repeat("y", 64<<10)}, drop: drops{"in baggage too_large": 1}},
		{name: "64 KB in ten headers", headers: append(strings.Split(strings.Repeat("x="+strings.Repeat("y", 6400)+" ", 10), " ")[:10], good), drop: drops{"in baggage too_large": 1}},
		{name: "8192 bytes", headers: []string{good + ",x=" + strings.Repeat("y", 8192-len(good)-3)}, want: acme, members: 1},
		{name: "8193 bytes", headers: []string{good + ",x=" + strings.Repeat("y", 8193-len(good)-3)}, drop: drops{"in baggage too_large": 1}},
		{name: "180 members after ours", headers: []string{good + "," + many(180, "k%d=v")}, want: acme, members: 63, drop: drops{"in baggage too_large": 117}},
		{name: "180 members before ours", headers: []string{many(180, "k%d=v") + "," + good}, members: 64, drop: drops{"in baggage too_large": 117}},
		{name: "64 members of the greatest length", headers: []string{many(64, "k%02d="+strings.Repeat("v", 123))}, members: 64},
		{name: "64 members of 4096 bytes", headers: []string{good + "," + many(64, "k%02d="+strings.Repeat("v", 4092))}, drop: drops{"in baggage too_large": 1}},
		{name: "UTF-8 cut short", headers: []string{"revenium.task.type=%ff%fe,revenium.agent.name=%c3," + good}, want: acme, drop: drops{"in baggage invalid": 2}},
		{name: "raw bytes", headers: []string{"revenium.task.type=\xff," + good}, want: acme, drop: drops{"in baggage malformed": 1}},
		{name: "CR and LF, encoded", headers: []string{"revenium.task.type=a%0d%0ax-evil:%201," + good}, want: acme, drop: drops{"in baggage invalid": 1}},
		{name: "CR and LF, raw", headers: []string{"revenium.task.type=a\r\nx-evil: 1," + good}, want: acme, drop: drops{"in baggage malformed": 1}},
		{name: "a NUL", headers: []string{"revenium.task.type=a%00b," + good}, want: acme, drop: drops{"in baggage invalid": 1}},
		{name: "too long for the field", headers: []string{"revenium.task.type=" + strings.Repeat("x", 256) + "," + good}, want: acme, drop: drops{"in baggage invalid": 1}},
		{name: "a bad pattern", headers: []string{"revenium.trace.type=a%20b," + good}, want: acme, drop: drops{"in baggage invalid": 1}},
		{name: "garbage", headers: []string{",,;;==,\"," + good + ",revenium.agent.name"}, want: acme, drop: drops{"in baggage malformed": 5}},
		{name: "blank", headers: []string{"revenium.task.type=%20%20," + good}, want: acme},
		{name: "twice, the last counts", headers: []string{"revenium.organization.name=Other", good}, want: acme},
		{name: "an older name", headers: []string{"revenium.organization.id=Acme"}, want: acme},
		{name: "an older name beside the current one", headers: []string{"revenium.organization.id=Other," + good}, want: acme},
		{name: "with properties", headers: []string{" revenium.organization.name = Acme ;ttl=1;x"}, want: acme},
		{name: "fields that are not on the list", headers: []string{good + ",revenium.subscriber.id=u,revenium.subscriber.credential.value=s,revenium.organisation=x"}, want: acme, drop: drops{"in baggage not_allowed": 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			option, dropped := counted()
			p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()), option)
			parent := context.WithValue(t.Context(), http.ServerContextKey, "other values stay")
			carrier := propagation.HeaderCarrier{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, "Baggage": tt.headers}
			ctx := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, p).Extract(parent, carrier)
			wantMetadata(ctx, t, tt.want)
			if got := baggage.FromContext(ctx).Len(); got != tt.members {
				t.Errorf("%d members of baggage, want %d", got, tt.members)
			}
			wantDrops(t, dropped(t), tt.drop)
			if ctx.Value(http.ServerContextKey) == nil || !remote(ctx) {
				t.Error("the rest of the context is lost")
			}
		})
	}
}

// TestBaggageWithinLimits sends metadata beside baggage that leaves little room.
func TestBaggageWithinLimits(t *testing.T) {
	fill := func(members, size int) baggage.Baggage {
		list := make([]baggage.Member, members)
		for i := range list {
			member, err := baggage.NewMemberRaw(fmt.Sprintf("k%02d", i), strings.Repeat("v", size))
			if err != nil {
				t.Fatal(err)
			}
			list[i] = member
		}
		bag, err := baggage.New(list...)
		if err != nil {
			t.Fatal(err)
		}
		return bag
	}
	m := instrument.Metadata{Organization: "Acme", Product: "assistant", Agent: strings.Repeat("a", 200), TaskType: "chat"}
	for _, tt := range []struct {
		name string
		bag  baggage.Baggage
		want instrument.Metadata
		drop drops
	}{
		{"no room for members", fill(64, 1), instrument.Metadata{}, drops{"out baggage too_large": 4}},
		{"room for two members", fill(62, 1), instrument.Metadata{Organization: "Acme", Product: "assistant"}, drops{"out baggage too_large": 2}},
		{"no room for bytes", fill(8, 1019), instrument.Metadata{}, drops{"out baggage too_large": 4}},
		{"room for the small ones", fill(8, 1000), instrument.Metadata{Organization: "Acme", Product: "assistant", TaskType: "chat"}, drops{"out baggage too_large": 1}},
		{"room for all", fill(8, 900), m, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			option, dropped := counted()
			p := propagate.NewPropagator(propagate.WithTrust(propagate.TrustAlways()), option)
			carrier := propagation.HeaderCarrier{}
			p.Inject(instrument.WithMetadata(baggage.ContextWithBaggage(t.Context(), tt.bag), m), carrier)
			if got := len(carrier.Get("baggage")); got > 8192 {
				t.Errorf("%d bytes", got)
			}
			wantDrops(t, dropped(t), tt.drop)
			ctx := p.Extract(t.Context(), carrier)
			wantMetadata(ctx, t, tt.want)
			if diff := cmp.Diff(membersOf(tt.bag), membersOf(baggage.FromContext(ctx))); diff != "" {
				t.Errorf("the program's baggage (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInvalidIsNotSent shows that a value which no receiver would take is not sent.
func TestInvalidIsNotSent(t *testing.T) {
	reports := reported(t)
	option, dropped := counted()
	p := propagate.NewPropagator(option, propagate.WithTrust(propagate.TrustAlways()))
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{
		Organization: "Acme", TaskType: strings.Repeat("x", 256), Agent: "a\r\nb", Product: "\xff",
		TicketID: strings.Repeat("x", 1000), // is not sent anyhow
	})
	for range 3 {
		carrier := propagation.MapCarrier{}
		p.Inject(ctx, carrier)
		if carrier["baggage"] != "revenium.organization.name=Acme" {
			t.Errorf("sent %q", carrier["baggage"])
		}
	}
	wantDrops(t, dropped(t), drops{"out baggage invalid": 9})
	if got := reports(); len(got) != 1 || !strings.Contains(got[0], "not sent as baggage") || !strings.Contains(got[0], "taskType") {
		t.Errorf("reported %q, want one report that names what is wrong", got)
	}
	p.Inject(t.Context(), propagation.MapCarrier{})
	if got := p.Fields(); len(got) != 1 || got[0] != "baggage" {
		t.Errorf("fields %v", got)
	}
}
