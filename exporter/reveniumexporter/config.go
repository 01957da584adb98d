// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// Config is what stands under the exporter's id in a Collector's configuration.
type Config struct {
	// APIKey is the metering key, rev_mk_.... It, or APIKeyFile, is required.
	APIKey configopaque.String `mapstructure:"api_key"`
	// APIKeyFile is a file with the key. It is read again when it changes, so that a
	// key can be exchanged while the Collector runs.
	APIKeyFile string `mapstructure:"api_key_file"`
	// HTTP is the connection to the metering API. Its endpoint is the base URL;
	// its timeout bounds one attempt to deliver one record.
	HTTP confighttp.ClientConfig `mapstructure:"http"`
	// QueueConfig is the queue of frozen records. With a storage it survives the
	// end of the process.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how long to wait between attempts. MaxElapsedTime gives a
	// record up when it is older; zero, the default, never does.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// UnauthorizedInterval is the interval between attempts while the service
	// refuses the API key.
	UnauthorizedInterval time.Duration `mapstructure:"unauthorized_interval"`
	// UnreachableAfter is how long the service may fail to answer before the
	// component's status is a recoverable error; zero never reports it.
	UnreachableAfter time.Duration `mapstructure:"unreachable_after"`
	// MaxConcurrentRequests bounds the requests under way at a time, for each API
	// key.
	MaxConcurrentRequests int `mapstructure:"max_concurrent_requests"`
	// DeadLetter keeps the records that were given up.
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`
	// Attribution says who pays where spans do not.
	Attribution AttributionConfig `mapstructure:"attribution"`
	// Routing chooses among several API keys.
	Routing RoutingConfig `mapstructure:"routing"`
	// Selection bounds what is remembered of spans so that one call is one bill.
	Selection SelectionConfig `mapstructure:"selection"`
	// Conversion says what becomes of spans.
	Conversion ConversionConfig `mapstructure:"conversion"`

	_ struct{}
}

// DeadLetterConfig says where records are kept that were given up: what the
// service refused for good, what became too old, what cannot be read. The command
// revenium-otel reads the same files.
type DeadLetterConfig struct {
	// Directory is made if it is not there. Without one such records are counted as
	// lost.
	Directory string `mapstructure:"directory"`
	// MaxBytes bounds its files together. When they are full, records that should
	// end there are kept and tried again instead.
	MaxBytes int64 `mapstructure:"max_bytes"`

	_ struct{}
}

// AttributionConfig gives values to records whose span gives none.
type AttributionConfig struct {
	// ClientMetadata lists the metadata (headers) of an OTLP request that are
	// heeded; all other is ignored. It outranks scope and resource.
	ClientMetadata []ClientMetadataConfig `mapstructure:"client_metadata"`
	// Defaults are values by field of the record, for records that have none from
	// span, client metadata, scope and resource.
	Defaults map[string]string `mapstructure:"defaults"`
	// Required lists fields that every record must have: "organizationName",
	// "subscriber.id", "subscriber" for any part of it, and so on.
	Required []string `mapstructure:"required"`
	// Missing is what becomes of a record that lacks one: "warn" sends it, and
	// metrics and log say so; "dead_letter" keeps it for somebody to complete.
	Missing string `mapstructure:"missing"`
	// TrustSpanHeaders believes x-revenium-* headers of requests that spans show, as
	// LiteLLM and other gateways copy them: whoever can send a request then chooses
	// who pays.
	TrustSpanHeaders bool `mapstructure:"trust_span_headers"`
	// FromInstrumentations also reads attribution from attributes for which
	// instrumentations and gateways have names of their own. They may hold personal
	// data.
	FromInstrumentations bool `mapstructure:"from_instrumentations"`
	// HashKey, if set, has subscribers' ids and e-mail addresses sent as keyed hashes.
	HashKey configopaque.String `mapstructure:"hash_key"`

	_ struct{}
}

// ClientMetadataConfig lets one entry of a request's metadata give a value.
type ClientMetadataConfig struct {
	// Key is the name of the metadata, such as x-revenium-organization-name.
	Key string `mapstructure:"key"`
	// Field is the field of the record. It may be left out for the headers that
	// docs/attributes.md lists.
	Field string `mapstructure:"field"`

	_ struct{}
}

// RoutingConfig sends the records of some spans with another API key.
type RoutingConfig struct {
	// Attribute is the key of the attribute, of the span, its scope or its
	// resource, whose value chooses the API key.
	Attribute string `mapstructure:"attribute"`
	// ClientMetadata is the name of the metadata of the OTLP request that does so
	// where no attribute is given.
	ClientMetadata string `mapstructure:"client_metadata"`
	// Keys are the API keys by value. What has no value, or another one, is sent
	// with the exporter's api_key.
	Keys map[string]RouteConfig `mapstructure:"keys"`

	_ struct{}
}

// RouteConfig is where the records of one value go.
type RouteConfig struct {
	// APIKey is the metering key.
	APIKey configopaque.String `mapstructure:"api_key"`
	// APIKeyFile is a file with it.
	APIKeyFile string `mapstructure:"api_key_file"`

	_ struct{}
}

// SelectionConfig bounds what is remembered of spans.
type SelectionConfig struct {
	// SettleWindow is how long a span waits for others that may make it
	// superfluous.
	SettleWindow time.Duration `mapstructure:"settle_window"`
	// MaxHeld bounds how many wait.
	MaxHeld int `mapstructure:"max_held"`
	// RememberedCalls and RememberFor bound what is known of calls that were
	// decided about.
	RememberedCalls int           `mapstructure:"remembered_calls"`
	RememberFor     time.Duration `mapstructure:"remember_for"`
	// RememberedLinks bounds of how many spans the parent is remembered.
	RememberedLinks int `mapstructure:"remembered_links"`
	// HoldBack holds calls back for a better span of the same call, or one above that
	// says who pays, in a later request. Zero bills them at once.
	HoldBack time.Duration `mapstructure:"hold_back"`
	// PreferOuter bills the outer of two equally good spans of a call.
	PreferOuter bool `mapstructure:"prefer_outer"`

	_ struct{}
}

// ConversionConfig says what becomes of spans. Each setting is the option of
// package convert of the same name.
type ConversionConfig struct {
	// ErrorRecords is "final", "none" or "all".
	ErrorRecords string `mapstructure:"error_records"`
	// ErrorReasons sends the texts of failures, which can quote prompts.
	ErrorReasons bool `mapstructure:"error_reasons"`
	// ZeroUsage bills successful calls whose tokens nobody reported, with none.
	ZeroUsage bool `mapstructure:"zero_usage"`
	// TransactionID is "trace_span", "span" or "response".
	TransactionID string `mapstructure:"transaction_id"`
	// Aggregates bills a span around calls, such as the run of an agent, as a last
	// resort if nothing beneath it is billed.
	Aggregates bool `mapstructure:"aggregates"`
	// OptInAliases lists fields that are also read from attributes that may hold
	// personal data.
	OptInAliases []string `mapstructure:"opt_in_aliases"`
	// Selective meters only calls whose spans say themselves who pays.
	Selective bool `mapstructure:"selective"`
	// ToolEvents makes events of executions of tools.
	ToolEvents bool `mapstructure:"tool_events"`
	// MediaTokens makes completions of images and video that are billed by the token.
	MediaTokens bool `mapstructure:"media_tokens"`
	// UnknownOperations is the operation type of calls whose operation is not known,
	// and which have a provider, a model and usage; "" skips them.
	UnknownOperations string `mapstructure:"unknown_operations"`
	// OperationTypes are the operation types of operations, values of
	// gen_ai.operation.name.
	OperationTypes map[string]string `mapstructure:"operation_types"`
	// StopReasons are the stop reasons of providers' finish reasons.
	StopReasons map[string]string `mapstructure:"stop_reasons"`
	// ProviderNames are the names that Revenium gets of providers, values of
	// gen_ai.provider.name.
	ProviderNames map[string]string `mapstructure:"provider_names"`
	// WireInput says by provider what Revenium expects as input tokens: "gross",
	// "net" or "reported".
	WireInput map[string]string `mapstructure:"wire_input"`
	// ScopeInput says, by the beginning of the name of an instrumentation, whether its
	// input tokens include cached ones: "inclusive" or "exclusive". The longest
	// beginning counts.
	ScopeInput map[string]string `mapstructure:"scope_input"`
	// StripVendorPrefixes cuts off what gateways put before a model's name.
	StripVendorPrefixes bool `mapstructure:"strip_vendor_prefixes"`
	// VendorPrefixes are more such prefixes, and the providers that they hint at; an
	// empty one keeps a built-in prefix from being stripped.
	VendorPrefixes map[string]string `mapstructure:"vendor_prefixes"`

	_ struct{}
}

// Defaults of the configuration.
const (
	defaultTimeout              = 10 * time.Second
	defaultQueueSize            = 100_000
	defaultInitialInterval      = time.Second
	defaultMaxInterval          = 15 * time.Second
	defaultUnauthorizedInterval = 30 * time.Second
	defaultUnreachableAfter     = time.Minute
	defaultConcurrentRequests   = 32
	maxConcurrentRequests       = 1024
	defaultSettleWindow         = 30 * time.Second
	defaultMaxHeld              = 16_384
	defaultRememberedCalls      = 65_536
	defaultRememberedLinks      = 131_072
	defaultRememberFor          = time.Hour
)

// createDefaultConfig returns a configuration that lacks nothing but the key.
func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = metering.DefaultBaseURL
	client.Timeout = defaultTimeout
	// A connection that a middle box forgot would fail all requests on it until TCP
	// gives up, which takes a quarter of an hour.
	client.HTTP2ReadIdleTimeout = 15 * time.Second

	queue := exporterhelper.NewDefaultQueueConfig()
	queue.Sizer = exporterhelper.RequestSizerTypeItems
	queue.QueueSize = defaultQueueSize

	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = defaultInitialInterval
	retry.MaxInterval = defaultMaxInterval
	// What was accepted is money: it is never given up because time passed.
	retry.MaxElapsedTime = 0

	return &Config{
		HTTP:                  client,
		QueueConfig:           configoptional.Some(queue),
		RetryConfig:           retry,
		UnauthorizedInterval:  defaultUnauthorizedInterval,
		UnreachableAfter:      defaultUnreachableAfter,
		MaxConcurrentRequests: defaultConcurrentRequests,
		DeadLetter:            DeadLetterConfig{MaxBytes: deadletter.DefaultMaxBytes},
		Attribution:           AttributionConfig{Missing: "warn"},
		Selection: SelectionConfig{
			SettleWindow:    defaultSettleWindow,
			MaxHeld:         defaultMaxHeld,
			RememberedCalls: defaultRememberedCalls,
			RememberFor:     defaultRememberFor,
			RememberedLinks: defaultRememberedLinks,
		},
		Conversion: ConversionConfig{ErrorRecords: "final", TransactionID: "trace_span", Aggregates: true, StripVendorPrefixes: true},
	}
}

var _ confmap.Validator = (*Config)(nil)

// Validate reports all that makes metering impossible, each with the setting and
// how to mend it.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.validateKeys(),
		cfg.validateHTTP(),
		cfg.validateDelivery(),
		cfg.Attribution.validate(),
		cfg.Selection.validate(),
		cfg.validateConversion(),
		cfg.validateRequired(),
	)
}

// storageID names the storage of the queue, nil for none.
func (cfg *Config) storageID() *component.ID {
	if queue := cfg.QueueConfig; queue.HasValue() {
		return queue.Get().StorageID
	}
	return nil
}

// problem is an error that begins with the setting in quotes.
func problem(setting, format string, args ...any) error {
	return fmt.Errorf("%q: "+format, append([]any{setting}, args...)...)
}

func (cfg *Config) validateKeys() error {
	errs := []error{apiKey{cfg.APIKey, cfg.APIKeyFile}.validate("")}
	routing := &cfg.Routing
	if len(routing.Keys) > 0 && routing.Attribute == "" && routing.ClientMetadata == "" {
		errs = append(errs, problem("routing::attribute", "is missing: name the attribute whose value chooses among routing::keys, or set routing::client_metadata"))
	}
	if len(routing.Keys) == 0 && (routing.Attribute != "" || routing.ClientMetadata != "") {
		errs = append(errs, problem("routing::keys", "is empty: give an api_key for each value of the routing attribute, or remove routing"))
	}
	for _, value := range sortedKeys(routing.Keys) {
		if value == "" {
			errs = append(errs, problem("routing::keys", "has an empty value: records without one are sent with api_key"))
		}
		route := routing.Keys[value]
		errs = append(errs, apiKey{route.APIKey, route.APIKeyFile}.validate("routing::keys::"+value+"::"))
	}
	return errors.Join(errs...)
}

func (cfg *Config) validateHTTP() error {
	var errs []error
	if cfg.HTTP.Timeout <= 0 {
		errs = append(errs, problem("http::timeout", "is %v: one attempt must be bounded, 10s for example", cfg.HTTP.Timeout))
	}
	if cfg.HTTP.Compression.IsCompressed() {
		errs = append(errs, problem("http::compression", "is %q: the metering API takes plain JSON; remove it", string(cfg.HTTP.Compression)))
	}
	base, err := metering.NormalizeBaseURL(cfg.HTTP.Endpoint)
	switch {
	case err != nil:
		errs = append(errs, problem("http::endpoint", "%s", strings.TrimPrefix(err.Error(), "metering: ")))
	case strings.HasPrefix(base, "http:") && !cfg.HTTP.TLS.Insecure:
		if _, err := metering.NewClient(placeholderKey, metering.WithBaseURL(base)); errors.Is(err, metering.ErrPlainHTTP) {
			errs = append(errs, problem("http::endpoint", "%s would send the key unencrypted: use https, or set http::tls::insecure: true in a trusted network", base))
		}
	}
	return errors.Join(errs...)
}

// placeholderKey lets other settings be checked apart from the key.
const placeholderKey = "rev_mk_placeholder"

func (cfg *Config) validateDelivery() error {
	var errs []error
	if cfg.MaxConcurrentRequests < 1 || cfg.MaxConcurrentRequests > maxConcurrentRequests {
		errs = append(errs, problem("max_concurrent_requests", "is %d: it must be between 1 and %d", cfg.MaxConcurrentRequests, maxConcurrentRequests))
	}
	if cfg.UnauthorizedInterval <= 0 {
		errs = append(errs, problem("unauthorized_interval", "is %v: it must be positive", cfg.UnauthorizedInterval))
	}
	if cfg.UnreachableAfter < 0 {
		errs = append(errs, problem("unreachable_after", "is %v: it must be zero (off) or positive", cfg.UnreachableAfter))
	}
	if cfg.DeadLetter.MaxBytes <= 0 {
		errs = append(errs, problem("dead_letter::max_bytes", "is %d: it must be positive", cfg.DeadLetter.MaxBytes))
	}
	if cfg.QueueConfig.HasValue() && !cfg.RetryConfig.Enabled {
		errs = append(errs, problem("retry_on_failure::enabled", "is false: what the queue took would be lost at the first failure; remove it, or set sending_queue::enabled: false so that the sender repeats"))
	}
	return errors.Join(errs...)
}

func (c *AttributionConfig) validate() error {
	var errs []error
	for i := range c.ClientMetadata {
		m := &c.ClientMetadata[i]
		setting := fmt.Sprintf("attribution::client_metadata[%d]", i)
		switch _, ok := m.field(); {
		case m.Key == "":
			errs = append(errs, problem(setting, "has no key: name the header"))
		case !ok && m.Field == "":
			errs = append(errs, problem(setting, "key %q is none of the headers of docs/attributes.md: name the field of the record that it gives", m.Key))
		case !ok:
			errs = append(errs, problem(setting, "field %q cannot be given for a whole request: docs/attributes.md lists the fields", m.Field))
		}
	}
	for _, name := range sortedKeys(c.Defaults) {
		if f, ok := semconv.FieldByName(name); !ok || !f.ResourceLevel {
			errs = append(errs, problem("attribution::defaults::"+name, "is not a field that can be the same for all records: docs/attributes.md lists the fields"))
		}
	}
	return errors.Join(errs...)
}

// field is what a header gives a value to: the field that is named, or that of
// the header.
func (m *ClientMetadataConfig) field() (semconv.Field, bool) {
	if m.Field != "" {
		f, ok := semconv.FieldByName(m.Field)
		return f, ok && f.ResourceLevel
	}
	for _, f := range semconv.Fields() {
		if f.ResourceLevel && slices.ContainsFunc(f.Headers, func(h string) bool { return strings.EqualFold(h, m.Key) }) {
			return f, true
		}
	}
	return semconv.Field{}, false
}

func (c *SelectionConfig) validate() error {
	var errs []error
	for _, s := range []struct {
		setting string
		ok      bool
		value   any
	}{
		{"selection::settle_window", c.SettleWindow > 0, c.SettleWindow},
		{"selection::max_held", c.MaxHeld > 0, c.MaxHeld},
		{"selection::remembered_calls", c.RememberedCalls > 0, c.RememberedCalls},
		{"selection::remember_for", c.RememberFor > 0, c.RememberFor},
		{"selection::remembered_links", c.RememberedLinks > 0, c.RememberedLinks},
	} {
		if !s.ok {
			errs = append(errs, problem(s.setting, "is %v: it must be positive", s.value))
		}
	}
	if c.HoldBack < 0 {
		errs = append(errs, problem("selection::hold_back", "is %v: it must be zero (off) or positive", c.HoldBack))
	}
	return errors.Join(errs...)
}
