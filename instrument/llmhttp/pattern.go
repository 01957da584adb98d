// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/url"
	"slices"
	"strings"
)

// pattern is the end of a path, by segments: "/model/*/converse". A segment * is
// any one, *:verb any one with that verb, **:verb one or more that end with it,
// back to the nearest that is the segment in front. Base URLs have prefixes of all
// kinds, so that only the end of a path says what it is.
type pattern []string

func newPattern(path string) pattern { return strings.Split(strings.TrimPrefix(path, "/"), "/") }

const (
	anySegment  = "*"
	anySegments = "**"
)

// key is what the index of APIs has for the pattern.
func (p pattern) key(method string) indexKey {
	last := p[len(p)-1]
	if last == anySegment {
		return indexKey{method: method, end: p[len(p)-2], parent: true}
	}
	return indexKey{method: method, end: strings.TrimLeft(last, anySegment)}
}

// match compares the pattern with a path as it was sent, escaped. It returns what
// the last * stands for, unescaped.
func (p pattern) match(path string) (found string, ok bool) {
	for i, wanted := range slices.Backward(p) {
		if word, several := strings.CutPrefix(wanted, anySegments); several {
			if found, path, ok = cutBehind(path, p[i-1], word); !ok {
				return "", false
			}
			continue
		}
		var segment string
		if segment, path, ok = cutSegment(path); !ok {
			return "", false
		}
		word, isAny := strings.CutPrefix(wanted, anySegment)
		if !isAny {
			if segment != wanted {
				return "", false
			}
			continue
		}
		rest, matches := strings.CutSuffix(segment, word)
		if !matches || rest == "" {
			return "", false
		}
		if found == "" {
			found = unescape(rest)
		}
	}
	return found, true
}

// cutBehind cuts off a path what is behind the last of its segments that is the
// one given, and takes the word from the end of that.
func cutBehind(path, segment, word string) (found, rest string, ok bool) {
	head, hasWord := strings.CutSuffix(path, word)
	marker := "/" + segment + "/"
	at := strings.LastIndex(head, marker)
	if !hasWord || at < 0 {
		return "", "", false
	}
	found = head[at+len(marker):]
	if strings.HasPrefix(found, "/") || strings.HasSuffix(found, "/") || found == "" {
		return "", "", false
	}
	return unescape(found), path[:at+len(marker)-1], true
}

// cutSegment cuts the last segment off a path.
func cutSegment(path string) (segment, rest string, ok bool) {
	slash := strings.LastIndexByte(path, '/')
	if slash < 0 {
		return "", "", false
	}
	return path[slash+1:], path[:slash], true
}

func unescape(segment string) string {
	if !strings.Contains(segment, "%") {
		return segment
	}
	text, err := url.PathUnescape(segment)
	if err != nil {
		return segment
	}
	return text
}

// findAPI tries the APIs that the method and path may be of, the likeliest first,
// until one is taken.
func findAPI(method, path string, take func(a *api, found string) bool) {
	last, parent, ok := cutSegment(path)
	if !ok {
		return
	}
	keys := [3]indexKey{{method: method, end: last}}
	if colon := strings.LastIndexByte(last, ':'); colon > 0 {
		keys[1] = indexKey{method: method, end: last[colon:]}
	}
	if segment, _, ok := cutSegment(parent); ok {
		keys[2] = indexKey{method: method, end: segment, parent: true}
	}
	for _, key := range keys {
		if key.end == "" {
			continue
		}
		for _, candidate := range apiIndex[key] {
			if found, ok := candidate.pattern.match(path); ok && take(candidate.api, found) {
				return
			}
		}
	}
}
