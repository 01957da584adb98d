// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "strings"

// A server is a provider's host: where it is found by the host's name, a port or
// a part of the path, and what is known of it.
type server struct {
	host       string // whole name, or the end of one if it begins with "."
	hostPrefix string // beginning of the name
	port       string
	path       string // prefix of the path
	provider   string
	// source is the value of revenium.model.source of calls that go through a
	// gateway.
	source string
	// streamUsage allows stream_options.include_usage to be asked for.
	streamUsage bool
}

// servers is tried in order. The names of providers are those of the
// OpenTelemetry GenAI conventions where these have one.
var servers = []server{
	{host: "api.openai.com", provider: providerOpenAI, streamUsage: true},
	{host: ".api.openai.com", provider: providerOpenAI, streamUsage: true},
	{host: ".openai.azure.com", provider: providerAzureOpenAI},
	{host: ".cognitiveservices.azure.com", provider: providerAzureOpenAI},
	{host: ".services.ai.azure.com", path: "/openai/", provider: providerAzureOpenAI},
	{host: ".services.ai.azure.com", provider: providerAzureInference},
	{host: ".models.ai.azure.com", provider: providerAzureInference},
	{host: "models.inference.ai.azure.com", provider: providerAzureInference},
	{host: "api.anthropic.com", provider: providerAnthropic},
	{host: "generativelanguage.googleapis.com", provider: providerGemini},
	{host: "aiplatform.googleapis.com", provider: providerVertexAI},
	{host: "-aiplatform.googleapis.com", provider: providerVertexAI},
	{hostPrefix: "aiplatform.", host: ".rep.googleapis.com", provider: providerVertexAI},
	{hostPrefix: "bedrock-runtime", host: ".amazonaws.com", provider: providerBedrock},
	{hostPrefix: "bedrock-mantle.", host: ".api.aws", provider: providerBedrock},
	{host: "api.cohere.com", provider: providerCohere},
	{host: "api.cohere.ai", provider: providerCohere},
	{host: "api.mistral.ai", provider: providerMistral},
	{host: "codestral.mistral.ai", provider: providerMistral},
	{host: "api.groq.com", provider: "groq"},
	{host: "api.deepseek.com", provider: "deepseek"},
	{host: "api.perplexity.ai", provider: "perplexity"},
	{host: "api.x.ai", provider: "x_ai"},
	{host: ".api.x.ai", provider: "x_ai"},
	{host: "openrouter.ai", provider: "openrouter", source: "OPENROUTER"},
	{host: "api.together.ai", provider: "together"},
	{host: "api.together.xyz", provider: "together"},
	{host: "api.fireworks.ai", provider: "fireworks"},
	{host: "api.cerebras.ai", provider: "cerebras"},
	{host: "api.moonshot.ai", provider: "moonshot_ai"},
	{host: "api.moonshot.cn", provider: "moonshot_ai"},
	{host: "api.deepinfra.com", provider: "deepinfra"},
	{host: "api.z.ai", provider: "z_ai"},
	{host: "router.huggingface.co", provider: "huggingface"},
	{host: "ai-gateway.vercel.sh", provider: "vercel"},
	{host: "api.avian.io", provider: "avian"},
	{host: ".snowflakecomputing.com", provider: "snowflake"},
	{host: ".databricks.com", path: "/serving-endpoints/", provider: "databricks"},
	{host: ".azuredatabricks.net", path: "/serving-endpoints/", provider: "databricks"},
	{host: "api.sambanova.ai", provider: "sambanova"},
	{host: "integrate.api.nvidia.com", provider: "nvidia_nim"},
	{host: "open.bigmodel.cn", provider: "z_ai"},
	{host: "api.studio.nebius.com", provider: "nebius"},
	{host: "models.github.ai", provider: "github"},
	{host: "ollama.com", provider: providerOllama},
	{port: "11434", provider: providerOllama},
}

// Providers that more than one place knows.
const (
	providerOpenAI         = "openai"
	providerAzureOpenAI    = "azure.ai.openai"
	providerAzureInference = "azure.ai.inference"
	providerLiteLLM        = "litellm"
	providerAnthropic      = "anthropic"
	providerGemini         = "gcp.gemini"
	providerVertexAI       = "gcp.vertex_ai"
	providerBedrock        = "aws.bedrock"
	providerCohere         = "cohere"
	providerMistral        = "mistral_ai"
	providerOllama         = "ollama"
)

func (s *server) matches(host, port, path string) bool {
	switch {
	case s.hostPrefix != "" && !strings.HasPrefix(host, s.hostPrefix):
		return false
	case s.port != "" && s.port != port:
		return false
	case s.path != "" && !strings.HasPrefix(path, s.path):
		return false
	case s.host == "":
		return true
	case s.host[0] == '.' || s.host[0] == '-':
		return strings.HasSuffix(host, s.host)
	default:
		return host == s.host
	}
}
