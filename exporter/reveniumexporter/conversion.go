// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"maps"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

// errorPolicies are the words of conversion::error_records.
func errorPolicies() map[string]convert.ErrorPolicy {
	return map[string]convert.ErrorPolicy{
		"final": convert.ErrorPolicyFinal,
		"none":  convert.ErrorPolicyNone,
		"all":   convert.ErrorPolicyAll,
	}
}

// idSchemes are the words of conversion::transaction_id.
func idSchemes() map[string]convert.IDScheme {
	return map[string]convert.IDScheme{
		"trace_span": convert.IDTraceSpan,
		"span":       convert.IDSpan,
		"response":   convert.IDResponse,
	}
}

// missingPolicies are the words of attribution::missing.
func missingPolicies() map[string]convert.MissingPolicy {
	return map[string]convert.MissingPolicy{
		"warn":        convert.MissingWarn,
		"dead_letter": convert.MissingHoldBack,
	}
}

// convertOptions are the options of package convert that the configuration
// amounts to.
func (cfg *Config) convertOptions() []convert.Option {
	c := &cfg.Conversion
	opts := []convert.Option{
		convert.WithSettleWindow(cfg.Selection.SettleWindow),
		convert.WithMaxHeld(cfg.Selection.MaxHeld),
		convert.WithRecent(cfg.Selection.RememberedCalls, cfg.Selection.RememberFor),
		convert.WithLinks(cfg.Selection.RememberedLinks),
		convert.WithHoldBack(cfg.Selection.HoldBack),
		convert.WithErrorRecords(errorPolicies()[c.ErrorRecords]),
		convert.WithIDScheme(idSchemes()[c.TransactionID]),
		convert.WithOptInAliases(c.OptInAliases...),
	}
	if c.ErrorReasons {
		opts = append(opts, convert.WithErrorReasons())
	}
	if c.ZeroUsage {
		opts = append(opts, convert.WithZeroUsage())
	}
	if required := cfg.Attribution.Required; len(required) > 0 {
		opts = append(opts, convert.WithRequiredFields(missingPolicies()[cfg.Attribution.Missing], required...))
	}
	if key := cfg.Attribution.HashKey; key != "" {
		opts = append(opts, convert.WithHashedSubscribers([]byte(key)))
	}
	if !c.Aggregates {
		opts = append(opts, convert.WithoutAggregates())
	}
	if cfg.Attribution.TrustSpanHeaders {
		opts = append(opts, convert.WithTrustedHeaders())
	}
	if cfg.Attribution.FromInstrumentations {
		opts = append(opts, convert.WithDialectAttribution())
	}
	opts = append(opts, c.switches()...)
	for _, t := range c.tables() {
		for _, key := range t.keys() {
			if opt, err := t.option(key, t.values[key]); err == nil { // or Validate has failed
				opts = append(opts, opt)
			}
		}
	}
	if cfg.Selection.PreferOuter {
		opts = append(opts, convert.WithPreferOuter())
	}
	if cfg.storageID() != nil {
		opts = append(opts, convert.WithJournal())
	}
	for _, field := range sortedKeys(cfg.Attribution.Defaults) {
		opts = append(opts, convert.WithDefault(field, cfg.Attribution.Defaults[field], convert.OriginDefault))
	}
	return opts
}

func (cfg *Config) validateConversion() error {
	c := &cfg.Conversion
	if _, ok := errorPolicies()[c.ErrorRecords]; !ok {
		return problem("conversion::error_records", "is %q: it must be %s", c.ErrorRecords, oneOf(errorPolicies()))
	}
	if _, ok := idSchemes()[c.TransactionID]; !ok {
		return problem("conversion::transaction_id", "is %q: it must be %s", c.TransactionID, oneOf(idSchemes()))
	}
	if _, err := convert.New(convert.WithOptInAliases(c.OptInAliases...)); err != nil {
		return problem("conversion::opt_in_aliases", "%s", strings.TrimPrefix(err.Error(), "convert: "))
	}
	if t := operationType(c.UnknownOperations); t != "" && !t.Valid() {
		return problem("conversion::unknown_operations", "is %q: %s", c.UnknownOperations, mendOperationType())
	}
	return c.validateTables()
}

func (cfg *Config) validateRequired() error {
	a := &cfg.Attribution
	policy, ok := missingPolicies()[a.Missing]
	switch {
	case !ok:
		return problem("attribution::missing", "is %q: it must be %s", a.Missing, oneOf(missingPolicies()))
	case len(a.Required) == 0:
		return nil
	case policy == convert.MissingHoldBack && cfg.DeadLetter.Directory == "":
		return problem("attribution::missing", "is %q, and there is no place for the records: set dead_letter::directory", a.Missing)
	}
	if _, err := convert.New(convert.WithRequiredFields(policy, a.Required...)); err != nil {
		return problem("attribution::required", "%s", strings.TrimPrefix(err.Error(), "convert: "))
	}
	return nil
}

// oneOf lists the words of a setting.
func oneOf[V any](words map[string]V) string {
	return "one of " + strings.Join(sortedKeys(words), ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
