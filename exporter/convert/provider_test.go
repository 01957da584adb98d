// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

func TestProviderNames(t *testing.T) {
	tests := map[string]string{
		"openai": "OpenAI", "OpenAI": "OpenAI", "openai.responses": "OpenAI", "openai.chat": "OpenAI",
		"azure.ai.openai": "Azure", "az.ai.openai": "Azure", "azure": "Azure", "azure.openai": "Azure", "azure_openai": "Azure",
		"azure.ai.inference": "Azure", "az.ai.inference": "Azure",
		"az.ai.agents": "Azure", "azure.ai.agents": "Azure", "microsoft.foundry": "Azure", "googleai": "Google",
		"anthropic": "Anthropic", "anthropic.messages": "Anthropic",
		"aws.bedrock": "Amazon Bedrock", "bedrock": "Amazon Bedrock", "amazon-bedrock": "Amazon Bedrock",
		"bedrock_converse": "Amazon Bedrock", "aws": "Amazon Bedrock", "aws.anthropic": "Amazon Bedrock",
		"gcp.vertex_ai": "Google", "vertex_ai": "Google", "google-vertex": "Google", "gcp.anthropic": "Google",
		"gcp.gemini": "Google", "gcp.gen_ai": "Google", "gemini": "Google", "google": "Google", "google-gla": "Google",
		"google_genai": "Google", "google.generative-ai": "Google",
		"cohere": "Cohere", "mistral_ai": "Mistral", "mistral": "Mistral", "mistralai": "Mistral", "groq": "Groq",
		"perplexity": "Perplexity", "deepseek": "DeepSeek", "x_ai": "xAI", "xai": "xAI", "grok": "xAI",
		"ibm.watsonx.ai": "IBM watsonx", "watsonx": "IBM watsonx", "moonshot": "Moonshot AI", "moonshot_ai": "Moonshot AI",
		"google.vertex.chat": "Google", "googleVertex.anthropic.messages": "Google", "vertex.anthropic.messages": "Google",
		"google_vertexai": "Google", "google_anthropic_vertex": "Google", "Vertex AI": "Google", "google_genai_ai": "Google",
		"bedrock.anthropic.messages": "Amazon Bedrock", "anthropic_bedrock": "Amazon Bedrock", "amazon": "Amazon Bedrock",
		"azure-openai.chat": "Azure", "AzureOpenAI": "Azure", "azure_ai_inference": "Azure", "openai.speech": "OpenAI",
		"togetherai.chat": "Together AI", "moonshotai.chat": "Moonshot AI", "zhipuai": "Z.ai", "ibm": "IBM watsonx",
		"NVIDIA": "NVIDIA NIM", "hugging_face": "Hugging Face", "cohere.reranking": "Cohere",
		"Acme.chat": "Acme", ".chat": ".chat",
		"ollama": "Ollama", "together": "Together AI", "Acme Models": "Acme Models",
	}
	for name, want := range tests {
		c, d := billed(t, chat("gen_ai.provider.name", name))
		if c.Provider != want || len(d.Notes) != 0 {
			t.Errorf("%s: provider = %q (notes %v), want %q", name, c.Provider, d.Notes, want)
		}
	}
}

// Where a provider's name may stand, the best place first.
func TestProviderSources(t *testing.T) {
	keys := []string{"gen_ai.provider.name", "gen_ai.system", "llm.provider", "ai.model.provider", "llm.system", "llm.vendor"}
	values := []string{"openai", "cohere", "groq", "mistral_ai", "deepseek", "perplexity"}
	display := []string{"OpenAI", "Cohere", "Groq", "Mistral", "DeepSeek", "Perplexity"}
	for i := range keys {
		s := chat("gen_ai.provider.name", nil, "gen_ai.request.model", "m", "gen_ai.response.model", "m")
		for j := len(keys) - 1; j >= i; j-- { // the worst comes first on the span
			s.attrs = append(s.attrs, with(keys[j], values[j])...)
		}
		if c := bill(t, s); c.Provider != display[i] {
			t.Errorf("%s: provider = %q, want %q", keys[i], c.Provider, display[i])
		}
	}
	// A name of a framework, and one of nothing, are passed over.
	for _, nobody := range []string{"spring_ai", "langchain", "strands-agents", "local", "unknown", "_OTHER", "", " "} {
		c := bill(t, chat("gen_ai.provider.name", nobody, "gen_ai.system", "groq"))
		if c.Provider != "Groq" {
			t.Errorf("%q: provider = %q, want Groq", nobody, c.Provider)
		}
	}
	s := chat("gen_ai.provider.name", nil)
	s.resource = with("gen_ai.provider.name", "cohere")
	if c := bill(t, s); c.Provider != "Cohere" {
		t.Errorf("resource: provider = %q, want Cohere", c.Provider)
	}
	s.scopeAttrs = with("gen_ai.system", "groq")
	if c := bill(t, s); c.Provider != "Groq" {
		t.Errorf("scope: provider = %q, want Groq", c.Provider)
	}
	if c := bill(t, chat("gen_ai.provider.name", nil), convert.WithDefault("provider", "mistral", convert.OriginDefault)); c.Provider != "Mistral" {
		t.Errorf("default: provider = %q, want Mistral", c.Provider)
	}
}

func TestProviderFromModel(t *testing.T) {
	tests := map[string]string{
		"gpt-5": "OpenAI", "o3-mini": "OpenAI", "text-embedding-3-small": "OpenAI", "chatgpt-4o-latest": "OpenAI",
		"davinci-002": "OpenAI", "claude-sonnet-5": "Anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0": "Amazon Bedrock",
		"amazon.nova-pro-v1:0": "Amazon Bedrock", "gemini-2.5-flash": "Google", "projects/p/locations/l/publishers/google/models/gemini-2.5-pro": "Google",
		"mistral-large": "Mistral", "codestral-latest": "Mistral", "grok-4": "xAI", "deepseek-chat": "DeepSeek",
		"command-r-plus": "Cohere", "embed-english-v3.0": "Cohere", "sonar-pro": "Perplexity", "kimi-k2": "Moonshot AI",
		"llama-of-my-own": "Unknown",
	}
	for model, want := range tests {
		c, d := billed(t, chat("gen_ai.provider.name", nil, "gen_ai.response.model", model))
		if c.Provider != want {
			t.Errorf("%s: provider = %q, want %q", model, c.Provider, want)
		}
		if len(d.Notes) != 1 || d.Notes[0].Field != "provider" || d.Notes[0].Action != convert.NoteGuessed {
			t.Errorf("%s: notes = %v, want one that says that the provider was guessed", model, d.Notes)
		}
	}
}

func TestProviderFromHost(t *testing.T) {
	tests := map[string]string{
		"api.openai.com": "OpenAI", "acme.openai.azure.com": "Azure", "acme.services.ai.azure.com": "Azure",
		"api.anthropic.com": "Anthropic", "generativelanguage.googleapis.com": "Google",
		"us-central1-aiplatform.googleapis.com": "Google", "bedrock-runtime.us-east-1.amazonaws.com": "Amazon Bedrock",
		"api.groq.com": "Groq", "API.Mistral.ai": "Mistral",
		"my-proxy.us-east-1.elb.amazonaws.com": "OpenAI", "localhost": "OpenAI", // then the model decides
	}
	for host, want := range tests {
		c := bill(t, chat("gen_ai.provider.name", nil, "server.address", host))
		if c.Provider != want {
			t.Errorf("%s: provider = %q, want %q", host, c.Provider, want)
		}
	}
}

func TestModel(t *testing.T) {
	type result struct{ Model, Provider, Source string }
	tests := map[string]struct {
		provider, request, response any
		want                        result
	}{
		"response first":       {"openai", "gpt-4o", "gpt-4o-2024-08-06", result{"gpt-4o-2024-08-06", "OpenAI", "DIRECT"}},
		"request":              {"openai", "gpt-4o", nil, result{"gpt-4o", "OpenAI", "DIRECT"}},
		"blank response":       {"openai", "gpt-4o", "  ", result{"gpt-4o", "OpenAI", "DIRECT"}},
		"none":                 {"openai", "gpt-4o", "none", result{"gpt-4o", "OpenAI", "DIRECT"}},
		"space around":         {"openai", "gpt-4o", " gpt-4o-mini\n", result{"gpt-4o-mini", "OpenAI", "DIRECT"}},
		"same vendor":          {"openai", "openai/gpt-4o", nil, result{"gpt-4o", "OpenAI", "DIRECT"}},
		"no provider":          {nil, "anthropic/claude-sonnet-5", nil, result{"claude-sonnet-5", "Anthropic", "DIRECT"}},
		"OpenAI client":        {"openai", "anthropic/claude-sonnet-5", nil, result{"claude-sonnet-5", "Anthropic", "DIRECT"}},
		"LiteLLM":              {"litellm", "anthropic/claude-sonnet-5", nil, result{"claude-sonnet-5", "Anthropic", "LITELLM"}},
		"LiteLLM, alias":       {"litellm", "gpt-4o", nil, result{"gpt-4o", "OpenAI", "LITELLM"}},
		"LiteLLM, own name":    {"litellm", "team-model", nil, result{"team-model", "LiteLLM", "LITELLM"}},
		"LiteLLM, Bedrock":     {"litellm", "bedrock/us.anthropic.claude-sonnet-4-5-v1:0", nil, result{"us.anthropic.claude-sonnet-4-5-v1:0", "Amazon Bedrock", "LITELLM"}},
		"AI SDK's gateway":     {"gateway", "anthropic/claude-sonnet-4.5", nil, result{"claude-sonnet-4.5", "Anthropic", ""}},
		"its models of Amazon": {"gateway", "amazon/nova-pro", nil, result{"nova-pro", "Amazon Bedrock", ""}},
		"its other models":     {"gateway", "acme/model-1", nil, result{"acme/model-1", "gateway", ""}},
		"OpenRouter":           {"openrouter", "google/gemini-3-pro", "google/gemini-3-pro-preview", result{"gemini-3-pro-preview", "Google", "OPENROUTER"}},
		"OpenRouter, unknown":  {"openrouter", "acme/model-1", nil, result{"acme/model-1", "OpenRouter", "OPENROUTER"}},
		"two prefixes":         {"litellm", "openrouter/anthropic/claude-sonnet-5", nil, result{"claude-sonnet-5", "Anthropic", "LITELLM"}},
		"Vercel":               {"vercel", "google/gemini-3-pro-preview", nil, result{"gemini-3-pro-preview", "Google", ""}},
		"Groq's own slash":     {"groq", "openai/gpt-oss-120b", nil, result{"openai/gpt-oss-120b", "Groq", "DIRECT"}},
		"via Groq":             {"litellm", "groq/openai/gpt-oss-120b", nil, result{"openai/gpt-oss-120b", "Groq", "LITELLM"}},
		"other slash":          {"openai", "meta-llama/Llama-3.2-1B", nil, result{"meta-llama/Llama-3.2-1B", "OpenAI", "DIRECT"}},
		"nothing after it":     {"openai", "openai/", nil, result{"openai/", "OpenAI", "DIRECT"}},
		"named provider":       {"azure.ai.openai", "openai/gpt-4o", nil, result{"gpt-4o", "Azure", "AZURE_OPENAI"}},
		"Azure":                {"azure.ai.openai", "gpt-4o", nil, result{"gpt-4o", "Azure", "AZURE_OPENAI"}},
		"Vertex path":          {"gcp.vertex_ai", "projects/p/locations/l/publishers/google/models/gemini-2.5-flash", nil, result{"gemini-2.5-flash", "Google", "DIRECT"}},
		"Gemini path":          {"gcp.gemini", "models/gemini-2.5-flash", nil, result{"gemini-2.5-flash", "Google", "DIRECT"}},
		"Bedrock profile":      {"aws.bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-pro-v1:0", nil, result{"us.amazon.nova-pro-v1:0", "Amazon Bedrock", "DIRECT"}},
		"Bedrock, own":         {"aws.bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", nil, result{"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "Amazon Bedrock", "DIRECT"}},
		"Azure without model":  {"az.ai.inference", "chat", "mistral-large", result{"mistral-large", "Azure", "DIRECT"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := bill(t, chat("gen_ai.provider.name", tt.provider, "gen_ai.request.model", tt.request, "gen_ai.response.model", tt.response))
			if diff := cmp.Diff(tt.want, result{c.Model, c.Provider, c.ModelSource}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, model := range []any{nil, "", " \t", "none", "null", "\x00\n"} {
		d := decide(t, chat("gen_ai.request.model", nil, "gen_ai.response.model", model))
		if d.Kind != convert.Skipped || d.Reason != convert.ReasonInvalidModel {
			t.Errorf("model %q: got %v (%s), want skipped (invalid model)", model, d.Kind, d.Reason)
		}
	}
}

func TestModelNames(t *testing.T) {
	// In OpenInference llm.model_name is the model that answered.
	keys := []string{
		"gen_ai.response.model", "ai.response.model", "llm.response.model_name", "llm.response.model", "llm.model_name",
		"gen_ai.request.model", "ai.model.id", "llm.request.model_name", "llm.request.model",
	}
	for i := range keys {
		s := chat("gen_ai.request.model", nil, "gen_ai.response.model", nil)
		for j := len(keys) - 1; j >= i; j-- {
			s.attrs = append(s.attrs, with(keys[j], keys[j])...)
		}
		if c := bill(t, s); c.Model != keys[i] {
			t.Errorf("model = %q, want that of %s", c.Model, keys[i])
		}
	}
}

func TestModelSourceOfLiteLLM(t *testing.T) {
	for name, s := range map[string]*span{
		"call id": chat("litellm.call_id", "abc"),
		"scope":   func() *span { s := chat(); s.scope = "litellm"; return s }(),
		"set":     chat("revenium.model.source", "LITELLM"),
	} {
		if c := bill(t, s); c.ModelSource != "LITELLM" {
			t.Errorf("%s: model source = %q, want LITELLM", name, c.ModelSource)
		}
	}
}

func TestModelHost(t *testing.T) {
	tests := []struct{ provider, model, want string }{
		{"aws.bedrock", "us.anthropic.claude-sonnet-4-5-v1:0", "bedrock"},
		{"gcp.vertex_ai", "claude-sonnet-4-5@20250929", "vertex"},
		{"aws.bedrock", "amazon.nova-pro-v1:0", ""},
		{"gcp.vertex_ai", "gemini-2.5-pro", ""},
		{"anthropic", "claude-sonnet-5", ""},
	}
	for _, tt := range tests {
		if c := bill(t, chat("gen_ai.provider.name", tt.provider, "gen_ai.response.model", tt.model)); c.ModelHost != tt.want {
			t.Errorf("%s %s: model host = %q, want %q", tt.provider, tt.model, c.ModelHost, tt.want)
		}
	}
	c := bill(t, chat("gen_ai.provider.name", "aws.bedrock", "gen_ai.response.model", "claude", "revenium.model.host", "foundry"))
	if c.ModelHost != "foundry" {
		t.Errorf("set: model host = %q, want foundry", c.ModelHost)
	}
}

func TestProviderOptions(t *testing.T) {
	c := bill(t, chat(), convert.WithProviderName("openai", "OPENAI"))
	if c.Provider != "OPENAI" {
		t.Errorf("provider = %q, want OPENAI", c.Provider)
	}
	c = bill(t, chat("gen_ai.provider.name", "acme"), convert.WithProviderName("acme", "Acme Inc."))
	if c.Provider != "Acme Inc." {
		t.Errorf("provider = %q, want Acme Inc.", c.Provider)
	}
	c = bill(t, chat("gen_ai.response.model", "corp/gpt-4o"), convert.WithVendorPrefix("corp", "azure.ai.openai"))
	if c.Model != "gpt-4o" || c.Provider != "Azure" {
		t.Errorf("own prefix: got %q of %q, want gpt-4o of Azure", c.Model, c.Provider)
	}
	for _, opt := range []convert.Option{convert.WithVendorPrefix("openai", ""), convert.WithoutVendorPrefixes()} {
		if c := bill(t, chat("gen_ai.response.model", "openai/gpt-4o"), opt); c.Model != "openai/gpt-4o" {
			t.Errorf("model = %q, want openai/gpt-4o", c.Model)
		}
	}
}
