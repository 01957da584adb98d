// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// Option configures [New].
type Option interface {
	apply(config) config
}

type optionFunc func(config) config

func (f optionFunc) apply(cfg config) config { return f(cfg) }

// ErrorPolicy chooses which failed calls become records. A failed call whose
// tokens are known is always billed: the provider bills it, too.
type ErrorPolicy uint8

// The policies.
const (
	// ErrorPolicyFinal: one record for a call that failed for good. An attempt that
	// the client repeated is suppressed. It is the default.
	ErrorPolicyFinal ErrorPolicy = iota
	// ErrorPolicyNone: no records.
	ErrorPolicyNone
	// ErrorPolicyAll: a record for every failed attempt.
	ErrorPolicyAll
)

// IDScheme chooses what the id of a transaction is made of.
type IDScheme uint8

// The schemes.
const (
	// IDTraceSpan: trace id and span id in hex with a hyphen between them. It is
	// the default.
	IDTraceSpan IDScheme = iota
	// IDSpan: the span id alone, as Revenium's own OTLP endpoint has it.
	IDSpan
	// IDResponse: the provider's response id; IDTraceSpan where there is none, which
	// is also what a parent is called, whose response id nobody knows.
	IDResponse
)

// WireInput says what Revenium expects as the input tokens of a provider whose
// input was partly cached.
type WireInput uint8

// The kinds of input.
const (
	// WireGross: all input tokens, those from and for the cache included.
	WireGross WireInput = iota + 1
	// WireNet: the input tokens that have nothing to do with the cache.
	WireNet
	// WireReported: the number on the span, whichever it is.
	WireReported
)

// InputBasis says whether an instrumentation's input tokens include those that
// were read from and written to the cache.
type InputBasis uint8

// The bases.
const (
	// InputInclusive: they do, as the OpenTelemetry GenAI conventions demand.
	InputInclusive InputBasis = iota + 1
	// InputExclusive: they do not.
	InputExclusive
)

const (
	defaultSettleWindow  = 30 * time.Second
	defaultMaxHeld       = 4096
	defaultRecentEntries = 32768
	defaultRecentAge     = time.Hour
	defaultLinks         = 65536
	// productName is reported as the middleware source where nothing else is.
	productName = "revenium-otel-go"
)

// config is what the options amount to.
type config struct {
	errorPolicy  ErrorPolicy
	zeroUsage    bool
	errorReasons bool
	idScheme     IDScheme
	sources      bool
	settleWindow time.Duration
	maxHeld      int

	recentEntries int
	recentAge     time.Duration
	linkEntries   int
	holdBack      time.Duration
	preferOuter   bool
	aggregates    bool
	inProcess     bool
	journal       bool
	now           func() time.Time

	dialectAttribution bool
	trustHeaders       bool

	defaults       []fieldDefault
	optIn          []string
	providerNames  map[string]string
	wireInputs     map[string]WireInput
	scopeBases     []scopeBasis
	vendorPrefixes map[string]string
	operationTypes map[string]metering.OperationType
	stopReasons    map[string]metering.StopReason
	unknown        metering.OperationType
	toolEvents     bool
	mediaTokens    bool

	missing    MissingPolicy
	required   []string
	selective  bool
	transforms []func(metering.Record) bool
	hashed     bool
	hashKey    []byte

	content contentConfig
}

// fieldDefault is the value of a field for spans that give none.
type fieldDefault struct {
	field, value string
	origin       Origin
}

// scopeBasis is what an instrumentation's input tokens include.
type scopeBasis struct {
	prefix string
	basis  InputBasis
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		settleWindow:   defaultSettleWindow,
		maxHeld:        defaultMaxHeld,
		recentEntries:  defaultRecentEntries,
		recentAge:      defaultRecentAge,
		linkEntries:    defaultLinks,
		aggregates:     true,
		now:            time.Now,
		vendorPrefixes: vendorPrefixes(),
		content:        contentConfig{limit: limits.InputMessagesMaxLen},
	}
	for _, opt := range opts {
		if opt != nil {
			cfg = opt.apply(cfg)
		}
	}
	err := cfg.validate()
	// What waits is among what is remembered.
	cfg.recentEntries = max(cfg.recentEntries, 2)
	cfg.maxHeld = min(cfg.maxHeld, cfg.recentEntries/2)
	return cfg, err
}

// linkAge is how long links are remembered: as long as something can wait for
// them, and somewhat longer.
func (cfg config) linkAge() time.Duration { return max(4*cfg.settleWindow, time.Minute) }

func (cfg config) validate() error {
	var errs []error
	problem := func(format string, args ...any) { errs = append(errs, fmt.Errorf("convert: "+format, args...)) }
	if cfg.errorPolicy > ErrorPolicyAll {
		problem("error policy %d is not known: use ErrorPolicyFinal, ErrorPolicyNone or ErrorPolicyAll", cfg.errorPolicy)
	}
	if cfg.idScheme > IDResponse {
		problem("id scheme %d is not known: use IDTraceSpan, IDSpan or IDResponse", cfg.idScheme)
	}
	if most := limits.InputMessagesMaxLen; cfg.content.limit < 0 || cfg.content.limit > most {
		problem("size of content is %d: it must be from 0 to %d characters, which is what Revenium keeps", cfg.content.limit, most)
	}
	if cfg.settleWindow <= 0 {
		problem("settle window is %v: it must be positive", cfg.settleWindow)
	}
	if cfg.maxHeld < 1 {
		problem("bound of held spans is %d: it must be at least 1", cfg.maxHeld)
	}
	if cfg.recentEntries < 1 || cfg.recentAge <= 0 {
		problem("bound of remembered spans is %d in %v: both must be positive", cfg.recentEntries, cfg.recentAge)
	}
	if cfg.linkEntries < 1 {
		problem("bound of links is %d: it must be at least 1", cfg.linkEntries)
	}
	if cfg.holdBack < 0 {
		problem("hold back is %v: it must not be negative", cfg.holdBack)
	}
	for name, wire := range cfg.wireInputs {
		if wire < WireGross || wire > WireReported {
			problem("wire input %d of provider %q is not known: use WireGross, WireNet or WireReported", wire, name)
		}
	}
	for _, s := range cfg.scopeBases {
		if s.basis != InputInclusive && s.basis != InputExclusive {
			problem("input basis %d of scope %q is not known: use InputInclusive or InputExclusive", s.basis, s.prefix)
		}
	}
	for operation, t := range cfg.operationTypes {
		if !t.Valid() {
			problem("operation type %q of operation %q is not one that the API knows", t, operation)
		}
	}
	for finish, s := range cfg.stopReasons {
		if !s.Valid() {
			problem("stop reason %q of finish reason %q is not one that the API knows", s, finish)
		}
	}
	if cfg.unknown != "" && !cfg.unknown.Valid() {
		problem("operation type %q of unknown operations is not one that the API knows", cfg.unknown)
	}
	return errors.Join(append(errs, cfg.validatePolicies())...)
}

// WithErrorRecords chooses which failed calls become records; the default is
// [ErrorPolicyFinal].
func WithErrorRecords(policy ErrorPolicy) Option {
	return optionFunc(func(cfg config) config {
		cfg.errorPolicy = policy
		return cfg
	})
}

// WithErrorReasons puts the text of a failure (status description, exception
// message or error type) into the record. Such texts quote prompts, so that they
// are left out by default.
func WithErrorReasons() Option {
	return optionFunc(func(cfg config) config {
		cfg.errorReasons = true
		return cfg
	})
}

// WithZeroUsage bills a successful call whose tokens nobody reported, with zero
// tokens and [ReasonNoUsage]. The record's attributes then hold
// revenium.usage.missing. By default such a call is skipped.
func WithZeroUsage() Option {
	return optionFunc(func(cfg config) config {
		cfg.zeroUsage = true
		return cfg
	})
}

// WithIDScheme chooses what transaction ids are made of; the default is
// [IDTraceSpan].
func WithIDScheme(scheme IDScheme) Option {
	return optionFunc(func(cfg config) config {
		cfg.idScheme = scheme
		return cfg
	})
}

// WithDefault sets the value of a field of the record ("organizationName",
// "subscriber.id") for spans that give none on the span, its scope or its
// resource. origin is [OriginDefault] or [OriginEnvironment] and is only
// reported. Of several defaults of a field the first counts; a blank value is
// none. Fields that belong to one call, such as ids, are refused.
func WithDefault(field, value string, origin Origin) Option {
	return optionFunc(func(cfg config) config {
		cfg.defaults = append(slices.Clip(cfg.defaults), fieldDefault{field, value, origin})
		return cfg
	})
}

// WithOptInAliases also reads the given fields from attributes that may hold
// personal data or mean something else: "subscriber.id" from user.id, "traceId"
// from gen_ai.conversation.id, and so on. docs/attributes.md lists them.
func WithOptInAliases(fields ...string) Option {
	return optionFunc(func(cfg config) config {
		cfg.optIn = append(slices.Clip(cfg.optIn), fields...)
		return cfg
	})
}

// WithProviderName sends name as the provider of calls to provider, which is a
// value of gen_ai.provider.name such as "openai". It outranks the built-in table.
func WithProviderName(provider, name string) Option {
	return optionFunc(func(cfg config) config {
		cfg.providerNames = withEntry(cfg.providerNames, strings.ToLower(provider), name)
		return cfg
	})
}

// WithWireInput says what Revenium expects as the input tokens of a provider,
// which is a value of gen_ai.provider.name. It outranks the built-in table: net
// for Anthropic, as reported for Claude on Bedrock and Vertex AI, gross for all
// others.
func WithWireInput(provider string, wire WireInput) Option {
	return optionFunc(func(cfg config) config {
		cfg.wireInputs = withEntry(cfg.wireInputs, strings.ToLower(provider), wire)
		return cfg
	})
}

// WithScopeInput says whether the input tokens on spans of instrumentations whose
// scope name begins with prefix include cached ones. Without it the convention is
// taken at its word (they do), unless the numbers prove the opposite.
func WithScopeInput(prefix string, basis InputBasis) Option {
	return optionFunc(func(cfg config) config {
		cfg.scopeBases = append(slices.Clip(cfg.scopeBases), scopeBasis{prefix, basis})
		return cfg
	})
}

// WithVendorPrefix adds a prefix that gateways put before the name of a model
// ("vendor/model") and that is stripped, and the provider that it hints at, a
// value of gen_ai.provider.name. An empty provider removes a built-in prefix.
func WithVendorPrefix(prefix, provider string) Option {
	return optionFunc(func(cfg config) config {
		cfg.vendorPrefixes = withEntry(cfg.vendorPrefixes, strings.ToLower(prefix), provider)
		return cfg
	})
}

// WithoutVendorPrefixes leaves the names of models as they are.
func WithoutVendorPrefixes() Option {
	return optionFunc(func(cfg config) config {
		cfg.vendorPrefixes = nil
		return cfg
	})
}

// WithOperationType sends t for an operation, which is a value of
// gen_ai.operation.name. An operation that is not known becomes billable by it.
func WithOperationType(operation string, t metering.OperationType) Option {
	return optionFunc(func(cfg config) config {
		cfg.operationTypes = withEntry(cfg.operationTypes, strings.ToLower(operation), t)
		return cfg
	})
}

// WithUnknownOperations bills calls whose operation is not known, provided that
// the span has a provider, a model and usage, and sends t for them. By default
// they are skipped with [ReasonUnknownOperation].
func WithUnknownOperations(t metering.OperationType) Option {
	return optionFunc(func(cfg config) config {
		cfg.unknown = t
		return cfg
	})
}

// WithStopReason sends reason for a provider's finish reason. Upper and lower
// case are the same.
func WithStopReason(finish string, reason metering.StopReason) Option {
	return optionFunc(func(cfg config) config {
		cfg.stopReasons = withEntry(cfg.stopReasons, strings.ToLower(finish), reason)
		return cfg
	})
}

// WithSettleWindow bounds how long a span is held that cannot be decided about
// yet: a failure that the client may repeat, a call without usage, a span around
// calls with usage; the default is 30 s. A call with usage is not held.
func WithSettleWindow(d time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.settleWindow = d
		return cfg
	})
}

// WithMaxHeld bounds the number of spans that are held at a time; the default is
// 4096, and at most half of what [WithRecent] has remembered. When it is exceeded
// the oldest one is decided about early and counted.
func WithMaxHeld(n int) Option {
	return optionFunc(func(cfg config) config {
		cfg.maxHeld = n
		return cfg
	})
}

// WithRecent bounds how many calls and spans around them are remembered, and for
// how long, so that a call is billed once however many spans show it, and however
// often they are converted; the default is 32768 in an hour. Each takes about 260
// bytes.
func WithRecent(calls int, age time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.recentEntries, cfg.recentAge = calls, age
		return cfg
	})
}

// WithLinks bounds how many spans' parents are remembered, those of all spans, not
// only of calls; the default is 65536. They link spans that arrive before the
// spans between them.
func WithLinks(spans int) Option {
	return optionFunc(func(cfg config) config {
		cfg.linkEntries = spans
		return cfg
	})
}

// WithHoldBack holds calls back for a while, for a better span of the same call or
// for attribution on a span above that comes later. By default a call with usage
// is billed at once.
func WithHoldBack(d time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.holdBack = d
		return cfg
	})
}

// WithPreferOuter bills the outer of two spans of one call where both have usage
// and are there at the same time. By default the one with more detail bills, then
// the inner one.
func WithPreferOuter() Option {
	return optionFunc(func(cfg config) config {
		cfg.preferOuter = true
		return cfg
	})
}

// WithoutAggregates never bills spans around calls, such as the run of an agent.
// By default one with usage and a model bills if no call beneath has usage when
// the settle window is over.
func WithoutAggregates() Option {
	return optionFunc(func(cfg config) config {
		cfg.aggregates = false
		return cfg
	})
}

// WithInProcess is for a converter that sees the spans of its own process when
// they end. Spans then come after those below them, and attribution on the spans
// above is asked for where these are, so that it need not be remembered.
func WithInProcess() Option {
	return optionFunc(func(cfg config) config {
		cfg.inProcess = true
		return cfg
	})
}

// WithDialectAttribution also reads attribution from attributes by which
// instrumentations and gateways have names of their own: langfuse.user.id,
// ai.telemetry.metadata.userId, litellm.end_user.id and so on. They may hold
// personal data. docs/dialects.md lists them.
func WithDialectAttribution() Option {
	return optionFunc(func(cfg config) config {
		cfg.dialectAttribution = true
		return cfg
	})
}

// WithTrustedHeaders reads attribution from x-revenium-* headers of requests that
// a span shows, as gateways and HTTP instrumentations copy them. Whoever can send
// a request then chooses who pays for it.
func WithTrustedHeaders() Option {
	return optionFunc(func(cfg config) config {
		cfg.trustHeaders = true
		return cfg
	})
}

// WithSources makes decisions say which attribute each value came from.
func WithSources() Option {
	return optionFunc(func(cfg config) config {
		cfg.sources = true
		return cfg
	})
}

// WithClock replaces [time.Now], for tests.
func WithClock(now func() time.Time) Option {
	return optionFunc(func(cfg config) config {
		if now != nil {
			cfg.now = now
		}
		return cfg
	})
}

// withEntry returns a copy of m with one more entry, so that no two configs share
// a map.
func withEntry[V any](m map[string]V, key string, value V) map[string]V {
	cp := make(map[string]V, len(m)+1)
	maps.Copy(cp, m)
	cp[key] = value
	return cp
}
