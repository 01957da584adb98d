// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// dialects lists the dialects; the first of which a span shows anything is its
// dialect. The most particular ones come first, since a span may be in the words
// of several, and those of the conventions last.
func dialects() []dialect {
	return []dialect{
		aiSDKLegacy(),
		aiSDK(),
		claudeCode(),
		codex(),
		geminiCLI(),
		anthropicSDK(),
		langSmith(),
		langfuse(),
		braintrust(),
		mlflow(),
		genkit(),
		liteLLM(),
		mastra(),
		bifrost(),
		kong(),
		envoyOpenInference(),
		envoy(),
		strands(),
		googleADK(),
		springAI(),
		pydanticAI(),
		logfire(),
		microsoftExtensionsAI(),
		semanticKernel(),
		agentFramework(),
		azureAI(),
		koog(),
		openRouter(),
		openLIT(),
		otelAWS(),
		openLLMetry(),
		openInference(),
		otelCompileTime(),
		otelConventions(),
		handMade(),
	}
}

// markers are the beginnings of attribute keys by which a span shows that it has
// to do with GenAI at all.
func markers() []string {
	return []string{
		"gen_ai.", "llm.", "openinference.", "ai.", "traceloop.", "litellm.", "langfuse.observation.", "langsmith.",
		"braintrust.", "genkit:", "mastra.", "bifrost.", "gcp.vertex.agent.", "spring.ai.", "logfire.", "codex.", "openlit.",
		"anthropic.", "mlflow.", "mcp.method.", "embedding.", "metadata.user_api_key_", "hidden_params",
	}
}

// contextMarkers are those of attributes that say nothing of a call on their own
// span, and something of the calls below. The headers of a request do only where they
// are believed: most spans of a server have attributes that begin like them.
func contextMarkers(cfg *config) []string {
	if cfg.trustHeaders {
		return []string{"revenium.", "http.request.header.x-revenium-"}
	}
	return []string{"revenium."}
}
