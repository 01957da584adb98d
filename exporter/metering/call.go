// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import "log/slog"

// Call is what the records of the four AI endpoints have in common: which model
// was called, when, for whom and on whose behalf. A mapper fills it once for all
// of them.
//
// Limits on length are in characters. [Freeze] enforces them; see there for what
// becomes of a value that exceeds its limit.
type Call struct {
	// Model is the exact name of the model, without a gateway's vendor prefix. It
	// is required; prices are found by it.
	Model string `json:"model"`
	// Provider is the vendor of the model even behind a gateway, such as "OpenAI"
	// or "Anthropic". It is required.
	Provider string `json:"provider"`
	// TransactionID names this one call. It is required and must be unique: the
	// service acknowledges a second record with a known id without storing it.
	TransactionID string `json:"transactionId"`
	// RequestTime and ResponseTime are the start and the end of the call, for a
	// streamed answer the end of the stream. Both are required.
	RequestTime  Timestamp `json:"requestTime"`
	ResponseTime Timestamp `json:"responseTime"`
	// RequestDuration is ResponseTime - RequestTime in milliseconds. A value that
	// disagrees with the times by more than a millisecond is replaced.
	RequestDuration int64 `json:"requestDuration"`
	// CostType is [CostAI] when empty.
	CostType CostType `json:"costType"`
	// OperationType is the kind of work. The service reads an absent one as CHAT.
	OperationType OperationType `json:"operationType,omitempty"`
	// OperationSubtype refines it: "function_call", "web_search", "edit", "tts".
	OperationSubtype string `json:"operationSubtype,omitempty"`

	// TraceID groups the calls of one request, workflow or conversation.
	TraceID string `json:"traceId,omitempty"`
	// TraceType is the category of the workflow: letters, digits, "_" and "-", at
	// most 128. Anything else is dropped.
	TraceType string `json:"traceType,omitempty"`
	// TraceName labels the instance of the workflow; at most 256.
	TraceName string `json:"traceName,omitempty"`
	// TransactionName labels this call.
	TransactionName string `json:"transactionName,omitempty"`
	// ParentTransactionID links to the call or span above this one.
	ParentTransactionID string `json:"parentTransactionId,omitempty"`
	// RetryNumber is 0 for the first attempt.
	RetryNumber *int64 `json:"retryNumber,omitempty"`

	// OrganizationName is the customer, by name. The service creates an unknown
	// one, unless the account is in strict mode.
	OrganizationName string `json:"organizationName,omitempty"`
	// ProductName is the product or feature, by name; created like the former.
	ProductName string `json:"productName,omitempty"`
	// SubscriptionID is your id of the customer's subscription.
	SubscriptionID string `json:"subscriptionId,omitempty"`
	// Subscriber is the person or system that caused the call.
	Subscriber *Subscriber `json:"subscriber,omitempty"`

	// TaskType is the class of work; at most 255.
	TaskType string `json:"taskType,omitempty"`
	// Agent is the name of the agent.
	Agent string `json:"agent,omitempty"`
	// AgentVersion is its version; at most 64.
	AgentVersion string `json:"agentVersion,omitempty"`
	// Environment is the deployment environment, such as "production"; at most 255.
	Environment string `json:"environment,omitempty"`
	// Region is the cloud region.
	Region string `json:"region,omitempty"`
	// CredentialAlias names the provider's API key that was used; at most 255. It
	// must not be the key.
	CredentialAlias string `json:"credentialAlias,omitempty"`
	// TicketID is an external ticket; at most 256.
	TicketID string `json:"ticketId,omitempty"`

	// AgenticJobID names an instance of a job: a letter or digit, then up to 254
	// letters, digits, ".", "_" or "-", and neither of the reserved words "types"
	// and "conversion-funnel". The service refuses a whole record for a bad one;
	// [Freeze] leaves out all four job fields instead.
	AgenticJobID string `json:"agenticJobId,omitempty"`
	// AgenticJobName is at most 512.
	AgenticJobName string `json:"agenticJobName,omitempty"`
	// AgenticJobType is at most 128; the service lower-cases it.
	AgenticJobType string `json:"agenticJobType,omitempty"`
	// AgenticJobVersion is at most 64.
	AgenticJobVersion string `json:"agenticJobVersion,omitempty"`
	// SquadID, SquadName and SquadRole attribute the call to a team of agents.
	SquadID   string `json:"squadId,omitempty"`
	SquadName string `json:"squadName,omitempty"`
	SquadRole string `json:"squadRole,omitempty"`

	// ModelSource is the way the call took: "DIRECT", "LITELLM", "OPENROUTER",
	// "PORTKEY", "AZURE_OPENAI" or a vendor.
	ModelSource string `json:"modelSource,omitempty"`
	// MiddlewareSource names the software that reports; at most 255.
	MiddlewareSource string `json:"middlewareSource,omitempty"`
	// RequestedServiceTier and ActualServiceTier are the provider's tiers.
	RequestedServiceTier string `json:"requestedServiceTier,omitempty"`
	ActualServiceTier    string `json:"actualServiceTier,omitempty"`
	// PricingTier is the tier of Revenium's price.
	PricingTier PricingTier `json:"pricingTier,omitempty"`
	// TotalCost is the cost in USD. It overrides Revenium's own pricing and is
	// normally left out.
	TotalCost *float64 `json:"totalCost,omitempty"`
	// BillingSkipped makes the call free of charge.
	BillingSkipped *bool `json:"billingSkipped,omitempty"`
	// SkipReason says why. Completions and media have different lists.
	SkipReason SkipReason `json:"skipReason,omitempty"`

	// ErrorReason is the text of a failure. It can quote content of the call.
	ErrorReason string `json:"errorReason,omitempty"`
	// ErrorCode is the HTTP status of a failure, 100 to 599.
	ErrorCode *int64 `json:"errorCode,omitempty"`

	// InputMessages is a JSON document, encoded as a string, with what was asked;
	// at most 50,000; a text that is none is encoded as a JSON string. It is content:
	// leave it empty unless capture was asked for.
	InputMessages string `json:"inputMessages,omitempty"`
	// OutputResponse is what was answered; at most 50,000. It is content too.
	OutputResponse string `json:"outputResponse,omitempty"`
	// PromptsTruncated says that content was cut. [Freeze] sets it when it cuts.
	PromptsTruncated *bool `json:"promptsTruncated,omitempty"`
}

func (c *Call) id() string { return c.TransactionID }

// LogValue describes the record to log/slog without what it carries of content,
// persons and credentials.
func (c *Call) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("transaction_id", c.TransactionID),
		slog.String("provider", c.Provider),
		slog.String("model", c.Model),
	)
}

// Subscriber is the person or system that caused a call. All parts are optional.
type Subscriber struct {
	ID         string      `json:"id,omitempty"`
	Email      string      `json:"email,omitempty"`
	Credential *Credential `json:"credential,omitempty"`
}

// Credential is what the subscriber identifies with.
type Credential struct {
	// Name labels the credential.
	Name string `json:"name,omitempty"`
	// Value is the credential itself.
	Value Secret `json:"value,omitempty"`
}

// Secret is a string that is sent, but neither printed nor logged.
type Secret string

// redacted stands for a secret wherever people can read.
const redacted = "[REDACTED]"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `metering.Secret("` + s.String() + `")` }

// LogValue hides the secret from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
