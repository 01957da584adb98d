// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"

	"github.com/revenium/revenium-otel-go/semconv"
)

// A dialect is the way in which an instrumentation writes calls into spans. It is
// data: how to recognise it, which attribute means what, what is a call in it and
// what its counts include. Everything that reads spans works on what the tables
// say, so that a dialect is added by a table.
type dialect struct {
	name string
	recognition

	// sources say which attributes mean what, the best first. They come before
	// those that all dialects have in common.
	sources []source
	// names are span names, or patterns of them with "*" for any text, and the
	// operation that each stands for, whatever else the span says.
	names []nameRule
	// kinds are values of fieldKind and the operations that they stand for; what is
	// not in it is looked up in the table of operations.
	kinds map[string]string
	// refine are span names that say more exactly which operation a call is, where
	// no attribute names it.
	refine []nameRule
	// failures are spans of a dialect that is usageOnly whose failure is that of a
	// call, and what kind they must be of. A span with a name that is not among them
	// can be of any kind.
	failures []failureRule
	// requests are log events of requests that were made, whether or not their answers
	// are known.
	requests []string
	// streams are kinds, or span names, of which it is known whether the answer was
	// streamed.
	streams map[string]bool

	// exclusive says whose input tokens leave out those of the cache.
	exclusive exclusivity
	// provider is whose models the dialect calls where nothing else tells.
	provider string
	// gateway is the provider that all calls pass through, "" for none.
	gateway string
	quirks  quirks
	// callSpan is the name of a span above that lasts as long as the call.
	callSpan string
}

// recognition says which spans are of a dialect. Any of it is enough.
type recognition struct {
	// keys are attribute keys; one that ends with "*" stands for all that begin so.
	keys []string
	// values are attributes with a value; one that ends with "*" stands for all
	// that begin so.
	values []keyValue
	// spanNames are names of spans, or patterns of them.
	spanNames []string
	// scopes are names of instrumentations. More may follow after a dot or a slash;
	// after "*", anything.
	scopes []string
	// resources are attributes of the resource. They are the last resort, since a
	// process can have many instrumentations.
	resources []keyValue
	// requires is an attribute key without which it is not the dialect.
	requires string
	// weak: it is not the dialect when usage is on the span in another vocabulary.
	weak bool
}

type keyValue struct{ key, value string }

// nameRule is a pattern of span names and what it stands for.
type nameRule struct{ pattern, operation string }

// failureRule is the name of a span and its kind, or a pattern of it, "" for none.
type failureRule struct{ name, kind string }

// tellsOfCall reports whether a span without usage tells of a call as a whole.
func (d *dialect) tellsOfCall(name, kind string) bool {
	known := false
	for _, f := range d.failures {
		if f.name != name {
			continue
		}
		known = true
		if begin, pattern := strings.CutSuffix(f.kind, "*"); kind == f.kind || pattern && strings.HasPrefix(kind, begin) {
			return true
		}
	}
	return !known
}

// exclusivity says for which models the input tokens of a dialect leave out those
// that were read from and written to the cache.
type exclusivity uint8

const (
	// exclusiveNever: they include them, as the conventions demand.
	exclusiveNever exclusivity = iota
	// exclusiveBedrock: not for what runs on Bedrock.
	exclusiveBedrock
	// exclusiveClaude: not for Claude, wherever it runs, and what else runs on
	// Bedrock.
	exclusiveClaude
	// exclusiveAlways: for no model.
	exclusiveAlways
)

// quirks are what a dialect does that no table of attributes can say.
type quirks uint16

const (
	// accumulates: aggregates carry the sum of more than their own run, so that they
	// never bill.
	accumulates quirks = 1 << iota
	// firstTokenAtEnd: the event of the first token is written when the stream
	// ends, and tells only that it was one.
	firstTokenAtEnd
	// usageOnly: a span of a call without usage is part of a call.
	usageOnly
	// modelAbove: the model, and the start of the call, are on a span above.
	modelAbove
	// agentRuns: a span that names an agent and no operation is its run.
	agentRuns
	// bucketUsage: the usage is one JSON object whose members may be parts of each
	// other or not.
	bucketUsage
	// cumulativeUsage: in a loop of tool calls the usage of a call can contain that
	// of the calls before.
	cumulativeUsage
	// contextOnly: spans without a marker are looked at for what they say about the
	// calls below.
	contextOnly
	// hostOnEvents: the resource of log events names the host, and that of spans does
	// not.
	hostOnEvents
	// eventsKnowMore: log events have all of the usage, and spans a part of it.
	eventsKnowMore
)

func (q quirks) has(one quirks) bool { return q&one != 0 }

// source is an attribute that gives the value of a field.
type source struct {
	field field
	// name is the field of the record, for those that are not core fields.
	name string
	key  string
	// path is where the value stands in an attribute that holds a document.
	path string
	unit unit
	// optIn sources are read only where the user asked for it; header sources only
	// where request headers are trusted.
	optIn, header bool
}

// unit is what numbers of a source are counted in, or how its text is to be read.
type unit uint8

const (
	unitNone unit = iota
	unitSeconds
	unitMilliseconds
	unitMicroseconds
	unitNanoseconds
	// unitSecondsFloat is seconds where an integer is something else, nobody knows
	// what.
	unitSecondsFloat
	// unitMillisecondsInt is milliseconds where a float is something else.
	unitMillisecondsInt
	// unitOrdinal counts from one what the field counts from zero.
	unitOrdinal
	// unitFirstWord takes the text up to the first space.
	unitFirstWord
	// unitVendor takes the text before the first slash, unitAfterVendor that behind it.
	unitVendor
	unitAfterVendor
	// unitQuoted takes text out of the quotation marks of a document that is nothing
	// but text.
	unitQuoted
)

// from returns sources of a field, the best first.
func from(f field, keys ...string) []source {
	list := make([]source, 0, len(keys))
	for _, key := range keys {
		list = append(list, source{field: f, key: key})
	}
	return list
}

// in returns a source whose number has a unit.
func in(f field, u unit, key string) []source { return []source{{field: f, key: key, unit: u}} }

// inside returns sources of a field that are members of a document.
func inside(f field, key string, paths ...string) []source {
	list := make([]source, 0, len(paths))
	for _, path := range paths {
		list = append(list, source{field: f, key: key, path: path})
	}
	return list
}

// named returns sources of a field of the record that is no core field.
func named(name string, keys ...string) []source {
	list := make([]source, 0, len(keys))
	for _, key := range keys {
		list = append(list, source{field: numCoreFields, name: name, key: key})
	}
	return list
}

// optional returns sources of attribution that are read on request only: they may
// hold personal data, or mean something else to who wrote them.
func optional(name string, keys ...string) []source {
	list := named(name, keys...)
	for i := range list {
		list[i].optIn = true
	}
	return list
}

// optionalInside is optional for members of a document.
func optionalInside(name, key string, paths ...string) []source {
	list := as(name, inside(numCoreFields, key, paths...))
	for i := range list {
		list[i].optIn = true
	}
	return list
}

// as makes sources those of a field of the record that is no core field.
func as(name string, list []source) []source {
	for i := range list {
		list[i].field, list[i].name = numCoreFields, name
	}
	return list
}

// requestHeaders are attributes that show the headers of a request, under a
// prefix and their names.
func requestHeaders(prefix string) []source {
	return headerSources(func(header string) source { return source{key: prefix + header} })
}

// headerDocument is an attribute that holds the headers of a request as one
// document.
func headerDocument(key string) []source {
	return headerSources(func(header string) source { return source{key: key, path: header} })
}

func headerSources(of func(header string) source) []source {
	var list []source
	for _, f := range semconv.Fields() {
		if !f.RequestLevel {
			continue // what belongs to a single call does not come by a header
		}
		for _, header := range f.Headers {
			s := of(header)
			s.field, s.name, s.header = numCoreFields, f.Name, true
			list = append(list, s)
		}
	}
	return list
}

// all joins sources.
func all(lists ...[]source) []source {
	var sources []source
	for _, list := range lists {
		sources = append(sources, list...)
	}
	return sources
}
