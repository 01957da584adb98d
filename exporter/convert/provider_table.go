// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// provider is what is known of a provider.
type provider struct {
	// name is the value of gen_ai.provider.name.
	name string
	// display is the name that Revenium gets.
	display string
	// wire and claudeWire say which input Revenium expects, in general and for
	// Claude; zero is gross, and for claudeWire the same as wire.
	wire, claudeWire WireInput
	// claudeHost is who bills the infrastructure that Claude runs on.
	claudeHost string
	// source is the way that calls take; "" for the direct one.
	source string
	// google: thinking tokens can be missing from the output.
	google bool
	// gateway: passes calls on to the vendor that the name of the model begins with.
	gateway bool
	// slashes: the names of its models have slashes of their own.
	slashes bool
	// aliases are other names of it, in lower case.
	aliases []string
}

// providerTable lists the providers. Names are those of the OpenTelemetry GenAI
// conventions where these have one; display names are those of Revenium's API
// reference and SDKs where these have one.
func providerTable() []provider {
	return []provider{
		{name: "openai", display: "OpenAI", aliases: []string{"text-completion-openai", "open_ai"}},
		{
			name: "azure.ai.openai", display: "Azure", source: "AZURE_OPENAI",
			aliases: []string{"az.ai.openai", "azure", "azure.openai", "azure_openai", "azure-openai", "azureopenai", "azure_text"},
		},
		{
			name: "azure.ai.agents", display: "Azure",
			aliases: []string{"az.ai.agents", "microsoft.agents", "microsoft.foundry"},
		},
		{name: "azure.ai.inference", display: "Azure", aliases: []string{"az.ai.inference", "azure_ai_inference", "azure_ai", "azure.ai"}},
		{name: "anthropic", display: "Anthropic", wire: WireNet},
		{
			name: "aws.bedrock", display: "Amazon Bedrock", claudeWire: WireReported, claudeHost: "bedrock",
			aliases: []string{
				"bedrock", "amazon-bedrock", "amazon_bedrock", "bedrock_converse", "bedrock.anthropic", "anthropic_bedrock",
				"amazon", "aws", "aws.anthropic",
			},
		},
		{
			name: "gcp.vertex_ai", display: "Google", claudeWire: WireReported, claudeHost: "vertex", google: true,
			aliases: []string{
				"vertex_ai", "vertex_ai_beta", "vertexai", "vertex ai", "vertex", "vertex.anthropic",
				"google-vertex", "google_vertex", "google.vertex", "google.vertex.anthropic", "googlevertex", "googlevertex.anthropic",
				"google_vertexai", "google_anthropic_vertex", "gcp.anthropic",
			},
		},
		{
			name: "gcp.gemini", display: "Google", google: true,
			aliases: []string{
				"gcp.gen_ai", "google", "google-gla", "google_genai", "google_genai_ai", "googleai", "gemini", "google.generative-ai", "palm",
			},
		},
		{name: "cohere", display: "Cohere", aliases: []string{"cohere_chat"}},
		{name: "mistral_ai", display: "Mistral", aliases: []string{"mistral", "mistralai", "codestral"}},
		{name: "groq", display: "Groq", slashes: true},
		{name: "perplexity", display: "Perplexity"},
		{name: "deepseek", display: "DeepSeek"},
		{name: "x_ai", display: "xAI", aliases: []string{"xai", "grok"}},
		{name: "ibm.watsonx.ai", display: "IBM watsonx", slashes: true, aliases: []string{"watsonx", "ibm"}},
		{name: "moonshot_ai", display: "Moonshot AI", aliases: []string{"moonshot", "moonshotai"}},
		{name: "z_ai", display: "Z.ai", aliases: []string{"zai", "zhipu", "zhipuai"}},
		{name: "together", display: "Together AI", slashes: true, aliases: []string{"together_ai", "togetherai"}},
		{name: "fireworks", display: "Fireworks AI", slashes: true, aliases: []string{"fireworks_ai"}},
		{name: "deepinfra", display: "DeepInfra", slashes: true},
		{name: "cerebras", display: "Cerebras"},
		{name: "huggingface", display: "Hugging Face", slashes: true, aliases: []string{"hugging_face"}},
		{name: "ollama", display: "Ollama", slashes: true, aliases: []string{"ollama_chat"}},
		{name: "vllm", display: "vLLM", slashes: true, aliases: []string{"hosted_vllm"}},
		{name: "nvidia_nim", display: "NVIDIA NIM", slashes: true, aliases: []string{"nvidia"}},
		{name: "sambanova", display: "SambaNova", slashes: true},
		{name: "databricks", display: "Databricks"},
		{name: "replicate", display: "Replicate", slashes: true},
		{name: "cloudflare", display: "Cloudflare", slashes: true},
		{name: "ai21", display: "AI21"},
		{name: "voyage", display: "Voyage AI"},
		{name: "friendliai", display: "FriendliAI"},
		{name: "anyscale", display: "Anyscale", slashes: true},
		{name: "aws.sagemaker", display: "AWS Sagemaker", aliases: []string{"sagemaker"}},
		{name: "meta", display: "Meta", aliases: []string{"meta_llama"}},
		{name: "litellm", display: "LiteLLM", source: "LITELLM", gateway: true, aliases: []string{"litellm_proxy"}},
		{name: "openrouter", display: "OpenRouter", source: "OPENROUTER", gateway: true},
		{name: "portkey", display: "Portkey", source: "PORTKEY", gateway: true},
		{name: "vercel", display: "Vercel", gateway: true, aliases: []string{"vercel_ai_gateway"}},
		// What the AI SDK calls Vercel's gateway, and others what is in front of models.
		{name: "gateway", display: "gateway", gateway: true},
	}
}

// noProviders are values that instrumentations write as the provider and that
// name a framework or nothing.
func noProviders() []string {
	return []string{
		"strands-agents", "spring_ai", "langchain", "gcp.vertex.agent", "microsoft.agent_framework",
		"llamaindex", "crewai", "function", "local", "unknown", "_other", "none",
	}
}

// providerSuffixes are cut from provider values: some instrumentations add the
// API.
func providerSuffixes() []string {
	return []string{
		".chat", ".responses", ".messages", ".embedding", ".completion", ".image", ".video", ".speech", ".transcription", ".reranking",
		".generative-ai",
	}
}

// vendorPrefixes are LiteLLM's names of providers, which it puts before the name
// of a model, and what they stand for.
func vendorPrefixes() map[string]string {
	return map[string]string{
		"openai": "openai", "text-completion-openai": "openai",
		"azure": "azure.ai.openai", "azure_text": "azure.ai.openai", "azure_ai": "azure.ai.inference",
		"anthropic": "anthropic", "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "sagemaker": "aws.sagemaker",
		"vertex_ai": "gcp.vertex_ai", "vertex_ai_beta": "gcp.vertex_ai",
		"gemini": "gcp.gemini", "palm": "gcp.gemini", "google": "gcp.gemini",
		"cohere": "cohere", "cohere_chat": "cohere", "mistral": "mistral_ai", "mistralai": "mistral_ai", "codestral": "mistral_ai",
		"groq": "groq", "deepseek": "deepseek", "perplexity": "perplexity",
		"xai": "x_ai", "x-ai": "x_ai", "zai": "z_ai", "z-ai": "z_ai", "amazon": "aws.bedrock", "watsonx": "ibm.watsonx.ai", "moonshot": "moonshot_ai", "moonshotai": "moonshot_ai",
		"openrouter": "openrouter", "vercel_ai_gateway": "vercel", "litellm_proxy": "litellm",
		"together_ai": "together", "fireworks_ai": "fireworks", "deepinfra": "deepinfra", "cerebras": "cerebras",
		"huggingface": "huggingface", "ollama": "ollama", "ollama_chat": "ollama", "hosted_vllm": "vllm",
		"nvidia_nim": "nvidia_nim", "sambanova": "sambanova", "databricks": "databricks", "replicate": "replicate",
		"cloudflare": "cloudflare", "ai21": "ai21", "voyage": "voyage", "friendliai": "friendliai", "anyscale": "anyscale",
	}
}

// hostProvider says who is behind a host: the whole name, or its end if it
// begins with a dot, and then also a part of it.
type hostProvider struct{ host, provider, holds string }

func hostProviders() []hostProvider {
	return []hostProvider{
		{host: "api.openai.com", provider: "openai"},
		{host: ".openai.azure.com", provider: "azure.ai.openai"},
		{host: ".cognitiveservices.azure.com", provider: "azure.ai.openai"},
		{host: ".services.ai.azure.com", provider: "azure.ai.inference"},
		{host: ".models.ai.azure.com", provider: "azure.ai.inference"},
		{host: "api.anthropic.com", provider: "anthropic"},
		{host: "generativelanguage.googleapis.com", provider: "gcp.gemini"},
		{host: ".googleapis.com", provider: "gcp.vertex_ai", holds: "aiplatform"},
		{host: ".amazonaws.com", provider: "aws.bedrock", holds: "bedrock"},
		{host: "api.cohere.com", provider: "cohere"},
		{host: "api.cohere.ai", provider: "cohere"},
		{host: "api.mistral.ai", provider: "mistral_ai"},
		{host: "api.groq.com", provider: "groq"},
		{host: "api.deepseek.com", provider: "deepseek"},
		{host: "api.perplexity.ai", provider: "perplexity"},
		{host: "api.x.ai", provider: "x_ai"},
		{host: "openrouter.ai", provider: "openrouter"},
		{host: "api.together.xyz", provider: "together"},
		{host: "api.fireworks.ai", provider: "fireworks"},
		{host: "api.cerebras.ai", provider: "cerebras"},
		{host: "api.moonshot.ai", provider: "moonshot_ai"},
		{host: "api.deepinfra.com", provider: "deepinfra"},
		{host: "router.huggingface.co", provider: "huggingface"},
		{host: "ai-gateway.vercel.sh", provider: "vercel"},
		{host: "ollama.com", provider: "ollama"},
	}
}

// modelProvider says whose a model is by the beginning of its name.
type modelProvider struct{ prefix, provider string }

// modelProviders is tried in order.
func modelProviders() []modelProvider {
	return []modelProvider{
		{"us.", "aws.bedrock"},
		{"eu.", "aws.bedrock"},
		{"apac.", "aws.bedrock"},
		{"global.", "aws.bedrock"},
		{"anthropic.", "aws.bedrock"},
		{"amazon.", "aws.bedrock"},
		{"meta.", "aws.bedrock"},
		{"cohere.", "aws.bedrock"},
		{"mistral.", "aws.bedrock"},
		{"arn:aws", "aws.bedrock"},
		{"projects/", "gcp.vertex_ai"},
		{"publishers/", "gcp.vertex_ai"},
		{"gpt-", "openai"},
		{"o1", "openai"},
		{"o3", "openai"},
		{"o4", "openai"},
		{"text-embedding-", "openai"},
		{"chatgpt-", "openai"},
		{"dall-e", "openai"},
		{"whisper", "openai"},
		{"babbage", "openai"},
		{"davinci", "openai"},
		{"claude-", "anthropic"},
		{"gemini-", "gcp.gemini"},
		{"imagen", "gcp.gemini"},
		{"veo", "gcp.gemini"},
		{"mistral-", "mistral_ai"},
		{"codestral", "mistral_ai"},
		{"grok-", "x_ai"},
		{"deepseek-", "deepseek"},
		{"command-", "cohere"},
		{"embed-", "cohere"},
		{"rerank-", "cohere"},
		{"sonar", "perplexity"},
		{"kimi", "moonshot_ai"},
	}
}
