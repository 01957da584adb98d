// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestScalingPage has the Collector check the configurations on the page.
func TestScalingPage(t *testing.T) {
	page, err := os.ReadFile(root(t, "docs", "scaling.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d configurations on the page, want 2: the pattern of this test does not fit it", len(blocks))
	}
	for i, block := range blocks {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, block[1], 0o600); err != nil {
			t.Fatal(err)
		}
		if output, err := validate(t, []string{withKey}, "--config", file); err != nil {
			t.Errorf("configuration %d: %v\n%s", i+1, err, output)
		}
	}
}
