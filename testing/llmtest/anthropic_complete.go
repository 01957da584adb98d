// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import "cmp"

// anthropicCompleteKind is Anthropic's API before messages. Its answers never say
// what was used.
var anthropicCompleteKind = &kind{
	api: APIAnthropicComplete, dialect: anthropic, id: "compl_", generates: true,
	read: readAnthropicComplete, plain: (*reply).anthropicCompletion, events: (*reply).anthropicCompletionEvents,
}

func readAnthropicComplete(c *call, in incoming) *Error {
	var q struct {
		Model     string `json:"model"`
		Prompt    string `json:"prompt"`
		MaxTokens int64  `json:"max_tokens_to_sample"`
		Stream    bool   `json:"stream"`
	}
	if bad := readJSON(in, &q, ""); bad != nil {
		return bad
	}
	switch {
	case q.Model == "":
		return anthropicBad("model: field required")
	case q.Prompt == "":
		return anthropicBad("prompt: field required")
	case q.MaxTokens < 1:
		return anthropicBad("max_tokens_to_sample: field required")
	}
	c.model, c.asked, c.maxTokens, c.stream = q.Model, texts(q.Prompt), q.MaxTokens, q.Stream
	return nil
}

// completionFinish are the words of this API for why a text ended.
var completionFinish = map[string]string{"stop": "stop_sequence", "length": "max_tokens"}

// completionPiece is the answer, or a piece of it, with the reason for its end, nil
// for none yet.
func (r *reply) completionPiece(text string, reason any) object {
	doc := object{{"type", "completion"}, {"id", r.id}, {"completion", text}, {"stop_reason", reason}, {"model", r.model}}
	if reason == completionFinish["stop"] {
		return append(doc, member{"stop", "\n\nHuman:"}, member{"log_id", r.id})
	}
	return append(doc, member{"stop", nil}, member{"log_id", r.id})
}

func (r *reply) completionEnd() string {
	c := r.choice()
	return cmp.Or(completionFinish[c.FinishReason], c.FinishReason)
}

func (r *reply) anthropicCompletion() (content, error) {
	return r.jsonContent(r.completionPiece(r.choice().Text, r.completionEnd()))
}

func (r *reply) anthropicCompletionEvents() (stream, error) {
	s := r.script()
	for _, p := range r.choice().Pieces {
		s.add("completion", r.completionPiece(p, nil))
	}
	s.end("completion", r.completionPiece("", r.completionEnd()))
	return s.stream(sseFraming)
}
