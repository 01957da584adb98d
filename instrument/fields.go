// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"math/bits"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// binding ties a field of a metering record to the field of [Metadata] that gives
// its value. Everything else about it is in semconv's registry.
type binding struct {
	// record is the name in the record, name that in Metadata, in lower case with
	// underscores and dots.
	record, name string
	// Either of these is where the value stands.
	text   func(*Metadata) *string
	number func(*Metadata) **float64
}

func bindings() []binding {
	text := func(record, name string, at func(*Metadata) *string) binding {
		return binding{record: record, name: name, text: at}
	}
	return []binding{
		text("organizationName", "organization", func(m *Metadata) *string { return &m.Organization }),
		text("productName", "product", func(m *Metadata) *string { return &m.Product }),
		text("subscriptionId", "subscription", func(m *Metadata) *string { return &m.Subscription }),
		text("subscriptionTier", "subscription_tier", func(m *Metadata) *string { return &m.SubscriptionTier }),
		text("subscriber.id", "subscriber.id", func(m *Metadata) *string { return &m.Subscriber.ID }),
		text("subscriber.email", "subscriber.email", func(m *Metadata) *string { return &m.Subscriber.Email }),
		text("subscriberEmailSource", "subscriber.email_source", func(m *Metadata) *string { return &m.Subscriber.EmailSource }),
		text("subscriber.credential.name", "subscriber.credential_name", func(m *Metadata) *string { return &m.Subscriber.CredentialName }),
		text("subscriber.credential.value", "subscriber.credential_value", func(m *Metadata) *string { return (*string)(&m.Subscriber.CredentialValue) }),
		text("agent", "agent", func(m *Metadata) *string { return &m.Agent }),
		text("agentVersion", "agent_version", func(m *Metadata) *string { return &m.AgentVersion }),
		text("taskType", "task_type", func(m *Metadata) *string { return &m.TaskType }),
		text("ticketId", "ticket_id", func(m *Metadata) *string { return &m.TicketID }),
		text("agenticJobId", "job.id", func(m *Metadata) *string { return &m.Job.ID }),
		text("agenticJobName", "job.name", func(m *Metadata) *string { return &m.Job.Name }),
		text("agenticJobType", "job.type", func(m *Metadata) *string { return &m.Job.Type }),
		text("agenticJobVersion", "job.version", func(m *Metadata) *string { return &m.Job.Version }),
		text("squadId", "squad.id", func(m *Metadata) *string { return &m.Squad.ID }),
		text("squadName", "squad.name", func(m *Metadata) *string { return &m.Squad.Name }),
		text("squadRole", "squad.role", func(m *Metadata) *string { return &m.Squad.Role }),
		text("skillName", "skill.name", func(m *Metadata) *string { return &m.Skill.Name }),
		text("skillPluginName", "skill.plugin", func(m *Metadata) *string { return &m.Skill.Plugin }),
		text("skillMarketplaceName", "skill.marketplace", func(m *Metadata) *string { return &m.Skill.Marketplace }),
		text("skillSource", "skill.source", func(m *Metadata) *string { return &m.Skill.Source }),
		text("skillKind", "skill.kind", func(m *Metadata) *string { return &m.Skill.Kind }),
		text("skillInvocationTrigger", "skill.trigger", func(m *Metadata) *string { return &m.Skill.Trigger }),
		text("traceId", "trace_id", func(m *Metadata) *string { return &m.TraceID }),
		text("traceType", "trace_type", func(m *Metadata) *string { return &m.TraceType }),
		text("traceName", "trace_name", func(m *Metadata) *string { return &m.TraceName }),
		text("transactionName", "transaction_name", func(m *Metadata) *string { return &m.TransactionName }),
		text("operationType", "operation_type", func(m *Metadata) *string { return &m.OperationType }),
		text("operationSubtype", "operation_subtype", func(m *Metadata) *string { return &m.OperationSubtype }),
		text("effort", "effort", func(m *Metadata) *string { return &m.Effort }),
		text("credentialAlias", "credential_alias", func(m *Metadata) *string { return &m.CredentialAlias }),
		text("environment", "environment", func(m *Metadata) *string { return &m.Environment }),
		text("region", "region", func(m *Metadata) *string { return &m.Region }),
		text("promptId", "prompt_id", func(m *Metadata) *string { return &m.PromptID }),
		text("querySource", "query_source", func(m *Metadata) *string { return &m.QuerySource }),
		text("subagentType", "subagent_type", func(m *Metadata) *string { return &m.SubagentType }),
		text("codingAssistantAccountUuid", "coding_assistant_account_uuid", func(m *Metadata) *string { return &m.CodingAssistantAccountUUID }),
		{record: "responseQualityScore", name: "quality_score", number: func(m *Metadata) **float64 { return &m.QualityScore }},
	}
}

// field is one field of [Metadata] with all that semconv knows of it.
type field struct {
	semconv.Field
	binding
	limit limits.Limit
	// spellings are the names under which maps and struct tags may give the value,
	// in order of precedence.
	spellings []string
	// headers are semconv's, in the form in which http.Header holds them.
	headers []string
}

// fields is the table of all fields, in the order of semconv's registry.
type fields struct {
	fields []*field
	// byKey finds the field that an attribute belongs to, by its name to write or
	// an older one.
	byKey map[attribute.Key]fieldIndex
	// bySpelling holds all spellings of all fields.
	bySpelling map[string]fieldIndex
}

// fieldIndex is a place in the table.
type fieldIndex uint8

// fieldSet is a set of fields. The table has to have no more than it has bits.
type fieldSet uint64

func (s fieldSet) has(i fieldIndex) bool { return s&(1<<i) != 0 }
func (s *fieldSet) add(i fieldIndex)     { *s |= 1 << i }
func (s fieldSet) len() int              { return bits.OnesCount64(uint64(s)) }

// first is the first field of a set that is not empty, and rest are the others.
func (s fieldSet) first() fieldIndex { return fieldIndex(bits.TrailingZeros64(uint64(s))) }
func (s fieldSet) rest() fieldSet    { return s & (s - 1) }

// fieldTable returns the table, which never changes.
var fieldTable = sync.OnceValue(newFields)

func newFields() *fields {
	bound := make(map[string]binding)
	for _, b := range bindings() {
		bound[b.record] = b
	}
	t := &fields{byKey: make(map[attribute.Key]fieldIndex), bySpelling: make(map[string]fieldIndex)}
	for _, f := range semconv.Fields() {
		b, ok := bound[f.Name]
		if !ok {
			continue
		}
		index := fieldIndex(len(t.fields))
		for _, key := range append([]attribute.Key{f.Key}, f.Aliases...) {
			t.byKey[key] = index
		}
		spellings := spellingsOf(f, b.name)
		for _, name := range spellings {
			t.bySpelling[name] = index
		}
		headers := make([]string, len(f.Headers))
		for i, name := range f.Headers {
			headers[i] = http.CanonicalHeaderKey(name)
		}
		t.fields = append(t.fields, &field{Field: f, binding: b, limit: limits.Of(f.Name), spellings: spellings, headers: headers})
	}
	return t
}

// spellingsOf lists the names of a field in maps: that of the record, in snake
// case and as it is; those that the headers, the attribute and its older names
// hold, which are the deprecated ones; that in Metadata; and the keys of the
// attributes as they are. Of a part of an object the dotted name, which is that
// of the nested form, goes first.
func spellingsOf(f semconv.Field, own string) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	both := func(name string) {
		add(snake(name))
		add(camel(snake(name)))
	}
	if strings.Contains(f.Name, ".") {
		add(f.Name)
	}
	both(f.Name)
	for _, header := range f.Headers {
		if name, ok := strings.CutPrefix(header, "x-revenium-"); ok {
			both(name)
		}
	}
	keys := append([]attribute.Key{f.Key}, f.Aliases...)
	for _, key := range keys {
		if name, ok := strings.CutPrefix(string(key), "revenium."); ok {
			both(name)
		}
	}
	if group, part, ok := strings.Cut(own, "."); ok {
		add(own)
		add(group + "." + camel(part))
	}
	both(own)
	for _, key := range keys {
		add(string(key))
	}
	return names
}

// snake writes a name of any form in lower case with underscores.
func snake(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r == '.' || r == '-':
			b.WriteByte('_')
		case unicode.IsUpper(r):
			b.WriteByte('_')
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// camel writes a name in snake case with capitals in place of underscores.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// isSet says whether m has a value of the field.
func (f *field) isSet(m *Metadata) bool {
	if f.text != nil {
		return !blank(*f.text(m))
	}
	return *f.number(m) != nil
}

// copy gives to the value that from has.
func (f *field) copy(to, from *Metadata) {
	if f.text != nil {
		*f.text(to) = *f.text(from)
		return
	}
	*f.number(to) = *f.number(from)
}

// clear unsets the field.
func (f *field) clear(m *Metadata) { f.copy(m, &Metadata{}) }

// attribute is the value that m has as a span attribute.
func (f *field) attribute(m *Metadata) attribute.KeyValue {
	if f.text != nil {
		return f.Key.String(*f.text(m))
	}
	return f.Key.Float64(**f.number(m))
}

// set puts the value of an attribute that [field.attribute] made into m.
func (f *field) set(m *Metadata, kv *attribute.KeyValue) {
	if f.text != nil {
		*f.text(m) = kv.Value.AsString()
		return
	}
	*f.number(m) = new(kv.Value.AsFloat64())
}

// blank says whether nothing but white space and control characters is in s,
// which the metering API takes for nothing.
func blank(s string) bool {
	if s == "" || s[0] > ' ' && s[0] < 0x7f { // which nearly all are
		return s == ""
	}
	for _, r := range s {
		if !unicode.IsSpace(r) && !unicode.IsControl(r) {
			return false
		}
	}
	return true
}
