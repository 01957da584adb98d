// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import "strconv"

// count is a number of tokens that may not have been reported. Absent and 0 are
// kept apart all the way: 0 is a claim.
type count struct {
	n  int64
	ok bool
}

// maxCount is beyond what any call can consume; a larger number is an error of
// the server, and no number is better than a wrong one.
const maxCount = 1 << 40

// newCount reads a count loosely: a whole number, also as a float (12.0) or in a
// string. Anything else, null and negative numbers are no count.
func newCount(v value) count {
	if v.long || len(v.raw) == 0 || v.kind != numberValue && v.kind != stringValue {
		return count{}
	}
	var n int64
	for i, c := range v.raw {
		if c < '0' || c > '9' || i > 15 {
			return floatCount(v)
		}
		n = n*10 + int64(c-'0')
	}
	return count{n: n, ok: n <= maxCount}
}

func floatCount(v value) count {
	if v.kind == stringValue {
		return count{}
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil || f < 0 || f > maxCount || f != float64(int64(f)) {
		return count{}
	}
	return count{n: int64(f), ok: true}
}

// larger returns the larger of two counts of the same thing.
func (c count) larger(d count) count {
	if !c.ok || d.ok && d.n > c.n {
		return d
	}
	return c
}

func (c count) positive() bool { return c.ok && c.n > 0 }

// pointer returns the count as instrument.Usage has it.
func (c count) pointer() *int64 {
	if !c.ok {
		return nil
	}
	n := c.n
	return &n
}

func counted(n int64) count { return count{n: n, ok: true} }
