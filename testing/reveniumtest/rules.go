// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import "slices"

// fieldType is the type of a field of a record.
type fieldType uint8

const (
	typeString fieldType = iota
	typeInt32
	typeInt64
	typeDouble
	typeBool
	typeTime     // string, ISO 8601
	typeDocument // string that holds JSON, unless the record says that it was cut
	typeObject   // of free form
	typeRecord   // object with fields of its own
)

// need says who misses a field that is absent.
type need uint8

const (
	optional need = iota
	always        // the service does without it, but every sender sends it
	required      // the service refuses the record
)

// field is the rule for one field of a record, from the Revenium API reference.
type field struct {
	name    string
	typ     fieldType
	need    need
	max     int                   // characters; 0 = no limit
	words   []string              // allowed values; nil = any
	pattern func(s string) string // says what is wrong with s, "" if nothing
	bounded bool                  // low and high hold
	low     float64
	high    float64
	refuses bool    // the service answers 400 when words, pattern or range are broken, or the text is blank
	empty   bool    // an empty string means something
	fields  []field // typeRecord
}

// endpoint is the rules for the records of one path.
type endpoint struct {
	path   string
	fields []field
	dead   map[string]string // former or foreign name → what to send
}

// noUpperBound is what counts and durations may not reach: no call has 2^53 of anything.
const noUpperBound = 1 << 53

func text(name string) field                { return field{name: name} }
func limited(name string, limit int) field  { return field{name: name, max: limit} }
func flag(name string) field                { return field{name: name, typ: typeBool} }
func oneOf(name string, ws ...string) field { return field{name: name, words: ws, refuses: true} }
func moment(name string) field              { return field{name: name, typ: typeTime} }
func number(name string, low, high float64) field {
	return field{name: name, typ: typeDouble, bounded: true, low: low, high: high}
}

// count is a 64-bit integer that is not negative.
func count(name string) field {
	return field{name: name, typ: typeInt64, bounded: true, high: noUpperBound, refuses: true}
}

// small is a 32-bit integer that is not negative.
func small(name string) field {
	return field{name: name, typ: typeInt32, bounded: true, high: noUpperBound}
}

func money(name string) field { return number(name, 0, noUpperBound) }

func (f field) as(n need) field {
	f.need = n
	return f
}

func operationTypes() []string {
	return []string{
		"CHAT", "GENERATE", "EMBED", "CLASSIFY", "SUMMARIZE", "TRANSLATE", "TOOL_CALL", "RERANK", "SEARCH",
		"MODERATION", "VISION", "TRANSFORM", "GUARDRAIL", "AUDIO", "VIDEO", "IMAGE", "OTHER",
	}
}

// identity, work and customer attribution: the fields that all four AI endpoints have.
func commonFields() []field {
	return []field{
		{name: "model", need: required, refuses: true},
		{name: "provider", need: required, refuses: true},
		moment("requestTime").as(required),
		moment("responseTime").as(required),
		count("requestDuration").as(required),
		text("transactionId").as(always),
		text("traceId"),
		{name: "traceType", max: 128, pattern: wordCharacters},
		limited("traceName", 256),
		text("transactionName"),
		text("parentTransactionId"),
		small("retryNumber"),
		oneOf("operationType", operationTypes()...),
		text("operationSubtype"),
		limited("taskType", 255),
		text("agent"),
		limited("agentVersion", 64),
		limited("environment", 255),
		text("region"),
		limited("credentialAlias", 255),
		limited("ticketId", 256),
		{name: "agenticJobId", pattern: jobID, refuses: true},
		limited("agenticJobName", 512),
		limited("agenticJobType", 128),
		limited("agenticJobVersion", 64),
		text("squadId"), text("squadName"), text("squadRole"),
		text("organizationName"), text("productName"), text("subscriptionId"),
		{name: "subscriber", typ: typeRecord, fields: []field{
			text("id"), text("email"),
			{name: "credential", typ: typeRecord, fields: []field{text("name"), text("value")}},
		}},
		text("modelSource"),
		limited("middlewareSource", 255),
		text("requestedServiceTier"), text("actualServiceTier"),
		oneOf("pricingTier", "STANDARD", "BATCH"),
		money("totalCost"),
		{name: "errorReason", empty: true},
		{name: "errorCode", typ: typeInt32, bounded: true, low: 100, high: 599},
		flag("billingSkipped"),
		{name: "inputMessages", typ: typeDocument, max: 50_000, empty: true},
		{name: "outputResponse", max: 50_000, empty: true},
		flag("promptsTruncated"),
	}
}

// deadNames are the names of former versions on all endpoints.
func deadNames() map[string]string {
	return map[string]string{
		"organizationId": "organizationName",
		"productId":      "productName",
		"spanId":         "transactionId",
		"parentSpanId":   "parentTransactionId",
	}
}

func aiDeadNames() map[string]string {
	m := deadNames()
	m["subscriberId"] = "subscriber.id"
	m["subscriberEmail"] = "subscriber.email"
	m["subscriberCredential"] = "subscriber.credential.value"
	m["subscriberCredentialName"] = "subscriber.credential.name"
	return m
}

func completionEndpoint() endpoint {
	fields := append(commonFields(), []field{
		count("inputTokenCount").as(required),
		count("outputTokenCount").as(required),
		count("totalTokenCount").as(required),
		moment("completionStartTime").as(required),
		oneOf("stopReason", "END", "END_SEQUENCE", "TIMEOUT", "TOKEN_LIMIT", "COST_LIMIT", "COMPLETION_LIMIT",
			"ERROR", "CANCELLED").as(required),
		flag("isStreamed").as(always),
		oneOf("costType", "AI").as(always),
		limited("promptId", 64),
		small("promptLength"),
		text("systemFingerprint"),
		limited("skillName", 256), limited("skillPluginName", 256), limited("skillMarketplaceName", 256),
		{name: "skillKind", words: []string{"workflow"}},
		{name: "skillSource", words: []string{"bundled", "projectSettings", "userSettings", "plugin"}},
		limited("skillInvocationTrigger", 32),
		limited("subagentType", 128),
		limited("querySource", 128),
		text("codingAssistantAccountUuid"),
		number("responseQualityScore", 0, 1),
		limited("subscriberEmailSource", 20),
		text("subscriptionTier"),
		count("reasoningTokenCount"),
		count("cacheReadTokenCount"), count("cacheCreationTokenCount"),
		count("cacheCreation5mTokenCount"), count("cacheCreation1hTokenCount"),
		money("inputTokenCost"), money("outputTokenCost"),
		money("cacheCreationTokenCost"), money("cacheReadTokenCost"),
		money("costMultiplier"),
		limited("speed", 16),
		{name: "effort", max: 16, pattern: wordCharacters, refuses: true},
		oneOf("skipReason", "FREE_TIER", "RATE_LIMITED", "QUOTA_EXCEEDED", "CONTENT_POLICY_VIOLATION",
			"CAPACITY_UNAVAILABLE", "SERVICE_UNAVAILABLE"),
		small("timeToFirstToken"),
		small("mediationLatency"),
		limited("modelHost", 50),
		number("temperature", 0, 2),
		{name: "systemPrompt", max: 50_000, empty: true},
		{name: "attributes", typ: typeObject},
	}...)
	return endpoint{path: PathCompletions, fields: fields, dead: aiDeadNames()}
}

func mediaFields() []field {
	return append(commonFields(),
		oneOf("costType", "AI"),
		oneOf("skipReason", "FREE_TIER", "RATE_LIMITED", "ERROR_RESPONSE", "INTERNAL_TEST"),
	)
}

func imageEndpoint() endpoint {
	fields := append(mediaFields(), []field{
		countSmall("actualImageCount").as(required),
		countSmall("requestedImageCount"),
		oneOf("billingUnit", "PER_IMAGE", "PER_MINUTE", "PER_SECOND", "PER_CHARACTER", "PER_TOKEN", "CREDITS").as(always),
		text("resolution"), text("aspectRatio"), text("quality"), text("style"), text("format"),
		flag("revisedPromptProvided"), flag("sourceImageProvided"),
		text("sourceTransactionId"), text("priorityTier"),
	}...)
	return endpoint{path: PathImages, fields: fields, dead: aiDeadNames()}
}

// countSmall is a 32-bit count whose negative values the service refuses.
func countSmall(name string) field {
	f := small(name)
	f.refuses = true
	return f
}

func audioEndpoint() endpoint {
	fields := append(mediaFields(), []field{
		number("durationSeconds", 0, noUpperBound),
		countSmall("characterCount"),
		countSmall("inputAudioTokenCount"), countSmall("outputAudioTokenCount"),
		countSmall("inputTokenCount"), countSmall("outputTokenCount"),
		oneOf("billingUnit", "PER_MINUTE", "PER_CHARACTER", "PER_TOKEN", "PER_SECOND", "CREDITS").as(always),
		text("language"), text("sourceLanguage"), text("targetLanguage"),
		text("voice"), text("audioFormat"), text("quality"), text("responseFormat"),
		number("speed", 0.25, 4),
		small("sampleRate"),
		flag("isRealtime"),
	}...)
	dead := aiDeadNames()
	dead["realtime"] = "isRealtime"
	return endpoint{path: PathAudio, fields: fields, dead: dead}
}

func videoEndpoint() endpoint {
	fields := append(mediaFields(), []field{
		number("durationSeconds", 0, noUpperBound).as(required),
		oneOf("billingUnit", "PER_SECOND", "CREDITS").as(required),
		number("requestedDurationSeconds", 0, noUpperBound),
		money("creditsConsumed"), money("creditRate"),
		small("fps"),
		text("resolution"), text("videoJobId"),
		flag("asyncOperation"),
		oneOf("completionStatus", "SUCCESS", "PARTIAL_TIMEOUT", "FAILED"),
		text("sourceTransactionId"), text("priorityTier"),
	}...)
	return endpoint{path: PathVideo, fields: fields, dead: aiDeadNames()}
}

func toolEndpoint() endpoint {
	return endpoint{path: PathToolEvents, dead: deadNames(), fields: []field{
		{name: "toolId", need: required, refuses: true},
		count("durationMs").as(required),
		flag("success").as(required),
		moment("timestamp").as(required),
		text("transactionId").as(always),
		text("operation"),
		{name: "errorMessage", empty: true},
		money("costUsd"),
		text("agent"), text("organizationName"), text("productName"), text("subscriberCredential"),
		text("workflowId"), text("traceId"),
		{name: "agenticJobId", pattern: jobID, refuses: true},
		{name: "usageMetadata", typ: typeObject},
	}}
}

// rulebook is the rules of all endpoints, made ready for looking up.
type rulebook struct {
	endpoints map[string]*rules
	names     map[string]string // every known name, for the parser
}

type rules struct {
	byName map[string]field
	needed []field
	dead   map[string]string
}

func newRulebook() *rulebook {
	b := &rulebook{endpoints: make(map[string]*rules), names: make(map[string]string)}
	for _, e := range []endpoint{
		completionEndpoint(), imageEndpoint(), audioEndpoint(), videoEndpoint(), toolEndpoint(),
	} {
		r := &rules{byName: make(map[string]field, len(e.fields)), dead: e.dead}
		for _, f := range e.fields {
			r.byName[f.name] = f
			b.names[f.name] = f.name
			if f.need != optional {
				r.needed = append(r.needed, f)
			}
		}
		b.endpoints[e.path] = r
	}
	return b
}

// wordCharacters allows letters, digits, hyphen and underscore.
func wordCharacters(s string) string {
	for _, c := range s {
		if !isAlphanumeric(c) && c != '_' && c != '-' {
			return "only letters, digits, - and _ are allowed"
		}
	}
	return ""
}

// jobID allows what an agentic job id may be: it stands in paths of the API, so two words are reserved.
func jobID(s string) string {
	if slices.Contains([]string{"types", "conversion-funnel"}, s) {
		return "the word is reserved"
	}
	if len(s) > 255 {
		return "more than 255 characters"
	}
	for i, c := range s {
		switch {
		case isAlphanumeric(c):
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return "only letters, digits and, from the second character on, . _ - are allowed"
		}
	}
	return ""
}

func isAlphanumeric(c rune) bool {
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
}
