// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// langfuse is Langfuse's SDK. Its tracer often carries spans of others, so that
// neither the scope nor a second vocabulary's usage makes a span one of its own.
func langfuse() dialect {
	return dialect{
		name:        "langfuse",
		recognition: recognition{keys: []string{"langfuse.observation.type"}, weak: true},
		kinds: map[string]string{
			"generation": "chat", "embedding": "embeddings",
			"agent": "invoke_agent", "chain": "invoke_workflow", "span": "invoke_workflow",
			"tool": "execute_tool", "retriever": "retrieval", "evaluator": "evaluate", "guardrail": "evaluate", "event": "model_chunk",
		},
		sources: all(
			from(fieldKind, "langfuse.observation.type"),
			from(fieldBuckets, "langfuse.observation.usage_details", "langfuse.observation.usage"),
			from(fieldLevel, "langfuse.observation.level"),
			from(fieldErrorMessage, "langfuse.observation.status_message"),
			from(fieldFirstTokenAt, "langfuse.observation.completion_start_time"),
			inside(fieldStream, "langfuse.observation.model.parameters", "stream"),
			optional("subscriber.id", "user.id"),
			optional("traceId", "session.id"),
			named("environment", "langfuse.environment"),
		),
		quirks: bucketUsage,
	}
}

// langSmith is LangSmith in its OpenTelemetry mode.
func langSmith() dialect {
	return dialect{
		name: "langsmith",
		recognition: recognition{
			keys:   []string{"langsmith.span.kind"},
			scopes: []string{"langsmith"},
		},
		kinds: map[string]string{
			"llm": "chat", "chain": "invoke_workflow", "tool": "execute_tool", "retriever": "retrieval",
			"embedding": "embeddings", "prompt": "model_chunk", "parser": "model_chunk",
		},
		sources: all(
			from(fieldKind, "langsmith.span.kind"),
			inside(fieldInput, "langsmith.usage_metadata", "input_tokens"),
			inside(fieldOutput, "langsmith.usage_metadata", "output_tokens"),
			inside(fieldTotal, "langsmith.usage_metadata", "total_tokens"),
			inside(fieldCacheRead, "langsmith.usage_metadata", "input_token_details.cache_read"),
			inside(fieldCacheCreation, "langsmith.usage_metadata", "input_token_details.cache_creation"),
			inside(fieldReasoning, "langsmith.usage_metadata", "output_token_details.reasoning"),
			optional("traceName", "langsmith.trace.session_name"),
		),
	}
}

// braintrust is Braintrust's SDK. Its attributes are JSON.
func braintrust() dialect {
	return dialect{
		name:        "braintrust",
		recognition: recognition{keys: []string{"braintrust.span_attributes", "braintrust.metrics"}},
		kinds: map[string]string{
			"llm": "chat", "task": "invoke_workflow", "function": "execute_task", "eval": "invoke_workflow",
			"score": "evaluate", "tool": "execute_tool", "facet": "evaluate", "preprocessor": "execute_task", "classifier": "evaluate", "review": "evaluate",
		},
		sources: all(
			inside(fieldKind, "braintrust.span_attributes", "type"),
			inside(fieldInput, "braintrust.metrics", "prompt_tokens"),
			inside(fieldOutput, "braintrust.metrics", "completion_tokens"),
			inside(fieldTotal, "braintrust.metrics", "tokens"),
			inside(fieldCacheRead, "braintrust.metrics", "prompt_cached_tokens"),
			inside(fieldCacheCreation, "braintrust.metrics", "prompt_cache_creation_tokens"),
			inside(fieldReasoning, "braintrust.metrics", "completion_reasoning_tokens"),
			inside(fieldResponseModel, "braintrust.metadata", "model"),
			inside(fieldProvider, "braintrust.metadata", "provider"),
			optional("subscriber.id", "user.id"),
		),
	}
}

// mlflow is MLflow's tracing. Its attributes are JSON, also those that are nothing
// but text. Its usage is what the provider says.
func mlflow() dialect {
	return dialect{
		name:        "mlflow",
		recognition: recognition{keys: []string{"mlflow.spanType"}, weak: true},
		kinds: map[string]string{
			"llm": "chat", "chat_model": "chat", "embedding": "embeddings", "reranker": "rerank",
			"agent": "invoke_agent", "chain": "invoke_workflow", "workflow": "invoke_workflow", "task": "execute_task",
			"tool": "execute_tool", "retriever": "retrieval", "parser": "model_chunk", "memory": "execute_task",
			"guardrail": "evaluate", "evaluator": "evaluate", "unknown": "invoke_workflow",
		},
		sources: all(
			in(fieldKind, unitQuoted, "mlflow.spanType"),
			in(fieldRequestModel, unitQuoted, "mlflow.llm.model"),
			in(fieldProvider, unitQuoted, "mlflow.llm.provider"),
			inside(fieldInput, "mlflow.chat.tokenUsage", "input_tokens"),
			inside(fieldOutput, "mlflow.chat.tokenUsage", "output_tokens"),
			inside(fieldTotal, "mlflow.chat.tokenUsage", "total_tokens"),
			inside(fieldCacheRead, "mlflow.chat.tokenUsage", "cache_read_input_tokens"),
			inside(fieldCacheCreation, "mlflow.chat.tokenUsage", "cache_creation_input_tokens"),
		),
		exclusive: exclusiveClaude,
	}
}

// logfire are Logfire's own integrations. The usage of a stream comes on a record
// of no length that says how long the stream took.
func logfire() dialect {
	return dialect{
		name:        "logfire",
		recognition: recognition{keys: []string{"logfire.*"}, scopes: []string{"logfire*"}},
		streams:     map[string]bool{"streaming response*": true},
		sources: all(
			in(fieldDuration, unitSeconds, "duration"),
			inside(fieldCacheRead, "gen_ai.usage.raw",
				"cache_read_input_tokens", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
			inside(fieldCacheCreation, "gen_ai.usage.raw", "cache_creation_input_tokens"),
			inside(fieldCacheCreation5m, "gen_ai.usage.raw", "cache_creation.ephemeral_5m_input_tokens"),
			inside(fieldCacheCreation1h, "gen_ai.usage.raw", "cache_creation.ephemeral_1h_input_tokens"),
			inside(fieldReasoning, "gen_ai.usage.raw",
				"completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
		),
		quirks: agentRuns,
	}
}
