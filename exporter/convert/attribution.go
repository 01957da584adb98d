// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// setter puts a value into a record. It reports whether the value is one that the
// field can have.
type setter func(b *block, f *fact) bool

// setterOf returns the type and the setter of a field that comes from attributes
// as it is. It has none for those that are worked out elsewhere (model, provider,
// tokens, times, stop reason) and for content.
func setterOf(name string) (valueType, setter, bool) {
	if at := textField(name); at != nil {
		return typeText, func(b *block, f *fact) bool {
			*at(&b.record) = f.text
			return true
		}, true
	}
	if at := countField(name); at != nil {
		return typeCount, func(b *block, f *fact) bool {
			*at(&b.record) = b.integer(f.num)
			return true
		}, true
	}
	if at := numberField(name); at != nil {
		return typeNumber, func(b *block, f *fact) bool {
			*at(&b.record) = b.float(f.float())
			return true
		}, true
	}
	set, ok := specialField(name)
	typ := typeText
	if name == "billingSkipped" {
		typ = typeFlag
	}
	if name == "mediationLatency" {
		typ = typeNumber
	}
	return typ, set, ok
}

// textField returns where a field of text stands in a record, nil for others.
func textField(name string) func(*metering.Completion) *string {
	switch name {
	case "organizationName":
		return func(c *metering.Completion) *string { return &c.OrganizationName }
	case "productName":
		return func(c *metering.Completion) *string { return &c.ProductName }
	case "subscriptionId":
		return func(c *metering.Completion) *string { return &c.SubscriptionID }
	case "subscriptionTier":
		return func(c *metering.Completion) *string { return &c.SubscriptionTier }
	case "subscriberEmailSource":
		return func(c *metering.Completion) *string { return &c.SubscriberEmailSource }
	case "agent":
		return func(c *metering.Completion) *string { return &c.Agent }
	case "agentVersion":
		return func(c *metering.Completion) *string { return &c.AgentVersion }
	case "taskType":
		return func(c *metering.Completion) *string { return &c.TaskType }
	case "ticketId":
		return func(c *metering.Completion) *string { return &c.TicketID }
	case "agenticJobId":
		return func(c *metering.Completion) *string { return &c.AgenticJobID }
	case "agenticJobName":
		return func(c *metering.Completion) *string { return &c.AgenticJobName }
	case "agenticJobType":
		return func(c *metering.Completion) *string { return &c.AgenticJobType }
	case "agenticJobVersion":
		return func(c *metering.Completion) *string { return &c.AgenticJobVersion }
	case "squadId":
		return func(c *metering.Completion) *string { return &c.SquadID }
	case "squadName":
		return func(c *metering.Completion) *string { return &c.SquadName }
	case "squadRole":
		return func(c *metering.Completion) *string { return &c.SquadRole }
	case "credentialAlias":
		return func(c *metering.Completion) *string { return &c.CredentialAlias }
	case "environment":
		return func(c *metering.Completion) *string { return &c.Environment }
	case "region":
		return func(c *metering.Completion) *string { return &c.Region }
	case "traceId":
		return func(c *metering.Completion) *string { return &c.TraceID }
	case "transactionId":
		return func(c *metering.Completion) *string { return &c.TransactionID }
	case "parentTransactionId":
		return func(c *metering.Completion) *string { return &c.ParentTransactionID }
	case "traceType":
		return func(c *metering.Completion) *string { return &c.TraceType }
	case "traceName":
		return func(c *metering.Completion) *string { return &c.TraceName }
	case "transactionName":
		return func(c *metering.Completion) *string { return &c.TransactionName }
	case "operationSubtype":
		return func(c *metering.Completion) *string { return &c.OperationSubtype }
	default:
		return plumbingField(name)
	}
}

// plumbingField is textField for what describes the call rather than its cause.
func plumbingField(name string) func(*metering.Completion) *string {
	switch name {
	case "modelSource":
		return func(c *metering.Completion) *string { return &c.ModelSource }
	case "modelHost":
		return func(c *metering.Completion) *string { return &c.ModelHost }
	case "middlewareSource":
		return func(c *metering.Completion) *string { return &c.MiddlewareSource }
	case "requestedServiceTier":
		return func(c *metering.Completion) *string { return &c.RequestedServiceTier }
	case "actualServiceTier":
		return func(c *metering.Completion) *string { return &c.ActualServiceTier }
	case "systemFingerprint":
		return func(c *metering.Completion) *string { return &c.SystemFingerprint }
	case "effort":
		return func(c *metering.Completion) *string { return &c.Effort }
	case "speed":
		return func(c *metering.Completion) *string { return &c.Speed }
	case "promptId":
		return func(c *metering.Completion) *string { return &c.PromptID }
	case "skillName":
		return func(c *metering.Completion) *string { return &c.SkillName }
	case "skillPluginName":
		return func(c *metering.Completion) *string { return &c.SkillPluginName }
	case "skillMarketplaceName":
		return func(c *metering.Completion) *string { return &c.SkillMarketplaceName }
	case "skillInvocationTrigger":
		return func(c *metering.Completion) *string { return &c.SkillInvocationTrigger }
	case "subagentType":
		return func(c *metering.Completion) *string { return &c.SubagentType }
	case "querySource":
		return func(c *metering.Completion) *string { return &c.QuerySource }
	case "codingAssistantAccountUuid":
		return func(c *metering.Completion) *string { return &c.CodingAssistantAccountUUID }
	default:
		return nil
	}
}

// countField returns where a field that counts stands in a record, nil for
// others.
func countField(name string) func(*metering.Completion) **int64 {
	switch name {
	case "retryNumber":
		return func(c *metering.Completion) **int64 { return &c.RetryNumber }
	case "promptLength":
		return func(c *metering.Completion) **int64 { return &c.PromptLength }
	default:
		return nil
	}
}

// numberField returns where a field with a number stands in a record, nil for
// others. Ranges are checked when the record is frozen.
func numberField(name string) func(*metering.Completion) **float64 {
	switch name {
	case "responseQualityScore":
		return func(c *metering.Completion) **float64 { return &c.ResponseQualityScore }
	case "temperature":
		return func(c *metering.Completion) **float64 { return &c.Temperature }
	case "inputTokenCost":
		return func(c *metering.Completion) **float64 { return &c.InputTokenCost }
	case "outputTokenCost":
		return func(c *metering.Completion) **float64 { return &c.OutputTokenCost }
	case "cacheReadTokenCost":
		return func(c *metering.Completion) **float64 { return &c.CacheReadTokenCost }
	case "cacheCreationTokenCost":
		return func(c *metering.Completion) **float64 { return &c.CacheCreationTokenCost }
	case "totalCost":
		return func(c *metering.Completion) **float64 { return &c.TotalCost }
	case "costMultiplier":
		return func(c *metering.Completion) **float64 { return &c.CostMultiplier }
	default:
		return nil
	}
}

// specialField returns the setter of a field with a type of its own.
func specialField(name string) (setter, bool) {
	switch name {
	case "subscriber.id":
		return func(b *block, f *fact) bool { b.person().ID = f.text; return true }, true
	case "subscriber.email":
		return func(b *block, f *fact) bool { b.person().Email = f.text; return true }, true
	case "subscriber.credential.name":
		return func(b *block, f *fact) bool { b.secret().Name = f.text; return true }, true
	case "subscriber.credential.value":
		return func(b *block, f *fact) bool { b.secret().Value = metering.Secret(f.text); return true }, true
	case "operationType":
		return setOperationType, true
	case "pricingTier":
		return func(b *block, f *fact) bool { b.record.PricingTier = metering.PricingTier(f.text); return true }, true
	case "skipReason":
		return func(b *block, f *fact) bool { b.record.SkipReason = metering.SkipReason(f.text); return true }, true
	case "skillKind":
		return func(b *block, f *fact) bool { b.record.SkillKind = metering.SkillKind(f.text); return true }, true
	case "skillSource":
		return func(b *block, f *fact) bool { b.record.SkillSource = metering.SkillSource(f.text); return true }, true
	case "billingSkipped":
		return func(b *block, f *fact) bool {
			b.skipped = f.num != 0
			b.record.BillingSkipped = &b.skipped
			return true
		}, true
	case "mediationLatency":
		return setMediationLatency, true
	default:
		return nil, false
	}
}

// setOperationType refuses what the API does not know, so that the type that
// follows from the operation stays.
func setOperationType(b *block, f *fact) bool {
	t := metering.OperationType(f.text)
	if !t.Valid() {
		t = metering.OperationType(strings.ToUpper(strings.TrimSpace(f.text)))
	}
	if !t.Valid() {
		return false
	}
	b.record.OperationType = t
	return true
}

// setMediationLatency rounds: gateways report fractions of milliseconds.
func setMediationLatency(b *block, f *fact) bool {
	if f.float() < 0 || f.float() > maxCount {
		return false
	}
	b.record.MediationLatency = b.integer(int64(f.float() + 0.5))
	return true
}
