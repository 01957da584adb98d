// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// claudeCode is Claude Code: its spans, and its log events. The cached tokens are
// not in its input. It always streams, and does not say so.
func claudeCode() dialect {
	return dialect{
		name: "claude-code",
		recognition: recognition{
			spanNames: []string{"claude_code.*"},
			scopes:    []string{"com.anthropic.claude_code"},
		},
		names: []nameRule{
			{"claude_code.llm_request", "chat"},
			{"claude_code.api_request", "chat"},
			{"claude_code.api_error", "chat"},
			{"claude_code.interaction", "invoke_agent"},
			{"claude_code.tool*", "execute_tool"},
			{"claude_code.*", "model_chunk"},
		},
		sources: all(
			from(fieldResponseModel, "gen_ai.response.model", "model"),
			from(fieldInput, "input_tokens"),
			from(fieldOutput, "output_tokens"),
			from(fieldCacheRead, "cache_read_tokens"),
			from(fieldCacheCreation, "cache_creation_tokens"),
			in(fieldFirstToken, unitMilliseconds, "ttft_ms"),
			in(fieldDuration, unitMilliseconds, "duration_ms"),
			from(fieldFinish, "stop_reason"),
			from(fieldSuccess, "success"),
			from(fieldErrorMessage, "error", "error_message"),
			from(fieldHTTPStatus, "status_code"),
			from(fieldRequestID, "request_id"),
			as("retryNumber", in(numCoreFields, unitOrdinal, "attempt")),
			named("tool:toolId", "tool_name"),
			named("speed", "speed"),
			named("effort", "effort"),
			named("querySource", "query_source_safe", "query_source"),
			optional("subscriber.email", "user.email"),
			optional("subscriber.id", "user.account_uuid", "user.id"),
			optional("organizationName", "organization.id"),
			optional("traceId", "session.id"),
			optional("agent", "agent_id"),
		),
		exclusive: exclusiveAlways,
		provider:  "anthropic",
	}
}

// codex is Codex CLI. The usage is on the last of many spans of a stream, and the
// model on a span above. Failures are in its log events alone: one of each request
// that failed, and one of each stream. It repeats requests, and whole streams, several
// times, and begins anew to number attempts with each stream, so that their numbers
// say nothing: attempts are what follows a failure in a conversation, in which it
// makes one call after the other.
func codex() dialect {
	return dialect{
		name: "codex",
		recognition: recognition{
			keys:      []string{"codex.*"},
			spanNames: []string{"codex.*"},
			scopes:    []string{"codex_*", "codex-*"},
			resources: []keyValue{{"service.name", "codex_*"}, {"service.name", "codex-*"}},
		},
		names: []nameRule{
			{"handle_responses", "chat"},
			{"completed", "chat"}, // the same span, where it has the name of the last event
			{"session_task.turn", "invoke_agent"},
			{"codex.sse_event", "chat"},
			{"codex.api_request", "chat"},
			{"codex.*", "model_chunk"},
		},
		failures: []failureRule{
			// Each failed stream ends with one of these; those of other kinds say why, or
			// tell of a part that could not be read.
			{"codex.sse_event", "response.completed"},
			// Those of other endpoints ask for lists of models.
			{"codex.api_request", ""},
			{"codex.api_request", "unknown"},
			{"codex.api_request", "/responses*"},
			{"codex.api_request", "responses*"},
		},
		requests: []string{"codex.api_request", "codex.websocket_request"},
		sources: all(
			from(fieldKind, "event.kind", "endpoint"),
			from(fieldAttempts, "conversation.id"),
			from(fieldReasoning, "codex.usage.reasoning_output_tokens", "reasoning_token_count"),
			from(fieldTotal, "codex.usage.total_tokens"),
			from(fieldInput, "gen_ai.usage.input_tokens", "input_token_count"),
			from(fieldOutput, "gen_ai.usage.output_tokens", "output_token_count"),
			from(fieldCacheRead, "gen_ai.usage.cache_read.input_tokens", "cached_token_count"),
			from(fieldCacheCreation, "gen_ai.usage.cache_write.input_tokens", "cache_write_token_count"),
			from(fieldRequestModel, "model"),
			in(fieldDuration, unitMilliseconds, "duration_ms"),
			from(fieldErrorMessage, "error.message"),
			named("tool:toolId", "tool_name"),
			optional("subscriber.email", "user.email"),
			optional("subscriber.id", "user.account_id"),
			optional("traceId", "conversation.id"),
		),
		streams:  map[string]bool{"handle_responses": true, "completed": true, "codex.sse_event": true},
		provider: "openai",
		quirks:   usageOnly | modelAbove | contextOnly | hostOnEvents,
		callSpan: "try_run_sampling_request",
	}
}

// geminiCLI is Gemini CLI: its spans, and its log events. Thinking is not in the
// output of either, but the events have it, and what tools added to the prompt,
// beside it. Each response and each error is told of by two events, one in the
// words of the conventions; that one has less in it and never comes alone, so it
// does not bill.
func geminiCLI() dialect {
	return dialect{
		name: "gemini-cli",
		recognition: recognition{
			values:    []keyValue{{"gen_ai.agent.name", "gemini-cli"}},
			spanNames: []string{"gemini_cli.*"},
			scopes:    []string{"gemini-cli"},
			resources: []keyValue{{"service.name", "gemini-cli"}},
		},
		kinds: map[string]string{
			"llm_call": "generate_content", "tool_call": "execute_tool", "agent_call": "invoke_agent",
			"user_prompt": "invoke_workflow", "system_prompt": "model_chunk", "schedule_tool_calls": "execute_tool",
		},
		names: []nameRule{
			{"gemini_cli.api_response", "generate_content"},
			{"gemini_cli.api_error", "generate_content"},
			{"gemini_cli.tool_call", "execute_tool"},
			{"gemini_cli.*", "model_chunk"},
			{"gen_ai.client.inference.operation.details", "model_chunk"},
		},
		sources: all(
			from(fieldKind, "gen_ai.operation.name"),
			from(fieldResponseModel, "gen_ai.response.model", "model"),
			from(fieldInput, "gen_ai.usage.input_tokens", "input_token_count"),
			from(fieldOutput, "gen_ai.usage.output_tokens", "output_token_count"),
			from(fieldCacheRead, "cached_content_token_count"),
			from(fieldReasoning, "thoughts_token_count"),
			from(fieldMoreOutput, "thoughts_token_count"),
			from(fieldMoreInput, "tool_token_count"),
			in(fieldDuration, unitMilliseconds, "duration_ms"),
			from(fieldFinish, "finish_reasons"),
			from(fieldErrorMessage, "error", "error.message"),
			from(fieldHTTPStatus, "status_code"),
			named("promptId", "prompt_id"),
			named("tool:toolId", "function_name"),
			optional("subscriber.email", "user.email"),
			optional("traceId", "session.id"),
		),
		provider: "gcp.gemini",
		quirks:   eventsKnowMore,
	}
}
