// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

// StopReason says why a completion ended.
type StopReason string

// The stop reasons.
const (
	StopEnd             StopReason = "END"
	StopEndSequence     StopReason = "END_SEQUENCE"
	StopTimeout         StopReason = "TIMEOUT"
	StopTokenLimit      StopReason = "TOKEN_LIMIT"
	StopCostLimit       StopReason = "COST_LIMIT"
	StopCompletionLimit StopReason = "COMPLETION_LIMIT"
	StopError           StopReason = "ERROR"
	StopCancelled       StopReason = "CANCELLED"
)

// StopReasons lists the stop reasons.
func StopReasons() []StopReason {
	return []StopReason{
		StopEnd, StopEndSequence, StopTimeout, StopTokenLimit, StopCostLimit, StopCompletionLimit,
		StopError, StopCancelled,
	}
}

// Valid reports whether s is one of the stop reasons.
func (s StopReason) Valid() bool {
	switch s {
	case StopEnd, StopEndSequence, StopTimeout, StopTokenLimit, StopCostLimit, StopCompletionLimit,
		StopError, StopCancelled:
		return true
	default:
		return false
	}
}

// OperationType is a kind of work.
type OperationType string

// The operation types.
const (
	OperationChat       OperationType = "CHAT"
	OperationGenerate   OperationType = "GENERATE"
	OperationEmbed      OperationType = "EMBED"
	OperationClassify   OperationType = "CLASSIFY"
	OperationSummarize  OperationType = "SUMMARIZE"
	OperationTranslate  OperationType = "TRANSLATE"
	OperationToolCall   OperationType = "TOOL_CALL"
	OperationRerank     OperationType = "RERANK"
	OperationSearch     OperationType = "SEARCH"
	OperationModeration OperationType = "MODERATION"
	OperationVision     OperationType = "VISION"
	OperationTransform  OperationType = "TRANSFORM"
	OperationGuardrail  OperationType = "GUARDRAIL"
	OperationAudio      OperationType = "AUDIO"
	OperationVideo      OperationType = "VIDEO"
	OperationImage      OperationType = "IMAGE"
	OperationOther      OperationType = "OTHER"
)

// OperationTypes lists the operation types.
func OperationTypes() []OperationType {
	return []OperationType{
		OperationChat, OperationGenerate, OperationEmbed, OperationClassify, OperationSummarize,
		OperationTranslate, OperationToolCall, OperationRerank, OperationSearch, OperationModeration,
		OperationVision, OperationTransform, OperationGuardrail, OperationAudio, OperationVideo,
		OperationImage, OperationOther,
	}
}

// Valid reports whether o is one of the operation types.
func (o OperationType) Valid() bool {
	switch o {
	case OperationChat, OperationGenerate, OperationEmbed, OperationClassify, OperationSummarize,
		OperationTranslate, OperationToolCall, OperationRerank, OperationSearch, OperationModeration,
		OperationVision, OperationTransform, OperationGuardrail, OperationAudio, OperationVideo,
		OperationImage, OperationOther:
		return true
	default:
		return false
	}
}

// CostType is a kind of cost.
type CostType string

// CostAI is the only cost type.
const CostAI CostType = "AI"

// Valid reports whether c is [CostAI].
func (c CostType) Valid() bool { return c == CostAI }

// PricingTier is a tier of Revenium's price.
type PricingTier string

// The pricing tiers.
const (
	PricingStandard PricingTier = "STANDARD"
	PricingBatch    PricingTier = "BATCH"
)

// Valid reports whether p is one of the pricing tiers.
func (p PricingTier) Valid() bool { return p == PricingStandard || p == PricingBatch }

// BillingUnit is what a media call is billed by.
type BillingUnit string

// The billing units.
const (
	BillingPerImage     BillingUnit = "PER_IMAGE"
	BillingPerMinute    BillingUnit = "PER_MINUTE"
	BillingPerSecond    BillingUnit = "PER_SECOND"
	BillingPerCharacter BillingUnit = "PER_CHARACTER"
	BillingPerToken     BillingUnit = "PER_TOKEN"
	BillingCredits      BillingUnit = "CREDITS"
)

// Valid reports whether b is one of the billing units.
func (b BillingUnit) Valid() bool {
	switch b {
	case BillingPerImage, BillingPerMinute, BillingPerSecond, BillingPerCharacter, BillingPerToken,
		BillingCredits:
		return true
	default:
		return false
	}
}

// validForVideo reports whether b is one of the units that the video endpoint
// takes.
func (b BillingUnit) validForVideo() bool { return b == BillingPerSecond || b == BillingCredits }

// validForAudio reports whether b is one of the units that the audio endpoint
// takes: all but images.
func (b BillingUnit) validForAudio() bool { return b.Valid() && b != BillingPerImage }

// SkipReason says why a call is free of charge.
type SkipReason string

// The skip reasons of completions. SkipFreeTier and SkipRateLimited are also
// those of media.
const (
	SkipFreeTier               SkipReason = "FREE_TIER"
	SkipRateLimited            SkipReason = "RATE_LIMITED"
	SkipQuotaExceeded          SkipReason = "QUOTA_EXCEEDED"
	SkipContentPolicyViolation SkipReason = "CONTENT_POLICY_VIOLATION"
	SkipCapacityUnavailable    SkipReason = "CAPACITY_UNAVAILABLE"
	SkipServiceUnavailable     SkipReason = "SERVICE_UNAVAILABLE"
)

// The skip reasons that only media have.
const (
	SkipErrorResponse SkipReason = "ERROR_RESPONSE"
	SkipInternalTest  SkipReason = "INTERNAL_TEST"
)

// Valid reports whether s is a skip reason of any endpoint.
func (s SkipReason) Valid() bool { return s.validForCompletions() || s.validForMedia() }

func (s SkipReason) validForCompletions() bool {
	switch s {
	case SkipFreeTier, SkipRateLimited, SkipQuotaExceeded, SkipContentPolicyViolation,
		SkipCapacityUnavailable, SkipServiceUnavailable:
		return true
	default:
		return false
	}
}

func (s SkipReason) validForMedia() bool {
	switch s {
	case SkipFreeTier, SkipRateLimited, SkipErrorResponse, SkipInternalTest:
		return true
	default:
		return false
	}
}

// CompletionStatus says how the making of a video ended.
type CompletionStatus string

// The completion statuses.
const (
	CompletionSuccess        CompletionStatus = "SUCCESS"
	CompletionPartialTimeout CompletionStatus = "PARTIAL_TIMEOUT"
	CompletionFailed         CompletionStatus = "FAILED"
)

// Valid reports whether c is one of the completion statuses.
func (c CompletionStatus) Valid() bool {
	return c == CompletionSuccess || c == CompletionPartialTimeout || c == CompletionFailed
}

// SkillKind is the kind of a skill.
type SkillKind string

// SkillWorkflow is the only kind of a skill.
const SkillWorkflow SkillKind = "workflow"

// Valid reports whether k is [SkillWorkflow].
func (k SkillKind) Valid() bool { return k == SkillWorkflow }

// SkillSource is where a skill came from. Its values are case-sensitive.
type SkillSource string

// The skill sources.
const (
	SkillBundled         SkillSource = "bundled"
	SkillProjectSettings SkillSource = "projectSettings"
	SkillUserSettings    SkillSource = "userSettings"
	SkillPlugin          SkillSource = "plugin"
)

// Valid reports whether s is one of the skill sources.
func (s SkillSource) Valid() bool {
	switch s {
	case SkillBundled, SkillProjectSettings, SkillUserSettings, SkillPlugin:
		return true
	default:
		return false
	}
}
