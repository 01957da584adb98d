// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// TestRun runs the program without arguments; it checks the records that Revenium
// got.
func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out, nil); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"ask: ", "translate: ", "Globex            cli          translate"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
}

func TestArguments(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out, []string{"ask", "Why?"}); err != nil || !strings.HasPrefix(out.String(), "ask: ") {
		t.Errorf("error %v, output %q", err, &out)
	}
	err := run(t.Context(), &out, []string{"ask", "--organization", strings.Repeat("x", 2000), "Why?"})
	if err == nil || !strings.Contains(err.Error(), "organizationName") {
		t.Errorf("an organization that is too long: error %v", err)
	}
	if err := run(t.Context(), &out, []string{"nonsense"}); err == nil {
		t.Error("an unknown command is run")
	}
}
