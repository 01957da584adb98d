// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// WithToolEvents makes an event of each execution of a tool, a function or an MCP
// server that a span tells of. It is off by default, since such events are priced
// by what is registered for the tool.
func WithToolEvents() Option {
	return optionFunc(func(cfg config) config {
		cfg.toolEvents = true
		return cfg
	})
}

// tool decides about the execution of a tool, which is priced by itself.
func (w *work) tool(dst []Decision, op operation, batch *Batch) []Decision {
	if dst, ok := w.ready(dst, op); !ok {
		return dst
	}
	w.complete()
	b := w.c.blocks.Get().(*block)
	event := &metering.ToolEvent{}
	b.own, b.reason = event, ReasonTool
	c := &b.record
	w.setIDs(c)
	c.RequestTime, c.ResponseTime = metering.Timestamp{Time: w.start}, metering.Timestamp{Time: w.end}
	w.setAttribution(b)
	if event.ToolID == "" {
		event.ToolID = toolName(w.name)
	}
	if blank(event.ToolID) {
		return w.other(dst, op, Skipped, ReasonInvalidTool)
	}
	event.Success = w.failure(false, true) == nil
	if !event.Success && w.c.cfg.errorReasons {
		event.ErrorMessage = w.failed.text
	}
	usage := toolUsage{}
	w.span.WalkAttributes(&usage)
	event.UsageMetadata = usage.elements

	e := &w.entry
	e.decision = w.decision(Billed, ReasonTool)
	w.attach(&e.decision, b)
	n := &e.proto
	*n = node{
		key: w.key, parent: w.parentID, class: classTool, usage: true, detail: w.detail(),
		start: w.start.UnixNano(), end: w.end.UnixNano(),
		scope: xxhash.Sum64String(w.scope), resource: w.resource.hash,
		models: [2]uint64{max(1, xxhash.Sum64String(event.ToolID))},
		input:  -1, output: -1,
	}
	if id := w.extract.text(fieldToolCallID); id != "" {
		n.setID(2, max(1, xxhash.Sum64String(id)))
	}
	if facts := w.requestFacts(); len(facts) > 0 {
		n.context = &spanContext{facts: append([]resourceFact(nil), facts...)}
	}
	return w.enter(dst, batch)
}

// toolName is what the tool is called by a span's name.
func toolName(span string) string {
	for _, operation := range [...]string{"execute_tool", "tools/call"} {
		if name, ok := strings.CutPrefix(span, operation); ok && (name == "" || name[0] == ' ') {
			return strings.TrimSpace(name) // "" where the span is named by the operation alone
		}
	}
	return strings.TrimSuffix(span, ".tool")
}

// maxToolElements bounds the quantities of one execution.
const maxToolElements = 64

// toolUsage collects the quantities by which a tool is priced.
type toolUsage struct{ elements map[string]any }

// Attribute takes a quantity.
func (u *toolUsage) Attribute(key string, v Value) bool {
	element, ok := strings.CutPrefix(key, string(semconv.ReveniumToolUsagePrefix))
	if !ok || element == "" || len(u.elements) >= maxToolElements {
		return true
	}
	var f fact
	if ok, problem := f.coerce(typeNumber, unitNone, v); !ok || problem != "" {
		return true
	}
	if u.elements == nil {
		u.elements = make(map[string]any)
	}
	u.elements[element] = f.float()
	return true
}

func toolField(t *metering.ToolEvent, name string) any {
	switch name {
	case "toolId":
		return &t.ToolID
	case "operation":
		return &t.Operation
	case "workflowId":
		return &t.WorkflowID
	default:
		return nil
	}
}

// sealTool writes what a tool's event has in common with calls.
func (b *block) sealTool(t *metering.ToolEvent) {
	c := &b.record
	t.TransactionID, t.TraceID = c.TransactionID, c.TraceID
	t.Timestamp = c.RequestTime
	t.DurationMs = c.ResponseTime.UnixMilli() - c.RequestTime.UnixMilli()
	t.CostUSD = c.TotalCost
	t.Agent, t.AgenticJobID = c.Agent, c.AgenticJobID
	t.OrganizationName, t.ProductName = c.OrganizationName, c.ProductName
	if c.Subscriber == nil || c.Subscriber.Credential == nil {
		return
	}
	t.SubscriberCredential = metering.Secret(c.Subscriber.Credential.Name)
	if t.SubscriberCredential == "" {
		t.SubscriberCredential = c.Subscriber.Credential.Value
	}
}

// sameTool reports whether two spans of which one is around the other can be one
// execution, as an agent, an MCP client and an MCP server see it. An
// instrumentation sees an execution once, so that two of its spans are two.
func sameTool(a, b *node) bool {
	return a.class == classTool && b.class == classTool && a.models == b.models && !differentIDs(a, b) &&
		(a.scope != b.scope || a.resource != b.resource)
}
