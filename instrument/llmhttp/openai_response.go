// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"bytes"
	"slices"
	"strconv"
)

// Fields of an OpenAI-shaped answer.
const (
	rspID field = iota + 1
	rspModel
	rspTier
	rspFingerprint
	rspChoices
	rspChoice
	rspIndex
	rspFinish
	rspContent
	rspUsage
	rspGroqUsage
	rspPrompt
	rspCompletion
	rspTotal
	rspCacheRead
	rspCacheCreation
	rspCacheCreation5m
	rspCacheCreation1h
	rspReasoning
	rspReasoningBeside
	rspPromptAudio
	rspCompletionAudio
	rspError
	rspErrorCode
	rspErrorType
	rspErrorStatus
	rspErrorHTTPStatus
	rspRootCode
	rspRootType
	rspObject
)

// openAIAnswer is all that is wanted of answers to chat completions, completions
// and embeddings, plain or streamed.
var openAIAnswer = newTree(append([]want{
	{path: "id", field: rspID},
	{path: "model", field: rspModel},
	{path: "service_tier", field: rspTier},
	{path: "system_fingerprint", field: rspFingerprint},
	{path: "object", field: rspObject},
	{path: "choices", field: rspChoices},
	{path: "choices[]", field: rspChoice},
	{path: "choices[].index", field: rspIndex},
	{path: "choices[].finish_reason", field: rspFinish},
	// The first content, whatever it is made of.
	{path: "choices[].text", field: rspContent, presence: true},
	{path: "choices[].delta.content", field: rspContent, presence: true},
	{path: "choices[].delta.refusal", field: rspContent, presence: true},
	{path: "choices[].delta.reasoning", field: rspContent, presence: true},
	{path: "choices[].delta.reasoning_content", field: rspContent, presence: true},
	{path: "choices[].delta.tool_calls", field: rspContent, presence: true},
	{path: "choices[].delta.function_call", field: rspContent, presence: true},
	{path: "choices[].delta.audio", field: rspContent, presence: true},
	{path: "choices[].message.content", field: rspContent, presence: true},
	// Errors: OpenAI's object, a text, fields of the root.
	{path: "error", field: rspError},
	{path: "error.code", field: rspErrorCode},
	{path: "error.type", field: rspErrorType},
	{path: "error.status", field: rspErrorStatus},
	{path: "error.status_code", field: rspErrorHTTPStatus},
	{path: "code", field: rspRootCode},
	{path: "type", field: rspRootType},
}, append(openAIUsageFields("usage", rspUsage), openAIUsageFields("x_groq.usage", rspGroqUsage)...)...))

// openAIUsageFields lists what is wanted of the usage object at path.
func openAIUsageFields(path string, object field) []want {
	wanted := []want{
		{path: "prompt_tokens", field: rspPrompt},
		{path: "completion_tokens", field: rspCompletion},
		{path: "total_tokens", field: rspTotal},
		{path: "prompt_tokens_details.cached_tokens", field: rspCacheRead},
		{path: "prompt_cache_hit_tokens", field: rspCacheRead},                               // DeepSeek
		{path: "num_cached_tokens", field: rspCacheRead},                                     // Mistral
		{path: "cached_tokens", field: rspCacheRead},                                         // Together, Moonshot
		{path: "cache_read_input_tokens", field: rspCacheRead},                               // LiteLLM
		{path: "prompt_tokens_details.cache_write_tokens", field: rspCacheCreation},          // OpenAI, OpenRouter
		{path: "prompt_tokens_details.cache_creation_tokens", field: rspCacheCreation},       // LiteLLM
		{path: "prompt_tokens_details.cache_creation_input_tokens", field: rspCacheCreation}, // Alibaba
		{path: "cache_creation_input_tokens", field: rspCacheCreation},                       // LiteLLM, Vercel
		{path: "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens", field: rspCacheCreation5m},
		{path: "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens", field: rspCacheCreation1h},
		{path: "prompt_tokens_details.audio_tokens", field: rspPromptAudio},
		{path: "completion_tokens_details.reasoning_tokens", field: rspReasoning},
		{path: "completion_tokens_details.audio_tokens", field: rspCompletionAudio},
		{path: "reasoning_tokens", field: rspReasoningBeside}, // Perplexity
	}
	fields := make([]want, 0, len(wanted)+1)
	fields = append(fields, want{path: path, field: object})
	for _, w := range wanted {
		fields = append(fields, want{path: path + "." + w.path, field: w.field})
	}
	return fields
}

const (
	// maxChoices bounds the finish reasons that are kept: n is at most 128.
	maxChoices = 256
	maxFinish  = 64 // bytes of a finish reason
)

// openAIResponse reads OpenAI-shaped answers.
type openAIResponse struct {
	res       result
	embedding bool
	refused   bool
	quirks    quirks

	doc        openAIDocument // the current document
	usage      *openAIUsage   // the usage object being read
	choice     int            // position of the current choice
	index      int            // its index
	choiceEnds string         // its finish reason
	inError    bool
	usages     [2]openAIUsage // of x_groq and of the document itself
}

// openAIDocument is what one document said; it counts only if the document is
// whole.
type openAIDocument struct {
	id, model, tier, fingerprint string
	finish                       []choiceEnd
	content, choices             bool
	usage                        *openAIUsage
	failure                      failure
	failed                       bool // there is an error in it
	isError                      bool // it is an error
	rootCode, rootType           string
}

type choiceEnd struct {
	index  int
	reason string
}

func (r *openAIResponse) wanted() *node   { return openAIAnswer }
func (r *openAIResponse) result() *result { return &r.res }

func (r *openAIResponse) begin() {
	r.doc = openAIDocument{finish: r.doc.finish[:0]}
	r.usage, r.inError = nil, false
}

func (r *openAIResponse) open(f field) {
	switch f {
	case rspChoices:
		r.choice = -1
		r.doc.choices = true
	case rspChoice:
		r.choice++
		r.index, r.choiceEnds = r.choice, ""
	case rspUsage:
		r.usages[1] = openAIUsage{}
		r.usage = &r.usages[1]
	case rspGroqUsage:
		r.usages[0] = openAIUsage{}
		r.usage = &r.usages[0]
	case rspError:
		r.doc.failed = true
	}
}

func (r *openAIResponse) close(f field) {
	switch f {
	case rspChoice:
		if len(r.doc.finish) < maxChoices {
			r.doc.finish = append(r.doc.finish, choiceEnd{index: r.index, reason: r.choiceEnds})
		}
	case rspUsage, rspGroqUsage:
		// Groq sends the same usage in two places; the document's own counts.
		if f == rspUsage || r.doc.usage == nil {
			r.doc.usage = r.usage
		}
		r.usage = nil
	}
}

func (r *openAIResponse) present(f field, yes bool) {
	if f == rspContent && yes {
		r.doc.content = true
	}
}

func (r *openAIResponse) value(f field, v value) {
	switch f {
	case rspID:
		r.doc.id = v.same(r.res.id)
	case rspModel:
		r.doc.model = v.same(r.res.model)
	case rspTier:
		r.doc.tier = v.same(r.res.tier)
	case rspFingerprint:
		r.doc.fingerprint = v.same(r.res.fingerprint)
	case rspObject:
		r.doc.isError = v.is("error")
	case rspIndex:
		if n := newCount(v); n.ok && n.n < maxChoices {
			r.index = int(n.n)
		}
	case rspFinish:
		if reason := v.text(); len(reason) <= maxFinish {
			r.choiceEnds = reason
		}
	default:
		if f >= rspPrompt && f <= rspCompletionAudio {
			r.count(f, newCount(v))
		} else {
			r.errorValue(f, v)
		}
	}
}

func (r *openAIResponse) count(f field, c count) {
	u := r.usage
	if u == nil {
		return
	}
	switch f {
	case rspPrompt:
		u.prompt = c
	case rspCompletion:
		u.completion = c
	case rspTotal:
		u.total = c
	case rspCacheRead:
		u.cacheRead = u.cacheRead.larger(c)
	case rspCacheCreation:
		u.cacheCreation = u.cacheCreation.larger(c)
	case rspCacheCreation5m:
		u.cacheCreation5m = c
	case rspCacheCreation1h:
		u.cacheCreation1h = c
	case rspReasoning:
		u.reasoning = c
	case rspReasoningBeside:
		u.reasoningBeside = c
	case rspPromptAudio:
		u.promptAudio = audio(c)
	case rspCompletionAudio:
		u.completionAudio = audio(c)
	}
}

// audio drops the 0 that every call without audio reports.
func audio(c count) count {
	if c.positive() {
		return c
	}
	return count{}
}

func (r *openAIResponse) errorValue(f field, v value) {
	d := &r.doc
	switch f {
	case rspError: // a text instead of an object; false and null are none
		d.failed = d.failed || v.kind == stringValue || v.isTrue()
	case rspErrorCode:
		d.failure.code = v.text()
		d.failure.setNumber(v)
	case rspErrorType:
		d.failure.kind = v.text()
	case rspErrorStatus:
		d.failure.status = v.text()
	case rspErrorHTTPStatus:
		d.failure.setNumber(v)
	case rspRootCode:
		d.rootCode = v.text()
	case rspRootType:
		d.rootType = v.text()
	}
}

// setNumber takes a number, also one written as a string ("401").
func (f *failure) setNumber(v value) {
	if v.long {
		return
	}
	if n, err := strconv.Atoi(string(v.raw)); err == nil && n >= 100 && n <= 599 {
		f.number = n
	}
}

// mark is the text of a document that is no JSON.
func (r *openAIResponse) mark(text []byte) {
	if string(bytes.TrimSpace(text)) == "[DONE]" {
		r.res.done = true
	}
}

func (r *openAIResponse) end(event []byte, whole bool) {
	d, res := &r.doc, &r.res
	if d.failed && whole || d.isError || string(event) == "error" || r.refused {
		r.setFailure()
	}
	if !whole {
		return
	}
	// Azure's first chunk has empty strings here.
	setIfSent(&res.id, d.id)
	setIfSent(&res.model, d.model)
	setIfSent(&res.tier, d.tier)
	setIfSent(&res.fingerprint, d.fingerprint)
	for _, end := range d.finish {
		res.setFinish(end)
	}
	res.content = res.content || d.content
	if d.usage != nil {
		r.setUsage(d.usage)
	}
}

func setIfSent(to *string, s string) {
	if s != "" {
		*to = s
	}
}

// setFinish records that a choice was seen and, if it has, why it ended. Servers that repeat the reason
// (OpenRouter, in its usage chunk) say nothing new.
func (res *result) setFinish(end choiceEnd) {
	for len(res.finish) <= end.index {
		res.finish = append(res.finish, "")
	}
	if end.reason != "" {
		res.finish[end.index] = end.reason
	}
	res.finished = !slices.Contains(res.finish, "")
}

// setUsage takes a usage object. The last one holds: where servers send several
// they are running totals or repetitions. One of nothing but zeros behind
// others takes nothing back.
func (r *openAIResponse) setUsage(u *openAIUsage) {
	t := u.normalize(r.quirks)
	if r.embedding {
		t = u.embedding()
	}
	if !t.reported() || t.allZero() && r.res.tokens.reported() {
		return
	}
	r.res.tokens = t
}

func (r *openAIResponse) setFailure() {
	d := &r.doc
	f := d.failure
	if f.code == "" {
		f.code = d.rootCode
	}
	if f.kind == "" {
		f.kind = d.rootType
	}
	r.res.failure = &f
}
