// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package limits

// TextMaxLen bounds, in characters, texts for which the API documents no limit.
// It is this project's own, so that a record stays small whatever an application
// or a request puts into it; no sensible value meets it.
const TextMaxLen = 1024

// ValidTraceType reports whether the service takes s as the type of a trace: 1 to
// [TraceTypeMaxLen] letters, digits, "_" and "-". It shows any other as
// "uncategorized".
func ValidTraceType(s string) bool {
	return s != "" && len(s) <= TraceTypeMaxLen && every(s, wordByte)
}

// ValidEffort reports whether the service takes s as an effort of reasoning: 1 to
// [EffortMaxLen] letters, digits, "_" and "-". It refuses a record with any other.
func ValidEffort(s string) bool {
	return s != "" && len(s) <= EffortMaxLen && every(s, wordByte)
}

// agenticJobIDMaxLen is in the pattern of the field.
const agenticJobIDMaxLen = 255

// ValidAgenticJobID reports whether the service takes s as the id of a job: a
// letter or digit, then up to 254 letters, digits, ".", "_" and "-", and none of
// the words that are paths of the jobs API, "types" and "conversion-funnel". It
// refuses a record with any other.
func ValidAgenticJobID(s string) bool {
	return s != "" && len(s) <= agenticJobIDMaxLen && !reservedAgenticJobID(s) &&
		alphanumeric(s[0]) && every(s, jobByte)
}

// every reports whether ok holds for all bytes of s. What is allowed is ASCII, so
// bytes and characters are one.
func every(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func wordByte(c byte) bool { return alphanumeric(c) || c == '_' || c == '-' }

func jobByte(c byte) bool { return wordByte(c) || c == '.' }

// Truncate cuts s to at most limit characters. It never cuts within a character
// and does not allocate. A limit below one gives the empty string.
func Truncate(s string, limit int) string {
	if limit < 1 {
		return ""
	}
	if len(s) <= limit {
		return s // no more bytes than characters are allowed
	}
	for i := range s {
		if limit == 0 {
			return s[:i]
		}
		limit--
	}
	return s
}
