// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"slices"
	"strconv"
	"strings"
)

// cumulates reports whether the usage of the span can contain that of the calls
// before it. Spring AI did so until version 2, which needs version 4 of Spring
// Boot, whose version is the scope's.
func (w *work) cumulates() bool {
	if !w.extract.voc.dialect.quirks.has(cumulativeUsage) {
		return false
	}
	view, ok := w.span.(ScopeVersioner)
	if !ok {
		return true
	}
	major, _, _ := strings.Cut(view.ScopeVersion(), ".")
	n, err := strconv.Atoi(major)
	return err != nil || n < 4
}

// askedForTools reports whether the model ended with a request for tools.
func (w *work) askedForTools() bool {
	if w.extract.finish == nil {
		return toolReason(w.extract.text(fieldFinish)) || toolReason(w.events.finish)
	}
	return slices.ContainsFunc(w.extract.finish, toolReason)
}

func toolReason(reason string) bool {
	return containsAny(squeezed(reason), "toolcall", "tooluse", "functioncall")
}

// subtract takes what earlier calls of a loop have been billed for out of the usage
// of a node, where that contains it: a call cannot have less than one before it,
// whose prompt it repeats.
func (l *selection) subtract(n *node) {
	b := n.pending.decision.block
	if b == nil || !n.usage {
		return
	}
	var before *node
	m := l.nodes.find(keyGroup, mix(keyGroup, n.group), l.nano)
	for range maxAttempts {
		if m == nil {
			break
		}
		if m.cumulative && m.usage && m.tools && m.scope == n.scope && m.end <= n.start && (before == nil || m.end > before.end) {
			before = m
		}
		m = l.nodes.previous(m, keyGroup, l.nano)
	}
	if before == nil || before.input < 0 || before.output < 0 || n.input < 2*before.input || n.output < before.output {
		return
	}
	c := &b.record
	c.InputTokenCount = max(0, c.InputTokenCount-before.input)
	c.OutputTokenCount = max(0, c.OutputTokenCount-before.output)
	c.TotalTokenCount = max(0, c.TotalTokenCount-before.input-before.output)
	d := &n.pending.decision
	d.Notes = append(d.Notes, Note{
		Field: "inputTokenCount", Action: NoteReplaced,
		Reason: "contains the usage of the call before, which is subtracted",
	})
}
