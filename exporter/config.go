// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// Defaults of the options.
const (
	defaultSenders         = 12
	defaultTimeout         = 10 * time.Second
	defaultShutdownTimeout = 20 * time.Second

	// maxSenders bounds WithSenders: more requests at a time would rather be a
	// typing error than a wish.
	maxSenders = 256
)

// Fields of the metering record that have an option of their own.
const (
	fieldEnvironment  = "environment"
	fieldRegion       = "region"
	fieldOrganization = "organizationName"
	fieldProduct      = "productName"
)

// config is what options and environment amount to.
type config struct {
	apiKey, apiKeySetting   string
	apiKeyFunc              metering.APIKeyFunc
	apiKeyFile              string
	baseURL, baseURLSetting string
	timeout                 time.Duration
	clientOptions           []metering.ClientOption

	defaults       []fieldDefault
	convertOptions []convert.Option

	queue      spool.Queue
	queueSize  int
	queueBytes int64
	overflow   spool.OverflowPolicy
	blockLimit time.Duration

	spoolDir, spoolSetting string
	spoolOptions           []spool.DirectoryOption
	maxAge                 time.Duration
	maxAgeSet              bool

	tenants tenantConfig

	senders         int
	retry           RetryConfig
	shutdownTimeout time.Duration
	onRejected      func(Rejected) error

	deadLetterDir, deadLetterSetting string
	deadLetters                      *deadletter.Store

	ledgerDir, ledgerSetting string

	meterProvider metric.MeterProvider
	logger        *slog.Logger

	// send and closeIdle are the metering client's, built from the settings
	// above.
	send      func(context.Context, metering.Frozen) metering.Result
	closeIdle func()
	// requestKey is the key of a request where it is not always the same, and
	// keyChanges says that it can be another one later.
	requestKey metering.APIKeyFunc
	keyChanges bool

	// ignored says which environment variables were not understood.
	ignored []string
}

// fieldDefault is a value of a record's field for spans that give none.
type fieldDefault struct {
	field, value string
	// variable is the environment variable that it comes from; empty for options.
	variable string
}

// newConfig applies the environment, then the options, then the defaults, and
// reports all that makes metering impossible.
func newConfig(opts []Option) (config, error) {
	cfg := config{
		timeout:         defaultTimeout,
		queueSize:       spool.DefaultMaxEntries,
		queueBytes:      spool.DefaultMaxBytes,
		senders:         defaultSenders,
		retry:           NewDefaultRetryConfig(),
		shutdownTimeout: defaultShutdownTimeout,
	}
	cfg = cfg.fromEnvironment()
	for _, opt := range opts {
		if opt != nil {
			cfg = opt.apply(cfg)
		}
	}
	cfg = cfg.withLogger()
	if cfg.queue != nil && cfg.spoolSetting != "WithSpool" {
		cfg.spoolDir = "" // an option outranks a variable
	}

	var errs []error
	cfg, err := cfg.validated()
	errs = append(errs, err)
	cfg, err = cfg.withClient()
	errs = append(errs, err)
	if err := errors.Join(errs...); err != nil {
		return config{}, err
	}

	if cfg.meterProvider == nil {
		cfg.meterProvider = otel.GetMeterProvider()
	}
	return cfg, nil
}

// fromEnvironment reads every variable that the exporter knows. An empty one
// counts as unset.
func (cfg config) fromEnvironment() config {
	if v, name := lookup(semconv.EnvMeteringAPIKey); v != "" {
		cfg.apiKey, cfg.apiKeySetting = v, name
	} else if v, name := lookup(semconv.EnvMeteringAPIKeyFile); v != "" {
		cfg.apiKeyFile, cfg.apiKeySetting = v, name
	}
	if v, name := lookup(semconv.EnvMeteringBaseURL); v != "" {
		cfg.baseURL, cfg.baseURLSetting = v, name
	}
	if v, name := lookup(semconv.EnvLedgerDir); v != "" {
		cfg.ledgerDir, cfg.ledgerSetting = v, name
	}
	if v, name := lookup(semconv.EnvSpoolDir); v != "" {
		cfg.spoolDir, cfg.spoolSetting = v, name
	}
	if v, name := lookup(semconv.EnvDeadLetterDir); v != "" {
		cfg.deadLetterDir, cfg.deadLetterSetting = v, name
	}
	if v, name := lookup(semconv.EnvSelectiveMetering); v != "" {
		switch on, known := parseFlag(v); {
		case !known:
			cfg.ignored = append(cfg.ignored, fmt.Sprintf("%s=%q: neither true nor false", name, v))
		case on:
			cfg.convertOptions = append(cfg.convertOptions, convert.WithSelectiveMetering())
		}
	}
	cfg = cfg.contentFromEnvironment()
	for _, field := range semconv.Fields() {
		// What belongs to one call cannot be the same for all of a process.
		if !field.ResourceLevel || len(field.Env) == 0 {
			continue
		}
		if v, name := lookup(field.Env...); v != "" {
			cfg.defaults = append(cfg.defaults, fieldDefault{field: field.Name, value: v, variable: name})
		}
	}
	return cfg
}

// contentFromEnvironment reads whether records have what was asked and answered.
func (cfg config) contentFromEnvironment() config {
	if v, name := lookup(semconv.EnvCapturePrompts); v != "" {
		switch on, known := parseFlag(v); {
		case !known:
			cfg.ignored = append(cfg.ignored, fmt.Sprintf("%s=%q: neither true nor false", name, v))
		case on:
			cfg.convertOptions = append(cfg.convertOptions, convert.WithContentCapture())
		}
	}
	if v, name := lookup(semconv.EnvMaxPromptSize); v != "" {
		switch size, err := strconv.Atoi(v); {
		case err != nil || size < 0:
			cfg.ignored = append(cfg.ignored, fmt.Sprintf("%s=%q: want a number of characters", name, v))
		default:
			cfg.convertOptions = append(cfg.convertOptions, convert.WithMaxContentSize(min(size, limits.InputMessagesMaxLen)))
		}
	}
	return cfg
}

// lookup returns the first of the variables that is set and not blank.
func lookup(names ...string) (value, name string) {
	for _, name := range names {
		if v := strings.TrimSpace(os.Getenv(name)); v != "" {
			return v, name
		}
	}
	return "", ""
}

// parseFlag understands what Revenium's other packages do.
func parseFlag(s string) (on, known bool) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	default:
		return false, false
	}
}

// withLogger makes a logger of our own where the user gave none but asks for a
// level. Without both, the process's default logger is used as it is at the time
// of each line.
func (cfg config) withLogger() config {
	if cfg.logger != nil {
		return cfg
	}
	v, name := lookup(semconv.EnvLogLevel)
	if v == "" {
		return cfg
	}
	level, err := parseLevel(v)
	if err != nil {
		cfg.ignored = append(cfg.ignored, fmt.Sprintf("%s=%q: %v", name, v, err))
		return cfg
	}
	cfg.logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	return cfg
}

// parseLevel understands slog's names and those of Revenium's other packages.
func parseLevel(s string) (slog.Level, error) {
	switch strings.ToUpper(s) {
	case "WARNING":
		return slog.LevelWarn, nil
	case "CRITICAL", "FATAL":
		return slog.LevelError, nil
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(s)); err != nil {
		return 0, errors.New("not a log level: use DEBUG, INFO, WARN or ERROR")
	}
	return level, nil
}

// validated checks what can be checked without the client.
func (cfg config) validated() (config, error) {
	var errs []error
	problem := func(setting, format string, args ...any) {
		errs = append(errs, &ConfigError{Setting: setting, Problem: fmt.Sprintf(format, args...)})
	}
	if cfg.timeout <= 0 {
		problem("WithTimeout", "timeout of one attempt is %v: it must be positive", cfg.timeout)
	}
	if cfg.shutdownTimeout <= 0 {
		problem("WithShutdownTimeout", "shutdown timeout is %v: it must be positive", cfg.shutdownTimeout)
	}
	if cfg.queueSize <= 0 {
		problem("WithQueueSize", "queue size is %d: it must be at least 1 record", cfg.queueSize)
	}
	if cfg.queueBytes <= 0 {
		problem("WithQueueBytes", "queue bound is %d bytes: it must be positive", cfg.queueBytes)
	}
	if cfg.overflow != spool.DropNewest && cfg.overflow != spool.DropOldest {
		problem("WithOverflowPolicy", "overflow policy %v is not known: use spool.DropNewest or spool.DropOldest", cfg.overflow)
	}
	if cfg.blockLimit < 0 {
		problem("WithBlockOnOverflow", "wait for room in the queue is %v: it must be zero (none) or positive", cfg.blockLimit)
	}
	if cfg.maxAge < 0 {
		problem("WithMaxAge", "largest age of a record is %v: it must be zero (unbounded) or positive", cfg.maxAge)
	}
	if cfg.queue != nil && cfg.spoolDir != "" && cfg.spoolSetting == "WithSpool" {
		problem("WithSpool", "both WithQueue and WithSpool say where records wait: use one of them")
	}
	if cfg.queue != nil && cfg.tenants.used() {
		problem("WithQueue", "WithQueue is one queue, and each tenant has one: use WithSpool, or neither")
	}
	cfg.tenants.validate(problem)
	if cfg.senders < 1 || cfg.senders > maxSenders {
		problem("WithSenders", "number of senders is %d: it must be between 1 and %d", cfg.senders, maxSenders)
	}
	for _, d := range cfg.defaults {
		field, ok := semconv.FieldByName(d.field)
		switch {
		case !ok:
			problem("WithDefault", "default for field %q: the metering record has no such attribution field; docs/attributes.md lists them", d.field)
		case !field.ResourceLevel:
			problem("WithDefault", "default for field %q: it belongs to one call and cannot be the same for all", d.field)
		}
	}
	retry, err := cfg.retry.withDefaults()
	cfg.retry = retry
	return cfg, errors.Join(errors.Join(errs...), err)
}

// withClient builds the metering client, whose errors become errors of the
// setting that they are about.
func (cfg config) withClient() (config, error) {
	opts := make([]metering.ClientOption, 0, len(cfg.clientOptions)+3)
	if cfg.baseURL != "" {
		opts = append(opts, metering.WithBaseURL(cfg.baseURL))
	}
	if cfg.timeout > 0 {
		opts = append(opts, metering.WithTimeout(cfg.timeout))
	}
	if cfg.senders > 0 {
		opts = append(opts, metering.WithMaxConns(cfg.senders))
	}
	cfg, keyErr := cfg.withKey()
	if cfg.requestKey != nil {
		opts = append(opts, metering.WithAPIKeyFunc(cfg.requestKey))
	}
	client, err := metering.NewClient(cfg.apiKey, append(opts, cfg.clientOptions...)...)
	if err := errors.Join(keyErr, cfg.clientErrors(err)); err != nil {
		return cfg, err
	}
	cfg.send = client.Send
	cfg.closeIdle = client.CloseIdleConnections
	return cfg, nil
}

// clientErrors names the settings that the metering client complains about.
func (cfg config) clientErrors(err error) error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []error
		for _, e := range joined.Unwrap() {
			errs = append(errs, cfg.clientErrors(e))
		}
		return errors.Join(errs...)
	}
	cause := strings.TrimPrefix(err.Error(), "metering: ")
	switch {
	case errors.Is(err, metering.ErrNoAPIKey):
		return &ConfigError{
			Setting: semconv.EnvMeteringAPIKey,
			Problem: "no API key: set " + semconv.EnvMeteringAPIKey + " or use WithAPIKey",
			Err:     err,
		}
	case errors.Is(err, metering.ErrAPIKeyKind):
		return &ConfigError{Setting: cfg.apiKeySetting, Problem: "API key from " + cfg.apiKeySetting + ": " + cause, Err: err}
	case errors.Is(err, metering.ErrBaseURL) && cfg.baseURLSetting != "":
		return &ConfigError{Setting: cfg.baseURLSetting, Problem: "base URL from " + cfg.baseURLSetting + ": " + cause, Err: err}
	default:
		return &ConfigError{Setting: "WithClientOptions", Problem: "metering client: " + cause, Err: err}
	}
}

// converter builds the converter. Of several defaults of a field it heeds the
// first; here the last counts, since options come after the environment.
func (cfg config) converter() (*convert.Converter, error) {
	opts := make([]convert.Option, 0, len(cfg.defaults)+len(cfg.convertOptions))
	for _, d := range slices.Backward(cfg.defaults) {
		origin := convert.OriginDefault
		if d.variable != "" {
			origin = convert.OriginEnvironment
		}
		opts = append(opts, convert.WithDefault(d.field, d.value, origin))
	}
	c, err := convert.New(append(opts, cfg.convertOptions...)...)
	if err != nil {
		return nil, &ConfigError{Setting: "WithConvertOptions", Problem: "conversion: " + strings.ReplaceAll(err.Error(), "convert: ", ""), Err: err}
	}
	return c, nil
}

// description is what String and MarshalLog show: settings without the key.
type description struct {
	Type      string
	BaseURL   string
	Senders   int
	QueueSize int
	Queue     string
}

// String is the description in one line.
func (d description) String() string {
	return fmt.Sprintf("%s{BaseURL: %s, Senders: %d, QueueSize: %d, Queue: %s}", d.Type, d.BaseURL, d.Senders, d.QueueSize, d.Queue)
}

// describe returns the settings that are worth knowing and no secret.
func (cfg config) describe(name string) description {
	base := cfg.baseURL
	if u, err := url.Parse(base); err == nil {
		u.User, u.RawQuery = nil, ""
		base = u.String()
	}
	queue, size := cfg.describeQueue()
	return description{
		Type:      name,
		BaseURL:   cmp.Or(base, metering.DefaultBaseURL),
		Senders:   cfg.senders,
		QueueSize: size,
		Queue:     queue,
	}
}
