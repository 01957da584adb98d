// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

// Completion is a record of /meter/v2/ai/completions: a chat, text completion,
// embedding, rerank, moderation or any other call that is priced by tokens.
//
// The record also carries the fields of [Call].
type Completion struct {
	Call

	// InputTokenCount is required. With native Anthropic models it excludes the
	// tokens read from and written to the cache; with all others it includes them.
	InputTokenCount int64 `json:"inputTokenCount"`
	// OutputTokenCount is required and includes reasoning tokens.
	OutputTokenCount int64 `json:"outputTokenCount"`
	// TotalTokenCount is required: the provider's total, or all input plus output.
	// Zero, or less than one of the two, is replaced by their sum.
	TotalTokenCount int64 `json:"totalTokenCount"`
	// ReasoningTokenCount is the part of the output that was reasoning.
	ReasoningTokenCount *int64 `json:"reasoningTokenCount,omitempty"`
	// CacheReadTokenCount is the input that came from the provider's cache.
	CacheReadTokenCount *int64 `json:"cacheReadTokenCount,omitempty"`
	// CacheCreationTokenCount is the input written to the cache, whatever its
	// time to live.
	CacheCreationTokenCount *int64 `json:"cacheCreationTokenCount,omitempty"`
	// CacheCreation5mTokenCount and CacheCreation1hTokenCount break the former
	// down by time to live. Leave them nil when the provider did not report them.
	CacheCreation5mTokenCount *int64 `json:"cacheCreation5mTokenCount,omitempty"`
	CacheCreation1hTokenCount *int64 `json:"cacheCreation1hTokenCount,omitempty"`

	// CompletionStartTime is the time of the first token. When it is zero, it is
	// the response time, which is also the rule for what was not streamed; a
	// TimeToFirstToken, being measured, decides over it.
	CompletionStartTime Timestamp `json:"completionStartTime"`
	// TimeToFirstToken is in milliseconds. Leave it nil unless it was measured.
	TimeToFirstToken *int64 `json:"timeToFirstToken,omitempty"`
	// MediationLatency is the overhead of a gateway, in milliseconds.
	MediationLatency *int64 `json:"mediationLatency,omitempty"`
	// IsStreamed says whether the answer was streamed.
	IsStreamed bool `json:"isStreamed"`
	// StopReason is [StopEnd] when empty.
	StopReason StopReason `json:"stopReason"`

	// SystemFingerprint is the provider's.
	SystemFingerprint string `json:"systemFingerprint,omitempty"`
	// Temperature is between 0 and 2.
	Temperature *float64 `json:"temperature,omitempty"`
	// ModelHost is who bills the infrastructure: "bedrock", "foundry", "vertex",
	// "anthropic"; at most 50.
	ModelHost string `json:"modelHost,omitempty"`
	// Effort is the reasoning effort that was asked for: letters, digits, "_" and
	// "-", at most 16.
	Effort string `json:"effort,omitempty"`
	// Speed is the serving mode, "fast" or "normal"; at most 16.
	Speed string `json:"speed,omitempty"`

	// SubscriptionTier is the tier of the customer's subscription.
	SubscriptionTier string `json:"subscriptionTier,omitempty"`
	// SubscriberEmailSource says where the address came from: "cli-flag", "env",
	// "custom-env", "git", "manual"; at most 20.
	SubscriberEmailSource string `json:"subscriberEmailSource,omitempty"`
	// ResponseQualityScore is between 0 and 1.
	ResponseQualityScore *float64 `json:"responseQualityScore,omitempty"`

	// PromptID is at most 64.
	PromptID string `json:"promptId,omitempty"`
	// PromptLength is the length of the user's prompt.
	PromptLength *int64 `json:"promptLength,omitempty"`
	// SkillName, SkillPluginName and SkillMarketplaceName are at most 256 each.
	SkillName            string `json:"skillName,omitempty"`
	SkillPluginName      string `json:"skillPluginName,omitempty"`
	SkillMarketplaceName string `json:"skillMarketplaceName,omitempty"`
	// SkillKind is [SkillWorkflow] or empty.
	SkillKind SkillKind `json:"skillKind,omitempty"`
	// SkillSource is where the skill came from.
	SkillSource SkillSource `json:"skillSource,omitempty"`
	// SkillInvocationTrigger is at most 32; "user-slash", "claude-proactive" and
	// "nested-skill" are common.
	SkillInvocationTrigger string `json:"skillInvocationTrigger,omitempty"`
	// SubagentType is at most 128.
	SubagentType string `json:"subagentType,omitempty"`
	// QuerySource is at most 128.
	QuerySource string `json:"querySource,omitempty"`
	// CodingAssistantAccountUUID is the account in a coding assistant.
	CodingAssistantAccountUUID string `json:"codingAssistantAccountUuid,omitempty"`

	// InputTokenCost, OutputTokenCost, CacheReadTokenCost and
	// CacheCreationTokenCost are in USD and override Revenium's own pricing, like
	// TotalCost.
	InputTokenCost         *float64 `json:"inputTokenCost,omitempty"`
	OutputTokenCost        *float64 `json:"outputTokenCost,omitempty"`
	CacheReadTokenCost     *float64 `json:"cacheReadTokenCost,omitempty"`
	CacheCreationTokenCost *float64 `json:"cacheCreationTokenCost,omitempty"`
	// CostMultiplier multiplies the cost.
	CostMultiplier *float64 `json:"costMultiplier,omitempty"`

	// SystemPrompt is at most 50,000. It is content: leave it empty unless capture
	// was asked for.
	SystemPrompt string `json:"systemPrompt,omitempty"`
	// Attributes is a free-form object. Its values must be what encoding/json can
	// encode.
	Attributes map[string]any `json:"attributes,omitempty"`
}

// Endpoint is [EndpointCompletions].
func (*Completion) Endpoint() Endpoint { return EndpointCompletions }

func (c *Completion) absent() bool { return c == nil }
