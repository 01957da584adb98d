// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
)

// LiteLLM makes the server answer as a LiteLLM proxy. All fields have defaults.
type LiteLLM struct {
	Version string  // x-litellm-version
	APIBase string  // x-litellm-model-api-base, the upstream; default "https://api.openai.com"
	ModelID string  // x-litellm-model-id, the deployment
	Price   float64 // USD per token, for x-litellm-response-cost; default 1e-06
}

// headers sets the proxy's response headers. Streams begin before cost and deployment are known: they have only
// the call's id, the key's spend and the version, as have errors (r is nil).
func (l LiteLLM) headers(h http.Header, c *call, r *reply) {
	h.Set("X-Litellm-Call-Id", fmt.Sprintf("00000000-0000-4000-8000-%012d", c.seq))
	h.Set("X-Litellm-Key-Spend", "0.0")
	h.Set("X-Litellm-Version", cmp.Or(l.Version, "1.63.11"))
	if r == nil || c.stream {
		return
	}
	cost := float64(r.tokens()) * cmp.Or(l.Price, 1e-06)
	h.Set("X-Litellm-Model-Id", cmp.Or(l.ModelID, "llmtest-deployment"))
	h.Set("X-Litellm-Model-Group", c.model)
	h.Set("X-Litellm-Model-Api-Base", cmp.Or(l.APIBase, "https://api.openai.com"))
	h.Set("X-Litellm-Response-Cost", strconv.FormatFloat(cost, 'g', -1, 64))
	h.Set("X-Litellm-Response-Duration-Ms", "12.5")
	h.Set("X-Litellm-Overhead-Duration-Ms", "1.424")
	h.Set("X-Litellm-Attempted-Retries", "0")
	h.Set("X-Litellm-Attempted-Fallbacks", "0")
	h.Set("Llm_provider-X-Request-Id", requestID(c.seq))
	h.Set("Llm_provider-Openai-Processing-Ms", "12")
}
