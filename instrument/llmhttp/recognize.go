// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
)

// Recognized is what a request says about the call that it makes.
type Recognized struct {
	// API is the wire format: "openai.chat", "openai.completions" or
	// "openai.embeddings".
	API string
	// Provider is the provider's name in the words of the OpenTelemetry GenAI
	// conventions where they have one. An unknown host that is called by a path
	// of OpenAI's counts as "openai", whose API it speaks.
	Provider string
	// Operation is the operation's name in the words of the conventions: "chat",
	// "text_completion", "embeddings".
	Operation string
	// Billable says that an answer to such a request is paid for.
	Billable bool

	_ struct{}
}

// Recognize says what call a request makes, by its method, path and host, and
// false for a request that makes none. The request's body is not looked at.
func Recognize(req *http.Request) (Recognized, bool) {
	target, ok := recognize(req, nil)
	if !ok {
		return Recognized{}, false
	}
	return target.recognized(), true
}

// An api is a kind of call: the paths that make it and what understands it.
type api struct {
	name      string
	operation string
	billable  bool
	suffix    string
	// except lists whole paths that are something else.
	except []string
	// apiType is the value of openai.api.type, where OpenAI serves it.
	apiType string
	// streamUsage says that streams report usage only when asked.
	streamUsage bool
	format      format
}

// apis is tried in order.
var apis = []*api{
	{
		name: "openai.chat", operation: "chat", billable: true, suffix: "/chat/completions",
		apiType: "chat_completions", streamUsage: true, format: openAIFormat,
	},
	{
		name: "openai.completions", operation: "text_completion", billable: true, suffix: "/completions",
		streamUsage: true, format: openAIFormat,
	},
	{
		name: "openai.embeddings", operation: "embeddings", billable: true, suffix: "/embeddings",
		except: []string{"/api/embeddings"}, // Ollama's own, of another shape
		format: openAIFormat,
	},
}

func (a *api) matches(path string) bool {
	return strings.HasSuffix(path, a.suffix) && !slices.Contains(a.except, path)
}

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
	{host: "api.anthropic.com", provider: "anthropic"},
	{host: "generativelanguage.googleapis.com", provider: "gcp.gemini"},
	{host: "aiplatform.googleapis.com", provider: "gcp.vertex_ai"},
	{host: "-aiplatform.googleapis.com", provider: "gcp.vertex_ai"},
	{hostPrefix: "aiplatform.", host: ".rep.googleapis.com", provider: "gcp.vertex_ai"},
	{hostPrefix: "bedrock-runtime", host: ".amazonaws.com", provider: "aws.bedrock"},
	{hostPrefix: "bedrock-mantle.", host: ".api.aws", provider: "aws.bedrock"},
	{host: "api.cohere.com", provider: "cohere"},
	{host: "api.cohere.ai", provider: "cohere"},
	{host: "api.mistral.ai", provider: "mistral_ai"},
	{host: "codestral.mistral.ai", provider: "mistral_ai"},
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
	{host: "ollama.com", provider: "ollama"},
	{port: "11434", provider: "ollama"},
}

// Providers that more than one place knows.
const (
	providerOpenAI         = "openai"
	providerAzureOpenAI    = "azure.ai.openai"
	providerAzureInference = "azure.ai.inference"
	providerLiteLLM        = "litellm"
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

// target is what is known of a request before its body is looked at.
type target struct {
	api      *api
	host     string // lower case, without a port
	port     int    // 0: the scheme's
	hostPort string // as hosts are remembered by: always with a port
	provider string
	source   string
	// known says that the host is one of a provider's or was named by the user.
	known bool
	// named says that the user named the provider.
	named bool
	// public says that it is one of a provider's own, on the internet.
	public      bool
	streamUsage bool
	litellm     bool
}

func (t *target) recognized() Recognized {
	return Recognized{API: t.api.name, Provider: t.provider, Operation: t.api.operation, Billable: t.api.billable}
}

// recognize says what call a request makes. settings may be nil.
func recognize(req *http.Request, settings *hostSettings) (target, bool) {
	if req == nil || req.Method != http.MethodPost || req.URL == nil {
		return target{}, false
	}
	path := strings.TrimSuffix(req.URL.Path, "/")
	for _, a := range apis {
		if !a.matches(path) {
			continue
		}
		if !mayBeJSON(req.Header) {
			return target{}, false
		}
		t := target{api: a}
		t.identifyHost(req.URL, path, settings)
		return t, true
	}
	return target{}, false
}

// mayBeJSON says that a request does not declare its body to be anything else.
func mayBeJSON(h http.Header) bool {
	contentType := h.Get("Content-Type")
	return contentType == "" || strings.Contains(strings.ToLower(contentType), "json")
}

func (t *target) identifyHost(u *url.URL, path string, settings *hostSettings) {
	t.host, t.hostPort = hosts.Of(u)
	port := u.Port()
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			t.port = int(n)
		}
	}
	t.provider = providerOpenAI
	if s := serverOf(t.host, port, path); s != nil {
		t.provider, t.source, t.streamUsage = s.provider, s.source, s.streamUsage
		t.known, t.public = true, s.host != ""
	}
	settings.refine(t)
}

// serverOf returns what is known of a host, or nil.
func serverOf(host, port, path string) *server {
	for i := range servers {
		if s := &servers[i]; s.matches(host, port, path) {
			return s
		}
	}
	return nil
}

// modelOfPath returns the model that is named in a path, as Azure and LiteLLM
// have it: /openai/deployments/{model}/chat/completions, /engines/{model}/completions.
func modelOfPath(u *url.URL) string {
	path := u.EscapedPath()
	for _, marker := range [...]string{"/deployments/", "/engines/"} {
		_, rest, found := strings.Cut(path, marker)
		if !found {
			continue
		}
		segment, _, _ := strings.Cut(rest, "/")
		if model, err := url.PathUnescape(segment); err == nil {
			return model
		}
	}
	return ""
}
