// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strconv"
	"strings"

	"github.com/revenium/revenium-otel-go/exporter/convert/internal/literal"
)

// buckets is usage as an object with members of many names, as Langfuse keeps it:
// "input", "input_cached_tokens", "output_reasoning_tokens" and so on.
type buckets struct {
	input, output, total                     count
	moreInput, moreOutput                    int64
	cacheRead, cacheCreation                 count
	fiveMinutes, hour, reasoning             count
	nestedRead, nestedCreation, nestedReason count
}

// bucketTree wishes for all members, and for those of members.
func bucketTree() *literal.Tree {
	tree := literal.NewTree()
	tree.Add("*", 0)
	for i, path := range []string{
		"*.cached_tokens", "*.cache_read", "*.cache_read_input_tokens",
		"*.cache_creation", "*.cache_creation_input_tokens",
		"*.reasoning_tokens", "*.reasoning",
	} {
		tree.Add(path, 1+i)
	}
	return tree
}

// readBuckets reads the object; ok is false when it is none.
func readBuckets(text string, tree *literal.Tree) (b buckets, ok bool) {
	err := literal.Scan(text, tree, &b)
	return b, err == nil
}

// Value takes a member.
func (b *buckets) Value(leaf int, key string, v literal.Value) bool {
	if v.Kind != literal.Number && v.Kind != literal.String {
		return true
	}
	f, err := strconv.ParseFloat(v.Text, 64)
	if err != nil || f < 0 || f > maxCount || f != float64(int64(f)) {
		return true
	}
	n := int64(f)
	switch {
	case leaf == 0:
		b.member(strings.ToLower(key), n)
	case leaf <= 3:
		b.nestedRead = count{n, true}
	case leaf <= 5:
		b.nestedCreation = count{n, true}
	default:
		b.nestedReason = count{n, true}
	}
	return true
}

func (b *buckets) member(key string, n int64) {
	switch key {
	case "input", "input_tokens", "prompt_tokens", "inputtokens", "prompttokens", "prompt":
		b.input = count{n, true}
		return
	case "output", "output_tokens", "completion_tokens", "outputtokens", "completiontokens", "completion":
		b.output = count{n, true}
		return
	case "total", "total_tokens", "totaltokens":
		b.total = count{n, true}
		return
	}
	switch {
	case strings.HasPrefix(key, "input"), strings.HasPrefix(key, "prompt"), strings.HasPrefix(key, "cache"):
		b.moreInput += n
		b.inputPart(key, n)
	case strings.HasPrefix(key, "output"), strings.HasPrefix(key, "completion"), strings.HasPrefix(key, "reasoning"):
		b.moreOutput += n
		if strings.Contains(key, "reasoning") {
			b.reasoning = count{n, true}
		}
	}
}

func (b *buckets) inputPart(key string, n int64) {
	switch {
	case strings.Contains(key, "creation"), strings.Contains(key, "write"):
		switch {
		case strings.Contains(key, "5m"):
			b.fiveMinutes = count{n, true}
		case strings.Contains(key, "1h"):
			b.hour = count{n, true}
		default:
			b.cacheCreation = count{n, true}
		}
	case strings.Contains(key, "cache"):
		b.cacheRead = count{n, true}
	}
}

// tokens makes the buckets one count each. They are parts that add up, unless the
// total shows that the plain two hold all of it, or the parts are members of
// members.
func (b *buckets) tokens() tokens {
	inside := b.total.known && b.total.n == b.input.n+b.output.n && b.moreInput+b.moreOutput > 0
	t := tokens{
		input: b.input, output: b.output,
		cacheRead: b.cacheRead, cacheCreation: b.cacheCreation, fiveMinutes: b.fiveMinutes, hour: b.hour, reasoning: b.reasoning,
	}
	if !inside {
		t.input = count{b.input.n + b.moreInput, b.input.known || b.moreInput > 0}
		t.output = count{b.output.n + b.moreOutput, b.output.known || b.moreOutput > 0}
	}
	for _, nested := range []struct{ to, from *count }{
		{&t.cacheRead, &b.nestedRead}, {&t.cacheCreation, &b.nestedCreation}, {&t.reasoning, &b.nestedReason},
	} {
		if !nested.to.known {
			*nested.to = *nested.from
		}
	}
	return t
}
