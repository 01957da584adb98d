// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAPIKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	read := APIKeyFile(path)
	if _, err := read(t.Context()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("missing file: %v", err)
	}
	write := func(content string, changed time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if got, err := read(t.Context()); got != want || err != nil {
			t.Errorf("key %q, %v, want %q", got, err, want)
		}
	}
	now := time.Now().Truncate(time.Second)
	write("rev_mk_test_one\n", now)
	expect("rev_mk_test_one\n")
	write("rev_mk_test_two\n", now.Add(time.Second))
	expect("rev_mk_test_two\n")
	// Neither time nor size have changed: the file is not read.
	write("rev_mk_test_tre\n", now.Add(time.Second))
	expect("rev_mk_test_two\n")
	write("rev_mk_test_three\n", now.Add(time.Second))
	expect("rev_mk_test_three\n")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got, err := read(t.Context()); err == nil {
		t.Errorf("key %q of a file that is gone", got)
	}
}

// A key file sends what is in it, and nothing of what is wrong is quoted.
func TestCheckAPIKey(t *testing.T) {
	for key, want := range map[string]error{
		"rev_mk_test_1\n": nil,
		"":                ErrNoAPIKey,
		"sk-secret":       ErrAPIKeyKind,
	} {
		err := CheckAPIKey(key)
		if !errors.Is(err, want) || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("CheckAPIKey(%q) = %v, want %v", key, err, want)
		}
	}
}
