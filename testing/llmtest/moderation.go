// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"cmp"
	"encoding/json"
	"slices"
)

var moderationsKind = &kind{
	api: APIModerations, dialect: openAI, id: "modr-", read: readModeration, plain: (*reply).moderation,
}

// moderationCategories are the categories that every result speaks of.
func moderationCategories() []string {
	return []string{
		"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm",
		"self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic",
	}
}

func readModeration(c *call, in incoming) *Error {
	var q struct {
		Model string          `json:"model"`
		Input json.RawMessage `json:"input"`
	}
	if bad := readJSON(in, &q, openAIComplaint); bad != nil {
		return bad
	}
	var ok bool
	if c.asked, ok = items(q.Input); !ok {
		if text := textOf(q.Input); text == "" {
			return missing("input")
		}
		c.asked = texts(textOf(q.Input)) // parts are one input
	}
	return c.name(cmp.Or(q.Model, "omni-moderation-latest"))
}

// moderation is what is thought of each input.
func (r *reply) moderation() (content, error) {
	var categories, scores object
	for _, name := range moderationCategories() {
		holds := slices.Contains(r.answer.Flagged, name)
		score := 0.001
		if holds {
			score = 0.999
		}
		categories = append(categories, member{name, holds})
		scores = append(scores, member{name, score})
	}
	results := []object{}
	for range r.call.asked {
		results = append(results, object{
			{"flagged", len(r.answer.Flagged) > 0}, {"categories", categories}, {"category_scores", scores},
		})
	}
	return r.jsonContent(object{{"id", r.id}, {"model", r.model}, {"results", results}})
}
