// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"time"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// Bounds for fields for which the API documents none. They keep a record small
// whatever an application puts into an attribute; no sensible value meets them.
const (
	maxLabelLen = limits.TextMaxLen
	maxTextLen  = 4096
	maxLinkLen  = 255
)

// walk lists the fields of c in the order of the struct. Which skip reasons are
// valid depends on the endpoint.
func (c *Call) walk(w *walker, skip func(SkipReason) bool) {
	w.required("model", &c.Model, maxLabelLen)
	w.required("provider", &c.Provider, maxLabelLen)
	w.requiredLink("transactionId", &c.TransactionID, maxLinkLen)
	w.derivedTime("requestTime", c.RequestTime)
	w.derivedTime("responseTime", c.ResponseTime)
	w.derivedInt("requestDuration", c.RequestDuration)
	requiredEnum(w, "costType", &c.CostType, CostType.Valid, CostAI)
	optionalEnum(w, "operationType", &c.OperationType, OperationType.Valid, OperationOther)
	w.label("operationSubtype", &c.OperationSubtype, maxLabelLen)

	w.link("traceId", &c.TraceID, maxLinkLen)
	w.pattern("traceType", &c.TraceType, limits.ValidTraceType)
	w.label("traceName", &c.TraceName, limits.TraceNameMaxLen)
	w.label("transactionName", &c.TransactionName, maxLabelLen)
	w.link("parentTransactionId", &c.ParentTransactionID, maxLinkLen)
	w.smallCount("retryNumber", &c.RetryNumber)

	w.label("organizationName", &c.OrganizationName, maxLabelLen)
	w.label("productName", &c.ProductName, maxLabelLen)
	w.name("subscriptionId", &c.SubscriptionID, maxLabelLen)
	w.subscriber("subscriber", &c.Subscriber)

	w.label("taskType", &c.TaskType, limits.TaskTypeMaxLen)
	w.label("agent", &c.Agent, maxLabelLen)
	w.label("agentVersion", &c.AgentVersion, limits.AgentVersionMaxLen)
	w.label("environment", &c.Environment, limits.EnvironmentMaxLen)
	w.label("region", &c.Region, maxLabelLen)
	w.label("credentialAlias", &c.CredentialAlias, limits.CredentialAliasMaxLen)
	w.label("ticketId", &c.TicketID, limits.TicketIDMaxLen)

	w.pattern("agenticJobId", &c.AgenticJobID, limits.ValidAgenticJobID)
	w.label("agenticJobName", &c.AgenticJobName, limits.AgenticJobNameMaxLen)
	w.label("agenticJobType", &c.AgenticJobType, limits.AgenticJobTypeMaxLen)
	w.label("agenticJobVersion", &c.AgenticJobVersion, limits.AgenticJobVersionMaxLen)
	w.name("squadId", &c.SquadID, maxLabelLen)
	w.label("squadName", &c.SquadName, maxLabelLen)
	w.label("squadRole", &c.SquadRole, maxLabelLen)

	w.label("modelSource", &c.ModelSource, maxLabelLen)
	w.label("middlewareSource", &c.MiddlewareSource, limits.MiddlewareSourceMaxLen)
	w.label("requestedServiceTier", &c.RequestedServiceTier, maxLabelLen)
	w.label("actualServiceTier", &c.ActualServiceTier, maxLabelLen)
	optionalEnum(w, "pricingTier", &c.PricingTier, PricingTier.Valid, "")
	w.amount("totalCost", &c.TotalCost)
	w.flag("billingSkipped", c.BillingSkipped)
	optionalEnum(w, "skipReason", &c.SkipReason, skip, "")

	w.text("errorReason", &c.ErrorReason, maxTextLen)
	w.status("errorCode", &c.ErrorCode)

	w.document("inputMessages", &c.InputMessages, limits.InputMessagesMaxLen, isTrue(c.PromptsTruncated))
	w.content("outputResponse", &c.OutputResponse, limits.OutputResponseMaxLen)
	w.flag("promptsTruncated", c.PromptsTruncated)
}

// reconcile makes the times agree, and the job fields follow the job.
func (c *Call) reconcile(w *walker) {
	if w.dropped("agenticJobId") {
		w.dropWith(&c.AgenticJobName, "agenticJobName", reasonJobID)
		w.dropWith(&c.AgenticJobType, "agenticJobType", reasonJobID)
		w.dropWith(&c.AgenticJobVersion, "agenticJobVersion", reasonJobID)
	}
	if w.truncatedContent && !isTrue(c.PromptsTruncated) {
		c.PromptsTruncated = new(true)
		w.change("promptsTruncated", Replaced, "content was truncated")
	}
	w.requiredTime("requestTime", c.RequestTime)
	w.requiredTime("responseTime", c.ResponseTime)
	if len(w.problems) == 0 {
		c.reconcileTimes(w)
	}
}

func isTrue(v *bool) bool { return v != nil && *v }

// reconcileTimes puts start and end in order. Of two times, one can be a clock
// that was never set or a zero that became 1970; then the other serves for both.
func (c *Call) reconcileTimes(w *walker) {
	switch startOK, endOK := c.RequestTime.plausible(), c.ResponseTime.plausible(); {
	case !startOK && !endOK:
		w.problem("requestTime", reasonImplausible)
		w.problem("responseTime", reasonImplausible)
		return
	case !startOK:
		c.RequestTime = c.ResponseTime
		w.change("requestTime", Replaced, reasonImplausible)
	case !endOK:
		c.ResponseTime = c.RequestTime
		w.change("responseTime", Replaced, reasonImplausible)
	case c.ResponseTime.Before(c.RequestTime.Time):
		c.ResponseTime = c.RequestTime
		w.change("responseTime", Replaced, "is before requestTime")
	}
	duration := c.ResponseTime.milliseconds() - c.RequestTime.milliseconds()
	switch {
	case c.RequestDuration < 0:
		w.change("requestDuration", Replaced, reasonNegative)
		c.RequestDuration = duration
	case c.RequestDuration < duration-1 || c.RequestDuration > duration+1:
		w.change("requestDuration", Replaced, "is not responseTime - requestTime")
		c.RequestDuration = duration
	}
}

func (c *Completion) walk(w *walker) {
	c.Call.walk(w, SkipReason.validForCompletions)

	w.requiredCount("inputTokenCount", c.InputTokenCount)
	w.requiredCount("outputTokenCount", c.OutputTokenCount)
	w.requiredCount("totalTokenCount", c.TotalTokenCount)
	w.count("reasoningTokenCount", &c.ReasoningTokenCount)
	w.count("cacheReadTokenCount", &c.CacheReadTokenCount)
	w.count("cacheCreationTokenCount", &c.CacheCreationTokenCount)
	w.count("cacheCreation5mTokenCount", &c.CacheCreation5mTokenCount)
	w.count("cacheCreation1hTokenCount", &c.CacheCreation1hTokenCount)

	w.derivedTime("completionStartTime", c.CompletionStartTime)
	w.smallCount("timeToFirstToken", &c.TimeToFirstToken)
	w.smallCount("mediationLatency", &c.MediationLatency)
	w.requiredFlag("isStreamed", c.IsStreamed)
	requiredEnum(w, "stopReason", &c.StopReason, StopReason.Valid, StopEnd)

	w.label("systemFingerprint", &c.SystemFingerprint, maxLabelLen)
	w.ranged("temperature", &c.Temperature, limits.TemperatureMin, limits.TemperatureMax)
	w.label("modelHost", &c.ModelHost, limits.ModelHostMaxLen)
	w.pattern("effort", &c.Effort, limits.ValidEffort)
	w.label("speed", &c.Speed, limits.SpeedMaxLen)

	w.label("subscriptionTier", &c.SubscriptionTier, maxLabelLen)
	w.label("subscriberEmailSource", &c.SubscriberEmailSource, limits.SubscriberEmailSourceMaxLen)
	w.ranged("responseQualityScore", &c.ResponseQualityScore, limits.ResponseQualityScoreMin, limits.ResponseQualityScoreMax)

	w.label("promptId", &c.PromptID, limits.PromptIDMaxLen)
	w.smallCount("promptLength", &c.PromptLength)
	w.label("skillName", &c.SkillName, limits.SkillNameMaxLen)
	w.label("skillPluginName", &c.SkillPluginName, limits.SkillPluginNameMaxLen)
	w.label("skillMarketplaceName", &c.SkillMarketplaceName, limits.SkillMarketplaceNameMaxLen)
	optionalEnum(w, "skillKind", &c.SkillKind, SkillKind.Valid, "")
	optionalEnum(w, "skillSource", &c.SkillSource, SkillSource.Valid, "")
	w.label("skillInvocationTrigger", &c.SkillInvocationTrigger, limits.SkillInvocationTriggerMaxLen)
	w.label("subagentType", &c.SubagentType, limits.SubagentTypeMaxLen)
	w.label("querySource", &c.QuerySource, limits.QuerySourceMaxLen)
	w.name("codingAssistantAccountUuid", &c.CodingAssistantAccountUUID, maxLabelLen)

	w.amount("inputTokenCost", &c.InputTokenCost)
	w.amount("outputTokenCost", &c.OutputTokenCost)
	w.amount("cacheReadTokenCost", &c.CacheReadTokenCost)
	w.amount("cacheCreationTokenCost", &c.CacheCreationTokenCost)
	w.amount("costMultiplier", &c.CostMultiplier)

	w.content("systemPrompt", &c.SystemPrompt, limits.SystemPromptMaxLen)
	w.freeForm("attributes", &c.Attributes)
}

func (c *Completion) reconcile(w *walker) {
	c.Call.reconcile(w)
	c.reconcileTokens(w)
	if len(w.problems) == 0 {
		c.reconcileFirstToken(w)
	}
}

// reasoningRounding is by how much reasoning may exceed the output of which it is
// a part: gateways that round both are seen to report two tokens too many.
const reasoningRounding = 2

func (c *Completion) reconcileTokens(w *walker) {
	if c.TotalTokenCount < max(c.InputTokenCount, c.OutputTokenCount) {
		if c.TotalTokenCount != 0 {
			w.change("totalTokenCount", Replaced, "is below inputTokenCount or outputTokenCount")
		}
		c.TotalTokenCount = min(c.InputTokenCount+c.OutputTokenCount, maxCount)
		w.stale = true
	}
	if r := c.ReasoningTokenCount; r != nil && *r > c.OutputTokenCount+reasoningRounding {
		c.ReasoningTokenCount = nil
		w.change("reasoningTokenCount", Dropped, "is above outputTokenCount, of which it is a part")
	}
	if c.CacheCreation5mTokenCount == nil && c.CacheCreation1hTokenCount == nil {
		return
	}
	var parts int64
	for _, part := range []*int64{c.CacheCreation5mTokenCount, c.CacheCreation1hTokenCount} {
		if part != nil {
			parts += *part
		}
	}
	switch {
	case c.CacheCreationTokenCount == nil && parts <= maxCount:
		c.CacheCreationTokenCount = new(parts)
		w.change("cacheCreationTokenCount", Replaced, "is missing beside its parts")
	case c.CacheCreationTokenCount == nil || parts > *c.CacheCreationTokenCount:
		const reason = "is, with the other part, above cacheCreationTokenCount"
		if c.CacheCreation5mTokenCount != nil {
			c.CacheCreation5mTokenCount = nil
			w.change("cacheCreation5mTokenCount", Dropped, reason)
		}
		if c.CacheCreation1hTokenCount != nil {
			c.CacheCreation1hTokenCount = nil
			w.change("cacheCreation1hTokenCount", Dropped, reason)
		}
	}
}

// reconcileFirstToken keeps the first token within the call.
func (c *Completion) reconcileFirstToken(w *walker) {
	if t := c.TimeToFirstToken; t != nil && *t > c.RequestDuration {
		c.TimeToFirstToken = nil
		w.change("timeToFirstToken", Dropped, "is above requestDuration")
	}
	switch first := c.CompletionStartTime; {
	case first.IsZero():
		c.CompletionStartTime = c.ResponseTime
		w.stale = true
		if c.TimeToFirstToken != nil {
			c.CompletionStartTime = c.measuredFirstToken()
		}
	case first.Before(c.RequestTime.Time):
		c.CompletionStartTime = c.RequestTime
		w.change("completionStartTime", Replaced, "is before requestTime")
	case first.After(c.ResponseTime.Time):
		c.CompletionStartTime = c.ResponseTime
		w.change("completionStartTime", Replaced, "is after responseTime")
	}
	if c.TimeToFirstToken == nil {
		return
	}
	passed := c.CompletionStartTime.milliseconds() - c.RequestTime.milliseconds()
	if difference := passed - *c.TimeToFirstToken; difference < -1 || difference > 1 {
		c.CompletionStartTime = c.measuredFirstToken()
		w.change("completionStartTime", Replaced, "is not requestTime + timeToFirstToken")
	}
}

// measuredFirstToken is where TimeToFirstToken puts the first token.
func (c *Completion) measuredFirstToken() Timestamp {
	at := Timestamp{c.RequestTime.Add(time.Duration(*c.TimeToFirstToken) * time.Millisecond)}
	if at.After(c.ResponseTime.Time) {
		return c.ResponseTime
	}
	return at
}

func (i *Image) walk(w *walker) {
	i.Call.walk(w, SkipReason.validForMedia)

	w.requiredSmallCount("actualImageCount", i.ActualImageCount)
	w.smallCount("requestedImageCount", &i.RequestedImageCount)
	requiredEnum(w, "billingUnit", &i.BillingUnit, BillingUnit.Valid, BillingPerImage)
	w.label("resolution", &i.Resolution, maxLabelLen)
	w.label("aspectRatio", &i.AspectRatio, maxLabelLen)
	w.label("quality", &i.Quality, maxLabelLen)
	w.label("style", &i.Style, maxLabelLen)
	w.label("format", &i.Format, maxLabelLen)
	w.flag("revisedPromptProvided", i.RevisedPromptProvided)
	w.flag("sourceImageProvided", i.SourceImageProvided)
	w.link("sourceTransactionId", &i.SourceTransactionID, maxLinkLen)
	w.label("priorityTier", &i.PriorityTier, maxLabelLen)
}

func (a *Audio) walk(w *walker) {
	a.Call.walk(w, SkipReason.validForMedia)

	w.amount("durationSeconds", &a.DurationSeconds)
	w.smallCount("characterCount", &a.CharacterCount)
	w.smallCount("inputAudioTokenCount", &a.InputAudioTokenCount)
	w.smallCount("outputAudioTokenCount", &a.OutputAudioTokenCount)
	w.smallCount("inputTokenCount", &a.InputTokenCount)
	w.smallCount("outputTokenCount", &a.OutputTokenCount)
	requiredEnum(w, "billingUnit", &a.BillingUnit, BillingUnit.validForAudio, a.defaultBillingUnit())
	w.label("language", &a.Language, maxLabelLen)
	w.label("sourceLanguage", &a.SourceLanguage, maxLabelLen)
	w.label("targetLanguage", &a.TargetLanguage, maxLabelLen)
	w.label("voice", &a.Voice, maxLabelLen)
	w.label("audioFormat", &a.AudioFormat, maxLabelLen)
	w.label("quality", &a.Quality, maxLabelLen)
	w.label("responseFormat", &a.ResponseFormat, maxLabelLen)
	w.ranged("speed", &a.Speed, limits.AudioSpeedMin, limits.AudioSpeedMax)
	w.smallCount("sampleRate", &a.SampleRate)
	w.flag("isRealtime", a.IsRealtime)
}

// defaultBillingUnit goes by the quantity that is there.
func (a *Audio) defaultBillingUnit() BillingUnit {
	switch {
	case a.CharacterCount != nil:
		return BillingPerCharacter
	case a.DurationSeconds != nil:
		return BillingPerMinute
	case a.InputAudioTokenCount != nil, a.OutputAudioTokenCount != nil, a.InputTokenCount != nil, a.OutputTokenCount != nil:
		return BillingPerToken
	}
	switch a.OperationSubtype {
	case "speech", "tts", "synthesis":
		return BillingPerCharacter
	case "realtime":
		return BillingPerToken
	default:
		return BillingPerMinute
	}
}

func (v *Video) walk(w *walker) {
	v.Call.walk(w, SkipReason.validForMedia)

	w.requiredAmount("durationSeconds", v.DurationSeconds)
	w.amount("requestedDurationSeconds", &v.RequestedDurationSeconds)
	requiredEnum(w, "billingUnit", &v.BillingUnit, BillingUnit.validForVideo, v.defaultBillingUnit())
	w.amount("creditsConsumed", &v.CreditsConsumed)
	w.amount("creditRate", &v.CreditRate)
	w.smallCount("fps", &v.FPS)
	w.label("resolution", &v.Resolution, maxLabelLen)
	w.name("videoJobId", &v.VideoJobID, maxLabelLen)
	w.flag("asyncOperation", v.AsyncOperation)
	optionalEnum(w, "completionStatus", &v.CompletionStatus, CompletionStatus.Valid, "")
	w.link("sourceTransactionId", &v.SourceTransactionID, maxLinkLen)
	w.label("priorityTier", &v.PriorityTier, maxLabelLen)
}

// defaultBillingUnit goes by the quantity that is there.
func (v *Video) defaultBillingUnit() BillingUnit {
	if v.DurationSeconds == 0 && v.CreditsConsumed != nil {
		return BillingCredits
	}
	return BillingPerSecond
}

func (t *ToolEvent) walk(w *walker) {
	w.required("toolId", &t.ToolID, maxLabelLen)
	w.requiredLink("transactionId", &t.TransactionID, maxLinkLen)
	w.derivedTime("timestamp", t.Timestamp)
	w.derivedInt("durationMs", t.DurationMs)
	w.requiredFlag("success", t.Success)
	w.label("operation", &t.Operation, maxLabelLen)
	w.text("errorMessage", &t.ErrorMessage, maxTextLen)
	w.amount("costUsd", &t.CostUSD)
	w.label("agent", &t.Agent, maxLabelLen)
	w.label("organizationName", &t.OrganizationName, maxLabelLen)
	w.label("productName", &t.ProductName, maxLabelLen)
	w.secret("subscriberCredential", &t.SubscriberCredential, maxTextLen)
	w.name("workflowId", &t.WorkflowID, maxLabelLen)
	w.link("traceId", &t.TraceID, maxLinkLen)
	w.pattern("agenticJobId", &t.AgenticJobID, limits.ValidAgenticJobID)
	w.freeForm("usageMetadata", &t.UsageMetadata)
}

func (t *ToolEvent) reconcile(w *walker) {
	w.requiredTime("timestamp", t.Timestamp)
	if !t.Timestamp.IsZero() && !t.Timestamp.plausible() {
		w.problem("timestamp", reasonImplausible)
	}
	switch {
	case t.DurationMs < 0:
		t.DurationMs = 0
		w.change("durationMs", Replaced, reasonNegative)
	case t.DurationMs > maxCount:
		t.DurationMs = 0
		w.change("durationMs", Replaced, reasonAbsurd)
	}
}
