// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// units is what an answer says about itself that is billed beside tokens or
// instead of them, or tells what is.
type units struct {
	images, videos                  count
	seconds, duration               amount // of audio or video, as billed and as it is
	searchUnits                     count
	cost                            amount // in USD, by the provider's own account
	tools                           [numTools]count
	size, quality, format, language string
}

// amount is a quantity that may not have been reported.
type amount struct {
	n  float64
	ok bool
}

// maxAmount is beyond what any call can consume.
const maxAmount = 1e9

// usdPerTick is the unit in which xAI reports cost.
const usdPerTick = 1e-10

func newAmount(v value) amount {
	f := decimal(v)
	if f == nil || !(*f >= 0 && *f <= maxAmount) {
		return amount{}
	}
	return amount{n: *f, ok: true}
}

// value takes a unit of a document.
func (u *units) value(f field, v value) {
	switch f {
	case rspSize:
		u.size = v.text()
	case rspQuality:
		u.quality = v.text()
	case rspFormat:
		u.format = v.text()
	case rspLanguage:
		u.language = v.text()
	case rspSeconds:
		if a := newAmount(v); a.ok {
			u.seconds = a
		}
	case rspDuration:
		if a := newAmount(v); a.ok {
			u.duration = a
		}
	case rspCost:
		if a := newAmount(v); a.ok {
			u.cost = a
		}
	case rspCostTicks:
		if ticks := newCount(v); ticks.ok {
			u.cost = amount{n: float64(ticks.n) * usdPerTick, ok: true}
		}
	}
}

// complete overwrites what v has.
func (u *units) complete(v *units) {
	if v.images.ok {
		u.images = v.images
	}
	if v.videos.ok {
		u.videos = v.videos
	}
	if v.seconds.ok {
		u.seconds = v.seconds
	}
	if v.duration.ok {
		u.duration = v.duration
	}
	if v.cost.ok {
		u.cost = v.cost
	}
	setIfSent(&u.size, v.size)
	setIfSent(&u.quality, v.quality)
	setIfSent(&u.format, v.format)
	setIfSent(&u.language, v.language)
}

// Tools of the provider whose uses are billed by themselves.
const (
	toolWebSearch = iota
	toolWebFetch
	toolCodeExecution
	toolFileSearch
	toolImageGeneration
	toolSource
	numTools
)

// hostedTool is a tool's name on the span, and its counter.
type hostedTool struct {
	name    string
	counter counter
}

var hostedToolTable = [numTools]hostedTool{
	toolWebSearch:       {"web_search", webSearches},
	toolWebFetch:        {"web_fetch", webFetches},
	toolCodeExecution:   {"code_execution", codeExecutions},
	toolFileSearch:      {"file_search", fileSearches},
	toolImageGeneration: {"image_generation", imageGenerations},
	toolSource:          {"source", sourcesUsed},
}

// length is how long audio or video is: as it is billed if that was reported.
func (u *units) length() amount {
	if u.seconds.ok {
		return u.seconds
	}
	return u.duration
}

// count takes the units that a usage counts.
func (u *units) count(c *usage) {
	if c[searchUnits].ok {
		u.searchUnits = c[searchUnits]
	}
	if c[imageUnits].ok {
		u.images = c[imageUnits]
	}
	for i, tool := range hostedToolTable {
		if c[tool.counter].ok {
			u.tools[i] = c[tool.counter]
		}
	}
}

// attributes appends the units of an answer to a call of the target.
func (u *units) attributes(to []attribute.KeyValue, t *target) []attribute.KeyValue {
	a := attributeList(to)
	a.count(semconv.ReveniumUsageSearchUnitsKey, u.searchUnits)
	a.amount(semconv.GenAIUsageCostKey, u.cost)
	for i, tool := range hostedToolTable {
		if u.tools[i].positive() {
			a = append(a, semconv.ReveniumUsageServerTool(tool.name, int(u.tools[i].n)))
		}
	}
	if m := t.media(); m != nil {
		a = m.answered(a, u)
	}
	return a
}
