// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"testing"
)

func TestRecognize(t *testing.T) {
	tests := []struct{ url, api, provider, operation string }{
		{"https://api.openai.com/v1/chat/completions", "openai.chat", "openai", "chat"},
		{"https://api.openai.com/v1/completions", "openai.completions", "openai", "text_completion"},
		{"https://api.openai.com/v1/embeddings", "openai.embeddings", "openai", "embeddings"},
		{"https://API.OpenAI.com:443/v1/chat/completions/", "openai.chat", "openai", "chat"},
		{"https://us.api.openai.com/v1/chat/completions", "openai.chat", "openai", "chat"},
		{"https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-02-01", "openai.chat", "azure.ai.openai", "chat"},
		{"https://r.openai.azure.com/openai/v1/embeddings", "openai.embeddings", "azure.ai.openai", "embeddings"},
		{"https://r.cognitiveservices.azure.com/openai/deployments/d/chat/completions", "openai.chat", "azure.ai.openai", "chat"},
		{"https://r.services.ai.azure.com/openai/v1/chat/completions", "openai.chat", "azure.ai.openai", "chat"},
		{"https://r.services.ai.azure.com/models/chat/completions?api-version=1", "openai.chat", "azure.ai.inference", "chat"},
		{"https://m.eastus.models.ai.azure.com/chat/completions", "openai.chat", "azure.ai.inference", "chat"},
		{"https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "openai.chat", "gcp.gemini", "chat"},
		{"https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi/chat/completions", "openai.chat", "gcp.vertex_ai", "chat"},
		{"https://europe-west1-aiplatform.googleapis.com/v1/x/chat/completions", "openai.chat", "gcp.vertex_ai", "chat"},
		{"https://aiplatform.eu.rep.googleapis.com/v1/x/chat/completions", "openai.chat", "gcp.vertex_ai", "chat"},
		{"https://bedrock-runtime-fips.us-east-1.amazonaws.com/openai/v1/chat/completions", "openai.chat", "aws.bedrock", "chat"},
		{"https://bedrock-mantle.us-east-1.api.aws/openai/v1/chat/completions", "openai.chat", "aws.bedrock", "chat"},
		{"https://api.cohere.ai/compatibility/v1/chat/completions", "openai.chat", "cohere", "chat"},
		{"https://api.mistral.ai/v1/fim/completions", "openai.completions", "mistral_ai", "text_completion"},
		{"https://api.groq.com/openai/v1/chat/completions", "openai.chat", "groq", "chat"},
		{"https://api.deepseek.com/beta/completions", "openai.completions", "deepseek", "text_completion"},
		{"https://api.perplexity.ai/chat/completions", "openai.chat", "perplexity", "chat"},
		{"https://us-east-1.api.x.ai/v1/chat/completions", "openai.chat", "x_ai", "chat"},
		{"https://openrouter.ai/api/v1/embeddings", "openai.embeddings", "openrouter", "embeddings"},
		{"http://127.0.0.1:11434/v1/chat/completions", "openai.chat", "ollama", "chat"},
		{"http://[::1]:8000/v1/chat/completions", "openai.chat", "openai", "chat"},
		{"https://notapi.openai.com.example.org/v1/chat/completions", "openai.chat", "openai", "chat"},
		{"http://proxy:4000/engines/m/completions", "openai.completions", "openai", "text_completion"},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Recognize(req)
		want := Recognized{API: tt.api, Provider: tt.provider, Operation: tt.operation, Billable: true}
		if !ok || got != want {
			t.Errorf("%s: %+v, %t; want %+v", tt.url, got, ok, want)
		}
	}
	for _, req := range []*http.Request{nil, {Method: http.MethodPost}} {
		if got, ok := Recognize(req); ok {
			t.Errorf("%v recognised as %+v", req, got)
		}
	}
}

func TestProviderHosts(t *testing.T) {
	transport := NewTransport(nil,
		WithProviderHosts(map[string]string{"llm.example.com": "acme", "LLM.example.com:9000": "other"}),
		WithProviderHosts(map[string]string{"https://tls.example.com/v1": "secure", "": "none", "[::1]:7": "six"}),
	)
	for url, want := range map[string]string{
		"http://llm.example.com/v1/chat/completions":       "acme",
		"https://llm.example.com:8000/v1/chat/completions": "acme",
		"http://llm.example.com:9000/v1/chat/completions":  "other",
		"https://tls.example.com/v1/chat/completions":      "secure",
		"http://tls.example.com/v1/chat/completions":       "openai",
		"http://[::1]:7/v1/chat/completions":               "six",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := transport.Recognize(req); !ok || got.Provider != want {
			t.Errorf("%s: %+v, want provider %s", url, got, want)
		}
	}
}
