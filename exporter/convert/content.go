// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// contentMark ends a text that was cut, as in Revenium's own software.
const contentMark = "...[TRUNCATED]"

// contentConfig says what becomes of prompts and answers.
type contentConfig struct {
	on     bool
	limit  int // characters of each part
	redact func(text string) string
}

// content finds what is asked and answered on spans, whichever instrumentation
// wrote it there. There is one only where capture is on.
type content struct {
	cfg     contentConfig
	exact   map[string]contentUse
	lists   []contentList
	events  map[string]contentEvent
	details map[string]bool
}

// contentUse is what an attribute is for, and how good a source it is: 0 the best.
type contentUse struct {
	part contentPart
	rank int
}

// contentList is a list that is spread over attributes.
type contentList struct {
	contentUse
	before, after string
}

func newContent(cfg contentConfig) *content {
	if !cfg.on {
		return nil
	}
	c := &content{cfg: cfg, exact: map[string]contentUse{}, events: map[string]contentEvent{}, details: map[string]bool{}}
	for rank, s := range contentSources() {
		use := contentUse{s.part, rank}
		if before, after, ok := strings.Cut(s.key, "*"); ok {
			c.lists = append(c.lists, contentList{use, before, after})
			continue
		}
		c.exact[s.key] = use
	}
	for _, e := range contentEvents() {
		c.events[e.name] = e
	}
	for _, name := range contentDetails() {
		c.details[name] = true
	}
	return c
}

// message is one of the messages of a conversation.
type message map[string]any

// found is what was found of a part so far.
type found struct {
	rank  int // of the source, one more; 0 for none
	value any // a text, a document, or messages by their position
}

// contentReader reads the content of one span.
type contentReader struct {
	c     *content
	parts [numContentParts]found
}

var (
	_ AttributeVisitor = (*contentReader)(nil)
	_ EventVisitor     = (*contentReader)(nil)
)

// Attribute takes an attribute.
func (r *contentReader) Attribute(key string, v Value) bool {
	if use, ok := r.c.exact[key]; ok {
		if value := plain(v); value != nil && r.better(use) {
			r.parts[use.part] = found{use.rank + 1, value}
		}
		return true
	}
	for i := range r.c.lists {
		l := &r.c.lists[i]
		rest, ok := strings.CutPrefix(key, l.before)
		if !ok {
			continue
		}
		number, rest, _ := strings.Cut(rest, ".")
		member, ok := strings.CutPrefix("."+rest, l.after)
		at, err := strconv.ParseUint(number, 10, 16)
		if !ok || err != nil || member == "" {
			continue
		}
		r.item(l.contentUse, int(at), member, plain(v))
	}
	return true
}

// better reports whether a source is better than what a part has.
func (r *contentReader) better(use contentUse) bool {
	rank := r.parts[use.part].rank
	return rank == 0 || use.rank+1 < rank
}

// item takes a member of a message.
func (r *contentReader) item(use contentUse, at int, member string, value any) {
	p := &r.parts[use.part]
	items, ok := p.value.(map[int]message)
	switch {
	case value == nil:
		return
	case ok && p.rank == use.rank+1:
	case r.better(use):
		items = map[int]message{}
		*p = found{use.rank + 1, items}
	default:
		return
	}
	if items[at] == nil {
		items[at] = message{}
	}
	items[at][member] = value
}

// Event takes an event: one of a message, or one that says all.
func (r *contentReader) Event(name string, _ time.Time, attributes Attributes) bool {
	if r.c.details[name] {
		attributes.Walk(r)
		return true
	}
	e, ok := r.c.events[name]
	if !ok {
		return true
	}
	find := contentFinder{keys: e.keys}
	attributes.Walk(&find)
	if find.value == nil {
		return true
	}
	// Events come after all attributes, which say the same where there are both.
	p := &r.parts[e.part]
	rank := len(r.c.exact) + len(r.c.lists) + 1
	if p.rank == 0 {
		*p = found{rank, map[int]message{}}
	}
	if items, ok := p.value.(map[int]message); ok && p.rank == rank {
		items[len(items)] = message{"role": e.role, "content": find.value}
	}
	return true
}

// contentFinder finds the best of some attributes.
type contentFinder struct {
	keys  []string
	rank  int // one more; 0 for none
	value any
}

// Attribute takes an attribute.
func (f *contentFinder) Attribute(key string, v Value) bool {
	if i := slices.Index(f.keys, key); i >= 0 && (f.rank == 0 || i+1 < f.rank) {
		if value := plain(v); value != nil {
			f.rank, f.value = i+1, value
		}
	}
	return true
}

// plain is a value as encoding/json takes it, nil for none and for an empty text.
func plain(v Value) any {
	switch v.kind {
	case ValueEmpty:
		return nil
	case ValueMap:
		m := plainMap{}
		v.Walk(m)
		return map[string]any(m)
	case ValueList, ValueStrings:
		l := &plainList{list: []any{}}
		v.WalkElements(l)
		return l.list
	case ValueString:
		if v.str == "" {
			return nil
		}
		return v.str
	case ValueInt:
		return v.Int()
	case ValueFloat:
		return v.Float()
	case ValueBool:
		return v.Bool()
	default:
		return nil
	}
}

type plainMap map[string]any

// Attribute takes a member.
func (m plainMap) Attribute(key string, v Value) bool {
	m[key] = plain(v)
	return true
}

type plainList struct{ list []any }

// Element takes an element.
func (l *plainList) Element(_ int, v Value) bool {
	l.list = append(l.list, plain(v))
	return true
}

// attachContent puts what the span says was asked and answered into its record.
// What goes wrong on the way, in the user's function for one, costs the content and
// not the record.
func (w *work) attachContent(b *block) {
	c := w.c.content
	if c == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			clearContent(&b.record)
			w.extract.notes = append(w.extract.notes, Note{
				Field: "inputMessages", Action: NoteDropped, Reason: "the content of a span could not be read or redacted",
			})
		}
	}()
	r := contentReader{c: c}
	w.span.WalkAttributes(&r)
	w.span.WalkEvents(&r)
	record, cut := &b.record, false
	record.SystemPrompt = c.text(&r.parts[contentSystem], spoken, &cut)
	record.InputMessages = c.text(&r.parts[contentInput], messagesOf, &cut)
	record.OutputResponse = c.text(&r.parts[contentOutput], spoken, &cut)
	if cut {
		record.PromptsTruncated = new(true)
	}
}

// fillContent takes what was asked and answered from another span of the call, if b
// says nothing of it. It is taken as a whole: a system prompt can be the first of the
// messages on one span and an attribute of its own on another.
func (b *block) fillContent(from *block) {
	if b == nil || from == nil {
		return
	}
	c, other := &b.record, &from.record
	if c.SystemPrompt != "" || c.InputMessages != "" || c.OutputResponse != "" {
		return
	}
	c.SystemPrompt, c.InputMessages, c.OutputResponse = other.SystemPrompt, other.InputMessages, other.OutputResponse
	c.PromptsTruncated = other.PromptsTruncated
}

// clearContent takes all content out of a record.
func clearContent(c *metering.Completion) {
	c.SystemPrompt, c.InputMessages, c.OutputResponse, c.PromptsTruncated = "", "", "", nil
}

// text is what was found of a part in the form that the record wants, redacted and
// within the limit.
func (c *content) text(p *found, form func(any) string, cut *bool) string {
	if p.rank == 0 {
		return ""
	}
	text := form(listed(p.value))
	if c.cfg.redact != nil && text != "" {
		text = c.cfg.redact(text)
	}
	if shorter := limits.Truncate(text, c.cfg.limit); len(shorter) < len(text) {
		*cut = true
		return limits.Truncate(text, max(c.cfg.limit-len(contentMark), 0)) + contentMark
	}
	return text
}

// listed is messages in their order, or any other value as it is.
func listed(v any) any {
	items, ok := v.(map[int]message)
	if !ok {
		return v
	}
	list := make([]any, 0, len(items))
	for _, at := range slices.Sorted(maps.Keys(items)) {
		list = append(list, map[string]any(items[at]))
	}
	return list
}

// messagesOf is a value as a JSON document: messages of their own are made of a mere
// text.
func messagesOf(v any) string {
	if text, ok := v.(string); ok {
		if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, "{") {
			return text // one already, cut or not
		}
		v = []any{map[string]any{"role": "user", "content": text}}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return "" // a number that is none, for one
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// spoken is what is said in a value: the texts of its messages and their parts, one
// after the other, if it is nothing but texts, or else the JSON document.
func spoken(v any) string {
	if text, ok := v.(string); ok {
		var parsed any
		if json.Unmarshal([]byte(text), &parsed) != nil {
			return text
		}
		if _, list := parsed.([]any); !list {
			return text
		}
		if texts, ok := texts(nil, parsed); ok {
			return strings.Join(texts, "\n")
		}
		return text
	}
	if texts, ok := texts(nil, v); ok {
		return strings.Join(texts, "\n")
	}
	return messagesOf(v)
}

// texts appends the texts of a value; ok is false where there is anything else.
func texts(to []string, v any) (_ []string, ok bool) {
	switch v := v.(type) {
	case string:
		return append(to, v), true
	case []any:
		for _, e := range v {
			if to, ok = texts(to, e); !ok {
				return to, false
			}
		}
		return to, true
	case map[string]any:
		if kind, ok := v["type"].(string); ok && kind != "text" && kind != "message" {
			return to, false
		}
		for _, key := range []string{"parts", "content", "text", "message"} {
			if inner := v[key]; inner != nil && v["tool_calls"] == nil {
				return texts(to, inner)
			}
		}
	}
	return to, false
}
