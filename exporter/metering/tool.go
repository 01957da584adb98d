// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import "log/slog"

// ToolEvent is a record of /meter/v2/tool/events: the execution of a tool, a
// function or an MCP server.
type ToolEvent struct {
	// ToolID names the tool as it is registered for pricing. It is required.
	ToolID string `json:"toolId"`
	// TransactionID names this one execution. It is required and must be unique.
	TransactionID string `json:"transactionId"`
	// Timestamp is the start of the execution. It is required.
	Timestamp Timestamp `json:"timestamp"`
	// DurationMs is how long it took, in milliseconds.
	DurationMs int64 `json:"durationMs"`
	// Success says whether it worked.
	Success bool `json:"success"`
	// Operation is the tool's operation. The service reads an absent one as
	// "execute".
	Operation string `json:"operation,omitempty"`
	// ErrorMessage is the text of a failure. It can quote content of the call.
	ErrorMessage string `json:"errorMessage,omitempty"`
	// CostUSD is the cost in USD. It overrides the registered price.
	CostUSD *float64 `json:"costUsd,omitempty"`

	// Agent is the name of the agent.
	Agent string `json:"agent,omitempty"`
	// OrganizationName is the customer, by name.
	OrganizationName string `json:"organizationName,omitempty"`
	// ProductName is the product or feature, by name.
	ProductName string `json:"productName,omitempty"`
	// SubscriberCredential is what the subscriber identifies with: a value, or a
	// name that stands for it.
	SubscriberCredential Secret `json:"subscriberCredential,omitempty"`
	// WorkflowID names the workflow.
	WorkflowID string `json:"workflowId,omitempty"`
	// TraceID groups the executions of one request, workflow or conversation.
	TraceID string `json:"traceId,omitempty"`
	// AgenticJobID names an instance of a job; see [Call].
	AgenticJobID string `json:"agenticJobId,omitempty"`

	// UsageMetadata holds metered quantities for pricing by element. Its values
	// must be what encoding/json can encode.
	UsageMetadata map[string]any `json:"usageMetadata,omitempty"`
}

// Endpoint is [EndpointToolEvents].
func (*ToolEvent) Endpoint() Endpoint { return EndpointToolEvents }

func (t *ToolEvent) id() string { return t.TransactionID }

func (t *ToolEvent) absent() bool { return t == nil }

// LogValue describes the record to log/slog without what it carries of content
// and credentials.
func (t *ToolEvent) LogValue() slog.Value {
	if t == nil {
		return slog.Value{}
	}
	return slog.GroupValue(
		slog.String("transaction_id", t.TransactionID),
		slog.String("tool", t.ToolID),
	)
}
