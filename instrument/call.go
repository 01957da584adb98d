// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package instrument

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/revenium/revenium-otel-go/semconv"
)

// CallParams is what is known of a call before it is made.
type CallParams struct {
	// Operation is the kind of call in the words of the OpenTelemetry GenAI
	// conventions: "chat" (the default), "text_completion", "embeddings",
	// "generate_content".
	Operation string
	// Provider is who serves the call, in the words of the conventions: "openai",
	// "anthropic", "aws.bedrock", ... Any other name will do where they have none.
	Provider string
	// Model is the model asked for, by the name the provider knows it by.
	Model string
	// Stream says that the answer was asked for as a stream.
	Stream bool
	// ServerAddress and ServerPort are the host and port called; "" and 0 when
	// there is no server or it does not matter.
	ServerAddress string
	ServerPort    int

	_ struct{}
}

// Response is what an answer says about itself. Zero fields are unknown and
// leave alone what an earlier SetResponse said.
type Response struct {
	// ID is the provider's id of the answer.
	ID string
	// Model is the model that answered; often a dated name of the one asked for,
	// sometimes another one.
	Model string
	// FinishReasons says why generation ended, one raw provider word per choice.
	FinishReasons []string
	// ServiceTier is the tier that served the call, where the provider has tiers.
	ServiceTier string
	// SystemFingerprint identifies the provider's backend configuration.
	SystemFingerprint string

	_ struct{}
}

// Usage is what a provider reported as consumed. A nil count was not reported,
// which is not the same as 0: a zero is a claim, and it is billed as one.
type Usage struct {
	// Input is all input tokens, those read from and written to a cache included.
	// Providers that count the cache beside the input (Anthropic) must be added up.
	Input *int64
	// CacheRead is the part of Input that was served from a cache.
	CacheRead *int64
	// CacheCreation is the part of Input that was written to a cache, of which
	// CacheCreation5m and CacheCreation1h live for five minutes and an hour.
	CacheCreation   *int64
	CacheCreation5m *int64
	CacheCreation1h *int64
	// Output is all output tokens, those spent on reasoning included.
	Output *int64
	// Reasoning is the part of Output that was spent on reasoning.
	Reasoning *int64
	// InputAudio and OutputAudio are the parts of Input and Output that are
	// audio, which is priced apart.
	InputAudio  *int64
	OutputAudio *int64
	// InputImage and OutputImage are the parts of Input and Output that are
	// images, likewise.
	InputImage  *int64
	OutputImage *int64
	// NoTokens says that the call is not billed by tokens, but by what other
	// attributes of its span count (images, seconds, characters, search units), or
	// not at all, so that none are missing.
	NoTokens bool
	// Partial says that the counts are a lower bound, since the answer was cut
	// before the last of them was reported. Without any count it says that
	// something was generated and nobody knows how much.
	Partial bool

	_ struct{}
}

func (u Usage) reported() bool {
	return u.Input != nil || u.Output != nil || u.CacheRead != nil || u.CacheCreation != nil ||
		u.CacheCreation5m != nil || u.CacheCreation1h != nil || u.Reasoning != nil ||
		u.InputAudio != nil || u.OutputAudio != nil || u.InputImage != nil || u.OutputImage != nil
}

// Call is one call of a model, from its start to its end. Its methods may be
// used by several goroutines at once; after End they do nothing.
type Call struct {
	span  trace.Span
	start time.Time
	// measured is nil unless there are metrics.
	measured *measurement

	mu         sync.Mutex
	ended      bool
	firstToken bool
	usage      bool
	// late are the attributes that came after the start. They go to the span
	// together when it ends: for each addition the SDK copies all that it has.
	late []attribute.KeyValue
	room [lateAttributes]attribute.KeyValue
}

// lateAttributes is as many attributes as an ordinary call gets after its start.
const lateAttributes = 12

// StartCall starts the span of a call and returns it with a context that carries
// it, to be used for the call itself. The span is named "{operation} {model}", is
// of kind CLIENT and has the parameters, and the metadata that ctx carries, as
// attributes from its start on, where samplers look for them.
//
// Every call must be ended with [Call.End]; a call never ended is never billed.
func StartCall(ctx context.Context, params CallParams, opts ...Option) (context.Context, *Call) {
	c, ctx := configFor(ctx, opts)
	operation := params.Operation
	if operation == "" {
		operation = semconv.GenAIOperationNameChat.Value.AsString()
	}
	call := &Call{start: c.start}
	if c.start.IsZero() {
		call.start = time.Now()
	}
	carried := carriedBy(ctx)
	parent, own := ctx, carried
	if c.metadata.set != 0 {
		own = carried.with(slotCall, c.metadata)
		parent = context.WithValue(ctx, carriedKey{}, own) // for span processors
	}
	ctx, call.span = c.tracer().Start(parent, spanName(operation, params.Model),
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(params.attributes(operation, own.besides(c.attributes), c.attributes)...),
		trace.WithTimestamp(call.start),
	)
	call.measured = measure(ctx, &c, &params)
	if own != carried {
		ctx = context.WithValue(ctx, carriedKey{}, carried) // what is for this call is not for those beneath
	}
	return ctx, call
}

// spanName is the name that the conventions give to a span: of its operation and
// what it is done with.
func spanName(operation, with string) string {
	if with == "" {
		return operation
	}
	return operation + " " + with
}

// attributes lists the start attributes, of which the last of a key counts: the
// call's own, extra, and metadata about which extra says nothing.
func (p CallParams) attributes(operation string, metadata, extra []attribute.KeyValue) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, 0, 6+len(metadata)+len(extra))
	attributes = append(attributes, semconv.GenAIOperationNameKey.String(operation))
	if p.Provider != "" {
		attributes = append(attributes, semconv.GenAIProviderNameKey.String(p.Provider))
	}
	if p.Model != "" {
		attributes = append(attributes, semconv.GenAIRequestModelKey.String(p.Model))
	}
	if p.Stream { // by the conventions only when true
		attributes = append(attributes, semconv.GenAIRequestStreamKey.Bool(true))
	}
	if p.ServerAddress != "" {
		attributes = append(attributes, semconv.ServerAddressKey.String(p.ServerAddress))
		if p.ServerPort > 0 {
			attributes = append(attributes, semconv.ServerPortKey.Int(p.ServerPort))
		}
	}
	attributes = append(attributes, extra...)
	return append(attributes, metadata...)
}

// IsRecording says whether anybody will see the call. Where it is false, work
// that only serves the span can be saved.
func (c *Call) IsRecording() bool { return c.span.IsRecording() || c.measured != nil }

// Span returns the call's span.
func (c *Call) Span() trace.Span { return c.span }

// SetAttributes adds attributes to the call's span. They are on the span when it
// has ended, and win over those that were set on it by other means.
func (c *Call) SetAttributes(attributes ...attribute.KeyValue) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(attributes...)
}

// add keeps attributes for the end. The caller holds the lock.
func (c *Call) add(attributes ...attribute.KeyValue) {
	if c.ended {
		return
	}
	if c.late == nil {
		c.late = c.room[:0]
	}
	c.late = append(c.late, attributes...)
}

// SetModel says which model the call asks for where this was not known at its
// start. It renames the span accordingly.
func (c *Call) SetModel(operation, model string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || model == "" {
		return
	}
	c.span.SetName(spanName(operation, model))
	c.add(semconv.GenAIRequestModelKey.String(model))
}

// SetResponse records what the answer says about itself.
func (c *Call) SetResponse(r Response) {
	attributes := make([]attribute.KeyValue, 0, 5)
	add := func(key attribute.Key, value string) {
		if value != "" {
			attributes = append(attributes, key.String(value))
		}
	}
	add(semconv.GenAIResponseIDKey, r.ID)
	add(semconv.GenAIResponseModelKey, r.Model)
	add(semconv.OpenAIResponseServiceTierKey, r.ServiceTier)
	add(semconv.OpenAIResponseSystemFingerprintKey, r.SystemFingerprint)
	if len(r.FinishReasons) > 0 {
		attributes = append(attributes, semconv.GenAIResponseFinishReasonsKey.StringSlice(r.FinishReasons))
	}
	c.SetAttributes(attributes...)
}

// SetUsage records what the provider reported as consumed. A later usage
// replaces an earlier one, count by count: providers send running totals, never
// increments.
func (c *Call) SetUsage(u Usage) {
	attributes := make([]attribute.KeyValue, 0, 10)
	add := func(key attribute.Key, count *int64) {
		if count != nil {
			attributes = append(attributes, key.Int64(*count))
		}
	}
	add(semconv.GenAIUsageInputTokensKey, u.Input)
	add(semconv.GenAIUsageOutputTokensKey, u.Output)
	add(semconv.GenAIUsageCacheReadInputTokensKey, u.CacheRead)
	add(semconv.GenAIUsageCacheCreationInputTokensKey, u.CacheCreation)
	add(semconv.ReveniumUsageCacheCreation5mTokensKey, u.CacheCreation5m)
	add(semconv.ReveniumUsageCacheCreation1hTokensKey, u.CacheCreation1h)
	add(semconv.GenAIUsageReasoningOutputTokensKey, u.Reasoning)
	add(semconv.ReveniumUsageInputAudioTokensKey, u.InputAudio)
	add(semconv.ReveniumUsageOutputAudioTokensKey, u.OutputAudio)
	add(semconv.ReveniumUsageInputImageTokensKey, u.InputImage)
	add(semconv.ReveniumUsageOutputImageTokensKey, u.OutputImage)
	reported := u.reported()
	if u.Partial && (reported || !u.NoTokens) {
		flag := semconv.ReveniumUsageMissingKey
		if reported {
			flag = semconv.ReveniumUsagePartialKey
		}
		attributes = append(attributes, flag.Bool(true))
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	c.usage = c.usage || reported || u.NoTokens
	c.add(attributes...)
}

// SetQualityScore rates the answer from 0 to 1. The error, a [FieldError], says
// that the score is not one; the call is then as it was.
//
// A score can be set until the call ends, and not afterwards: Revenium keeps the
// first record of a call and drops any other. To judge an answer first, note when
// it was there, and end the call with [Call.EndAt] and that time. The outcome of a
// whole job, which Revenium takes later and under another kind of key, belongs to
// Job.ID in its jobs API.
func (c *Call) SetQualityScore(score float64) error {
	f := fieldTable().fields[fieldTable().byKey[semconv.ReveniumResponseQualityScoreKey]]
	if problem, ok := f.check(&Metadata{QualityScore: &score}); !ok {
		return &problem
	}
	c.SetAttributes(semconv.ReveniumResponseQualityScore(score))
	return nil
}

// FirstToken says that the first piece of the answer's content has just
// arrived. Only the first use counts.
func (c *Call) FirstToken() { c.FirstTokenAt(time.Now()) }

// FirstTokenAt is [Call.FirstToken] for a piece that arrived at t.
func (c *Call) FirstTokenAt(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.firstToken {
		return
	}
	c.firstToken = true
	elapsed := max(t.Sub(c.start), 0)
	c.add(semconv.GenAIResponseTimeToFirstChunkKey.Float64(elapsed.Seconds()))
}

// End ends the call now; see [Call.EndAt].
func (c *Call) End(err error) { c.EndAt(err, time.Now()) }

// EndAt ends the call at t. A nil err is success; then a call without usage is
// marked with revenium.usage.missing. Otherwise the span gets the status Error
// and an error.type, found by [ErrorType]; the text of err is not recorded.
//
// The first End of a call counts, later ones do nothing.
func (c *Call) EndAt(err error, t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return
	}
	switch {
	case err != nil:
		c.fail(err)
	case !c.usage:
		c.add(semconv.ReveniumUsageMissingKey.Bool(true))
	}
	c.ended = true
	c.span.SetAttributes(c.late...)
	if t.Before(c.start) {
		t = c.start
	}
	if c.measured != nil {
		c.measured.record(c.late, t.Sub(c.start))
	}
	c.late, c.room = nil, [lateAttributes]attribute.KeyValue{}
	c.span.End(trace.WithTimestamp(t))
}

func (c *Call) fail(err error) {
	kind := ErrorType(err)
	c.add(semconv.ErrorTypeKey.String(kind))
	if status := statusCode(err); status != 0 {
		c.add(semconv.HTTPResponseStatusCodeKey.Int(status))
	}
	c.span.SetStatus(codes.Error, describe(err, kind))
}
