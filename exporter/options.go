// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// Option configures [NewProcessor] and [New]. An option outranks the environment
// variable of the same setting.
type Option interface {
	apply(config) config
}

type optionFunc func(config) config

func (f optionFunc) apply(cfg config) config { return f(cfg) }

// WithAPIKey sets the metering key. It outranks REVENIUM_METERING_API_KEY.
func WithAPIKey(key string) Option {
	return optionFunc(func(cfg config) config {
		cfg.apiKey, cfg.apiKeyFunc, cfg.apiKeyFile, cfg.apiKeySetting = key, nil, "", "WithAPIKey"
		return cfg
	})
}

// WithAPIKeyFunc asks key for the metering key before every attempt, so that it can
// be exchanged while the process runs. While the service refuses the key, it is
// asked every few seconds whether there is another one. It is called concurrently
// and should be quick. It outranks REVENIUM_METERING_API_KEY, and the last of this,
// [WithAPIKey] and [WithAPIKeyFile] counts.
func WithAPIKeyFunc(key metering.APIKeyFunc) Option {
	return optionFunc(func(cfg config) config {
		cfg.apiKey, cfg.apiKeyFunc, cfg.apiKeyFile, cfg.apiKeySetting = "", key, "", "WithAPIKeyFunc"
		return cfg
	})
}

// WithAPIKeyFile reads the metering key from a file, and again whenever the file
// has changed, as a mounted secret does when it is rotated. It outranks
// REVENIUM_METERING_API_KEY_FILE.
func WithAPIKeyFile(path string) Option {
	return optionFunc(func(cfg config) config {
		cfg.apiKey, cfg.apiKeyFunc, cfg.apiKeyFile, cfg.apiKeySetting = "", nil, path, "WithAPIKeyFile"
		return cfg
	})
}

// WithBaseURL sets where Revenium's API is; the default is
// https://api.revenium.ai. A path that ends in /meter or /meter/v2 is
// understood. It outranks REVENIUM_METERING_BASE_URL.
func WithBaseURL(url string) Option {
	return optionFunc(func(cfg config) config {
		cfg.baseURL, cfg.baseURLSetting = url, "WithBaseURL"
		return cfg
	})
}

// WithHTTPClient sends through the given client instead of one that the exporter
// owns. Its transport should not be instrumented: metering calls would be traced.
func WithHTTPClient(client *http.Client) Option {
	return optionFunc(func(cfg config) config {
		if client != nil {
			cfg.clientOptions = append(slices.Clip(cfg.clientOptions), metering.WithHTTPClient(client))
		}
		return cfg
	})
}

// WithClientOptions passes options to the metering client: TLS, proxy and so on.
func WithClientOptions(opts ...metering.ClientOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.clientOptions = append(slices.Clip(cfg.clientOptions), opts...)
		return cfg
	})
}

// WithTimeout bounds one attempt to deliver a record; the default is 10 s.
func WithTimeout(d time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.timeout = d
		return cfg
	})
}

// WithEnvironment sets the environment of records whose span, scope and resource
// name none ("production"). It outranks REVENIUM_ENVIRONMENT and its
// alternatives.
func WithEnvironment(name string) Option { return WithDefault(fieldEnvironment, name) }

// WithRegion sets the cloud region of records whose span, scope and resource name
// none. It outranks REVENIUM_REGION and its alternatives.
func WithRegion(name string) Option { return WithDefault(fieldRegion, name) }

// WithOrganization sets the organization (customer) of records whose span, scope
// and resource name none. It outranks REVENIUM_ORGANIZATION_NAME.
func WithOrganization(name string) Option { return WithDefault(fieldOrganization, name) }

// WithProduct sets the product of records whose span, scope and resource name
// none. It outranks REVENIUM_PRODUCT_NAME.
func WithProduct(name string) Option { return WithDefault(fieldProduct, name) }

// WithDefault sets the value of any attribution field for records whose span,
// scope and resource give none. field is the name in the metering record
// ("taskType", "subscriber.id"); docs/attributes.md lists them. Fields that
// belong to one call, such as ids, have no default and are refused.
func WithDefault(field, value string) Option {
	return optionFunc(func(cfg config) config {
		cfg.defaults = append(slices.Clip(cfg.defaults), fieldDefault{field: field, value: value})
		return cfg
	})
}

// WithErrorRecords chooses which failed calls become records; the default is
// [convert.ErrorPolicyFinal]: a call that failed for good, not an attempt that
// the client repeated.
func WithErrorRecords(policy convert.ErrorPolicy) Option {
	return WithConvertOptions(convert.WithErrorRecords(policy))
}

// WithConvertOptions passes options to the conversion of spans to records.
func WithConvertOptions(opts ...convert.Option) Option {
	return optionFunc(func(cfg config) config {
		cfg.convertOptions = append(slices.Clip(cfg.convertOptions), opts...)
		return cfg
	})
}

// WithQueueSize bounds the number of records that wait in memory for delivery;
// the default is [spool.DefaultMaxEntries].
func WithQueueSize(records int) Option {
	return optionFunc(func(cfg config) config {
		cfg.queueSize = records
		return cfg
	})
}

// WithQueueBytes bounds the bytes of the records that wait in memory, for delivery
// or, with [WithSpool], for the disk; the default is [spool.DefaultMaxBytes].
func WithQueueBytes(bytes int64) Option {
	return optionFunc(func(cfg config) config {
		cfg.queueBytes = bytes
		return cfg
	})
}

// WithOverflowPolicy chooses which record a full queue gives up; the default is
// [spool.DropNewest]. Each one is counted and reported.
func WithOverflowPolicy(policy spool.OverflowPolicy) Option {
	return optionFunc(func(cfg config) config {
		cfg.overflow = policy
		return cfg
	})
}

// WithBlockOnOverflow lets the code whose span ends wait for room in a full queue,
// at most for limit, before the overflow policy decides. It is for batch jobs that
// would rather be slow than lose a record; a service should not let its requests
// wait for metering. The default, zero, is not to wait.
func WithBlockOnOverflow(limit time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.blockLimit = limit
		return cfg
	})
}

// WithSpool keeps the waiting records in files of a directory, so that they survive
// the end of the process: the next one that uses the directory delivers them.
// Several processes can share it. It is made if it is not there.
//
// OnEnd does not wait for the disk: a record is on disk some 15 ms after its span
// ended, synced by default, and one that was delivered before is never written. A
// crash can lose what ended within that time. While the disk takes nothing, records
// stay in memory, up to [WithQueueBytes].
//
// Options bound the spool ([spool.WithMaxBytes] and so on, for each tenant) and
// choose its durability ([spool.WithoutFsync], [spool.WithCommitInterval]);
// [WithOverflowPolicy] decides what happens at its bounds, and [WithQueueSize] has
// no effect. Dead letters are kept beneath the directory unless [WithDeadLetter]
// names another. See docs/delivery.md.
//
// It outranks REVENIUM_SPOOL_DIR.
func WithSpool(dir string, opts ...spool.DirectoryOption) Option {
	return optionFunc(func(cfg config) config {
		cfg.spoolDir, cfg.spoolSetting = dir, "WithSpool"
		cfg.spoolOptions = slices.Clone(opts)
		return cfg
	})
}

// WithMaxAge gives a record up when its turn comes and it is older than this. Where
// dead letters are kept, which they are with [WithSpool] or [WithDeadLetter], the
// default is 30 days, so that what is found after months is not billed without
// somebody asking for it ("revenium-otel deadletter replay --allow-older");
// elsewhere it is zero, which is unbounded.
func WithMaxAge(age time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.maxAge, cfg.maxAgeSet = age, true
		return cfg
	})
}

// WithQueue keeps the waiting records in the given queue, which the exporter
// owns from then on and closes at shutdown. WithQueueSize, WithQueueBytes and
// WithOverflowPolicy have no effect on it.
func WithQueue(queue spool.Queue) Option {
	return optionFunc(func(cfg config) config {
		cfg.queue = queue
		return cfg
	})
}

// WithSenders bounds the number of requests under way at the same time, and with
// it the number of connections; the default is 12. A service that answers within
// 5 ms gets at most 4 at a time, which keep it as busy as more would.
func WithSenders(n int) Option {
	return optionFunc(func(cfg config) config {
		cfg.senders = n
		return cfg
	})
}

// WithRetry sets the waits between attempts.
func WithRetry(retry RetryConfig) Option {
	return optionFunc(func(cfg config) config {
		cfg.retry = retry
		return cfg
	})
}

// WithShutdownTimeout bounds ForceFlush and Shutdown when their context has no
// deadline; the default is 20 s, which leaves room in the grace period that
// container platforms usually give.
func WithShutdownTimeout(d time.Duration) Option {
	return optionFunc(func(cfg config) config {
		cfg.shutdownTimeout = d
		return cfg
	})
}

// WithDeadLetter keeps what is given up in files of a directory, with the reason
// and the service's answer: records that the service refused for good, and those
// that became older than [RetryConfig.MaxElapsedTime]. Package deadletter and the
// command "revenium-otel deadletter" list them and send them again. Several
// processes can share the directory, which is made if it is not there. It outranks
// REVENIUM_DEAD_LETTER_DIR.
func WithDeadLetter(dir string) Option {
	return optionFunc(func(cfg config) config {
		cfg.deadLetterDir, cfg.deadLetterSetting = dir, "WithDeadLetter"
		return cfg
	})
}

// WithLedger keeps a local account of everything that is billed, and of what becomes
// of it, in files of a directory: one line when a record is billed and one at its
// end, with model, tokens and organization, but no person. "revenium-otel ledger"
// adds it up and exports it for comparison with an invoice; see package ledger. It
// outranks REVENIUM_LEDGER_DIR.
func WithLedger(dir string) Option {
	return optionFunc(func(cfg config) config {
		cfg.ledgerDir, cfg.ledgerSetting = dir, "WithLedger"
		return cfg
	})
}

// WithRejectedHandler is told each record that the service refused for good, with
// its bytes and the service's answer. A record that the handler took (it returned
// nil) counts as a dead letter; one that it did not take counts as lost, unless
// [WithDeadLetter] keeps it. The handler runs in a sender: it may be called
// concurrently, and while it works, that sender delivers nothing.
func WithRejectedHandler(handle func(Rejected) error) Option {
	return optionFunc(func(cfg config) config {
		cfg.onRejected = handle
		return cfg
	})
}

// WithMeterProvider reports the exporter's own metrics there; the default is the
// global one. See the package comment for the metrics.
func WithMeterProvider(mp metric.MeterProvider) Option {
	return optionFunc(func(cfg config) config {
		cfg.meterProvider = mp
		return cfg
	})
}

// WithLogger sets where problems and the report at shutdown are logged; the
// default is [slog.Default], or standard error when REVENIUM_LOG_LEVEL is set.
func WithLogger(logger *slog.Logger) Option {
	return optionFunc(func(cfg config) config {
		cfg.logger = logger
		return cfg
	})
}
