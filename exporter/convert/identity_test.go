// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import (
	"strings"
	"testing"
	"unsafe"
)

// TestModelMemo shows that a remembered digest is never that of another name.
func TestModelMemo(t *testing.T) {
	names := []string{
		"", "gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "GPT-4O", "gpt-4o-mini-2024-07-18", "",
		strings.Repeat("m", 48), strings.Repeat("m", 49), strings.Repeat("m", 48) + "n", strings.Repeat("m", 48),
		"us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5",
	}
	var memo modelMemo
	for _, name := range names {
		if got, want := memo.of(name), modelDigest(name); got != want {
			t.Errorf("digest of %q is %x, want %x", name, got, want)
		}
	}
}

// TestNodeFillsCacheLines is about what comparing nodes costs.
func TestNodeFillsCacheLines(t *testing.T) {
	var n node
	if unsafe.Sizeof(uintptr(0)) < 8 {
		t.Skip("pointers are shorter here")
	}
	if size := unsafe.Sizeof(n); size != 192 {
		t.Errorf("a node has %d bytes, want three cache lines of 64", size)
	}
	if end := unsafe.Offsetof(n.before) + unsafe.Sizeof(n.before); end != 64 {
		t.Errorf("what rules a node out ends at byte %d, want 64", end)
	}
}
