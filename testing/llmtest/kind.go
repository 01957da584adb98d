// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/json"
	"net/http"
)

// A kind is one kind of request: how it is read and how it is answered. A new one is a file with its functions, and
// a row in the table of routes.
type kind struct {
	api     API
	dialect *dialect
	method  string // default POST
	// id begins the ids of answers.
	id string
	// read reads the request into c. The error is what the provider says to a bad one.
	read func(c *call, in incoming) *Error
	// plain is the answer that is no stream.
	plain func(*reply) (content, error)
	// events is the answer as a stream; nil if there are no streams.
	events func(*reply) (stream, error)
	// generates says that the answer is text that a model wrote, which its default usage counts.
	generates bool
	// stores says that the answer can be retrieved, retrieves that it is one that was given before.
	stores, retrieves bool
}

func (k *kind) allows(method string) bool {
	if k.method != "" {
		return method == k.method
	}
	return method == http.MethodPost
}

// incoming is a request's body, and what else reading it needs.
type incoming struct {
	body        []byte
	contentType string
}

// content is the body of a plain answer.
type content struct {
	body        []byte
	contentType string // default application/json
	header      http.Header
}

// jsonContent is a plain answer of JSON.
func (r *reply) jsonContent(doc any) (content, error) {
	body, err := json.Marshal(doc)
	if err == nil {
		body, err = withExtra(body, r.answer.Extra)
	}
	return content{body: body}, err
}

// stream is a streamed answer.
type stream struct {
	framing framing
	events  []event // those that mark the end are the last
}

// event is one event of a stream.
type event struct {
	name string
	data []byte
	// terminal says that it marks the end.
	terminal bool
	// exception says that it tells of an error (AWS frames those in their own way).
	exception bool
}

// script collects the events of a stream.
type script struct {
	extra  map[string]any
	events []event
	err    error
}

func (r *reply) script() *script { return &script{extra: r.answer.Extra} }

// add adds an event whose data is the JSON of doc.
func (s *script) add(name string, doc any) {
	if s.err != nil {
		return
	}
	var data []byte
	if data, s.err = json.Marshal(doc); s.err == nil {
		data, s.err = withExtra(data, s.extra)
	}
	s.events = append(s.events, event{name: name, data: data})
}

// end adds an event that marks the end.
func (s *script) end(name string, doc any) {
	s.add(name, doc)
	if s.err == nil {
		s.events[len(s.events)-1].terminal = true
	}
}

// literal adds an event without a name as it is written here.
func (s *script) literal(data string, terminal bool) {
	s.events = append(s.events, event{data: []byte(data), terminal: terminal})
}

func (s *script) stream(f framing) (stream, error) {
	return stream{framing: f, events: s.events}, s.err
}
