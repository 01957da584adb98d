// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestKeyFile checks that a key that the service no longer takes is exchanged
// while the exporter runs, and nothing is lost.
func TestKeyFile(t *testing.T) {
	const oldKey, newKey = "rev_mk_test_old", "rev_mk_test_new"
	srv := reveniumtest.Start(t, reveniumtest.WithAPIKeys(newKey))
	file := filepath.Join(t.TempDir(), "key")
	write := func(key string) {
		if err := os.WriteFile(file, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(oldKey)
	m := start(t, srv, newHost(), func(cfg *Config) { cfg.APIKey, cfg.APIKeyFile = "", file })
	m.consume(t, calls(0, 20))
	eventually(t, "parking", func() bool { return m.sum(t, "records_pending", attrState.String("parked")) == 20 })
	write(newKey)
	waitFor(t, srv, 20)
	checkExactly(t, srv, transactionIDs(0, 20))
}

// TestKeyFileAtStart checks that a file without a usable key shows at the start.
func TestKeyFileAtStart(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("sk-0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{filepath.Join(dir, "none"): "none", wrong: "wrong kind of API key"} {
		_, err := apiKey{file: file}.newClient(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "api_key_file") || strings.Contains(err.Error(), "0123456789") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
