// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
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

// The page on providers lists every API, and no other.
func TestProvidersPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, match := range regexp.MustCompile("`((?:openai|anthropic|gemini|vertex|bedrock|cohere|ollama)\\.[a-z0-9_.]+)`").FindAllSubmatch(page, -1) {
		listed[string(match[1])] = true
	}
	for _, a := range apis {
		if !listed[a.name] {
			t.Errorf("the page does not list %s", a.name)
		}
	}
	for name := range listed {
		if !slices.ContainsFunc(apis, func(a *api) bool { return a.name == name }) {
			t.Errorf("the page lists %s, which does not exist", name)
		}
	}
}

func TestRecognizeFormats(t *testing.T) {
	tests := []struct{ method, url, api, provider, operation string }{
		{"POST", "https://api.openai.com/v1/responses", "openai.responses", "openai", "chat"},
		{"POST", "https://r.openai.azure.com/openai/responses?api-version=1", "openai.responses", "azure.ai.openai", "chat"},
		{"POST", "https://api.x.ai/v1/responses", "openai.responses", "x_ai", "chat"},
		{"GET", "https://r.openai.azure.com/openai/v1/responses/resp_1", "openai.responses.retrieve", "azure.ai.openai", ""},
		{"GET", "http://proxy:4000/v1/responses/resp_1", "openai.responses.retrieve", "openai", ""},
		{"GET", "http://survey/v1/responses/1", "", "", ""},
		{"POST", "https://r.openai.azure.com/openai/deployments/d/images/generations", "openai.images", "azure.ai.openai", "image_generation"},
		{"POST", "https://api.anthropic.com/v1/messages?beta=true", "anthropic.messages", "anthropic", "chat"},
		{"POST", "https://api.anthropic.com/v1/messages/batches", "anthropic.batches", "anthropic", ""},
		{"POST", "https://api.openai.com/v1/batches", "openai.batches", "openai", ""},
		{"POST", "https://r.services.ai.azure.com/anthropic/v1/messages", "anthropic.messages", "azure.ai.inference", "chat"},
		{"POST", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models/claude:rawPredict", "anthropic.messages", "gcp.vertex_ai", "chat"},
		{"POST", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/mistralai/models/m:streamRawPredict", "openai.chat", "gcp.vertex_ai", "chat"},
		{"POST", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/7:generateContent", "gemini.generate_content", "gcp.vertex_ai", "generate_content"},
		{"POST", "https://generativelanguage.googleapis.com/v1beta/tunedModels/t:streamGenerateContent", "gemini.generate_content", "gcp.gemini", "generate_content"},
		{"POST", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/imagen-4.0:predict", "vertex.predict", "gcp.vertex_ai", "image_generation"},
		{"POST", "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/7:predict", "", "", ""},
		{"POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/eu.anthropic.claude-x/invoke", "bedrock.invoke", "aws.bedrock", "chat"},
		{"POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.amazon.titan-embed-x/invoke", "bedrock.invoke", "aws.bedrock", "embeddings"},
		{"POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/acme.new/invoke", "bedrock.invoke", "aws.bedrock", "text_completion"},
		{"POST", "https://bedrock-runtime.us-east-1.amazonaws.com/async-invoke", "bedrock.video", "aws.bedrock", "video_generation"},
		{"GET", "https://bedrock-runtime.us-east-1.amazonaws.com/async-invoke/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aasync-invoke%2Fx", "bedrock.video.retrieve", "aws.bedrock", ""},
		{"POST", "https://jobs.example.com/async-invoke", "", "", ""},
		{"POST", "https://aiplatform.googleapis.com/v1beta1/projects/p/locations/global/interactions", "gemini.interactions", "gcp.vertex_ai", "chat"},
		{"POST", "http://proxy:4000/bedrock/model/amazon.nova/converse", "bedrock.converse", "aws.bedrock", "chat"},
		{"POST", "https://api.cohere.com/v1/chat", "cohere.chat.v1", "cohere", "chat"},
		{"POST", "http://proxy:4000/cohere/v1/chat", "cohere.chat.v1", "cohere", "chat"},
		{"POST", "https://shop.example.com/v1/chat", "", "", ""},
		{"POST", "https://api.openai.com/v1/chat", "", "", ""},
		{"POST", "https://api.cohere.com/v2/rerank", "cohere.rerank", "cohere", "rerank"},
		{"POST", "https://ollama.com/api/chat", "ollama.chat", "ollama", "chat"},
		{"POST", "http://localhost:11434/api/embeddings", "ollama.embed", "ollama", "embeddings"},
		{"PUT", "https://api.openai.com/v1/responses", "", "", ""},
	}
	for _, tt := range tests {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Recognize(req)
		if ok != (tt.api != "") || got.API != tt.api || got.Provider != tt.provider || got.Operation != tt.operation {
			t.Errorf("%s %s: %+v, %t", tt.method, tt.url, got, ok)
		}
	}
}

// Verbs of Gemini's API are calls where the segment in front of the model's name
// says so, whatever a gateway has in front of that, and nowhere else.
func TestRecognizeGemini(t *testing.T) {
	const (
		google = "https://generativelanguage.googleapis.com"
		vertex = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l"
	)
	tests := []struct{ url, provider, model string }{
		{google + "/v1beta/models/gemini-2.5-flash", "gcp.gemini", "gemini-2.5-flash"},
		{google + "/v1beta/tunedModels/ours-123", "gcp.gemini", "ours-123"},
		{google + "/v1beta/dynamic/d", "gcp.gemini", "d"},
		{vertex + "/publishers/google/models/gemini-2.5-flash", "gcp.vertex_ai", "gemini-2.5-flash"},
		{vertex + "/endpoints/4711", "gcp.vertex_ai", "4711"},
		{"https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-flash", "gcp.vertex_ai", "gemini-2.5-flash"},
		// Gateways, by what they document.
		{"http://proxy:4000/models/m", "gcp.gemini", "m"},
		{"http://proxy:4000/v1beta/models/vertex_ai/gemini-2.5-flash", "gcp.gemini", "vertex_ai/gemini-2.5-flash"},
		{"http://proxy:4000/gemini/v1beta/models/m", "gcp.gemini", "m"},
		{"http://proxy:4000/vertex_ai/v1/projects/p/locations/l/publishers/google/models/m", "gcp.gemini", "m"},
		{"https://gateway.ai.cloudflare.com/v1/account/gateway/google-ai-studio/v1/models/m", "gcp.gemini", "m"},
		{"https://gateway.ai.cloudflare.com/v1/account/gateway/google-vertex-ai/v1/projects/p/locations/l/publishers/google/models/m", "gcp.gemini", "m"},
		{"https://gw.example.com/ai-gateway/gemini/v1beta/models/m", "gcp.gemini", "m"},

		{"https://gw.example.com/v1/agents/support", "", ""},
		{"https://gw.example.com/support", "", ""},
		{"https://gw.example.com/models", "", ""},
		{"https://gw.example.com/mymodels/m", "", ""},
		{"https://gw.example.com/models/", "", ""},
		{vertex + "/reasoningEngines/7", "", ""},
		{google + "/v1beta/tunedModels/ours/permissions", "", ""},
	}
	for _, tt := range tests {
		for verb, api := range map[string]string{
			"generateContent": "gemini.generate_content", "streamGenerateContent": "gemini.generate_content",
			"embedContent": "gemini.embed", "batchEmbedContents": "gemini.embed",
			"countTokens": "gemini.count_tokens", "computeTokens": "gemini.count_tokens",
			"batchGenerateContent": "gemini.batches", "asyncBatchEmbedContent": "gemini.batches",
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, tt.url+":"+verb+"?alt=sse", nil)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := recognize(req, nil)
			switch {
			case tt.provider == "":
				if ok {
					t.Errorf("%s:%s recognised as %s", tt.url, verb, got.api.name)
				}
			case !ok:
				t.Errorf("%s:%s is not recognised", tt.url, verb)
			case got.api.name != api || got.provider != tt.provider || got.modelOfPath(req.URL) != tt.model:
				t.Errorf("%s:%s: %s of %s, model %q; want %s of %s, model %q",
					tt.url, verb, got.api.name, got.provider, got.modelOfPath(req.URL), api, tt.provider, tt.model)
			}
		}
	}
}

// A path is compared segment by segment, escapes and all.
func TestPatterns(t *testing.T) {
	tests := []struct {
		pattern, path, found string
		ok                   bool
	}{
		{"/chat/completions", "/v1/chat/completions", "", true},
		{"/chat/completions", "/v1/notchat/completions", "", false},
		{"/chat/completions", "chat/completions", "", false},
		{"/model/*/invoke", "/model/a%2Fb%3A0/invoke", "a/b:0", true},
		{"/model/*/invoke", "/model//invoke", "", false},
		{"/model/*/invoke", "/model/%zz/invoke", "%zz", true},
		{"/*:predict", "/models/m:predict", "m", true},
		{"/*:predict", "/models/:predict", "", false},
		{"/models/**:go", "/v1/models/m:go", "m", true},
		{"/models/**:go", "/v1/models/a/b%2Fc:go", "a/b/c", true},
		{"/models/**:go", "/models/a/models/b:go", "b", true},
		{"/models/**:go", "/a/models/m:stop", "", false},
		{"/models/**:go", "/models/:go", "", false},
		{"/models/**:go", "/models//m:go", "", false},
		{"/models/**:go", "/models/m/:go", "", false},
		{"/models/**:go", "/notmodels/m:go", "", false},
		{"/models/**:go", "models/m:go", "", false},
		{"/x/models/**:go", "/x/models/a/b:go", "a/b", true},
		{"/x/models/**:go", "/y/models/a/b:go", "", false},
		{"/a/*/b/*", "/a/1/b/2", "2", true},
		{"/x", "", "", false},
	}
	for _, tt := range tests {
		found, ok := newPattern(tt.pattern).match(tt.path)
		if found != tt.found || ok != tt.ok {
			t.Errorf("%s of %s: %q, %t", tt.pattern, tt.path, found, ok)
		}
	}
}

// Any path of any host is looked at without harm, and what is recognised has what
// a span needs.
func FuzzRecognize(f *testing.F) {
	for _, a := range apis {
		for _, path := range a.paths {
			f.Add(a.method != http.MethodGet, "api.example.com:4000", "/x"+path)
		}
	}
	f.Add(true, "", "/models//:generateContent")
	f.Add(true, "[::1]:11434", "/models/%zz/%2f:countTokens/")
	f.Fuzz(func(t *testing.T, post bool, host, path string) {
		req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: host, Path: path}}
		if post {
			req.Method = http.MethodPost
		}
		got, ok := recognize(req, nil)
		if !ok {
			return
		}
		if got.api == nil || got.provider == "" || got.spanOperation() == "" {
			t.Errorf("%s: %+v", path, got.recognized())
		}
		if model := got.modelOfPath(req.URL); strings.HasPrefix(got.api.paths[0], "/models/**") && model == "" {
			t.Errorf("%s: no model", path)
		}
	})
}
