// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "strings"

// idKind is what kind of a response id it is. Ids of different kinds prove nothing
// about two spans: gateways put ids of their own in place of the provider's.
type idKind uint8

const (
	idNone idKind = iota
	idOther
	idChatCompletion
	idCompletion
	idResponse
	idMessage
	idGeneration
)

func idKindOf(id string) idKind {
	switch {
	case id == "":
		return idNone
	case strings.HasPrefix(id, "chatcmpl-"):
		return idChatCompletion
	case strings.HasPrefix(id, "cmpl-"):
		return idCompletion
	case strings.HasPrefix(id, "resp_"):
		return idResponse
	case strings.HasPrefix(id, "msg_"):
		return idMessage
	case strings.HasPrefix(id, "gen-"):
		return idGeneration
	default:
		return idOther
	}
}

// modelDigest is a digest of a model's name without what instrumentations differ
// in: upper case, the path to it, the vendor and region of Bedrock, the date and
// version of a snapshot. It is 0 for no name.
func modelDigest(name string) uint64 {
	name = bareModel(name)
	if name == "" {
		return 0
	}
	h := uint64(14695981039346656037)
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h = (h ^ uint64(c)) * 1099511628211
	}
	return max(h, 1)
}

// modelMemo remembers the digest of the last name: most calls of a service are of a few
// models. It keeps a copy, since a name can be a part of a whole document.
type modelMemo struct {
	name   [48]byte
	length int
	digest uint64
}

func (m *modelMemo) of(name string) uint64 {
	if string(m.name[:m.length]) == name {
		return m.digest
	}
	digest := modelDigest(name)
	if len(name) <= len(m.name) {
		m.length, m.digest = copy(m.name[:], name), digest
	}
	return digest
}

// bareModel is the part of a model's name that all instrumentations have in
// common.
func bareModel(name string) string {
	name = strings.TrimSpace(name)
	if i := strings.LastIndexByte(name, '/'); i >= 0 && i < len(name)-1 {
		name = name[i+1:]
	}
	if i := strings.LastIndexByte(name, ':'); i > 0 && digitsOnly(name[i+1:]) {
		name = name[:i] // ":0" of Bedrock
	}
	for {
		head, rest, ok := strings.Cut(name, ".")
		if !ok || rest == "" || !vendorWord(head) {
			break
		}
		name = rest
	}
	if i := strings.IndexByte(name, '@'); i > 0 {
		name = name[:i] // "@20250929" of Vertex AI
	}
	if i := strings.LastIndex(name, "-v"); i > 0 && digitsOnly(name[i+2:]) && hasDate(name[:i]) {
		name = name[:i]
	}
	name = strings.TrimSuffix(name, "-latest")
	return withoutDate(name)
}

// vendorWord reports whether a part of a Bedrock name is a region or a vendor.
func vendorWord(word string) bool {
	switch word {
	case "us", "eu", "apac", "global", "jp", "au", "ca",
		"anthropic", "amazon", "meta", "cohere", "mistral", "ai21", "deepseek", "openai", "qwen", "writer", "stability":
		return true
	default:
		return false
	}
}

// withoutDate cuts "-2025-08-07", "-20250929" and "-0613" from the end.
func withoutDate(name string) string {
	n := len(name)
	switch {
	case n > 11 && name[n-11] == '-' && name[n-6] == '-' && name[n-3] == '-' &&
		digitsOnly(name[n-10:n-6]) && digitsOnly(name[n-5:n-3]) && digitsOnly(name[n-2:]):
		return name[:n-11]
	case n > 9 && name[n-9] == '-' && digitsOnly(name[n-8:]):
		return name[:n-9]
	case n > 5 && name[n-5] == '-' && digitsOnly(name[n-4:]):
		return name[:n-5]
	default:
		return name
	}
}

func hasDate(name string) bool { return len(withoutDate(name)) < len(name) }

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// sameModel reports whether two nodes can be calls of the same model: one that
// says nothing can be of any.
func sameModel(a, b *node) bool {
	if a.models == [2]uint64{} || b.models == [2]uint64{} {
		return true
	}
	for _, x := range a.models {
		if x != 0 && (x == b.models[0] || x == b.models[1]) {
			return true
		}
	}
	return false
}

// differentIDs reports whether ids prove that two nodes are two calls.
func differentIDs(a, b *node) bool {
	if a.id != 0 && b.id != 0 && a.idKind == b.idKind {
		return a.id != b.id
	}
	for i := 1; i < numIDs; i++ {
		if x, y := a.idAt(i), b.idAt(i); x != 0 && y != 0 && x != y {
			return true
		}
	}
	return false
}

// sameCounts reports whether the counts of two nodes agree, as far as both have
// them: all of input and output, or what stands on the spans, since one of two can
// know nothing of the cache or the thinking that the other adds.
func sameCounts(a, b *node) bool {
	if !a.usage || !b.usage {
		return true
	}
	agree := func(x, y int64) bool { return x == y || x < 0 || y < 0 }
	if agree(a.input, b.input) && agree(a.output, b.output) {
		return true
	}
	if a.rare == nil && b.rare == nil {
		return false
	}
	aInput, aOutput := a.reported()
	bInput, bOutput := b.reported()
	return (agree(a.input, b.input) || agree(aInput, bInput)) && (agree(a.output, b.output) || agree(aOutput, bOutput))
}

// alike reports whether two nodes can be the same call, if something links them.
func alike(a, b *node) bool {
	return a.class.isCall() && (a.class == b.class || b.class.isCall() && a.counted() && b.counted()) && a.failed == b.failed &&
		!differentIDs(a, b) && sameModel(a, b) && sameCounts(a, b)
}

// within reports whether the time of one is inside that of the other.
func within(a, b *node, tolerance int64) bool {
	inside := func(x, y *node) bool { return x.start >= y.start-tolerance && x.end <= y.end+tolerance }
	return inside(a, b) || inside(b, a)
}
