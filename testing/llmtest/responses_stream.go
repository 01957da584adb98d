// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

// responseScript collects the events of a response, which are numbered and say their type.
type responseScript struct {
	*script
	reply *reply
	n     int
}

// add adds an event of that type with what else it says.
func (s *responseScript) add(name string, more ...member) {
	s.script.add(name, append(object{{"type", name}, {"sequence_number", s.n}}, more...))
	s.n++
}

// state adds an event that has the whole response in it.
func (s *responseScript) state(name string, o object, err error) {
	if err != nil {
		s.err = err
		return
	}
	s.add(name, member{"response", o})
}

// responseEvents is a response as a stream. Its usage is in the last event alone.
func (r *reply) responseEvents() (stream, error) {
	s := &responseScript{script: r.script(), reply: r}
	status := statusInProgress
	if r.call.background {
		status = statusQueued
	}
	begin, err := r.envelope(status, "", nil)
	s.state("response.created", begin, err)
	if r.call.background {
		s.state("response.queued", begin, err)
		begin, err = r.envelope(statusInProgress, "", nil)
	}
	s.state("response.in_progress", begin, err)
	status, _ = r.choice().outcome()
	if status != statusFailed && status != statusCancelled {
		for i, item := range r.output() {
			s.item(i, item)
		}
	}
	end, err := r.state()
	s.state("response."+status, end, err)
	if s.err == nil {
		s.events[len(s.events)-1].terminal = true
		s.events = s.events[min(r.call.startingAfter+1, len(s.events)):]
	}
	return s.stream(sseFraming)
}

// item adds the events of one item of the output.
func (s *responseScript) item(i int, item object) {
	id, index := item.get("id"), member{"output_index", i}
	open := item.with("status", statusInProgress)
	switch item.get("type") {
	case "reasoning":
		s.add("response.output_item.added", index, member{"item", open.with("summary", []any{})})
		s.summary(index, member{"item_id", id})
	case "message":
		s.add("response.output_item.added", index, member{"item", open.with("content", []any{})})
		s.text(index, member{"item_id", id})
	case "function_call":
		s.add("response.output_item.added", index, member{"item", open.with("arguments", "")})
		s.arguments(item, index, member{"item_id", id})
	default: // a tool that the provider runs
		s.add("response.output_item.added", index, member{"item", open})
	}
	s.add("response.output_item.done", index, member{"item", item})
}

// summary adds what the model thought.
func (s *responseScript) summary(at ...member) {
	at = append(at, member{"summary_index", 0})
	text := s.reply.choice().Reasoning
	part := func(text string) member { return member{"part", object{{"type", "summary_text"}, {"text", text}}} }
	s.add("response.reasoning_summary_part.added", append(at, part(""))...)
	for _, p := range words(text) {
		s.add("response.reasoning_summary_text.delta", append(at, member{"delta", p})...)
	}
	s.add("response.reasoning_summary_text.done", append(at, member{"text", text})...)
	s.add("response.reasoning_summary_part.done", append(at, part(text))...)
}

// text adds what the model says.
func (s *responseScript) text(at ...member) {
	at = append(at, member{"content_index", 0})
	c := s.reply.choice()
	part := func(text string) member {
		return member{"part", object{{"type", "output_text"}, {"annotations", []any{}}, {"logprobs", []any{}}, {"text", text}}}
	}
	s.add("response.content_part.added", append(at, part(""))...)
	for _, p := range c.Pieces {
		s.add("response.output_text.delta", append(at, member{"delta", p}, member{"logprobs", []any{}})...)
	}
	s.add("response.output_text.done", append(at, member{"text", c.Text}, member{"logprobs", []any{}})...)
	s.add("response.content_part.done", append(at, part(c.Text))...)
}

// arguments adds what a tool is to be called with.
func (s *responseScript) arguments(item object, at ...member) {
	arguments, _ := item.get("arguments").(string)
	for _, p := range parts(arguments) {
		s.add("response.function_call_arguments.delta", append(at, member{"delta", p})...)
	}
	s.add("response.function_call_arguments.done", append(at, member{"arguments", arguments}, member{"name", item.get("name")})...)
}
