// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
)

// Metadata says who pays for calls and what they are part of. Every field is
// optional; the zero value, and a text of nothing but white space, is unset.
//
// It is set for a context with [WithMetadata], for a function with package wrap, or
// for one call by passing it to [StartCall] as an option. docs/attributes.md of
// this module lists the span attribute, the field of Revenium's record and the
// limit of each field; [Metadata.Validate] checks the limits. A value outside its
// limit never costs a record: the exporter shortens it or leaves it out, and
// reports that.
//
// Ids of a call, of its parent and the number of the attempt are not here: shared
// by two calls they would make Revenium keep one of them. [WithTransactionID],
// [WithParentTransactionID] and [WithRetryNumber] set them for one call.
type Metadata struct {
	// Organization is the name of the customer or tenant that the calls are made
	// for. Revenium creates one that it does not know, unless the account is strict.
	Organization string
	// Product is the name of the product or feature that makes the calls, likewise.
	Product string
	// Subscription is your id of the customer's subscription or plan, and
	// SubscriptionTier its tier.
	Subscription     string
	SubscriptionTier string
	// Subscriber is the person or system that causes the calls.
	Subscriber Subscriber

	// Agent is the name of the agent that makes the calls, and AgentVersion its
	// version (at most 64 characters).
	Agent        string
	AgentVersion string
	// TaskType is the class of the work, at most 255 characters. It is also the
	// transaction's name where there is none.
	TaskType string
	// TicketID is the id of a ticket in another system, at most 256 characters.
	TicketID string
	// Job, Squad and Skill are what the calls are part of.
	Job   Job
	Squad Squad
	Skill Skill

	// TraceID groups calls in Revenium in place of the span's trace id.
	TraceID string
	// TraceType is the category of the workflow: at most 128 letters, digits, "_"
	// and "-".
	TraceType string
	// TraceName labels this instance of the workflow, at most 256 characters.
	TraceName string
	// TransactionName labels the calls.
	TransactionName string

	// QualityScore rates the answer from 0 to 1; nil where it is not rated. It is
	// usually known only afterwards: see [Call.SetQualityScore].
	QualityScore *float64

	// OperationType is the kind of work in Revenium's words ("CHAT", "SUMMARIZE",
	// ...); where unset it follows from the operation. OperationSubtype refines it.
	OperationType    string
	OperationSubtype string
	// Effort is how hard the model is told to think: at most 16 letters, digits,
	// "_" and "-".
	Effort string

	// CredentialAlias names the provider's API key that is used, at most 255
	// characters. It must never be the key.
	CredentialAlias string
	// Environment is the deployment environment (at most 255 characters) and Region
	// the cloud region, where they are not those of the process.
	Environment string
	Region      string

	// PromptID (at most 64 characters) is the id of the prompt that the calls
	// belong to. QuerySource and SubagentType (at most 128 each) and
	// CodingAssistantAccountUUID are what coding assistants say of their calls.
	PromptID                   string
	QuerySource                string
	SubagentType               string
	CodingAssistantAccountUUID string

	_ struct{}
}

// Subscriber is the person or system that causes calls. Its parts are merged one
// by one: a context that says who it is and one that says the address add up.
type Subscriber struct {
	// ID is your id of the person or system.
	ID string `revenium:"id"`
	// Email is the person's address, and EmailSource where it came from ("env",
	// "git", "manual", ...; at most 20 characters).
	Email       string `revenium:"email"`
	EmailSource string `revenium:"email_source"`
	// CredentialName labels the credential that the subscriber identifies with.
	CredentialName string `revenium:"credential_name"`
	// CredentialValue is the credential itself. It becomes an attribute of the spans,
	// which every exporter of the program sees: prefer CredentialName. It is never
	// logged and never put into baggage.
	CredentialValue Secret `revenium:"credential_value"`

	_ struct{}
}

// Job is an agentic job. Name, type and version mean nothing without an id.
type Job struct {
	// ID names an instance of a job: a letter or digit, then up to 254 letters,
	// digits, ".", "_" and "-", and neither "types" nor "conversion-funnel".
	ID string `revenium:"id"`
	// Name is at most 512 characters, Type (which Revenium lower-cases) 128 and
	// Version 64.
	Name    string `revenium:"name"`
	Type    string `revenium:"type"`
	Version string `revenium:"version"`

	_ struct{}
}

// Squad is a team of agents, and the agent's role in it.
type Squad struct {
	ID   string `revenium:"id"`
	Name string `revenium:"name"`
	Role string `revenium:"role"`

	_ struct{}
}

// Skill is a skill that was used.
type Skill struct {
	// Name, Plugin (the plugin that it belongs to) and Marketplace (where it came
	// from) are at most 256 characters.
	Name        string `revenium:"name"`
	Plugin      string `revenium:"plugin"`
	Marketplace string `revenium:"marketplace"`
	// Source is "bundled", "projectSettings", "userSettings" or "plugin"; Kind is
	// "workflow".
	Source string `revenium:"source"`
	Kind   string `revenium:"kind"`
	// Trigger is what set the skill off, at most 32 characters.
	Trigger string `revenium:"trigger"`

	_ struct{}
}

// Secret is a text that is not printed: fmt and log/slog show "[REDACTED]". Encoded
// as JSON it is the text itself.
type Secret string

// redacted stands for a secret wherever people can read.
const redacted = "[REDACTED]"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `instrument.Secret("` + s.String() + `")` }

// LogValue hides the secret from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// IsZero says whether nothing is set.
func (m Metadata) IsZero() bool {
	for _, f := range fieldTable().fields {
		if f.isSet(&m) {
			return false
		}
	}
	return true
}

// Merge returns m with what over sets in place of its own values, field by field
// and the parts of subscriber, job, squad and skill one by one.
func (m Metadata) Merge(over Metadata) Metadata {
	for _, f := range fieldTable().fields {
		if f.isSet(&over) {
			f.copy(&m, &over)
		}
	}
	if m.QualityScore != nil {
		m.QualityScore = new(*m.QualityScore)
	}
	return m
}

// Attributes returns what is set as span attributes, under the names to write
// (docs/attributes.md), in the order of the registry. The credential of the
// subscriber is among them.
func (m Metadata) Attributes() []attribute.KeyValue {
	return collect(&m).attrs
}
