// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

var (
	invokeKind = &kind{
		api: APIInvokeModel, dialect: aws, id: "msg_bdrk_", generates: true, read: readInvoke, plain: (*reply).invoked,
	}
	invokeStreamKind = &kind{
		api: APIInvokeModel, dialect: aws, id: "msg_bdrk_", generates: true,
		read: readInvokeStream, plain: (*reply).invoked, events: (*reply).invokedEvents,
	}
)

// A family is a line of models, which are invoked with bodies of their own.
type family struct {
	prefix string // of the model's id, after the region's
	read   func(c *call, in incoming) *Error
	body   func(*reply) (object, error)
	// events says the pieces of a stream; nil if there are no streams.
	events func(r *reply, add func(doc any)) error
	finish map[string]string
}

// families is tried in order; the last one takes all models.
func families() []*family {
	return []*family{
		{prefix: "anthropic.", read: readInvokeClaude, body: (*reply).claude, events: (*reply).claudeEvents, finish: anthropic.finish},
		{prefix: "amazon.titan-embed", read: readTitanEmbed, body: (*reply).titanEmbed},
		{
			prefix: "amazon.titan", read: readTitan, body: (*reply).titan, events: (*reply).titanEvents,
			finish: map[string]string{"stop": "FINISH", "length": "LENGTH", "content_filter": "CONTENT_FILTERED"},
		},
		{prefix: "amazon.nova", read: readConverse, body: (*reply).nova, events: (*reply).novaEvents, finish: aws.finish},
		{prefix: "meta.llama", read: readPrompt, body: (*reply).llama, events: (*reply).llamaEvents},
		{prefix: "mistral.", read: readPrompt, body: (*reply).mistral, events: (*reply).mistralEvents},
		{prefix: "cohere.embed", read: readCohereEmbed, body: (*reply).invokedCohereEmbed},
		{
			prefix: "cohere.command", read: readPrompt, body: (*reply).command, events: (*reply).commandEvents,
			finish: cohere.finish,
		},
		{prefix: "", read: readInvokeOpenAI, body: (*reply).imported},
	}
}

// familyOf finds the family of a model, which may be named with a region ("us.anthropic.…") or by an ARN.
func familyOf(model string) *family {
	model = model[strings.LastIndexByte(model, '/')+1:]
	all := families()
	for _, f := range all {
		if f.prefix == "" {
			break
		}
		if region, rest, _ := strings.Cut(model, "."); strings.HasPrefix(model, f.prefix) ||
			(len(region) <= len("global") && strings.HasPrefix(rest, f.prefix)) {
			return f
		}
	}
	return all[len(all)-1]
}

func readInvoke(c *call, in incoming) *Error {
	c.family = familyOf(c.model)
	model := c.model
	bad := c.family.read(c, in)
	c.model, c.stream = model, false
	return bad
}

func readInvokeStream(c *call, in incoming) *Error {
	bad := readInvoke(c, in)
	c.stream = true
	if bad == nil && c.family.events == nil {
		return awsBad("The model is unsupported for streaming")
	}
	return bad
}

// readInvokeClaude reads Anthropic's body, whose model is in the path.
func readInvokeClaude(c *call, in incoming) *Error {
	bad := readMessages(c, in)
	if bad != nil {
		return awsBad(bad.Message)
	}
	return nil
}

// readInvokeOpenAI reads OpenAI's body, which imported and open models take.
func readInvokeOpenAI(c *call, in incoming) *Error {
	if bad := readChat(c, in); bad != nil {
		return awsBad(bad.Message)
	}
	return nil
}

func readTitanEmbed(c *call, in incoming) *Error {
	var q struct {
		Text       string `json:"inputText"`
		Dimensions *int   `json:"dimensions"`
	}
	if bad := readAWS(in, &q); bad != nil {
		return bad
	}
	c.asked = texts(q.Text)
	if !c.resize(q.Dimensions) {
		return awsBad("dimensions is out of range")
	}
	return nil
}

func readTitan(c *call, in incoming) *Error {
	var q struct {
		Text   string `json:"inputText"`
		Config struct {
			MaxTokens int64 `json:"maxTokenCount"`
		} `json:"textGenerationConfig"`
	}
	if bad := readAWS(in, &q); bad != nil {
		return bad
	}
	c.asked, c.maxTokens = texts(q.Text), q.Config.MaxTokens
	return nil
}

// readPrompt reads the body of Llama, Mistral and Command: a prompt, and a limit that each calls by another name.
func readPrompt(c *call, in incoming) *Error {
	var q struct {
		Prompt      string `json:"prompt"`
		MaxTokens   int64  `json:"max_tokens"`
		MaxGenLen   int64  `json:"max_gen_len"`
		Generations int    `json:"num_generations"`
	}
	if bad := readAWS(in, &q); bad != nil {
		return bad
	}
	if q.Generations < 0 || q.Generations > maxChoices {
		return awsBad("num_generations is out of range")
	}
	c.asked, c.maxTokens, c.n = texts(q.Prompt), cmp.Or(q.MaxTokens, q.MaxGenLen), q.Generations
	return nil
}

// finishWord is the family's word for why c ended.
func (r *reply) finishWord(c Choice) string {
	return cmp.Or(r.call.family.finish[c.FinishReason], c.FinishReason)
}

// invoked is the plain answer, with the counts in its headers too.
func (r *reply) invoked() (content, error) {
	doc, err := r.call.family.body(r)
	if err != nil {
		return content{}, err
	}
	out, err := r.jsonContent(doc)
	out.header = make(http.Header)
	const prefix = "X-Amzn-Bedrock-"
	count := func(name string, n int64) { out.header.Set(prefix+name, strconv.FormatInt(n, 10)) }
	if u := r.invokedCounts(); u != nil {
		count("Input-Token-Count", u.uncached())
		if u.CompletionTokens != 0 {
			count("Output-Token-Count", u.CompletionTokens)
		}
		if u.CachedTokens != 0 || u.CacheWriteTokens != 0 {
			count("Cache-Read-Input-Token-Count", u.CachedTokens)
			count("Cache-Write-Input-Token-Count", u.CacheWriteTokens)
		}
	}
	count("Invocation-Latency", 12)
	return out, err
}

// invokedCounts is what the answer says about tokens.
func (r *reply) invokedCounts() *Usage {
	if r.call.family.events == nil && r.call.asked != nil { // embeddings
		return r.counts(0)
	}
	return r.counts(r.completionTokens())
}

// invokedEvents is the answer as a stream: each piece of it in a chunk, with what it took in the last.
func (r *reply) invokedEvents() (stream, error) {
	s := r.script()
	err := r.call.family.events(r, func(doc any) { s.add("chunk", doc) })
	if err != nil || s.err != nil {
		return stream{}, cmp.Or(err, s.err)
	}
	last := &s.events[len(s.events)-1]
	last.terminal = true
	if u := r.counts(r.completionTokens()); u != nil {
		metrics := object{{"inputTokenCount", u.uncached()}, {"outputTokenCount", u.CompletionTokens}}.
			withCount("cacheReadInputTokenCount", u.CachedTokens).
			withCount("cacheWriteInputTokenCount", u.CacheWriteTokens)
		metrics = append(metrics, member{"invocationLatency", 12}, member{"firstByteLatency", 3})
		last.data, err = withExtra(last.data, map[string]any{"amazon-bedrock-invocationMetrics": metrics})
	}
	if err != nil {
		return stream{}, err
	}
	return s.stream(chunkFraming)
}

// chunkFraming has each piece in the bytes of a chunk.
var chunkFraming = framing{contentType: eventStreamType, frame: func(st Stream, e event, n int) []byte {
	if !e.exception {
		data, err := json.Marshal(object{{"bytes", e.data}})
		if err == nil { // always: bytes are written as base64
			e.data = data
		}
	}
	return eventStreamFraming.frame(st, e, n)
}}

// claude is a message of Anthropic's.
func (r *reply) claude() (object, error) {
	usage, err := r.counts(r.completionTokens()).anthropic(nil)
	if err != nil {
		return nil, err
	}
	c := r.choice()
	return r.claudeEnvelope(r.blocks(), r.finishWord(c), r.stopSequence(c), usage), nil
}

// claudeEnvelope is a message; the model in it is Anthropic's own name.
func (r *reply) claudeEnvelope(blocks []object, stopReason, stopSequence any, usage json.RawMessage) object {
	return r.envelopeOf(blocks, stopReason, stopSequence, usage).with("model", r.claudeModel())
}

// claudeModel is Anthropic's name of the model: "claude-3-haiku-20240307" of
// "us.anthropic.claude-3-haiku-20240307-v1:0".
func (r *reply) claudeModel() string {
	if r.answer.Model != "" {
		return r.answer.Model
	}
	_, name, _ := strings.Cut(r.model, "anthropic.")
	name, _, _ = strings.Cut(name, "-v1")
	return name
}

func (r *reply) claudeEvents(add func(doc any)) error {
	again := *r
	again.model = r.claudeModel()
	claude := *r.call
	claude.kind = messagesKind
	again.call, again.answer.Extra = &claude, nil
	events, err := again.messageEvents()
	for _, e := range events.events {
		add(json.RawMessage(e.data))
	}
	return err
}

func (r *reply) titanEmbed() (object, error) {
	doc := object{{"embedding", r.vectors()[0]}}
	if u := r.counts(0); u != nil {
		doc = append(doc, member{"inputTextTokenCount", u.PromptTokens})
	}
	return doc, nil
}

func (r *reply) titan() (object, error) {
	c := r.choice()
	result := object{}
	var doc object
	if u := r.counts(r.completionTokens()); u != nil {
		doc = object{{"inputTextTokenCount", u.PromptTokens}}
		result = object{{"tokenCount", u.CompletionTokens}}
	}
	result = append(result, member{"outputText", c.Text}, member{"completionReason", r.finishWord(c)})
	return append(doc, member{"results", []object{result}}), nil
}

func (r *reply) titanEvents(add func(doc any)) error {
	u := r.counts(r.completionTokens())
	c := r.choice()
	for i, p := range c.Pieces {
		doc := object{{"outputText", p}, {"index", 0}}
		last := i == len(c.Pieces)-1
		switch {
		case last && u != nil:
			doc = append(doc, member{"totalOutputTextTokenCount", u.CompletionTokens})
		case i == 0 && u != nil:
			doc = append(doc, member{"inputTextTokenCount", u.PromptTokens})
		}
		if last {
			doc = append(doc, member{"completionReason", r.finishWord(c)})
		}
		add(doc)
	}
	return nil
}

func (r *reply) nova() (object, error) {
	usage, err := r.counts(r.completionTokens()).converse()
	doc := object{{"output", object{{"message", r.converseMessage()}}}, {"stopReason", r.finishWord(r.choice())}}
	if usage != nil {
		doc = append(doc, member{"usage", usage})
	}
	return doc, err
}

func (r *reply) novaEvents(add func(doc any)) error {
	return r.converseScript(func(name string, doc any) { add(object{{name, doc}}) })
}

func (r *reply) llama() (object, error) {
	c := r.choice()
	return r.llamaPiece(c.Text, c.FinishReason), nil
}

// llamaPiece is an answer or a piece of one, with the counts and, at the end, the reason for it.
func (r *reply) llamaPiece(text string, finish any) object {
	o := object{{"generation", text}}
	if u := r.counts(r.completionTokens()); u != nil {
		o = append(o, member{"prompt_token_count", u.PromptTokens}, member{"generation_token_count", u.CompletionTokens})
	}
	return append(o, member{"stop_reason", finish})
}

func (r *reply) llamaEvents(add func(doc any)) error {
	c := r.choice()
	for _, p := range c.Pieces {
		add(r.llamaPiece(p, nil).without("generation_token_count"))
	}
	add(r.llamaPiece("", c.FinishReason))
	return nil
}

// mistral says nothing of tokens.
func (r *reply) mistral() (object, error) {
	c := r.choice()
	return object{{"outputs", []object{{{"text", c.Text}, {"stop_reason", c.FinishReason}}}}}, nil
}

func (r *reply) mistralEvents(add func(doc any)) error {
	c := r.choice()
	for _, p := range c.Pieces {
		add(object{{"outputs", []object{{{"text", p}, {"stop_reason", nil}}}}})
	}
	add(object{{"outputs", []object{{{"text", ""}, {"stop_reason", c.FinishReason}}}}})
	return nil
}

// command says nothing of tokens.
func (r *reply) command() (object, error) {
	generations := []object{}
	for i, c := range r.choices {
		generations = append(generations, object{
			{"id", r.id + "-" + strconv.Itoa(i)}, {"text", c.Text}, {"finish_reason", r.finishWord(c)},
		})
	}
	return object{{"id", r.id}, {"generations", generations}, {"prompt", r.call.asked[0].text}}, nil
}

func (r *reply) commandEvents(add func(doc any)) error {
	c := r.choice()
	for _, p := range c.Pieces {
		add(object{{"is_finished", false}, {"text", p}})
	}
	add(object{{"is_finished", true}, {"finish_reason", r.finishWord(c)}})
	return nil
}

// invokedCohereEmbed says nothing of tokens.
func (r *reply) invokedCohereEmbed() (object, error) {
	var list []string
	for _, i := range r.call.asked {
		list = append(list, i.text)
	}
	return object{
		{"id", r.id}, {"texts", list}, {"embeddings", r.vectors()}, {"response_type", "embeddings_floats"},
	}, nil
}

// imported is the answer of an imported or open model, which has OpenAI's shape.
func (r *reply) imported() (object, error) {
	again := *r
	imported := *r.call
	imported.kind = chatKind
	again.call, again.answer.Extra = &imported, nil
	doc, err := again.chat()
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc.body, &members); err != nil {
		return nil, err
	}
	out := object{}
	for _, name := range []string{"id", "object", "created", "model", "choices", "usage"} {
		if raw, ok := members[name]; ok {
			out = append(out, member{name, raw})
		}
	}
	return out, nil
}
