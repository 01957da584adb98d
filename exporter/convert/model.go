// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// model is the name of the model as the span has it: the one that answered, or
// else the one that was asked for.
func (w *work) model(p *provider) string {
	for _, at := range [...]field{fieldResponseModel, fieldRequestModel} {
		f := w.extract.get(at)
		if f == nil || noModel(f.text) {
			continue
		}
		name := strings.TrimSpace(f.text)
		if name == "chat" && at == fieldRequestModel && p != nil && p.name == "azure.ai.inference" {
			continue // what that client writes when it was given no model
		}
		w.modelField = at
		return name
	}
	return ""
}

// noModel reports whether a text says that there is no model.
func noModel(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "none", "null", "unknown", "undefined":
		return true
	default:
		return false
	}
}
