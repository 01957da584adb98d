// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"unicode"
)

// initialism gives the spelling of the parts of a name that are not simply
// capitalised. Those that OpenTelemetry's Go packages spell as well are spelt as
// there.
func initialism(part string) (string, bool) {
	switch part {
	case "ai", "api", "aws", "db", "fps", "gcp", "http", "ibm", "id", "json", "llm", "tls", "ttl", "url", "usd", "uuid":
		return strings.ToUpper(part), true
	case "openai":
		return "OpenAI", true
	case "litellm":
		return "LiteLLM", true
	default:
		return "", false
	}
}

// goName makes a Go name of the key of an attribute, of a member of an
// enumeration, of a header, of an environment variable or of a metering field.
func goName(s string) string {
	var b strings.Builder
	for _, part := range words(s) {
		if special, ok := initialism(part); ok {
			b.WriteString(special)
			continue
		}
		b.WriteString(strings.ToUpper(part[:1]))
		b.WriteString(part[1:])
	}
	return b.String()
}

// words splits at punctuation and where a capital follows a small letter or a
// digit, and gives the words in small letters.
func words(s string) []string {
	var all []string
	start := 0
	cut := func(end int) {
		if end > start {
			all = append(all, strings.ToLower(s[start:end]))
		}
	}
	for i, r := range s {
		switch {
		case strings.ContainsRune("._-:", r):
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && !unicode.IsUpper(rune(s[i-1])):
			cut(i)
			start = i
		}
	}
	cut(len(s))
	return all
}

// envName is the name of the constant of an environment variable. A variable of a
// single word, which any software might read, is marked as such: ENVIRONMENT is
// not to be taken for REVENIUM_ENVIRONMENT.
func envName(s string) string {
	if rest, ok := strings.CutPrefix(s, "REVENIUM_"); ok {
		return "Env" + goName(rest)
	}
	if !strings.Contains(s, "_") {
		return "EnvGeneric" + goName(s)
	}
	return "Env" + goName(s)
}

// headerName is the name of the constant of a header.
func headerName(s string) string {
	if rest, ok := strings.CutPrefix(s, "x-revenium-"); ok {
		return "Header" + goName(rest)
	}
	return "Header" + goName(strings.TrimPrefix(s, "x-"))
}
