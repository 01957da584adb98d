// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

const testKey = "rev_mk_test_0123456789"

// loadConfig reads one of the named configurations of a file in testdata.
func loadConfig(tb testing.TB, file, name string) (*Config, error) {
	tb.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	sub, err := conf.Sub(name)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfig(t *testing.T) {
	storageID := component.MustNewIDWithName("file_storage", "revenium")
	for name, change := range map[string]func(*Config){
		"revenium": func(*Config) {},
		"revenium/all": func(c *Config) {
			c.HTTP.Endpoint = "https://metering.example.com/meter/v2"
			c.HTTP.Timeout = 5 * time.Second
			c.HTTP.Headers = configopaque.MapList{{Name: "x-gateway-token", Value: "secret"}}
			c.HTTP.TLS.CAFile = "testdata/ca.pem"
			queue := c.QueueConfig.Get()
			queue.StorageID, queue.QueueSize, queue.NumConsumers, queue.BlockOnOverflow = &storageID, 500_000, 4, true
			c.RetryConfig.InitialInterval, c.RetryConfig.MaxInterval, c.RetryConfig.MaxElapsedTime = 2*time.Second, time.Minute, 24*time.Hour
			c.UnauthorizedInterval, c.UnreachableAfter = time.Minute, 5*time.Minute
			c.MaxConcurrentRequests = 8
			c.DeadLetter = DeadLetterConfig{Directory: "/var/lib/otelcol/revenium/deadletters", MaxBytes: 1_000_000}
			c.Attribution = AttributionConfig{
				ClientMetadata: []ClientMetadataConfig{{Key: "X-Revenium-Organization-Name"}, {Key: "x-tenant", Field: "productName"}},
				Defaults:       map[string]string{"environment": "production", "subscriptionTier": "gold"},
				Required:       []string{"organizationName", "subscriber"},
				Missing:        "dead_letter",
				HashKey:        "a secret of mine",

				TrustSpanHeaders:     true,
				FromInstrumentations: true,
			}
			c.Routing = RoutingConfig{
				Attribute:      "tenant.id",
				ClientMetadata: "x-tenant-id",
				Keys:           map[string]RouteConfig{"acme": {APIKey: "rev_mk_test_acme"}, "globex": {APIKeyFile: "/run/secrets/globex"}},
			}
			c.Selection = SelectionConfig{SettleWindow: time.Minute, MaxHeld: 100, RememberedCalls: 1000, RememberFor: 30 * time.Minute, RememberedLinks: 2000, HoldBack: 5 * time.Second, PreferOuter: true}
			c.Conversion = ConversionConfig{
				ErrorRecords: "all", ErrorReasons: true, ZeroUsage: true, TransactionID: "span", OptInAliases: []string{"subscriber.id"},
				Selective: true, ToolEvents: true, MediaTokens: true, UnknownOperations: "OTHER",
				OperationTypes: map[string]string{"classify_ticket": "CLASSIFY"}, StopReasons: map[string]string{"bored": "CANCELLED"},
				ProviderNames: map[string]string{"acme.llm": "Acme"}, WireInput: map[string]string{"acme.llm": "net"},
				ScopeInput: map[string]string{"acme.instrumentation": "exclusive"}, VendorPrefixes: map[string]string{"acme": "acme.llm"},
			}
		},
		"revenium/synchronous": func(c *Config) {
			c.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
			c.RetryConfig.Enabled = false
		},
		"revenium/file": func(c *Config) { c.APIKey, c.APIKeyFile = "", "/run/secrets/revenium" },
		"revenium/plain": func(c *Config) {
			c.HTTP.Endpoint = "http://revenium.internal:8080"
			c.HTTP.TLS.Insecure = true
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := loadConfig(t, "config.yaml", name)
			if err != nil {
				t.Fatal(err)
			}
			want := createDefaultConfig().(*Config)
			want.APIKey = testKey
			change(want)
			// A queue that is off keeps its settings, which nobody can see.
			if !want.QueueConfig.HasValue() && !got.QueueConfig.HasValue() {
				got.QueueConfig = want.QueueConfig
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

// TestBadConfig checks that each fault is reported with the setting and the mend.
func TestBadConfig(t *testing.T) {
	for name, want := range map[string]string{
		"no_key":                    `"api_key": no metering key: set the environment variable REVENIUM_METERING_API_KEY and write api_key: ${env:REVENIUM_METERING_API_KEY} (a key begins with rev_mk_)`,
		"read_only_key":             `"api_key": wrong kind of API key: a key that begins with rev_rk_ can only read: use one that begins with rev_mk_`,
		"foreign_key":               `"api_key": wrong kind of API key: it begins with neither rev_ nor hak_: use one that begins with rev_mk_`,
		"two_keys":                  `"api_key_file": is set, and so is api_key: remove one of them`,
		"endpoint":                  `"http::endpoint": bad base URL: it does not begin with https:// (or http://); write it like https://api.revenium.ai`,
		"plain_http":                `"http::endpoint": http://revenium.internal would send the key unencrypted: use https, or set http::tls::insecure: true in a trusted network`,
		"timeout":                   `"http::timeout": is 0s: one attempt must be bounded, 10s for example`,
		"compression":               `"http::compression": is "gzip": the metering API takes plain JSON; remove it`,
		"no_retry":                  `"retry_on_failure::enabled": is false: what the queue took would be lost at the first failure; remove it, or set sending_queue::enabled: false so that the sender repeats`,
		"concurrency":               `"max_concurrent_requests": is 0: it must be between 1 and 1024`,
		"unauthorized_interval":     `"unauthorized_interval": is 0s: it must be positive`,
		"unreachable_after":         `"unreachable_after": is -1s: it must be zero (off) or positive`,
		"metadata_without_key":      `"attribution::client_metadata[0]": has no key: name the header`,
		"metadata_unknown_header":   `"attribution::client_metadata[0]": key "x-tenant" is none of the headers of docs/attributes.md: name the field of the record that it gives`,
		"metadata_unknown_field":    `"attribution::client_metadata[0]": field "transactionId" cannot be given for a whole request: docs/attributes.md lists the fields`,
		"defaults":                  `"attribution::defaults::retryNumber": is not a field that can be the same for all records: docs/attributes.md lists the fields`,
		"routing_without_attribute": `"routing::attribute": is missing: name the attribute whose value chooses among routing::keys, or set routing::client_metadata`,
		"routing_without_keys":      `"routing::keys": is empty: give an api_key for each value of the routing attribute, or remove routing`,
		"routing_key":               `"routing::keys::acme::api_key": no metering key: set the environment variable REVENIUM_METERING_API_KEY and write api_key: ${env:REVENIUM_METERING_API_KEY} (a key begins with rev_mk_)`,
		"required":                  `"attribution::required": required field "organization": records of calls have no such attribution field; docs/attributes.md lists them`,
		"missing":                   `"attribution::missing": is "drop": it must be one of dead_letter, warn`,
		"missing_without_place":     `"attribution::missing": is "dead_letter", and there is no place for the records: set dead_letter::directory`,
		"dead_letter":               `"dead_letter::max_bytes": is 0: it must be positive`,
		"selection":                 "\"selection::settle_window\": is 0s: it must be positive\n\"selection::max_held\": is 0: it must be positive",
		"error_records":             `"conversion::error_records": is "some": it must be one of all, final, none`,
		"transaction_id":            `"conversion::transaction_id": is "uuid": it must be one of response, span, trace_span`,
		"opt_in_aliases":            `"conversion::opt_in_aliases": `,
		"operation_types":           `"conversion::operation_types::classify_ticket": is "SORT": it must be one of CHAT, GENERATE,`,
		"stop_reasons":              `"conversion::stop_reasons::bored": is "NAP": it must be one of END,`,
		"provider_names":            `"conversion::provider_names::acme.llm": is " ": name the provider as Revenium shall know it`,
		"wire_input":                `"conversion::wire_input::acme.llm": is "all": it must be gross, net or reported`,
		"scope_input":               `"conversion::scope_input::acme.instrumentation": is "no": it must be inclusive or exclusive`,
		"unknown_operations":        `"conversion::unknown_operations": is "ANY": it must be one of CHAT,`,
		"empty_key":                 `"conversion::vendor_prefixes": has an empty key`,
		"several":                   `"conversion::error_records": is "some": it must be one of all, final, none`,
		"unknown_setting":           `has invalid keys: endpoint`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(t, "bad_config.yaml", "revenium/"+name)
			if err == nil {
				t.Fatal("no error")
			}
			if got := err.Error(); !strings.Contains(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if strings.Contains(err.Error(), "0123456789") {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

// TestConfigIsComplete checks that the default needs no more than a key, and that
// the settings obey the Collector's rules for tags.
func TestConfigIsComplete(t *testing.T) {
	if err := componenttest.CheckConfigStruct(createDefaultConfig()); err != nil {
		t.Error(err)
	}
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = testKey
	if err := confmap.Validate(cfg); err != nil {
		t.Error(err)
	}
	conf := confmap.New()
	if err := conf.Marshal(cfg); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", cfg.APIKey, *cfg, *cfg), fmt.Sprint(conf.ToStringMap())} {
		if strings.Contains(text, testKey) {
			t.Error("the configuration shows the key")
		}
	}
	if diff := cmp.Diff("[REDACTED]", conf.ToStringMap()["api_key"]); diff != "" {
		t.Error(diff)
	}
}
