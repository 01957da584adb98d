// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

func TestRequiredFields(t *testing.T) {
	required := []string{"organizationName", "productName", "subscriber", "environment", "responseQualityScore"}
	complete := []any{
		"revenium.organization.name", "Acme", "revenium.product.name", "search", "revenium.subscriber.email", "a@example.com",
		"deployment.environment.name", "production", "revenium.response.quality_score", 0.5,
	}
	tests := map[string]struct {
		policy convert.MissingPolicy
		attrs  []any
		held   bool
		lacks  []string
	}{
		"complete":           {convert.MissingHoldBack, complete, false, nil},
		"warn":               {convert.MissingWarn, complete[4:], false, required[:2]},
		"held back":          {convert.MissingHoldBack, complete[2:], true, required[:1]},
		"nothing at all":     {convert.MissingHoldBack, nil, true, required},
		"blank is not there": {convert.MissingHoldBack, append([]any{"revenium.organization.name", " "}, complete[2:]...), true, required[:1]},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, d := billed(t, chat(tt.attrs...), convert.WithRequiredFields(tt.policy, required[:2]...), convert.WithRequiredFields(tt.policy, required[2:]...))
			if d.HeldBack != tt.held || !slices.Equal(d.Missing, tt.lacks) {
				t.Errorf("held back: %v, missing %v; want %v, %v", d.HeldBack, d.Missing, tt.held, tt.lacks)
			}
			for _, field := range tt.lacks {
				if !noted(d, field) {
					t.Errorf("no note about %s: %v", field, d.Notes)
				}
			}
		})
	}
	t.Run("a default will do", func(t *testing.T) {
		_, d := billed(t, chat(), convert.WithRequiredFields(convert.MissingHoldBack, "organizationName"),
			convert.WithDefault("organizationName", "Acme", convert.OriginEnvironment))
		if d.HeldBack {
			t.Errorf("held back although there is a default: %v", d.Missing)
		}
	})
	t.Run("checked", func(t *testing.T) {
		for _, opt := range []convert.Option{
			convert.WithRequiredFields(convert.MissingWarn, "nothing"), convert.WithRequiredFields(convert.MissingWarn, "model"),
			convert.WithRequiredFields(0, "agent"), convert.WithHashedSubscribers(nil),
		} {
			if _, err := convert.New(opt); err == nil {
				t.Error("no error for a setting that cannot be meant")
			}
		}
	})
}

func TestSelectiveMetering(t *testing.T) {
	tests := map[string]struct {
		span *span
		want convert.DecisionKind
	}{
		"nothing":               {chat(), convert.Skipped},
		"organization":          {chat("revenium.organization.name", "Acme"), convert.Billed},
		"an older spelling":     {chat("revenium.task_type", "triage"), convert.Billed},
		"blank":                 {chat("revenium.organization.name", ""), convert.Skipped},
		"of the transport":      {chat("revenium.model.source", "LITELLM", "revenium.retry.number", 1, "revenium.mediation.latency", 3), convert.Skipped},
		"of another vocabulary": {chat("gen_ai.agent.name", "triage"), convert.Skipped},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := decide(t, tt.span, convert.WithSelectiveMetering(), convert.WithDefault("productName", "search", convert.OriginDefault))
			if d.Kind != tt.want || d.Kind == convert.Skipped && d.Reason != convert.ReasonNotSelected {
				t.Errorf("got %v (%s), want %v", d.Kind, d.Reason, tt.want)
			}
		})
	}
	t.Run("of the resource", func(t *testing.T) {
		s := chat()
		s.resource = with("revenium.organization.name", "Acme")
		if d := decide(t, s, convert.WithSelectiveMetering()); d.Kind != convert.Skipped {
			t.Errorf("the resource selects: %v (%s)", d.Kind, d.Reason)
		}
	})
}

func TestTransform(t *testing.T) {
	rename := convert.WithTransform(func(r metering.Record) bool {
		if c, ok := r.(*metering.Completion); ok {
			c.OrganizationName = strings.ToUpper(c.OrganizationName)
		}
		return true
	})
	exclaim := convert.WithTransform(func(r metering.Record) bool {
		r.(*metering.Completion).OrganizationName += "!"
		return true
	})
	s := chat("revenium.organization.name", "Acme")
	if got := bill(t, s, rename, exclaim, convert.WithTransform(nil)).OrganizationName; got != "ACME!" {
		t.Errorf("organization = %q, want both hooks in order", got)
	}
	drop := convert.WithTransform(func(metering.Record) bool { return false })
	if d := decide(t, s, drop, exclaim); d.Kind != convert.Skipped || d.Reason != convert.ReasonTransform || d.Record != nil {
		t.Errorf("dropped: got %v (%s)", d.Kind, d.Reason)
	}
	broken := convert.WithTransform(func(metering.Record) bool { panic("oops") })
	c, d := billed(t, s, broken, exclaim)
	if c.OrganizationName != "Acme!" || !noted(d, "record") {
		t.Errorf("after a panic: organization %q, notes %v", c.OrganizationName, d.Notes)
	}
	t.Run("of what was held", func(t *testing.T) {
		n := 0
		c := newConverter(t, convert.WithTransform(func(metering.Record) bool { n++; return true }))
		first := c.Convert(nil, attempts(2)[0])
		if n != 0 || first[0].Kind != convert.Held {
			t.Fatalf("the hook ran for a span that is held (%d times)", n)
		}
		if all := c.Flush(first); len(all) != 2 || n != 1 {
			t.Errorf("the hook ran %d times for %d decisions, want once", n, len(all))
		}
	})
}

func TestHashedSubscribers(t *testing.T) {
	s := chat("revenium.subscriber.id", "user-1", "revenium.subscriber.email", "Ada@Example.com", "revenium.subscriber.credential.name", "key 7")
	c := bill(t, s, convert.WithHashedSubscribers([]byte("k1")))
	// HMAC-SHA-256, computed with openssl dgst -sha256 -hmac k1.
	const id, email = "f777eb2184e7828d6320167d8dd0a054", "7a5d4778e0500b4f48362392f1989b35"
	if c.Subscriber.ID != id || c.Subscriber.Email != email+"@hashed.invalid" || c.Subscriber.Credential.Name != "key 7" {
		t.Errorf("subscriber = %+v", c.Subscriber)
	}
	if other := bill(t, s, convert.WithHashedSubscribers([]byte("k2"))); other.Subscriber.ID == id {
		t.Error("another key gives the same hash")
	}
	if again := bill(t, chat("revenium.subscriber.email", "ada@example.com "), convert.WithHashedSubscribers([]byte("k1"))); again.Subscriber.Email != c.Subscriber.Email || again.Subscriber.ID != "" {
		t.Errorf("the same address gives another hash: %+v", again.Subscriber)
	}
}

func TestSpelling(t *testing.T) {
	tests := map[string]string{
		"revenium.organisation.name":         "revenium.organization.name",
		"revenium.organisation":              "revenium.organization",
		"revenium.organizationName":          "revenium.organization.name",
		"revenium.subscriber_email":          "revenium.subscriber.email",
		"revenium.subscribtion.id":           "revenium.subscription.id",
		"revenium.taks.type":                 "revenium.task.type",
		"revenium.something.quite.different": "",
	}
	for key, nearest := range tests {
		t.Run(key, func(t *testing.T) {
			_, d := billed(t, chat(key, "x"))
			i := slices.IndexFunc(d.Notes, func(n convert.Note) bool { return n.Attribute == key })
			if i < 0 || d.Notes[i].Action != convert.NoteIgnored {
				t.Fatalf("not reported: %v", d.Notes)
			}
			if got := d.Notes[i].Reason; nearest == "" && strings.Contains(got, "did you mean") || nearest != "" && !strings.HasSuffix(got, "did you mean "+nearest+"?") {
				t.Errorf("reason %q, want %q suggested", got, nearest)
			}
		})
	}
	t.Run("known ones", func(t *testing.T) {
		s := chat("revenium.tool.usage.pages", 2, "revenium.image.count", 1, "revenium.usage.missing", true, "revenium.organization_name", "Acme",
			"revenuium.organization.name", "not ours")
		if _, d := billed(t, s); len(d.Notes) > 0 {
			t.Errorf("reported: %v", d.Notes)
		}
	})
	t.Run("on the resource", func(t *testing.T) {
		s := chat()
		s.resource = with("revenium.prodct.name", "search")
		if _, d := billed(t, s); len(d.Notes) != 1 || !strings.HasSuffix(d.Notes[0].Reason, "revenium.product.name?") {
			t.Errorf("notes %v", d.Notes)
		}
	})
}
