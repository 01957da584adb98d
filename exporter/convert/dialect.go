// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// A dialect is the way in which an instrumentation writes calls into spans. It is
// data: how to recognise it and which attribute means what. Everything that reads
// spans works on what the tables say, so that a dialect is added by a table.
type dialect struct {
	name string
	// scopes are prefixes of the scope name by which the dialect is recognised.
	// Empty: it is what remains when no other dialect is recognised.
	scopes []string
	// sources say which attributes mean what, the best first. They come before
	// those of the conventions, which every dialect also reads.
	sources []source
	// basis says what input tokens include.
	basis InputBasis
}

// source is an attribute that gives the value of a field.
type source struct {
	field field
	key   string
	unit  unit
}

// unit is what numbers of a source are counted in.
type unit uint8

const (
	unitNone unit = iota
	unitSeconds
	unitMilliseconds
	unitMicroseconds
	// unitSecondsFloat is seconds where an integer is something else, nobody knows
	// what.
	unitSecondsFloat
)

// field is what an attribute can mean. The fields up to numCoreFields are read by
// the code of this package; the attribution fields of semconv follow.
type field uint8

const (
	fieldOperation field = iota
	fieldRequestType
	fieldOutputType
	fieldSkip
	fieldProvider
	fieldResponseModel
	fieldRequestModel
	fieldResponseID
	fieldInput
	fieldOutput
	fieldTotal
	fieldCacheRead
	fieldCacheCreation
	fieldCacheCreation5m
	fieldCacheCreation1h
	fieldReasoning
	fieldPartial
	fieldFinish
	fieldStream
	fieldFirstToken
	fieldErrorType
	fieldHTTPStatus
	fieldServer
	fieldLiteLLM
	fieldOther
	numCoreFields
)

// valueType is what the value of a field must be.
type valueType uint8

const (
	typeText   valueType = iota
	typeCount            // an integer from 0 to 2^53
	typeNumber           // a finite number
	typeFlag
	typeSeconds // a time in the source's unit
	typeList    // one text or several
	typePresence
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
		fieldOperation:       {"operationType", typeText},
		fieldRequestType:     {"operationType", typeText},
		fieldOutputType:      {"operationType", typeText},
		fieldSkip:            {"", typeFlag},
		fieldProvider:        {"provider", typeText},
		fieldResponseModel:   {"model", typeText},
		fieldRequestModel:    {"model", typeText},
		fieldResponseID:      {"transactionId", typeText},
		fieldInput:           {"inputTokenCount", typeCount},
		fieldOutput:          {"outputTokenCount", typeCount},
		fieldTotal:           {"totalTokenCount", typeCount},
		fieldCacheRead:       {"cacheReadTokenCount", typeCount},
		fieldCacheCreation:   {"cacheCreationTokenCount", typeCount},
		fieldCacheCreation5m: {"cacheCreation5mTokenCount", typeCount},
		fieldCacheCreation1h: {"cacheCreation1hTokenCount", typeCount},
		fieldReasoning:       {"reasoningTokenCount", typeCount},
		fieldPartial:         {"", typeFlag},
		fieldFinish:          {"stopReason", typeList},
		fieldStream:          {"isStreamed", typeFlag},
		fieldFirstToken:      {"timeToFirstToken", typeSeconds},
		fieldErrorType:       {"stopReason", typeText},
		fieldHTTPStatus:      {"errorCode", typeCount},
		fieldServer:          {"provider", typeText},
		fieldLiteLLM:         {"modelSource", typePresence},
		fieldOther:           {"", typePresence},
	}
}

// dialects lists the dialects, the first that matches wins. The last one matches
// everything.
func dialects() []dialect {
	return []dialect{otelCompileTime(), otelConventions()}
}

// markers are the beginnings of keys by which a span shows that it has to do with
// GenAI at all.
func markers() []string { return []string{"gen_ai.", "llm."} }

// recognise returns the vocabulary for spans of a scope.
func recognise(vocabularies []*vocabulary, scope string) *vocabulary {
	for _, v := range vocabularies {
		if len(v.scopes) == 0 {
			return v
		}
		for _, prefix := range v.scopes {
			if strings.HasPrefix(scope, prefix) {
				return v
			}
		}
	}
	return vocabularies[len(vocabularies)-1]
}
