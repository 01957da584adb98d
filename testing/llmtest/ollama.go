// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"
)

// ollama is how Ollama's own API speaks.
var ollama = &dialect{
	headers: func(http.Header, *call) {},
	usual: func(status int) Error {
		if status == http.StatusNotFound {
			return Error{Message: "model not found, try pulling it first"}
		}
		return Error{Message: serverError(status, "invalid request", "llama runner process has terminated")}
	},
	failure: func(_ *call, e Error) any { return object{{"error", e.Message}} },
	finish:  map[string]string{"tool_calls": "stop", "content_filter": "stop"},
}

var (
	ollamaChatKind = &kind{
		api: APIOllamaChat, dialect: ollama, generates: true,
		read: readOllama, plain: (*reply).ollamaAnswer, events: (*reply).ollamaEvents,
	}
	ollamaGenerateKind = &kind{
		api: APIOllamaGenerate, dialect: ollama, generates: true,
		read: readOllama, plain: (*reply).ollamaAnswer, events: (*reply).ollamaEvents,
	}
	ollamaEmbedKind = &kind{api: APIOllamaEmbed, dialect: ollama, read: readOllamaEmbed, plain: (*reply).ollamaEmbed}
	// ollamaEmbeddingsKind is the older API, which says nothing of tokens.
	ollamaEmbeddingsKind = &kind{api: APIOllamaEmbed, dialect: ollama, read: readOllamaEmbeddings, plain: (*reply).ollamaEmbedding}
)

func ollamaBad(message string) *Error { return &Error{Status: http.StatusBadRequest, Message: message} }

// nameOllama notes the model that is asked for.
func (c *call) nameOllama(model string) *Error {
	if c.model = model; model == "" {
		return ollamaBad("model is required")
	}
	return nil
}

// readOllama reads a request to chat or to generate. An answer is streamed unless the request says no.
func readOllama(c *call, in incoming) *Error {
	var q struct {
		Model    string       `json:"model"`
		Messages chatMessages `json:"messages"`
		Prompt   string       `json:"prompt"`
		System   string       `json:"system"`
		Stream   *bool        `json:"stream"`
		Options  struct {
			NumPredict int64 `json:"num_predict"`
		} `json:"options"`
	}
	if bad := readJSON(in, &q, ""); bad != nil {
		return bad
	}
	c.stream = q.Stream == nil || *q.Stream
	c.maxTokens = max(q.Options.NumPredict, 0)
	if c.kind.api == APIOllamaGenerate {
		q.Messages = nil
	}
	c.messages = q.Messages.messages(q.System)
	if c.kind.api == APIOllamaGenerate {
		c.messages = append(c.messages, message{role: "user", text: q.Prompt})
	}
	return c.nameOllama(q.Model)
}

// ollamaLine is one line of an answer, or all of it.
func (r *reply) ollamaLine(text, thinking string, tools []ToolCall) object {
	o := object{{"model", r.model}, {"created_at", time.Unix(r.created, 0).UTC().Format(time.RFC3339Nano)}}
	if r.call.kind.api == APIOllamaGenerate {
		o = append(o, member{"response", text})
		if thinking != "" {
			o = append(o, member{"thinking", thinking})
		}
		return o
	}
	say := object{{"role", "assistant"}, {"content", text}}
	if thinking != "" {
		say = append(say, member{"thinking", thinking})
	}
	if len(tools) > 0 {
		var calls []object
		for _, t := range tools {
			calls = append(calls, object{{"function", object{{"name", t.Name}, {"arguments", t.arguments()}}}})
		}
		say = append(say, member{"tool_calls", calls})
	}
	return append(o, member{"message", say})
}

// ollamaEnd completes the last line: why it ended, what it took. Counts of 0 are left out.
func (r *reply) ollamaEnd(o object) (json.RawMessage, error) {
	o = append(o, member{"done", true}, member{"done_reason", r.finishReason(r.choice())})
	u := r.counts(r.completionTokens())
	if u == nil {
		return json.Marshal(o)
	}
	o = append(o, member{"total_duration", 12_000_000}, member{"load_duration", 2_000_000}).
		withCount("prompt_eval_count", u.PromptTokens)
	o = append(o, member{"prompt_eval_duration", 3_000_000}).
		withCount("eval_count", u.CompletionTokens)
	return u.write(append(o, member{"eval_duration", 7_000_000}))
}

func (r *reply) ollamaAnswer() (content, error) {
	c := r.choice()
	doc, err := r.ollamaEnd(r.ollamaLine(c.Text, c.Reasoning, c.ToolCalls))
	if err != nil {
		return content{}, err
	}
	out, err := r.jsonContent(doc)
	out.contentType = "application/json; charset=utf-8"
	return out, err
}

// ollamaEvents is an answer as lines, with the counts in the last.
func (r *reply) ollamaEvents() (stream, error) {
	c := r.choice()
	s := r.script()
	line := func(text, thinking string, tools []ToolCall) {
		s.add("", append(r.ollamaLine(text, thinking, tools), member{"done", false}))
	}
	for _, p := range words(c.Reasoning) {
		line("", p, nil)
	}
	for _, p := range c.Pieces {
		line(p, "", nil)
	}
	if len(c.ToolCalls) > 0 {
		line("", "", c.ToolCalls)
	}
	last, err := r.ollamaEnd(r.ollamaLine("", "", nil))
	if err != nil {
		return stream{}, err
	}
	s.end("", last)
	return s.stream(linesFraming("application/x-ndjson"))
}

func readOllamaEmbed(c *call, in incoming) *Error {
	var q struct {
		Model      string          `json:"model"`
		Input      json.RawMessage `json:"input"`
		Dimensions *int            `json:"dimensions"`
	}
	if bad := readJSON(in, &q, ""); bad != nil {
		return bad
	}
	var ok bool
	if c.asked, ok = items(q.Input); !ok {
		return ollamaBad("invalid input type")
	}
	if !c.resize(q.Dimensions) {
		return ollamaBad("invalid dimensions")
	}
	return c.nameOllama(q.Model)
}

func (r *reply) ollamaEmbed() (content, error) {
	doc := object{{"model", r.model}, {"embeddings", r.vectors()}, {"total_duration", 12_000_000}, {"load_duration", 2_000_000}}
	if u := r.counts(0); u != nil {
		doc = doc.withCount("prompt_eval_count", u.PromptTokens)
	}
	return r.jsonContent(doc)
}

func readOllamaEmbeddings(c *call, in incoming) *Error {
	var q struct {
		Model  string `json:"model"`
		Prompt string `json:"prompt"`
	}
	if bad := readJSON(in, &q, ""); bad != nil {
		return bad
	}
	c.asked = texts(q.Prompt)
	return c.nameOllama(cmp.Or(q.Model, c.model))
}

func (r *reply) ollamaEmbedding() (content, error) {
	return r.jsonContent(object{{"embedding", r.vectors()[0]}})
}
