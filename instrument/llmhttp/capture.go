// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"

	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// capture says what becomes of the content of calls.
type capture struct {
	on     bool
	limit  int // characters of an attribute
	redact func(text string) string
}

// captureSettings is what options say about capture; nil is for nothing.
type captureSettings struct {
	on     *bool
	limit  *int
	redact func(text string) string
}

// newCapture returns what holds: what options say, or else the environment, or
// else that nothing is captured.
func newCapture(s captureSettings) capture {
	c := capture{limit: limits.InputMessagesMaxLen, redact: s.redact}
	if s.on != nil {
		c.on = *s.on
	} else if text := variable(semconv.EnvCapturePrompts); text != "" {
		on, err := strconv.ParseBool(text)
		if err != nil {
			otel.Handle(fmt.Errorf("llmhttp: %s=%q ignored: use true or false", semconv.EnvCapturePrompts, text))
		}
		c.on = on && err == nil
	}
	if !c.on {
		return c
	}
	if s.limit != nil {
		c.limit = max(*s.limit, 0)
	} else if text := variable(semconv.EnvMaxPromptSize); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 0 {
			otel.Handle(fmt.Errorf("llmhttp: %s=%q ignored: use a number of characters", semconv.EnvMaxPromptSize, text))
		} else {
			c.limit = limit
		}
	}
	return c
}

// variable returns the value of an environment variable; an empty one counts as
// unset.
func variable(name string) string { return strings.TrimSpace(os.Getenv(name)) }

// bothScanners reads a request twice: for its parameters and for its content.
type bothScanners struct{ params, content bodyScanner }

func (s bothScanners) write(p []byte) {
	s.params.write(p)
	s.content.write(p)
}

func (s bothScanners) end() {
	s.params.end()
	s.content.end()
}

// listen has the content of a request read as well.
func (q *question) listen(c *capture, tree *node) {
	if !c.on || tree == nil {
		return
	}
	q.said = newConversation(false, c.limit)
	q.scan = bothScanners{params: q.scan, content: newScanner(tree, q.said)}
}

// attributes appends what was asked.
func (q *question) content(to attributeList, c *capture) attributeList {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.said != nil {
		to.text(semconv.GenAISystemInstructionsKey, q.said.instructions(c.limit, c.redact))
		to.text(semconv.GenAIInputMessagesKey, q.said.list(c.limit, c.redact, nil))
	}
	return to
}

// listen has the content of an answer read as well.
func (a *answer) listen(c *capture) {
	if tree := a.reader.table.content; c.on && tree != nil {
		a.said = newConversation(true, c.limit)
		a.content = newScanner(tree, a.said)
	}
}

// end ends the call that has no answer worth to be read.
func (e *exchange) end(err error) {
	if e.question.said != nil {
		e.call.SetAttributes(e.question.content(nil, &e.transport.capture)...)
	}
	e.call.End(err)
}
