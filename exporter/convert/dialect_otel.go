// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "github.com/revenium/revenium-otel-go/semconv"

// otelConventions are the OpenTelemetry GenAI conventions, current and old.
func otelConventions() dialect {
	return dialect{
		name: "otel",
		recognition: recognition{keys: []string{
			string(semconv.GenAIOperationNameKey), string(semconv.GenAIProviderNameKey), string(semconv.GenAISystemKey),
		}},
	}
}

// handMade is what names no operation and no provider, but is in the words of the
// conventions.
func handMade() dialect { return dialect{name: "hand-made"} }

// otelCompileTime is OpenTelemetry's compile-time instrumentation of Go.
func otelCompileTime() dialect {
	return dialect{
		name:        "otel-go-compile-time",
		recognition: recognition{scopes: []string{"go.opentelemetry.io/otelc/*"}},
		sources:     in(fieldFirstToken, unitMicroseconds, "gen_ai.response.time_to_first_token"),
	}
}

// otelAWS are the instrumentations of AWS SDKs. They report Bedrock's input as it
// comes, without the tokens of the cache.
func otelAWS() dialect {
	return dialect{
		name: "otel-aws-sdk",
		recognition: recognition{scopes: []string{
			"@opentelemetry/instrumentation-aws-sdk", "opentelemetry.instrumentation.botocore*",
		}},
		refine:    []nameRule{{"BedrockRuntime.InvokeModel*", "chat"}, {"BedrockRuntime.Converse*", "chat"}},
		exclusive: exclusiveBedrock,
	}
}

// anthropicSDK are the spans of Anthropic's own SDKs, and those that its API sends
// into the caller's trace.
func anthropicSDK() dialect {
	return dialect{
		name: "anthropic-sdk",
		recognition: recognition{scopes: []string{
			"com.anthropic.sdk", "com.anthropic.claude-platform",
		}},
		names: []nameRule{
			{"anthropic.messages.create", "chat"},
			{"anthropic.messages.count_tokens", "count_tokens"},
			{"anthropic.messages.batches.*", "fetch_response"},
			{"anthropic.messages.tool_runner", "invoke_agent"},
			{"anthropic.tool_use*", "execute_tool"},
			{"anthropic.custom_tool_use*", "execute_tool"},
			{"anthropic.mcp_tool_use*", "execute_tool"},
		},
		sources: all(
			from(fieldMoreInput, "anthropic.usage.compaction.input_tokens"),
			from(fieldMoreOutput, "anthropic.usage.compaction.output_tokens"),
			optional("organizationName", "anthropic.workspace.id", "anthropic.organization.id"),
		),
		provider: "anthropic",
	}
}
