// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// field is what an attribute can mean. The fields up to numCoreFields are read by
// the code of this package; the attribution fields of semconv follow.
type field uint8

const (
	// fieldKind is what a dialect calls the kind of a span, fieldOperation the
	// operation in everybody's words.
	fieldKind field = iota
	fieldOperation
	fieldRequestType
	fieldOutputType
	fieldSkip
	fieldProvider
	fieldResponseModel
	fieldRequestModel
	// fieldResponseID, fieldRequestID and fieldCallID tell calls apart.
	fieldResponseID
	fieldRequestID
	fieldCallID
	// fieldAttempts is what attempts at the same call have in common that are in no
	// span together, and that come one after the other.
	fieldAttempts
	// fieldToolCallID is the model's id for the use of a tool.
	fieldToolCallID
	fieldInput
	// fieldUncached is the input without the cached part, where a span has it
	// besides fieldInput.
	fieldUncached
	fieldOutput
	fieldTotal
	fieldCacheRead
	fieldCacheCreation
	fieldCacheCreation5m
	fieldCacheCreation1h
	fieldReasoning
	// fieldMoreInput and fieldMoreOutput are consumed beside input and output.
	fieldMoreInput
	fieldMoreOutput
	fieldPartial
	// fieldMissing says that it is not known what the call consumed.
	fieldMissing
	fieldFinish
	fieldStream
	fieldFirstToken
	fieldFirstTokenAt
	// fieldDuration is how long a call took whose span has only an end.
	fieldDuration
	fieldErrorType
	fieldErrorMessage
	// fieldLevel is a level that says ERROR, fieldSuccess a flag that says false.
	fieldLevel
	fieldSuccess
	fieldHTTPStatus
	fieldServer
	fieldLiteLLM
	fieldOther
	// fieldAgentRun shows the run of an agent, fieldAggregated usage that is summed
	// up and says so.
	fieldAgentRun
	fieldAggregated
	// fieldBuckets is usage as one object.
	fieldBuckets
	numCoreFields
)

// valueType is what the value of a field must be.
type valueType uint8

const (
	typeText     valueType = iota
	typeCount              // an integer from 0 to 2^53
	typeNumber             // a finite number
	typeFlag               //
	typeSeconds            // a time in the source's unit
	typeInstant            // a point in time
	typeList               // one text or several
	typePresence           //
)

// coreField describes a core field: its name in the record, which notes use, and
// its type.
type coreField struct {
	name string
	typ  valueType
}

// coreFields is indexed by field.
func coreFields() [numCoreFields]coreField {
	return [numCoreFields]coreField{
		fieldKind:            {"operationType", typeText},
		fieldOperation:       {"operationType", typeText},
		fieldRequestType:     {"operationType", typeText},
		fieldOutputType:      {"operationType", typeText},
		fieldSkip:            {"", typeFlag},
		fieldProvider:        {"provider", typeText},
		fieldResponseModel:   {"model", typeText},
		fieldRequestModel:    {"model", typeText},
		fieldResponseID:      {"transactionId", typeText},
		fieldRequestID:       {"", typeText},
		fieldCallID:          {"", typeText},
		fieldAttempts:        {"", typeText},
		fieldToolCallID:      {"", typeText},
		fieldInput:           {"inputTokenCount", typeCount},
		fieldUncached:        {"inputTokenCount", typeCount},
		fieldOutput:          {"outputTokenCount", typeCount},
		fieldTotal:           {"totalTokenCount", typeCount},
		fieldCacheRead:       {"cacheReadTokenCount", typeCount},
		fieldCacheCreation:   {"cacheCreationTokenCount", typeCount},
		fieldCacheCreation5m: {"cacheCreation5mTokenCount", typeCount},
		fieldCacheCreation1h: {"cacheCreation1hTokenCount", typeCount},
		fieldReasoning:       {"reasoningTokenCount", typeCount},
		fieldMoreInput:       {"inputTokenCount", typeCount},
		fieldMoreOutput:      {"outputTokenCount", typeCount},
		fieldPartial:         {"", typeFlag},
		fieldMissing:         {"", typeFlag},
		fieldFinish:          {"stopReason", typeList},
		fieldStream:          {"isStreamed", typeFlag},
		fieldFirstToken:      {"timeToFirstToken", typeSeconds},
		fieldFirstTokenAt:    {"timeToFirstToken", typeInstant},
		fieldDuration:        {"requestDuration", typeSeconds},
		fieldErrorType:       {"stopReason", typeText},
		fieldErrorMessage:    {"errorReason", typeText},
		fieldLevel:           {"stopReason", typeText},
		fieldSuccess:         {"stopReason", typeFlag},
		fieldHTTPStatus:      {"errorCode", typeCount},
		fieldServer:          {"provider", typeText},
		fieldLiteLLM:         {"modelSource", typePresence},
		fieldOther:           {"", typePresence},
		fieldAgentRun:        {"", typePresence},
		fieldAggregated:      {"", typePresence},
		fieldBuckets:         {"inputTokenCount", typePresence},
	}
}
