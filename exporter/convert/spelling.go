// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"
	"sync"

	"github.com/agnivade/levenshtein"

	"github.com/revenium/revenium-otel-go/semconv"
)

// namespace is ours: a key in it that means nothing is a mistake.
const namespace = "revenium."

// fieldAttribute is the field of notes about attributes that belong to none.
const fieldAttribute = "attribute"

// spelling finds attributes of our namespace that mean nothing, because somebody
// has misspelt them: what they say would be missing on the bill, silently.
type spelling struct {
	known    map[string]bool
	prefixes []string
	names    []string // to suggest

	mu      sync.Mutex
	reasons map[string]string
}

// maxSpellings bounds the unknown keys that are remembered; of more, nothing nearer
// is looked for, which takes long.
const maxSpellings = 256

func newSpelling() *spelling {
	s := &spelling{known: make(map[string]bool), reasons: make(map[string]string)}
	for _, key := range semconv.ReveniumKeys() {
		name := string(key)
		if strings.HasSuffix(name, ".") {
			s.prefixes = append(s.prefixes, name)
			continue
		}
		s.known[name] = true
		s.names = append(s.names, name)
	}
	return s
}

// note returns the note about a key that no dialect reads, and false if the key is
// not ours or means something elsewhere.
func (s *spelling) note(key string) (Note, bool) {
	if !strings.HasPrefix(key, namespace) || s.known[key] {
		return Note{}, false
	}
	for _, prefix := range s.prefixes {
		if strings.HasPrefix(key, prefix) {
			return Note{}, false
		}
	}
	return Note{Field: fieldAttribute, Attribute: key, Action: NoteIgnored, Reason: s.reason(key)}, true
}

// reason says what the key may be meant to be.
func (s *spelling) reason(key string) string {
	const unknown = "is not an attribute that is known"
	s.mu.Lock()
	defer s.mu.Unlock()

	reason, ok := s.reasons[key]
	switch {
	case ok:
		return reason
	case len(s.reasons) >= maxSpellings:
		return unknown
	}
	reason = unknown
	if name := s.nearest(key); name != "" {
		reason += "; did you mean " + name + "?"
	}
	s.reasons[key] = reason
	return reason
}

// nearest returns the known name that takes the fewest changes, or "" if it takes
// too many to be a slip. Separators count little: most slips are about them.
func (s *spelling) nearest(key string) string {
	const maxKeyLen = 64 // longer than any name, and quick
	if len(key) > maxKeyLen {
		return ""
	}
	plain := withoutSeparators(key)
	best, distance := "", 2+len(plain)/5
	for _, name := range s.names {
		if d := levenshtein.ComputeDistance(plain, withoutSeparators(name)); d < distance {
			best, distance = name, d
		}
	}
	return best
}

func withoutSeparators(key string) string {
	return strings.NewReplacer("_", "", ".", "", "-", "").Replace(strings.ToLower(strings.TrimPrefix(key, namespace)))
}
