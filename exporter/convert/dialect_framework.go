// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// pydanticAI is Pydantic AI. The span of a run carries the sum of its calls.
func pydanticAI() dialect {
	return dialect{
		name:        "pydantic-ai",
		recognition: recognition{scopes: []string{"pydantic-ai"}},
		sources: all(
			from(fieldAgentRun, "agent_name", "gen_ai.agent.name"),
			optional("agent", "agent_name"),
		),
		quirks: agentRuns,
	}
}

// microsoftExtensionsAI is Microsoft.Extensions.AI for .NET.
func microsoftExtensionsAI() dialect {
	return dialect{
		name:        "microsoft-extensions-ai",
		recognition: recognition{scopes: []string{"Experimental.Microsoft.Extensions.AI"}},
	}
}

// agentFramework is Microsoft's Agent Framework.
func agentFramework() dialect {
	return dialect{
		name:        "microsoft-agent-framework",
		recognition: recognition{scopes: []string{"agent_framework", "Experimental.Microsoft.Agents.AI"}},
		exclusive:   exclusiveClaude,
	}
}

// semanticKernel is Microsoft's Semantic Kernel. Its older spans name no
// operation.
func semanticKernel() dialect {
	return dialect{
		name:        "semantic-kernel",
		recognition: recognition{scopes: []string{"Microsoft.SemanticKernel*"}},
		refine: []nameRule{
			{"chat_completion*", "chat"},
			{"chat.completions*", "chat"},
			{"chat.streaming_completions*", "chat"},
			{"text.completions*", "text_completion"},
			{"text.streaming_completions*", "text_completion"},
			{"embeddings*", "embeddings"},
		},
	}
}

// azureAI are the clients of Azure AI Inference and Azure AI Projects. The run of
// an agent that Azure hosts is the only span with its usage.
func azureAI() dialect {
	return dialect{
		name:        "azure-ai",
		recognition: recognition{scopes: []string{"azure.ai"}},
	}
}

// springAI is Spring AI. Everything is text.
func springAI() dialect {
	return dialect{
		name: "spring-ai",
		recognition: recognition{
			keys:   []string{"spring.ai.*"},
			values: []keyValue{{"gen_ai.system", "spring_ai"}},
			scopes: []string{"org.springframework.boot", "org.springframework.ai"},
		},
		exclusive: exclusiveClaude,
		quirks:    cumulativeUsage,
	}
}

// googleADK is Google's Agent Development Kit for Python, Go, Java and
// JavaScript.
func googleADK() dialect {
	const response = "gcp.vertex.agent.llm_response"
	return dialect{
		name: "google-adk",
		recognition: recognition{
			keys:   []string{"gcp.vertex.agent.*"},
			scopes: []string{"gcp.vertex.agent"},
		},
		names: []nameRule{
			{"call_llm*", "generate_content"},
			{"invocation", "invoke_workflow"},
			{"agent_run*", "invoke_agent"},
			{"execute_tool*", "execute_tool"},
		},
		sources: all(
			inside(fieldCacheRead, response, "usage_metadata.cached_content_token_count", "usageMetadata.cachedContentTokenCount"),
			inside(fieldReasoning, response, "usage_metadata.thoughts_token_count", "usageMetadata.thoughtsTokenCount"),
			inside(fieldInput, response, "usage_metadata.prompt_token_count", "usageMetadata.promptTokenCount"),
			inside(fieldOutput, response, "usage_metadata.candidates_token_count", "usageMetadata.candidatesTokenCount"),
			inside(fieldTotal, response, "usage_metadata.total_token_count", "usageMetadata.totalTokenCount"),
			// What the provider's own tools put into the prompt is no part of it.
			inside(fieldMoreInput, response, "usage_metadata.tool_use_prompt_token_count", "usageMetadata.toolUsePromptTokenCount"),
			inside(fieldFinish, response, "finish_reason", "finishReason"),
			optional("traceId", "gcp.vertex.agent.session_id"),
		),
		provider: "gcp.gemini",
	}
}

// strands is Strands Agents for Python and TypeScript. It names itself as the
// provider, and its agents sum up over all their runs.
func strands() dialect {
	return dialect{
		name: "strands",
		recognition: recognition{
			values: []keyValue{{"gen_ai.system", "strands-agents"}, {"gen_ai.provider.name", "strands-agents"}},
			scopes: []string{"strands.telemetry.tracer", "strands-agents"},
		},
		names: []nameRule{
			{"execute_event_loop_cycle*", "execute_event_loop_cycle"},
			{"execute_agent_loop_cycle*", "execute_event_loop_cycle"},
		},
		sources:   in(fieldFirstToken, unitMillisecondsInt, "gen_ai.server.time_to_first_token"),
		exclusive: exclusiveClaude,
		quirks:    accumulates,
	}
}

// genkit is Genkit for JavaScript and Go. It has no attribute of the conventions:
// what a model answered is one document.
func genkit() dialect {
	const output = "genkit:output"
	return dialect{
		name:        "genkit",
		recognition: recognition{keys: []string{"genkit:type"}},
		kinds: map[string]string{
			"model": "chat", "background-model": "chat", "embedder": "embeddings", "reranker": "rerank",
			"tool": "execute_tool", "tool.v2": "execute_tool", "retriever": "retrieval", "indexer": "retrieval",
			"evaluator": "evaluate", "prompt": "model_chunk", "executable-prompt": "invoke_workflow", "resource": "retrieval",
			"flow": "invoke_workflow", "agent": "invoke_agent", "util": "invoke_workflow",
			"action": "invoke_workflow", "flowstep": "invoke_workflow", "helper": "invoke_workflow",
		},
		sources: all(
			from(fieldKind, "genkit:metadata:subtype", "genkit:type"),
			// The plugin and its name of the model.
			in(fieldProvider, unitVendor, "genkit:name"),
			in(fieldRequestModel, unitAfterVendor, "genkit:name"),
			inside(fieldResponseModel, output, "raw.model", "raw.modelVersion"),
			inside(fieldResponseID, output, "raw.id", "raw.responseId"),
			inside(fieldInput, output, "usage.inputTokens"),
			inside(fieldOutput, output, "usage.outputTokens"),
			inside(fieldTotal, output, "usage.totalTokens"),
			inside(fieldMoreInput, output, "raw.usageMetadata.toolUsePromptTokenCount"),
			inside(fieldReasoning, output, "usage.thoughtsTokens", "raw.usage.completion_tokens_details.reasoning_tokens"),
			inside(fieldCacheRead, output, "usage.cachedContentTokens",
				"raw.usage.prompt_tokens_details.cached_tokens", "raw.usage.cache_read_input_tokens"),
			inside(fieldCacheCreation, output, "raw.usage.cache_creation_input_tokens"),
			inside(fieldUncached, output, "raw.usage.input_tokens"),
			inside(fieldFinish, output, "finishReason"),
		),
	}
}

// mastra is Mastra. Only the innermost of its many spans is the call; its time of
// the first token is also there for calls that were not streamed, and not always
// within the call.
func mastra() dialect {
	return dialect{
		name:        "mastra",
		recognition: recognition{keys: []string{"mastra.span.type"}},
	}
}

// koog is JetBrains' Koog.
func koog() dialect {
	return dialect{
		name:        "koog",
		recognition: recognition{scopes: []string{"ai.koog"}},
		names:       []nameRule{{"llm.chat", "chat"}},
	}
}
