// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
	"github.com/revenium/revenium-otel-go/semconv"
)

// sourceLiteLLM is the value of revenium.model.source of calls through a LiteLLM
// proxy.
const sourceLiteLLM = "LITELLM"

// Headers of LiteLLM's answers. Each of them may be missing: streams, for one,
// begin before the proxy knows most of them. What a call cost and what its key
// has spent is in headers as well; they are the proxy's reckoning and are not
// read.
const (
	headerLiteLLMCallID   = "X-Litellm-Call-Id"
	headerLiteLLMVersion  = "X-Litellm-Version"
	headerLiteLLMModelID  = "X-Litellm-Model-Id"
	headerLiteLLMAPIBase  = "X-Litellm-Model-Api-Base"
	headerLiteLLMOverhead = "X-Litellm-Overhead-Duration-Ms"
)

func isLiteLLM(h http.Header) bool {
	return h.Get(headerLiteLLMCallID) != "" || h.Get(headerLiteLLMVersion) != "" || h.Get(headerLiteLLMModelID) != ""
}

// learn takes in what the headers of an answer say about the host and the call.
func (e *exchange) learn(h http.Header) {
	if !isLiteLLM(h) {
		return
	}
	target := &e.target
	e.transport.settings.learntLiteLLM.add(target.hostPort)
	if !target.litellm {
		target.litellm = true
		if target.provider == target.api.provider && !target.known {
			target.provider = providerLiteLLM
			target.useVendorOfPath()
		}
		target.useModelPrefix(e.model)
	}
	if provider := providerOfBase(h.Get(headerLiteLLMAPIBase)); provider != "" && !target.named {
		target.provider = provider
	}
	attributes := []attribute.KeyValue{
		semconv.GenAIProviderNameKey.String(target.provider),
		semconv.ReveniumModelSourceKey.String(sourceLiteLLM),
	}
	if ms, err := strconv.ParseFloat(h.Get(headerLiteLLMOverhead), 64); err == nil && ms >= 0 && ms < 1e9 {
		attributes = append(attributes, semconv.ReveniumMediationLatencyKey.Int64(int64(math.Round(ms))))
	}
	e.call.SetAttributes(attributes...)
}

// useModelPrefix takes the provider from a model's name of the form
// provider/model, where LiteLLM knows the provider by that name.
func (t *target) useModelPrefix(model string) {
	prefix, _, found := strings.Cut(model, "/")
	if !found {
		return
	}
	if provider, ok := litellmProviders[prefix]; ok && t.provider == providerLiteLLM {
		t.provider = provider
	}
}

// vendorOfPath returns the provider whose API a LiteLLM proxy passes on by the
// path: one of its first two segments names it, as in /anthropic/v1/messages. ""
// is for none.
func vendorOfPath(path string) string {
	for range 2 {
		segment, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		if provider := passThroughs[segment]; provider != "" {
			return provider
		}
		path = rest
	}
	return ""
}

// useVendorOfPath takes the provider that the path names.
func (t *target) useVendorOfPath() {
	if t.vendor != "" {
		t.provider = t.vendor
	}
}

// passThroughs are the first segments of paths under which LiteLLM passes on
// providers' own APIs.
var passThroughs = map[string]string{
	"anthropic": providerAnthropic, "gemini": providerGemini, "vertex_ai": providerVertexAI, "vertex-ai": providerVertexAI,
	"bedrock": providerBedrock, "cohere": providerCohere, "mistral": providerMistral, "azure": providerAzureOpenAI,
	"azure_ai": providerAzureInference, "openai_passthrough": providerOpenAI, "vllm": "vllm",
}

// litellmProviders are LiteLLM's names of providers and what the OpenTelemetry
// GenAI conventions call them, or the name itself where these have none.
var litellmProviders = map[string]string{
	"openai": providerOpenAI, "text-completion-openai": providerOpenAI,
	"azure": providerAzureOpenAI, "azure_text": providerAzureOpenAI, "azure_ai": providerAzureInference,
	"anthropic": "anthropic", "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "sagemaker": "aws.sagemaker",
	"vertex_ai": "gcp.vertex_ai", "vertex_ai_beta": "gcp.vertex_ai", "gemini": "gcp.gemini", "palm": "gcp.gemini",
	"cohere": "cohere", "cohere_chat": "cohere", "mistral": "mistral_ai", "codestral": "mistral_ai",
	"groq": "groq", "deepseek": "deepseek", "perplexity": "perplexity", "xai": "x_ai", "watsonx": "ibm.watsonx.ai",
	"moonshot": "moonshot_ai", "openrouter": "openrouter", "together_ai": "together", "fireworks_ai": "fireworks",
	"deepinfra": "deepinfra", "cerebras": "cerebras", "huggingface": "huggingface", "ollama": "ollama", "ollama_chat": "ollama",
	"vercel_ai_gateway": "vercel", "databricks": "databricks", "replicate": "replicate", "ai21": "ai21", "voyage": "voyage",
	"cloudflare": "cloudflare", "friendliai": "friendliai", "anyscale": "anyscale", "hosted_vllm": "vllm",
	"nvidia_nim": "nvidia_nim", "sambanova": "sambanova",
}

// providerOfBase returns the provider behind the URL of an API, or "".
func providerOfBase(base string) string {
	if base == "" {
		return ""
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return ""
	}
	host, _ := hosts.Of(u)
	if s := serverOf(host, u.Port(), u.Path); s != nil {
		return s.provider
	}
	return ""
}
