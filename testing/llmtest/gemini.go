// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// google is how Google speaks: Gemini's API and Vertex AI.
var google = &dialect{
	headers: func(h http.Header, c *call) {
		if !c.vertex {
			h.Set("Server-Timing", "gfet4t7; dur=12")
		}
	},
	usual:   usualGoogle,
	failure: googleFailure,
	streamFailure: func(_ *call, e Error) (string, any) {
		return "", object{{"error", googleError(e)}}
	},
	finish: map[string]string{
		"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY",
	},
}

func googleError(e Error) object {
	return object{{"code", e.Status}, {"message", e.Message}, {"status", e.Type}}
}

// googleFailure is an error answer, in a list where the answer would have been one.
func googleFailure(c *call, e Error) any {
	o := object{{"error", googleError(e)}}
	if c.stream && !c.serverSent {
		return []object{o}
	}
	return o
}

// usualGoogle is what Google says with a status.
func usualGoogle(status int) Error {
	switch status {
	case http.StatusUnauthorized:
		return Error{Type: "UNAUTHENTICATED", Message: "Request had invalid authentication credentials."}
	case http.StatusForbidden:
		return Error{Type: "PERMISSION_DENIED", Message: "Permission denied on resource."}
	case http.StatusNotFound:
		return Error{Type: "NOT_FOUND", Message: "The model is not found for this API version."}
	case http.StatusTooManyRequests:
		return Error{Type: "RESOURCE_EXHAUSTED", Message: "Resource has been exhausted (e.g. check quota)."}
	case http.StatusServiceUnavailable:
		return Error{Type: "UNAVAILABLE", Message: "The model is overloaded. Please try again later."}
	case http.StatusGatewayTimeout:
		return Error{Type: "DEADLINE_EXCEEDED", Message: "Deadline expired before operation could complete."}
	}
	return Error{
		Type:    serverError(status, "INVALID_ARGUMENT", "INTERNAL"),
		Message: serverError(status, "Request contains an invalid argument.", "An internal error has occurred."),
	}
}

var (
	generateContentKind = &kind{
		api: APIGenerateContent, dialect: google, id: "gen-", generates: true,
		read: readContents, plain: (*reply).generated,
	}
	streamContentKind = &kind{
		api: APIGenerateContent, dialect: google, id: "gen-", generates: true,
		read: readContentsStream, plain: (*reply).generated, events: (*reply).generatedEvents,
	}
	googleCountKind = &kind{
		api: APICountTokens, dialect: google, read: readContents,
		plain: func(r *reply) (content, error) {
			n := r.counts(0).prompt()
			return r.jsonContent(object{{"totalTokens", n}, {"promptTokensDetails", r.call.modality(n)}})
		},
	}
)

// contents is a request's content, of any kind.
type googleContent struct {
	Role  string `json:"role"`
	Parts []struct {
		Text string `json:"text"`
	} `json:"parts"`
}

func (g googleContent) text() string {
	var b strings.Builder
	for _, p := range g.Parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// readContents reads a request to generate content, or to count it.
func readContents(c *call, in incoming) *Error {
	var q struct {
		Contents    []googleContent `json:"contents"`
		Instruction googleContent   `json:"systemInstruction"`
		Config      struct {
			MaxOutputTokens int64 `json:"maxOutputTokens"`
			CandidateCount  int   `json:"candidateCount"`
		} `json:"generationConfig"`
		// A request to count may have the whole request in it.
		Request *struct {
			Contents []googleContent `json:"contents"`
		} `json:"generateContentRequest"`
	}
	if bad := c.readGoogle(in, &q); bad != nil {
		return bad
	}
	if q.Request != nil {
		q.Contents = q.Request.Contents
	}
	if len(q.Contents) == 0 {
		return googleBad("* GenerateContentRequest.contents: contents is not specified\n")
	}
	if text := q.Instruction.text(); text != "" {
		c.messages = append(c.messages, message{role: "system", text: text})
	}
	for _, one := range q.Contents {
		c.messages = append(c.messages, message{role: cmp.Or(one.Role, "user"), text: one.text()})
	}
	c.maxTokens, c.n = q.Config.MaxOutputTokens, max(q.Config.CandidateCount, 1)
	if c.n > maxChoices {
		return googleBad("candidate_count is out of range")
	}
	return nil
}

// readContentsStream reads a request to generate content as a stream.
func readContentsStream(c *call, in incoming) *Error {
	c.stream = true
	return readContents(c, in)
}

// readGoogle decodes a request's body, and how the answer is to be written.
func (c *call) readGoogle(in incoming, into any) *Error {
	query, err := url.ParseQuery(strings.ReplaceAll(c.query, ";", "%3B")) // part of a value here
	if err != nil {
		return googleBad("Invalid query: " + err.Error())
	}
	c.serverSent = query.Get("alt") == "sse"
	for _, alt := range []string{query.Get("alt"), query.Get("$alt")} {
		c.intEnums = c.intEnums || strings.Contains(alt, "enum-encoding=int")
	}
	c.model = strings.TrimPrefix(c.model, "models/")
	if err := json.Unmarshal(in.body, into); err != nil {
		return googleBad("Invalid JSON payload received. " + err.Error())
	}
	return nil
}

func googleBad(message string) *Error {
	return &Error{Status: http.StatusBadRequest, Type: "INVALID_ARGUMENT", Message: message}
}

// finishNumbers are the finish reasons of Gemini and of Vertex AI, which differ, as integers.
func (c *call) finishNumbers() []string {
	if c.vertex {
		return []string{
			"FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "BLOCKLIST",
			"PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "MODEL_ARMOR",
		}
	}
	return []string{
		"FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST",
		"PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL",
	}
}

// enum is a word of an enumeration, or its number where the client wants those.
func (c *call) enum(word string, numbers []string) any {
	if c.intEnums {
		for i, w := range numbers {
			if w == word {
				return i
			}
		}
	}
	return word
}

// modality says that n tokens are all text.
func (c *call) modality(n int64) []object {
	return []object{{{"modality", c.enum("TEXT", modalities())}, {"tokenCount", n}}}
}

func modalities() []string { return []string{"MODALITY_UNSPECIFIED", "TEXT", "IMAGE"} }

// google writes u as Google does: thoughts beside the candidates, tool use beside the prompt, zeros left out.
func (r *reply) google(u *Usage) (json.RawMessage, error) {
	if u == nil {
		return nil, nil
	}
	prompt := u.PromptTokens - u.ToolUsePromptTokens
	o := object{}.
		withCount("promptTokenCount", prompt).
		withCount("cachedContentTokenCount", u.CachedTokens).
		withCount("candidatesTokenCount", u.CompletionTokens-u.ReasoningTokens).
		withCount("toolUsePromptTokenCount", u.ToolUsePromptTokens).
		withCount("thoughtsTokenCount", u.ReasoningTokens).
		withCount("totalTokenCount", u.total())
	if prompt != 0 {
		o = append(o, member{"promptTokensDetails", r.call.modality(prompt)})
	}
	if images := u.CompletionImageTokens; images != 0 {
		o = append(o, member{"candidatesTokensDetails", []object{{
			{"modality", r.call.enum("IMAGE", modalities())}, {"tokenCount", images},
		}}})
	}
	if r.call.vertex {
		o = append(o, member{"trafficType", r.call.enum("ON_DEMAND", []string{"TRAFFIC_TYPE_UNSPECIFIED", "ON_DEMAND"})})
	}
	return u.write(o)
}

// parts of a candidate's content.
func textPart(text string) object    { return object{{"text", text}} }
func thoughtPart(text string) object { return object{{"text", text}, {"thought", true}} }
func imagePart(i Image) object {
	return object{{"inlineData", object{{"mimeType", imageFormat}, {"data", i.base64()}}}}
}

func callPart(t ToolCall) object {
	return object{{"functionCall", object{{"name", t.Name}, {"args", t.arguments()}}}}
}

// parts lists the parts of a candidate: what was thought, text, calls of tools.
func (c Choice) parts() []object {
	var out []object
	if c.Reasoning != "" {
		out = append(out, thoughtPart(c.Reasoning))
	}
	if c.Text != "" {
		out = append(out, textPart(c.Text))
	}
	for _, t := range c.ToolCalls {
		out = append(out, callPart(t))
	}
	return out
}

// candidate is one candidate with these parts; finish is "" before its end.
func (r *reply) candidate(i int, parts []object, finish string) object {
	body := object{}
	if len(parts) > 0 {
		body = object{{"parts", parts}}
	}
	o := object{{"content", append(body, member{"role", "model"})}}
	if finish != "" {
		o = append(o, member{"finishReason", r.call.enum(finish, r.call.finishNumbers())})
	}
	return append(o, member{"index", i})
}

// generation is an answer, or one piece of it.
func (r *reply) generation(candidates []object, usage json.RawMessage) object {
	o := object{{"candidates", candidates}}
	if usage != nil {
		o = append(o, member{"usageMetadata", usage})
	}
	return append(o, member{"modelVersion", r.model}, member{"responseId", r.id})
}

// generated is the plain answer.
func (r *reply) generated() (content, error) {
	usage, err := r.google(r.counts(r.completionTokens()))
	if err != nil {
		return content{}, err
	}
	candidates := []object{}
	for i, c := range r.choices {
		parts := c.parts()
		if i == 0 {
			for _, image := range r.answer.Images {
				parts = append(parts, imagePart(image))
			}
		}
		candidates = append(candidates, r.candidate(i, parts, r.finishReason(c)))
	}
	return r.jsonContent(r.generation(candidates, usage))
}

// generatedEvents is the answer as a stream, as server-sent events or as a list. Each piece has the usage so far: the
// prompt's and the thoughts' from the beginning.
func (r *reply) generatedEvents() (stream, error) {
	s := r.script()
	all := r.counts(r.completionTokens())
	var sofar int64
	for i, c := range r.choices {
		pieces := c.pieces()
		if i == 0 {
			for _, image := range r.answer.Images {
				pieces = append(pieces, piece{parts: []object{imagePart(image)}})
			}
		}
		for n, p := range pieces {
			sofar += p.tokens
			u, finish := all.until(sofar), ""
			if n == len(pieces)-1 {
				finish = r.finishReason(c)
				if i == len(r.choices)-1 {
					u = all
				}
			}
			usage, err := r.google(u)
			if err != nil {
				return stream{}, err
			}
			s.add("", r.generation([]object{r.candidate(i, p.parts, finish)}, usage))
		}
	}
	if r.call.serverSent {
		return s.stream(googleFraming)
	}
	s.literal("", true) // the end of the list
	return s.stream(arrayFraming)
}

// until is the usage when so many tokens of text have been sent; nil if there is none.
func (u *Usage) until(text int64) *Usage {
	if u == nil {
		return nil
	}
	part := *u
	part.CompletionTokens = u.ReasoningTokens + min(text, u.CompletionTokens-u.ReasoningTokens)
	part.TotalTokens, part.Extra = 0, nil
	return &part
}

// piece is what one piece of a stream says.
type piece struct {
	parts  []object
	tokens int64 // of text
}

// pieces cuts a choice into what is streamed; there is always one, which says the finish reason.
func (c Choice) pieces() []piece {
	var out []piece
	for _, p := range words(c.Reasoning) {
		out = append(out, piece{parts: []object{thoughtPart(p)}})
	}
	for _, p := range c.Pieces {
		out = append(out, piece{[]object{textPart(p)}, CountTokens(p)})
	}
	for _, t := range c.ToolCalls {
		out = append(out, piece{[]object{callPart(t)}, CountTokens(t.Name) + CountTokens(t.Arguments)})
	}
	if len(out) == 0 {
		out = append(out, piece{})
	}
	return out
}
