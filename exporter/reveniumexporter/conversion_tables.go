// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// table is a setting that adds entries to a table of package convert.
type table struct {
	setting string
	values  map[string]string
	// option is that of one entry; it fails for a value that there is not.
	option func(key, value string) (convert.Option, error)
}

// keys are the keys of the entries. Of two beginnings of a name the longer comes
// first, because the first counts.
func (t *table) keys() []string {
	keys := sortedKeys(t.values)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return keys
}

// tables are the settings that add to tables.
func (c *ConversionConfig) tables() []table {
	return []table{
		{"conversion::operation_types", c.OperationTypes, func(operation, word string) (convert.Option, error) {
			t := operationType(word)
			if !t.Valid() {
				return nil, errors.New(mendOperationType())
			}
			return convert.WithOperationType(operation, t), nil
		}},
		{"conversion::stop_reasons", c.StopReasons, func(finish, word string) (convert.Option, error) {
			reason := metering.StopReason(strings.ToUpper(word))
			if !reason.Valid() {
				return nil, fmt.Errorf("it must be one of %s", join(metering.StopReasons()))
			}
			return convert.WithStopReason(finish, reason), nil
		}},
		{"conversion::provider_names", c.ProviderNames, func(provider, name string) (convert.Option, error) {
			if strings.TrimSpace(name) == "" {
				return nil, errors.New("name the provider as Revenium shall know it")
			}
			return convert.WithProviderName(provider, name), nil
		}},
		{"conversion::wire_input", c.WireInput, func(provider, word string) (convert.Option, error) {
			wire, err := convert.ParseWireInput(word)
			if err != nil {
				return nil, errors.New("it must be gross, net or reported")
			}
			return convert.WithWireInput(provider, wire), nil
		}},
		{"conversion::scope_input", c.ScopeInput, func(prefix, word string) (convert.Option, error) {
			basis, err := convert.ParseInputBasis(word)
			if err != nil {
				return nil, errors.New("it must be inclusive or exclusive")
			}
			return convert.WithScopeInput(prefix, basis), nil
		}},
		{"conversion::vendor_prefixes", c.VendorPrefixes, func(prefix, provider string) (convert.Option, error) {
			return convert.WithVendorPrefix(prefix, provider), nil
		}},
	}
}

// switches are the options of settings that are on or off. That to strip nothing
// comes before prefixes that are added.
func (c *ConversionConfig) switches() []convert.Option {
	var opts []convert.Option
	for _, s := range []struct {
		on  bool
		opt convert.Option
	}{
		{c.Selective, convert.WithSelectiveMetering()},
		{c.ToolEvents, convert.WithToolEvents()},
		{c.MediaTokens, convert.WithMediaTokens()},
		{!c.StripVendorPrefixes, convert.WithoutVendorPrefixes()},
	} {
		if s.on {
			opts = append(opts, s.opt)
		}
	}
	if t := operationType(c.UnknownOperations); t != "" {
		opts = append(opts, convert.WithUnknownOperations(t))
	}
	return opts
}

func (c *ConversionConfig) validateTables() error {
	var errs []error
	for _, t := range c.tables() {
		for _, key := range sortedKeys(t.values) {
			setting := t.setting + "::" + key
			if strings.TrimSpace(key) == "" {
				errs = append(errs, problem(t.setting, "has an empty key"))
				continue
			}
			if _, err := t.option(key, t.values[key]); err != nil {
				errs = append(errs, problem(setting, "is %q: %s", t.values[key], err))
			}
		}
	}
	return errors.Join(errs...)
}

func operationType(word string) metering.OperationType {
	return metering.OperationType(strings.ToUpper(word))
}

func mendOperationType() string { return "it must be one of " + join(metering.OperationTypes()) }

func join[S ~string](words []S) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return strings.Join(list, ", ")
}
