// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package exporter meters LLM calls from their OpenTelemetry spans: it turns each
// finished span of a call into one record and delivers it to Revenium.
//
// There are two doors, which share everything behind them. [NewProcessor] is the
// recommended one: a span processor that sees every call, sampled or not, at the
// moment its span ends. [New] is a conventional span exporter, for
// sdktrace.WithBatcher. [NewSampler] wraps a provider's sampler so that calls are
// recorded, and therefore metered, however few traces are sampled:
//
//	processor, err := exporter.NewProcessor()
//	...
//	provider := sdktrace.NewTracerProvider(
//		sdktrace.WithSpanProcessor(processor),
//		sdktrace.WithSampler(exporter.NewSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
//		sdktrace.WithBatcher(backend),
//	)
//	defer provider.Shutdown(context.Background())
//
// A service that is metered by a Collector uses [NewForwarder] instead, which hands
// LLM spans to an OTLP exporter, sampled or not.
//
// What a span is billed for, and which spans are, package convert decides; any
// instrumentation that follows the OpenTelemetry GenAI conventions will do.
//
// # Delivery
//
// In the application's request path the end of a call's span costs a place in the
// processor's intake. A goroutine of the processor decides about it within 5 ms, fixes
// the bytes of the record and queues it. Senders of their own do the rest. They start
// when there is something to send, at most as many as [WithSenders] says, and end when
// there is not.
//
// A record is sent until the service has it. While the service does not answer, or
// answers that it is overloaded, one sender probes at growing intervals
// ([WithRetry]) for all records, and Retry-After is obeyed; as soon as it answers,
// all of them go out. While the service refuses the API key, records are kept
// ("parked") and tried slowly, or soon after the key has changed
// ([WithAPIKeyFunc], [WithAPIKeyFile]). There is no time limit by default: a record
// ends only when it is delivered, when the service refuses it for good
// ([WithDeadLetter] keeps it then), when the queue is full ([WithOverflowPolicy],
// [WithBlockOnOverflow]) or at shutdown. All attempts send the same bytes under the
// same idempotency key, and the service keeps one record per transaction id, so that
// repeating is harmless.
//
// With several tenants ([WithTenantAttribute]) each has a key, a queue, limits and
// outages of its own.
//
// Each end is counted: see [Report], the metrics below and the error of Shutdown.
//
// # Shutdown and flush
//
// Shutdown delivers what is queued until its context ends, stops everything and
// logs the [Report]. What is left then is lost, and the error says how much; with a
// spool ([WithSpool]) it is on disk instead, and the next process delivers it.
// ForceFlush waits in the same way, but stops nothing; functions that are frozen
// between invocations call it at the end of each. Both take [WithShutdownTimeout]
// as their limit when the context has no deadline.
//
// # Environment
//
// Options outrank variables. An empty variable counts as unset, and the first one
// that is set of several counts.
//
//   - REVENIUM_METERING_API_KEY (required): the metering key, rev_mk_...; [WithAPIKey]
//   - REVENIUM_METERING_BASE_URL (default https://api.revenium.ai); [WithBaseURL]
//   - REVENIUM_METERING_API_KEY_FILE: a file with the key, where the first is not
//     set; [WithAPIKeyFile]
//   - REVENIUM_SPOOL_DIR; [WithSpool]
//   - REVENIUM_DEAD_LETTER_DIR; [WithDeadLetter]
//   - REVENIUM_LEDGER_DIR; [WithLedger]
//   - REVENIUM_SELECTIVE_METERING; convert.WithSelectiveMetering
//   - REVENIUM_CAPTURE_PROMPTS, REVENIUM_MAX_PROMPT_SIZE; convert.WithContentCapture,
//     convert.WithMaxContentSize
//   - REVENIUM_LOG_LEVEL: DEBUG, INFO, WARN or ERROR. When it is set and
//     [WithLogger] is not used, messages of that level go to standard error
//     instead of slog's default logger. A value that is not understood is logged and
//     ignored.
//   - REVENIUM_ORGANIZATION_NAME, REVENIUM_ORGANIZATION_ID; [WithOrganization]
//   - REVENIUM_PRODUCT_NAME, REVENIUM_PRODUCT_ID; [WithProduct]
//   - REVENIUM_ENVIRONMENT, ENVIRONMENT, DEPLOYMENT_ENV; [WithEnvironment]
//   - REVENIUM_REGION, AWS_REGION, AWS_DEFAULT_REGION, AZURE_REGION, GCP_REGION,
//     GOOGLE_CLOUD_REGION; [WithRegion]
//   - the variables of the other attribution fields that docs/attributes.md lists;
//     [WithDefault]
//
// The last four give values for spans that have none on the span, its scope or
// its resource.
//
// # Metrics
//
// The exporter reports about itself on the MeterProvider of [WithMeterProvider].
// Reasons, fields and the like are attributes with few values.
//
//   - revenium.exporter.spans.converted, counter, {span}: spans that look like
//     GenAI and were decided about
//   - revenium.exporter.spans.decided, counter, {span}: those whose decision is
//     final, by revenium.decision (billed, suppressed, skipped) and revenium.reason
//   - revenium.exporter.spans.held, updowncounter, {span}: those that wait for other
//     spans
//   - revenium.exporter.spans.truncated, counter, {span}: those that had lost
//     attributes to the SDK's limits, token counts perhaps among them
//   - revenium.exporter.spans.forgotten, counter, {span}: those that fell out of a
//     bounded table early, by revenium.table: held (decided about before their
//     time), recent (a replay would be billed again, under the same transaction id),
//     links (who is whose parent)
//   - revenium.exporter.spans.remembered, updowncounter, {span}: calls, and spans
//     around them, that are remembered so that each call is billed once
//   - revenium.exporter.calls.late, counter, {call}: calls that came after an
//     aggregate around them had been billed, and are not billed themselves
//   - revenium.exporter.calls.billed_twice, counter, {call}: calls that turned out to
//     have been billed with two spans, or with an aggregate and by themselves; alert
//     on it
//   - revenium.exporter.records.finished, counter, {record}: by revenium.outcome
//     (delivered, duplicate, dead, lost) and, for the last two, revenium.reason
//   - revenium.exporter.records.pending, updowncounter, {record}: by revenium.state
//     (queued, on_disk, parked)
//   - revenium.exporter.records.recovered, counter, {record}: left in the queue by
//     an earlier process
//   - revenium.exporter.records.late, counter, {record}: delivered when they were
//     more than a day old
//   - revenium.exporter.spool.files.set_aside, counter, {file}: damaged files of the
//     spool
//   - revenium.exporter.values.changed, counter, {value}: values that could not be
//     metered as they were, or are uncertain, by revenium.field and
//     revenium.action (dropped, truncated, replaced, guessed, doubtful)
//   - revenium.exporter.attempts, counter, {attempt}: requests by revenium.outcome
//     (delivered, duplicate, retry, unauthorized, rejected)
//   - revenium.exporter.attempt.duration, histogram, s: requests by revenium.outcome
//     and http.response.status_code
//   - revenium.exporter.queue.size and .capacity, updowncounter, {record};
//     revenium.exporter.queue.bytes and .bytes.capacity, updowncounter, By
//   - revenium.exporter.queue.oldest.age, gauge, s
//
// Two sums hold in every collection:
//
//	converted          = decided (billed + suppressed + skipped) + held
//	billed + recovered = finished (delivered + duplicate + dead + lost) + pending
//
// The metrics of several exporters on one MeterProvider add up. They stay
// registered after shutdown, so that a last collection shows how it ended.
package exporter
