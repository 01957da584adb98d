// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import "fmt"

// Rule names what a [Violation] breaks.
type Rule string

// The rules. They are this package's own, written from the Revenium API reference, and wider than what the
// service refuses: it silently ignores, cuts or mislabels much of what breaks them.
const (
	RuleMissing        Rule = "missing"         // required field, or one that must always be sent, is absent
	RuleType           Rule = "type"            // wrong JSON type, or number out of its integer type
	RuleNull           Rule = "null"            // null instead of leaving the field out
	RuleBlank          Rule = "blank"           // empty or white text
	RuleEnum           Rule = "enum"            // not one of the allowed words
	RuleLength         Rule = "length"          // more characters than are kept
	RulePattern        Rule = "pattern"         // characters that are not allowed, reserved words
	RuleRange          Rule = "range"           // number too small or too large
	RuleUnknown        Rule = "unknown-field"   // no such field: the service ignores it silently
	RuleDead           Rule = "dead-name"       // a former name that the service drops
	RuleDuplicateField Rule = "duplicate-field" // one name twice in an object
	RuleTimestamp      Rule = "timestamp"       // not ISO 8601 in UTC with Z and at most milliseconds
	RuleTimeOrder      Rule = "time-order"      // the call's moments are not in order
	RuleDuration       Rule = "duration"        // differs from its two timestamps by more than 1 ms
	RuleTokens         Rule = "tokens"          // counts contradict each other
	RuleDocument       Rule = "document"        // a field that holds JSON as text holds something else
	RuleUTF8           Rule = "utf-8"           // invalid UTF-8 or half a surrogate pair
	RuleJSON           Rule = "json"            // the body is no JSON object
	RuleBodySize       Rule = "body-size"       // larger than any record
	RuleContentType    Rule = "content-type"    // not plain application/json
	RuleMethod         Rule = "method"          // not POST
	RulePath           Rule = "path"            // no such endpoint
	RuleAPIKey         Rule = "api-key"         // no x-api-key, or several
	RuleIdempotencyKey Rule = "idempotency-key" // missing, malformed, or several
	RuleReusedKey      Rule = "reused-key"      // same idempotency key with another body
	RuleReusedID       Rule = "reused-id"       // same transaction id with another body: a record is lost
	RuleSecret         Rule = "secret"          // the API key outside its header
)

// Violation is one broken rule in one request.
type Violation struct {
	Path          string // endpoint
	TransactionID string
	Field         string // field or header; "" if the whole request is meant
	Rule          Rule
	Detail        string // for people; never holds a key

	rejects bool // the real service refuses the request for it
}

// String returns the violation as one line.
func (v Violation) String() string {
	field, id := v.Field, v.TransactionID
	if field == "" {
		field = "request"
	}
	if id == "" {
		id = "no transaction id"
	}
	return fmt.Sprintf("%s (%s): %s: %s: %s", v.Path, id, field, v.Rule, v.Detail)
}
