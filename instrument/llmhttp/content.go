// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

// Fields of content: what is said in requests and answers. Nothing reads them
// unless capture is on.
const (
	txtSystem  field = iota + 1 // pieces
	txtPrompt                   // pieces
	txtMessage                  // element of a conversation
	txtRole
	txtPart      // element of a message
	txtText      // pieces
	txtReasoning // pieces
	txtThought   // true: the part's text is reasoning
	txtCall      // element: a call of a tool
	txtCallIndex
	txtCallID
	txtCallName
	txtCallArguments // pieces
	txtResultOf      // id or name of the call that a result is of
	txtResult        // pieces
	txtChoice        // element: one of the answers
	txtIndex
	txtBlock // index of the part that an event is about
)

// conversation is what a request or an answer says, as far as there is room for
// it.
type conversation struct {
	answer     bool // its messages are choices
	room       int  // characters of messages that may still be kept
	systemRoom int  // and of the system prompt
	system     part
	prompt     part
	messages   []message

	current int   // message that parts belong to, -1 for none yet
	element *part // that is being read, nil for none
	block   int   // index of the part that an event is about, -1 for none
	call    *part // call that is being read
	calls   int   // calls seen in the current document
	choice  int
}

type message struct {
	role     string
	resultOf string // id of the call that it is the result of
	parts    []*part
}

// part is a text, a thought, a call of a tool or the result of one.
type part struct {
	kind     partKind
	slot     int // by which pieces of a stream find it
	id, name string
	text     []byte
	cut      bool
}

type partKind uint8

const (
	partText partKind = iota
	partReasoning
	partCall
	partResult
)

const (
	maxMessages = 1000
	maxParts    = 1000 // of a message
	// Slots of parts that have no index; calls have their own from callSlots on.
	textSlot      = -1
	reasoningSlot = -2
	callSlots     = 1 << 20
	// partCost is what a part takes from the room beside its text.
	partCost = 40
	// cutMark ends a text that was cut, as in Revenium's own software.
	cutMark = "...[TRUNCATED]"
)

func newConversation(answer bool, limit int) *conversation {
	c := &conversation{answer: answer, room: limit, systemRoom: limit}
	c.begin()
	return c
}

// begin is called before each document.
func (c *conversation) begin() {
	c.element, c.call, c.block, c.calls = nil, nil, -1, 0
	c.current, c.choice = len(c.messages)-1, -1
	if c.answer {
		c.current = 0
	}
}

// open implements sink.
func (c *conversation) open(f field) {
	switch f {
	case txtMessage:
		c.element = nil
		c.current = len(c.messages)
	case txtChoice:
		c.choice++
		c.current, c.element, c.calls = c.choice, nil, 0
	case txtPart:
		c.element = nil
		if p := c.add(partText); p != nil {
			c.element = p
		}
	case txtCall:
		c.call = c.slot(partCall, callSlots+c.calls)
		c.calls++
	}
}

// close implements sink.
func (c *conversation) close(f field) {
	switch f {
	case txtPart:
		c.element = nil
		if c.answer {
			c.join()
		}
	case txtCall:
		c.call = nil
	}
}

// join joins the last part of the current message with the one before, if both
// are text: some formats make a part of each piece of a stream.
func (c *conversation) join() {
	m := c.message()
	if m == nil || len(m.parts) < 2 {
		return
	}
	n := len(m.parts)
	before, last := m.parts[n-2], m.parts[n-1]
	if before.kind != last.kind || last.kind == partCall || last.kind == partResult {
		return
	}
	before.text, before.cut = append(before.text, last.text...), before.cut || last.cut
	m.parts = m.parts[:n-1]
	c.room += partCost
}

// present implements sink.
func (c *conversation) present(field, bool) {}

// value implements sink.
func (c *conversation) value(f field, v value) {
	switch f {
	case txtRole:
		if m := c.message(); m != nil {
			m.role = v.text()
		}
	case txtIndex:
		if n := newCount(v); n.ok && n.n < maxChoices {
			c.current = int(n.n)
		}
	case txtBlock:
		if n := newCount(v); n.ok && n.n < maxParts {
			c.block = int(n.n)
		}
	case txtThought:
		if v.isTrue() && c.element != nil {
			c.element.kind = partReasoning
		}
	case txtCallIndex:
		if n := newCount(v); n.ok && n.n < maxParts {
			c.call = c.slot(partCall, callSlots+int(n.n))
		}
	case txtCallID, txtCallName, txtResultOf:
		c.named(f, v.text())
	}
}

// named takes the id or the name of a call or of the call that a result is of.
func (c *conversation) named(f field, text string) {
	if text == "" {
		return
	}
	switch f {
	case txtResultOf:
		if c.element == nil {
			if m := c.message(); m != nil {
				m.resultOf = text
			}
		} else if p := c.of(partResult); p != nil {
			p.id = text
		}
	case txtCallID:
		if p := c.of(partCall); p != nil {
			p.id = text
		}
	default:
		if p := c.of(partCall); p != nil {
			p.name = text
		}
	}
}

// piece implements pieceSink.
func (c *conversation) piece(f field, text []byte) {
	room := &c.room
	if f == txtSystem {
		room = &c.systemRoom
	}
	if *room <= 0 {
		return
	}
	if p := c.target(f); p != nil {
		p.add(text, room)
	}
}

// target is the part that a piece of the field belongs to.
func (c *conversation) target(f field) *part {
	switch f {
	case txtSystem:
		return &c.system
	case txtPrompt:
		return &c.prompt
	case txtReasoning:
		return c.of(partReasoning)
	case txtCallArguments:
		return c.of(partCall)
	case txtResult:
		return c.of(partResult)
	default:
		return c.of(partText)
	}
}

// add adds as much of a text as there is room for.
func (p *part) add(text []byte, room *int) {
	n := prefix(text, *room)
	p.text = append(p.text, text[:n]...)
	*room -= characters(text[:n])
	if n < len(text) {
		p.cut, *room = true, 0
	}
}

// prefix returns how much of text the given number of characters is.
func prefix(text []byte, characters int) int {
	if len(text) <= characters {
		return len(text)
	}
	for i, b := range text {
		if beginsCharacter(b) {
			if characters == 0 {
				return i
			}
			characters--
		}
	}
	return len(text)
}

// beginsCharacter says that a byte of UTF-8 is the first of a character. Pieces
// may be cut within one, so that characters are counted by their beginnings.
func beginsCharacter(b byte) bool { return b&0xC0 != 0x80 }

func characters(text []byte) int {
	n := 0
	for _, b := range text {
		if beginsCharacter(b) {
			n++
		}
	}
	return n
}

// message returns the current message, or nil where there are too many.
func (c *conversation) message() *message {
	c.current = max(c.current, 0)
	if c.current >= maxMessages {
		return nil
	}
	for len(c.messages) <= c.current {
		c.messages = append(c.messages, message{})
	}
	return &c.messages[c.current]
}

// of returns the part of the kind that pieces belong to now.
func (c *conversation) of(kind partKind) *part {
	switch {
	case kind == partCall && c.call != nil:
		return c.call
	case c.element != nil:
		if c.element.kind == partText {
			c.element.kind = kind
		}
		return c.element
	case c.block >= 0:
		return c.slot(kind, c.block)
	case kind == partReasoning:
		return c.slot(kind, reasoningSlot)
	case kind == partText && c.answer:
		return c.slot(kind, textSlot)
	default:
		return c.last(kind)
	}
}

// last returns the last part of the current message if it is of the kind, or a
// new one.
func (c *conversation) last(kind partKind) *part {
	m := c.message()
	if m == nil {
		return nil
	}
	if n := len(m.parts); n > 0 && m.parts[n-1].kind == kind {
		return m.parts[n-1]
	}
	return c.add(kind)
}

// slot returns the part of the current message that has the slot.
func (c *conversation) slot(kind partKind, slot int) *part {
	m := c.message()
	if m == nil {
		return nil
	}
	for _, p := range m.parts {
		if p.slot == slot {
			return p
		}
	}
	p := c.add(kind)
	if p != nil {
		p.slot = slot
	}
	return p
}

// add adds a part to the current message, or returns nil where there is no room.
func (c *conversation) add(kind partKind) *part {
	m := c.message()
	if m == nil || len(m.parts) >= maxParts || c.room < partCost {
		return nil
	}
	c.room -= partCost
	p := &part{kind: kind, slot: callSlots * 2}
	m.parts = append(m.parts, p)
	return p
}
