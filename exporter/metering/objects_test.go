// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFreeForm(t *testing.T) {
	shared := map[string]any{"good": "x", "nan": math.NaN(), "chan": make(chan int), "nul": "a\x00b"}
	rec := typicalCompletion()
	rec.Attributes = shared
	f, changes := mustFreeze(t, rec)
	if diff := cmp.Diff([]Change{{"attributes", Dropped, reasonUnencodable}}, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(string(f.Body), `,"attributes":{"good":"x"}}`) {
		t.Errorf("body = %s", f.Body)
	}
	if len(shared) != 4 {
		t.Error("the map of the caller was changed")
	}

	rec = typicalCompletion()
	rec.Attributes = map[string]any{"chan": make(chan int)}
	if f, _ := mustFreeze(t, rec); strings.Contains(string(f.Body), "attributes") {
		t.Errorf("an object without members is sent: %s", f.Body)
	}

	rec = typicalCompletion()
	rec.Attributes = map[string]any{"big": strings.Repeat("x", maxObjectSize)}
	f, changes = mustFreeze(t, rec)
	if len(changes) != 1 || changes[0].Action != Dropped || len(f.Body) > 4096 {
		t.Errorf("an object of 64 KiB: %v, %d bytes sent", changes, len(f.Body))
	}
}

// TestSharedPartsAreNotWritten freezes records that share what they point to; the
// race detector watches.
func TestSharedPartsAreNotWritten(t *testing.T) {
	shared := &Subscriber{ID: " id ", Email: "a\nb", Credential: &Credential{Name: " n ", Value: " v "}}
	attributes := map[string]any{"ok": 1, "bad": make(chan int)}
	tokens := new(int64(-1))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			rec := typicalCompletion()
			rec.Subscriber, rec.Attributes, rec.CacheReadTokenCount = shared, attributes, tokens
			if _, _, err := Freeze(rec); err != nil {
				t.Error(err)
			}
			want := &Subscriber{ID: "id", Email: "a b", Credential: &Credential{Name: "n", Value: "v"}}
			if diff := cmp.Diff(want, rec.Subscriber); diff != "" {
				t.Errorf("subscriber (-want +got):\n%s", diff)
			}
		})
	}
	wg.Wait()
	if shared.ID != " id " || shared.Credential.Value != " v " || len(attributes) != 2 || *tokens != -1 {
		t.Error("what the records shared was changed")
	}
}

func TestEmptySubscriberIsAbsent(t *testing.T) {
	for _, s := range []*Subscriber{{}, {Credential: &Credential{}}, {ID: " ", Credential: &Credential{Value: "\n"}}} {
		rec := typicalCompletion()
		rec.Subscriber = s
		if f, _ := mustFreeze(t, rec); strings.Contains(string(f.Body), "subscriber\"") {
			t.Errorf("an empty subscriber is sent: %s", f.Body)
		}
	}
}

// TestSecretsAreNotPrinted looks for the credential in all that is made for
// people.
func TestSecretsAreNotPrinted(t *testing.T) {
	const secret = "cred_test_0123456789"
	subscriber := &Subscriber{Credential: &Credential{Name: "n", Value: secret + "\x00"}}
	rec := typicalCompletion()
	rec.Subscriber = subscriber
	tool := fullToolEvent().(*ToolEvent)
	tool.SubscriberCredential = secret + "\n"
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	jsonLog := slog.New(slog.NewJSONHandler(&out, nil))
	for _, r := range []Record{rec, tool} {
		f, changes := mustFreeze(t, r)
		if !strings.Contains(string(f.Body), secret) {
			t.Fatalf("the credential is not sent: %s", f.Body)
		}
		fmt.Fprintf(&out, "%v %+v %#v %s\n", changes, changes, changes, changes)
		fmt.Fprintf(&out, "%v %+v %s\n", f, f, f)
		log.Info("x", "frozen", f, "record", r, "changes", changes)
		jsonLog.Info("x", "frozen", f, "record", r, "changes", changes)
	}
	c := rec.Subscriber.Credential
	fmt.Fprintf(&out, "%v %+v %#v %s %v %+v %#v\n", *c, *c, *c, *c, tool, *tool, *tool)
	log.Info("x", "credential", *c, "value", c.Value)
	if strings.Contains(out.String(), secret) || !strings.Contains(out.String(), redacted) {
		t.Errorf("the credential is printed, or nothing stands for it:\n%s", out.String())
	}
}
