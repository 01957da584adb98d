// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// conversion are the flags that say what becomes of spans: those of an exporter's
// settings that have an effect without time and without a network.
type conversion struct {
	errorRecords, ids, unknown, hashKeyFile   string
	errorReasons, zeroUsage, noAggregates     bool
	selective, toolEvents, mediaTokens        bool
	keepPrefixes, trustHeaders, fromDialects  bool
	preferOuter, holdBack, content            bool
	optIn, required                           []string
	defaults, operations, stops, providers    map[string]string
	wire, scopes, prefixes                    map[string]string
	maxHeld, rememberedCalls, rememberedLinks int
	contentSize                               int
}

func (c *conversion) addTo(flags *pflag.FlagSet) {
	flags.StringVar(&c.errorRecords, "error-records", "final", "records for failed calls: none, final (not for attempts that were retried) or all")
	flags.StringVar(&c.ids, "ids", "trace-span", "what transaction ids are made of: trace-span, span or response (the provider's id)")
	flags.BoolVar(&c.errorReasons, "error-reasons", false, "put the texts of failures into records; they can quote prompts")
	flags.BoolVar(&c.zeroUsage, "zero-usage", false, "bill successful calls whose tokens nobody reported, with none")
	flags.BoolVar(&c.noAggregates, "no-aggregates", false, "never bill a span around calls, such as the run of an agent")
	flags.BoolVar(&c.selective, "selective", false, "only calls whose spans say themselves who pays")
	flags.BoolVar(&c.toolEvents, "tool-events", false, "events of executions of tools")
	flags.BoolVar(&c.mediaTokens, "media-tokens", false, "completions of images and video that are billed by the token")
	flags.StringVar(&c.unknown, "unknown-operations", "", "the operation type of calls whose operation is not known; without it they are skipped")
	flags.StringToStringVar(&c.operations, "operation-type", nil, "the operation type of an operation, as classify_ticket=CLASSIFY")
	flags.StringToStringVar(&c.stops, "stop-reason", nil, "the stop reason of a provider's finish reason, as bored=CANCELLED")
	flags.StringToStringVar(&c.providers, "provider-name", nil, "the name that Revenium gets of a provider, as acme.llm=Acme")
	flags.StringToStringVar(&c.wire, "wire-input", nil, "what Revenium expects as a provider's input tokens: gross, net or reported, as acme.llm=net")
	flags.StringToStringVar(&c.scopes, "scope-input", nil, "whether an instrumentation's input tokens include cached ones: inclusive or exclusive, as acme.instrumentation=exclusive")
	flags.StringToStringVar(&c.prefixes, "vendor-prefix", nil, "a prefix that is cut off models' names, and the provider that it hints at, as acme=acme.llm")
	flags.BoolVar(&c.keepPrefixes, "keep-vendor-prefixes", false, "leave what gateways put before models' names")
	flags.StringToStringVar(&c.defaults, "default", nil, "the value of a field of the record that spans give none, as environment=production")
	flags.StringSliceVar(&c.optIn, "opt-in-alias", nil, "a field that is also read from attributes that may hold personal data, such as subscriber.id")
	flags.StringSliceVar(&c.required, "required", nil, "a field that every record must have; notes say where it is missing")
	flags.StringVar(&c.hashKeyFile, "hash-key-file", "", "a file with the key with which subscribers' ids and e-mail addresses are hashed")
	flags.BoolVar(&c.trustHeaders, "trust-span-headers", false, "believe x-revenium-* headers of requests that spans show")
	flags.BoolVar(&c.fromDialects, "from-instrumentations", false, "read attribution also from names of instrumentations and gateways")
	flags.BoolVar(&c.preferOuter, "prefer-outer", false, "bill the outer of two equally good spans of a call")
	flags.BoolVar(&c.holdBack, "hold-back", false, "hold every call back to the end of the input, for a better span of it in a later export")
	flags.BoolVar(&c.content, "capture-content", false, "put system prompt, messages and answer into records")
	flags.IntVar(&c.contentSize, "max-content-size", limits.InputMessagesMaxLen, "most characters of each text of --capture-content")
	flags.IntVar(&c.maxHeld, "max-held", 0, "how many spans may wait (default 4096)")
	flags.IntVar(&c.rememberedCalls, "remembered-calls", 0, "how many calls are remembered (default 32768)")
	flags.IntVar(&c.rememberedLinks, "remembered-links", 0, "of how many spans the parent is remembered (default 65536)")
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Value.Type() == "stringToString" {
			flag.Value, flag.DefValue = namedValues{flag.Value}, ""
		}
	})
}

// namedValues is a flag that takes NAME=VALUE, which its help calls so.
type namedValues struct{ pflag.Value }

func (namedValues) Type() string { return "NAME=VALUE" }

// options are the options of the conversion that the flags amount to. It fails for
// values that there are not.
func (c *conversion) options() ([]convert.Option, error) {
	policy, err := errorPolicy(c.errorRecords)
	if err != nil {
		return nil, err
	}
	scheme, err := idScheme(c.ids)
	if err != nil {
		return nil, err
	}
	opts := []convert.Option{
		convert.WithErrorRecords(policy), convert.WithIDScheme(scheme), convert.WithOptInAliases(c.optIn...),
		convert.WithMaxContentSize(c.contentSize),
	}
	opts = append(opts, c.switches()...)
	tables, err := c.tables()
	if err != nil {
		return nil, err
	}
	opts = append(opts, tables...)
	if len(c.required) > 0 {
		opts = append(opts, convert.WithRequiredFields(convert.MissingWarn, c.required...))
	}
	if c.hashKeyFile != "" {
		key, err := os.ReadFile(c.hashKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--hash-key-file: %w", err)
		}
		opts = append(opts, convert.WithHashedSubscribers(bytes.TrimSpace(key)))
	}
	bounds, err := c.bounds()
	if err != nil {
		return nil, err
	}
	opts = append(opts, bounds...)
	_, err = convert.New(opts...)
	return opts, err
}

// switches are the options of flags that are on or off. That to cut nothing off
// comes before prefixes that are added.
func (c *conversion) switches() []convert.Option {
	var opts []convert.Option
	for _, s := range []struct {
		on  bool
		opt convert.Option
	}{
		{c.errorReasons, convert.WithErrorReasons()},
		{c.zeroUsage, convert.WithZeroUsage()},
		{c.noAggregates, convert.WithoutAggregates()},
		{c.selective, convert.WithSelectiveMetering()},
		{c.toolEvents, convert.WithToolEvents()},
		{c.mediaTokens, convert.WithMediaTokens()},
		{c.keepPrefixes, convert.WithoutVendorPrefixes()},
		{c.trustHeaders, convert.WithTrustedHeaders()},
		{c.fromDialects, convert.WithDialectAttribution()},
		{c.content, convert.WithContentCapture()},
		{c.preferOuter, convert.WithPreferOuter()},
		{c.holdBack, convert.WithHoldBack(time.Hour)}, // the end of the input comes first
		{c.unknown != "", convert.WithUnknownOperations(operationType(c.unknown))},
	} {
		if s.on {
			opts = append(opts, s.opt)
		}
	}
	return opts
}

// tables are the options of flags that add entries to a table.
func (c *conversion) tables() ([]convert.Option, error) {
	var opts []convert.Option
	var errs []error
	for _, t := range []struct {
		flag    string
		entries map[string]string
		option  func(key, value string) (convert.Option, error)
	}{
		{"default", c.defaults, func(field, value string) (convert.Option, error) {
			return convert.WithDefault(field, value, convert.OriginDefault), nil
		}},
		{"operation-type", c.operations, func(operation, word string) (convert.Option, error) {
			return convert.WithOperationType(operation, operationType(word)), nil
		}},
		{"stop-reason", c.stops, func(finish, word string) (convert.Option, error) {
			return convert.WithStopReason(finish, metering.StopReason(strings.ToUpper(word))), nil
		}},
		{"provider-name", c.providers, func(provider, name string) (convert.Option, error) {
			return convert.WithProviderName(provider, name), nil
		}},
		{"wire-input", c.wire, func(provider, word string) (convert.Option, error) {
			wire, err := convert.ParseWireInput(word)
			return convert.WithWireInput(provider, wire), err
		}},
		{"scope-input", c.scopes, func(prefix, word string) (convert.Option, error) {
			basis, err := convert.ParseInputBasis(word)
			return convert.WithScopeInput(prefix, basis), err
		}},
		{"vendor-prefix", c.prefixes, func(prefix, provider string) (convert.Option, error) {
			return convert.WithVendorPrefix(prefix, provider), nil
		}},
	} {
		for _, key := range longestFirst(t.entries) {
			opt, err := t.option(key, t.entries[key])
			if err != nil {
				errs = append(errs, fmt.Errorf("--%s %s=%s: %w", t.flag, key, t.entries[key], err))
			}
			opts = append(opts, opt)
		}
	}
	return opts, errors.Join(errs...)
}

// longestFirst are the keys of entries in a fixed order. Of two beginnings of a
// name the first counts.
func longestFirst(entries map[string]string) []string {
	keys := slices.Sorted(maps.Keys(entries))
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return keys
}

// bounds are the options for the sizes of tables.
func (c *conversion) bounds() ([]convert.Option, error) {
	var opts []convert.Option
	for _, b := range []struct {
		flag   string
		n      int
		option func(int) convert.Option
	}{
		{"max-held", c.maxHeld, convert.WithMaxHeld},
		// No time passes in a preview.
		{"remembered-calls", c.rememberedCalls, func(n int) convert.Option { return convert.WithRecent(n, 24*time.Hour) }},
		{"remembered-links", c.rememberedLinks, convert.WithLinks},
	} {
		switch {
		case b.n < 0:
			return nil, fmt.Errorf("--%s is %d: it must be positive", b.flag, b.n)
		case b.n > 0:
			opts = append(opts, b.option(b.n))
		}
	}
	return opts, nil
}

func operationType(word string) metering.OperationType {
	return metering.OperationType(strings.ToUpper(word))
}
