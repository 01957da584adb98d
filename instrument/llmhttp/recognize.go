// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
)

// Recognized is what a request says about the call that it makes.
type Recognized struct {
	// API is the wire format: "openai.chat", "anthropic.messages",
	// "bedrock.converse", ...; docs/providers.md lists them.
	API string
	// Provider is the provider's name in the words of the OpenTelemetry GenAI
	// conventions where they have one. An unknown host that is called by a path
	// of OpenAI's counts as "openai", whose API it speaks, and likewise others.
	Provider string
	// Operation is the operation's name in the words of the conventions: "chat",
	// "text_completion", "embeddings", "generate_content". They have none for
	// media, moderation and rerank: "image_generation", "speech", "transcription",
	// "translation", "video_generation", "moderation", "rerank". It is "" for a
	// request that is no inference, such as one that only counts tokens.
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

// target is what is known of a request before its body is looked at.
type target struct {
	api       *api
	operation string
	found     string // the model or id in the path
	host      string // lower case, without a port
	port      int    // 0: the scheme's
	hostPort  string // as hosts are remembered by: always with a port
	provider  string
	source    string
	// known says that the host is one of a provider's or was named by the user.
	known bool
	// named says that the user named the provider.
	named bool
	// public says that it is one of a provider's own, on the internet.
	public      bool
	streamUsage bool
	litellm     bool
	// promised says that the host has promised answers, of which this may be one.
	promised bool
	// refined says that the operation is known for sure.
	refined bool
	// vendor is the provider whose API a proxy passes on, by the path.
	vendor string
}

func (t *target) recognized() Recognized {
	return Recognized{API: t.api.name, Provider: t.provider, Operation: t.operation, Billable: t.api.billable}
}

// media returns what images, audio and video have of their own, nil for all else.
func (t *target) media() *media { return mediaOperations[t.operation] }

// spanOperation is the operation's name on the span.
func (t *target) spanOperation() string {
	if t.operation == "" {
		return t.api.aside
	}
	return t.operation
}

// recognize says what call a request makes. settings may be nil.
func recognize(req *http.Request, settings *hostSettings) (target, bool) {
	if req == nil || req.URL == nil {
		return target{}, false
	}
	var t target
	path := strings.TrimSuffix(req.URL.EscapedPath(), "/")
	findAPI(req.Method, path, func(a *api, found string) bool {
		candidate := target{api: a, operation: a.operation, found: found}
		candidate.identifyHost(req.URL, path, settings)
		if !candidate.is(req) {
			return false
		}
		t = candidate
		return true
	})
	if t.api == nil {
		return target{}, false
	}
	t.refined = t.refineOperation(t.found)
	return t, true
}

// is says whether a request whose path is that of the target's API is one.
func (t *target) is(req *http.Request) bool {
	a := t.api
	switch {
	case a.only && t.known && t.provider != a.provider, a.only && !t.known && !t.promised && t.vendor != a.provider:
		return false
	case a.retrieves:
		return t.known || t.promised || a.idPrefix != "" && strings.HasPrefix(t.found, a.idPrefix)
	default:
		return a.anyType || mayBeJSON(req.Header) || a.form && isForm(req.Header)
	}
}

// refineOperation takes the operation that models of such a name have and says
// whether there is one.
func (t *target) refineOperation(model string) bool {
	model = modelFamily(model)
	for _, row := range t.api.operations {
		if strings.HasPrefix(model, row.prefix) {
			t.operation = row.operation
			return true
		}
	}
	return false
}

// refineByRequest takes the operation that a request's body shows where neither
// the path nor the model does.
func (t *target) refineByRequest(p *requestParams) {
	switch {
	case t.refined:
	case len(t.api.operations) == 0, t.refineOperation(p.model):
	case p.imagePrompt:
		t.operation = operationImage
	case p.messages:
		t.operation = operationChat
	}
}

// modelFamily returns the part of a model's name that tells its family: without
// what stands in front of the last slash (the rest of an ARN, for one) and
// without a region.
func modelFamily(model string) string {
	model = model[strings.LastIndexByte(model, '/')+1:]
	if region, rest, found := strings.Cut(model, "."); found && regions[region] {
		return rest
	}
	return model
}

// regions begin the names of Bedrock's inference profiles.
var regions = map[string]bool{
	"us": true, "us-gov": true, "eu": true, "apac": true, "jp": true, "au": true, "ca": true, "sa": true, "global": true,
}

// mayBeJSON says that a request does not declare its body to be anything else.
// Bytes of any kind are what AWS's client says of InvokeModel's body by default.
func mayBeJSON(h http.Header) bool {
	contentType := strings.ToLower(h.Get("Content-Type"))
	return contentType == "" || strings.Contains(contentType, "json") || contentType == "application/octet-stream"
}

func isForm(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Content-Type")), "multipart/form-data")
}

func (t *target) identifyHost(u *url.URL, path string, settings *hostSettings) {
	t.host, t.hostPort = hosts.Of(u)
	port := u.Port()
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			t.port = int(n)
		}
	}
	t.provider = t.api.provider
	t.vendor = vendorOfPath(path)
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

// modelOfPath returns the model that is named in a path: where the API has it, or
// as Azure and LiteLLM have it, /openai/deployments/{model}/chat/completions and
// /engines/{model}/completions.
func (t *target) modelOfPath(u *url.URL) string {
	if t.found != "" && !t.api.retrieves {
		return t.found
	}
	path := u.EscapedPath()
	for _, marker := range [...]string{"/deployments/", "/engines/"} {
		if _, rest, found := strings.Cut(path, marker); found {
			segment, _, _ := strings.Cut(rest, "/")
			return unescape(segment)
		}
	}
	return ""
}
