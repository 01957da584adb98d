// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// field reads one sent field of rec as text; "" when it is absent.
func field(t *testing.T, rec Record, name string) string {
	t.Helper()
	f, _ := mustFreeze(t, rec)
	var v any = members(t, f.Body)
	for part := range strings.SplitSeq(name, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[part]
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// lengthCases are the lengths of the API reference, typed in by hand. All other
// texts have the bounds of this package.
var lengthCases = []struct {
	field string
	limit int
	set   func(*Completion, string)
}{
	{"traceName", 256, func(c *Completion, s string) { c.TraceName = s }},
	{"promptId", 64, func(c *Completion, s string) { c.PromptID = s }},
	{"taskType", 255, func(c *Completion, s string) { c.TaskType = s }},
	{"agentVersion", 64, func(c *Completion, s string) { c.AgentVersion = s }},
	{"environment", 255, func(c *Completion, s string) { c.Environment = s }},
	{"credentialAlias", 255, func(c *Completion, s string) { c.CredentialAlias = s }},
	{"ticketId", 256, func(c *Completion, s string) { c.TicketID = s }},
	{"agenticJobName", 512, func(c *Completion, s string) { c.AgenticJobName = s }},
	{"agenticJobType", 128, func(c *Completion, s string) { c.AgenticJobType = s }},
	{"agenticJobVersion", 64, func(c *Completion, s string) { c.AgenticJobVersion = s }},
	{"skillName", 256, func(c *Completion, s string) { c.SkillName = s }},
	{"skillPluginName", 256, func(c *Completion, s string) { c.SkillPluginName = s }},
	{"skillMarketplaceName", 256, func(c *Completion, s string) { c.SkillMarketplaceName = s }},
	{"skillInvocationTrigger", 32, func(c *Completion, s string) { c.SkillInvocationTrigger = s }},
	{"subagentType", 128, func(c *Completion, s string) { c.SubagentType = s }},
	{"querySource", 128, func(c *Completion, s string) { c.QuerySource = s }},
	{"subscriberEmailSource", 20, func(c *Completion, s string) { c.SubscriberEmailSource = s }},
	{"speed", 16, func(c *Completion, s string) { c.Speed = s }},
	{"modelHost", 50, func(c *Completion, s string) { c.ModelHost = s }},
	{"middlewareSource", 255, func(c *Completion, s string) { c.MiddlewareSource = s }},

	{"model", maxLabelLen, func(c *Completion, s string) { c.Model = s }},
	{"provider", maxLabelLen, func(c *Completion, s string) { c.Provider = s }},
	{"operationSubtype", maxLabelLen, func(c *Completion, s string) { c.OperationSubtype = s }},
	{"transactionName", maxLabelLen, func(c *Completion, s string) { c.TransactionName = s }},
	{"organizationName", maxLabelLen, func(c *Completion, s string) { c.OrganizationName = s }},
	{"productName", maxLabelLen, func(c *Completion, s string) { c.ProductName = s }},
	{"agent", maxLabelLen, func(c *Completion, s string) { c.Agent = s }},
	{"region", maxLabelLen, func(c *Completion, s string) { c.Region = s }},
	{"squadName", maxLabelLen, func(c *Completion, s string) { c.SquadName = s }},
	{"squadRole", maxLabelLen, func(c *Completion, s string) { c.SquadRole = s }},
	{"modelSource", maxLabelLen, func(c *Completion, s string) { c.ModelSource = s }},
	{"requestedServiceTier", maxLabelLen, func(c *Completion, s string) { c.RequestedServiceTier = s }},
	{"actualServiceTier", maxLabelLen, func(c *Completion, s string) { c.ActualServiceTier = s }},
	{"systemFingerprint", maxLabelLen, func(c *Completion, s string) { c.SystemFingerprint = s }},
	{"subscriptionTier", maxLabelLen, func(c *Completion, s string) { c.SubscriptionTier = s }},
	{"subscriber.credential.name", maxLabelLen, func(c *Completion, s string) {
		c.Subscriber = &Subscriber{Credential: &Credential{Name: s}}
	}},
	{"errorReason", maxTextLen, func(c *Completion, s string) { c.ErrorReason = s }},
}

// TestLengths walks every label: at the limit it passes, above it is truncated at
// the border of a character, however many bytes that has.
func TestLengths(t *testing.T) {
	for _, tc := range lengthCases {
		for _, char := range []string{"a", "ä", "€", "😀"} {
			atLimit := strings.Repeat(char, tc.limit)

			rec := typicalCompletion()
			tc.set(rec, atLimit)
			if _, changes := mustFreeze(t, rec); len(changes) > 0 {
				t.Errorf("%s: %d times %q is changed: %v", tc.field, tc.limit, char, changes)
			}
			if got := field(t, rec, tc.field); got != atLimit {
				t.Errorf("%s: %d times %q is sent as %d characters", tc.field, tc.limit, char, utf8.RuneCountInString(got))
			}

			rec = typicalCompletion()
			tc.set(rec, atLimit+char)
			_, changes := mustFreeze(t, rec)
			want := []Change{{tc.field, Truncated, fmt.Sprintf("is longer than %d characters", tc.limit)}}
			if diff := cmp.Diff(want, changes); diff != "" {
				t.Errorf("%s: one %q above the limit (-want +got):\n%s", tc.field, char, diff)
			}
			if got := field(t, rec, tc.field); got != atLimit {
				t.Errorf("%s: one %q above the limit is sent as %d characters", tc.field, char, utf8.RuneCountInString(got))
			}
		}
	}
}

// TestEveryTextIsBounded fills every text of every record, so that a field that is
// added without a limit is noticed.
func TestEveryTextIsBounded(t *testing.T) {
	long := strings.Repeat("ä", 60_000)
	for _, tc := range recordCases {
		rec := tc.full()
		var fill func(v reflect.Value)
		fill = func(v reflect.Value) {
			switch v.Kind() {
			case reflect.Pointer:
				fill(v.Elem())
			case reflect.Struct:
				if v.Type() != reflect.TypeFor[Timestamp]() {
					for _, fv := range v.Fields() {
						fill(fv)
					}
				}
			case reflect.String:
				v.SetString(long)
			}
		}
		fill(reflect.ValueOf(rec))
		f, changes := mustFreeze(t, rec)
		for name, value := range members(t, f.Body) {
			limit := maxTextLen
			if name == "inputMessages" || name == "outputResponse" || name == "systemPrompt" {
				limit = 50_000
			}
			if s, ok := value.(string); ok && utf8.RuneCountInString(s) > limit {
				t.Errorf("%s: %s is sent with %d characters", tc.name, name, utf8.RuneCountInString(s))
			}
		}
		for _, c := range changes {
			if len(c.String()) > 200 {
				t.Errorf("%s: a change of %s quotes the value", tc.name, c.Field)
			}
		}
	}
}

func TestInputMessagesAreADocument(t *testing.T) {
	for _, tc := range []struct {
		in   string
		cut  *bool
		want string
	}{
		{`[{"role":"user"}]`, nil, `[{"role":"user"}]`},
		{"say \"hi\"\n", nil, `"say \"hi\"\n"`},
		{`[{"role":"us...[TRUNCATED]`, nil, `[{"role":"us...[TRUNCATED]`},
		{`[{"role":"us`, new(true), `[{"role":"us`},
		{`[{"role":"us`, new(false), `"[{\"role\":\"us"`},
	} {
		rec := typicalCompletion()
		rec.InputMessages, rec.PromptsTruncated = tc.in, tc.cut
		_, changes := mustFreeze(t, rec)
		if got := field(t, rec, "inputMessages"); got != tc.want {
			t.Errorf("%q is sent as %q, want %q", tc.in, got, tc.want)
		}
		if changed := len(changes) == 1; changed != (tc.in != tc.want) {
			t.Errorf("%q: changes %v", tc.in, changes)
		}
	}
}

func TestContentLength(t *testing.T) {
	for name, set := range map[string]func(*Completion, string){
		"systemPrompt":   func(c *Completion, s string) { c.SystemPrompt = s },
		"inputMessages":  func(c *Completion, s string) { c.InputMessages = s },
		"outputResponse": func(c *Completion, s string) { c.OutputResponse = s },
	} {
		const limit = 50_000
		rec := typicalCompletion()
		// In quotes, each of them is a JSON document.
		set(rec, `"`+strings.Repeat("ä", limit-2)+`"`)
		if _, changes := mustFreeze(t, rec); len(changes) > 0 || field(t, rec, "promptsTruncated") != "" {
			t.Errorf("%s: at the limit: %v", name, changes)
		}
		rec = typicalCompletion()
		set(rec, `"`+strings.Repeat("ä", limit-1)+`"`)
		_, changes := mustFreeze(t, rec)
		want := []Change{
			{name, Truncated, "is longer than 50000 characters"},
			{"promptsTruncated", Replaced, "content was truncated"},
		}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("%s: above the limit (-want +got):\n%s", name, diff)
		}
		got := field(t, rec, name)
		if want := `"` + strings.Repeat("ä", limit-15) + "...[TRUNCATED]"; got != want {
			t.Errorf("%s: sent %d characters that end in %q", name, utf8.RuneCountInString(got), got[len(got)-20:])
		}
		if got := field(t, rec, "promptsTruncated"); got != "true" {
			t.Errorf("%s: promptsTruncated = %q, want true", name, got)
		}
	}
}

// TestPatterns covers what is dropped unless it matches.
func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		field  string
		set    func(*Completion, string)
		good   []string
		broken []string
	}{
		{
			"traceType", func(c *Completion, s string) { c.TraceType = s },
			[]string{"a", "Support_V2-x", strings.Repeat("x", 128)},
			[]string{"with space", "dot.ted", "ä", "slash/ed", strings.Repeat("x", 129)},
		},
		{
			"effort", func(c *Completion, s string) { c.Effort = s },
			[]string{"high", "XHIGH", "max_1-2", strings.Repeat("x", 16)},
			[]string{"very high", "high!", "ä", strings.Repeat("x", 17)},
		},
		{
			"agenticJobId", func(c *Completion, s string) { c.AgenticJobID = s },
			[]string{"a", "7", "job.1_2-3", "Types", "types1", "conversion-funnels", strings.Repeat("x", 255)},
			[]string{"-a", ".a", "_a", "types", "conversion-funnel", "a b", "a/b", "ä", strings.Repeat("x", 256)},
		},
	} {
		for _, s := range tc.good {
			rec := typicalCompletion()
			tc.set(rec, s)
			if _, changes := mustFreeze(t, rec); len(changes) > 0 || field(t, rec, tc.field) != s {
				t.Errorf("%s: %q is changed: %v", tc.field, s, changes)
			}
		}
		for _, s := range tc.broken {
			rec := typicalCompletion()
			tc.set(rec, s)
			_, changes := mustFreeze(t, rec)
			if diff := cmp.Diff([]Change{{tc.field, Dropped, reasonPattern}}, changes); diff != "" {
				t.Errorf("%s: %q (-want +got):\n%s", tc.field, s, diff)
			}
			if got := field(t, rec, tc.field); got != "" {
				t.Errorf("%s: %q is sent as %q", tc.field, s, got)
			}
		}
	}
}

func TestInvalidJobDropsAllJobFields(t *testing.T) {
	rec := typicalCompletion()
	rec.AgenticJobID, rec.AgenticJobName, rec.AgenticJobType, rec.AgenticJobVersion = "types", "n", "t", "v"
	f, changes := mustFreeze(t, rec)
	want := []Change{
		{"agenticJobId", Dropped, reasonPattern},
		{"agenticJobName", Dropped, reasonJobID},
		{"agenticJobType", Dropped, reasonJobID},
		{"agenticJobVersion", Dropped, reasonJobID},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if strings.Contains(string(f.Body), "agenticJob") {
		t.Errorf("job fields are sent: %s", f.Body)
	}
	tool := fullToolEvent().(*ToolEvent)
	tool.AgenticJobID = "conversion-funnel"
	if _, changes := mustFreeze(t, tool); len(changes) != 1 || field(t, tool, "agenticJobId") != "" {
		t.Errorf("tool event with an invalid job: %v", changes)
	}
}

// TestIDs covers ids, of which a part names something else.
func TestIDs(t *testing.T) {
	for name, set := range map[string]func(*Completion, string){
		"subscriptionId":              func(c *Completion, s string) { c.SubscriptionID = s },
		"squadId":                     func(c *Completion, s string) { c.SquadID = s },
		"codingAssistantAccountUuid":  func(c *Completion, s string) { c.CodingAssistantAccountUUID = s },
		"subscriber.id":               func(c *Completion, s string) { c.Subscriber = &Subscriber{ID: s, Email: "e"} },
		"subscriber.email":            func(c *Completion, s string) { c.Subscriber = &Subscriber{Email: s} },
		"subscriber.credential.value": func(c *Completion, s string) { c.Subscriber = &Subscriber{Credential: &Credential{Value: Secret(s)}} },
	} {
		limit := maxLabelLen
		if name == "subscriber.credential.value" {
			limit = maxTextLen
		}
		rec := typicalCompletion()
		set(rec, strings.Repeat("x", limit))
		if got := field(t, rec, name); len(got) != limit {
			t.Errorf("%s at the limit is sent as %d characters", name, len(got))
		}
		set(rec, strings.Repeat("x", limit+1))
		_, changes := mustFreeze(t, rec)
		if diff := cmp.Diff([]Change{{name, Dropped, tooLong(limit)}}, changes); diff != "" {
			t.Errorf("%s above the limit (-want +got):\n%s", name, diff)
		}
		if got := field(t, rec, name); got != "" {
			t.Errorf("%s above the limit is sent as %d characters", name, len(got))
		}
	}
	long := strings.Repeat("x", maxLinkLen)
	parent, child, other := typicalCompletion(), typicalCompletion(), typicalCompletion()
	parent.TransactionID = long + "1"
	child.ParentTransactionID = long + "1"
	other.TransactionID = long + "2"
	f, changes := mustFreeze(t, parent)
	if diff := cmp.Diff([]Change{{"transactionId", Replaced, tooLong(maxLinkLen)}}, changes); diff != "" {
		t.Errorf("long transaction id (-want +got):\n%s", diff)
	}
	if got := field(t, child, "parentTransactionId"); got != f.TransactionID || !strings.HasPrefix(got, "sha256:") {
		t.Errorf("the child refers to %q, the parent is %q", got, f.TransactionID)
	}
	if g, _ := mustFreeze(t, other); g.TransactionID == f.TransactionID {
		t.Error("two long transaction ids became one")
	}
}

func TestText(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
		reasons        []string
	}{
		{"plain", "ACME", "ACME", nil},
		{"unicode", "Müller 👋", "Müller 👋", nil},
		{"surrounding space", " ACME\t", "ACME", []string{reasonControl, reasonWhiteSpace}},
		{"no-break space", "\u00a0ACME", "ACME", []string{reasonWhiteSpace}},
		{"only space", "   ", "", []string{reasonWhiteSpace}},
		{"line end", "ACME\nInc", "ACME Inc", []string{reasonControl}},
		{"nul", "AC\x00ME", "AC ME", []string{reasonControl}},
		{"c1 control", "AC\u0085ME", "AC ME", []string{reasonControl}},
		{"invalid utf-8", "AC\xffME", "AC\ufffdME", []string{reasonUTF8}},
		{"cut utf-8", "ACM\xe2\x82", "ACM\ufffd", []string{reasonUTF8}},
	} {
		rec := typicalCompletion()
		rec.OrganizationName = tc.in
		_, changes := mustFreeze(t, rec)
		var reasons []string
		for _, c := range changes {
			if c.Field != "organizationName" || c.Action != Replaced {
				t.Errorf("%s: change %+v", tc.name, c)
			}
			reasons = append(reasons, c.Reason)
		}
		if diff := cmp.Diff(tc.reasons, reasons); diff != "" {
			t.Errorf("%s: reasons (-want +got):\n%s", tc.name, diff)
		}
		if got := field(t, rec, "organizationName"); got != tc.want {
			t.Errorf("%s: sent %q, want %q", tc.name, got, tc.want)
		}
	}
	rec := typicalCompletion()
	rec.ErrorReason = "one\r\n\ttwo\x00"
	if got := field(t, rec, "errorReason"); got != "one\r\n\ttwo" {
		t.Errorf("errorReason = %q: its lines should stay", got)
	}
	rec.OutputResponse = " answer\n"
	if got := field(t, rec, "outputResponse"); got != " answer\n" {
		t.Errorf("outputResponse = %q: its white space should stay", got)
	}
}

// TestTextScans compares the scans by eight bytes with the rules for one byte:
// every byte at every place, between bytes at the edges of what is allowed.
func TestTextScans(t *testing.T) {
	printable := func(c byte) bool { return c >= ' ' && c <= '~' }
	unescaped := func(c byte) bool { return c >= ' ' && c < 0x80 && c != '"' && c != '\\' }
	holds := func(s string, rule func(byte) bool) bool {
		for i := range len(s) {
			if !rule(s[i]) {
				return false
			}
		}
		return true
	}
	for _, filler := range []byte{' ', '!', '#', '[', ']', '~', '"', '\\', 0x1f, 0x7f, 0x80, 0xff, 0} {
		for length := range 20 {
			text := bytes.Repeat([]byte{filler}, length)
			for at := range length {
				for c := range 256 {
					text[at] = byte(c)
					s := string(text)
					if got, want := isPrintable(s), holds(s, printable); got != want {
						t.Fatalf("isPrintable(%q) is %v", s, got)
					}
					if got, want := isUnescaped(s), holds(s, unescaped); got != want {
						t.Fatalf("isUnescaped(%q) is %v", s, got)
					}
					want := holds(s, printable) && holds(s, unescaped) && s[0] != ' ' && s[length-1] != ' '
					if got := isPlain(s); got != want {
						t.Fatalf("isPlain(%q) is %v", s, got)
					}
				}
				text[at] = filler
			}
		}
	}
}
