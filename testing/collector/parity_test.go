// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestParityWithPreview checks that the records of the Collector are byte for byte
// those that revenium-otel preview shows for the same spans.
func TestParityWithPreview(t *testing.T) {
	own, err := filepath.Glob(root(t, "cmd", "revenium-otel", "internal", "preview", "testdata", "*day.json*"))
	if err != nil || len(own) == 0 {
		t.Fatalf("no files: %v", err)
	}
	examples, err := filepath.Glob(root(t, "examples", "*", "spans*.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Run("own", func(t *testing.T) { checkParity(t, append(own, examples...)) })
	t.Run("shared", func(t *testing.T) {
		dir := root(t, "..", "shared", "spans")
		if _, err := os.Stat(dir); err != nil {
			t.Skipf("no recorded spans beside the repository: %v", err)
		}
		checkParity(t, sharedFiles(t, dir))
	})
}

// sharedFiles are the files of the cases in their order of arrival.
func sharedFiles(tb testing.TB, dir string) (files []string) {
	tb.Helper()
	index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range bytes.Lines(index) {
		var c struct{ Files []string }
		if err := json.Unmarshal(line, &c); err != nil {
			tb.Fatal(err)
		}
		for _, f := range c.Files {
			files = append(files, filepath.Join(dir, f))
		}
	}
	return files
}

func checkParity(t *testing.T, files []string) {
	t.Helper()
	shown := preview(t, files)
	srv := reveniumtest.Start(t, reveniumtest.WithoutViolationCheck())
	p := start(t, t.TempDir(), fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters:
  revenium:
    api_key: %s
    http: {endpoint: %q}
    # What waits is decided at the end, as preview does.
    selection: {settle_window: 1h}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp], exporters: [revenium]}}
`, testKey, srv.URL()))
	for _, file := range files {
		for _, request := range requests(t, file) {
			if err := post(t.Context(), p.http["otlp"]+"/v1/traces", "application/json", request); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
	p.stop(t)
	for _, r := range srv.Records() {
		want, ok := shown[r.TransactionID]
		switch {
		case !ok:
			t.Errorf("preview shows no record %s", r.TransactionID)
		case !bytes.Equal(r.Body, want):
			t.Errorf("record %s\n%s\npreview shows\n%s", r.TransactionID, r.Body, want)
		}
		delete(shown, r.TransactionID)
	}
	for id := range shown {
		t.Errorf("record %s is shown by preview alone", id)
	}
	t.Logf("%d records from %d files", len(srv.Records()), len(files))
}

// preview returns the records that revenium-otel preview shows, by transaction id.
func preview(tb testing.TB, files []string) map[string][]byte {
	tb.Helper()
	cmd := exec.Command(binaries.tool, append([]string{"preview"}, files...)...)
	cmd.Env = environment()
	output, err := cmd.Output()
	if err != nil {
		tb.Fatalf("preview: %v", err)
	}
	records := make(map[string][]byte)
	dec := json.NewDecoder(bytes.NewReader(output))
	for {
		var line struct{ Record json.RawMessage }
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		var record struct{ TransactionID string }
		if err := json.Unmarshal(line.Record, &record); err != nil {
			tb.Fatal(err)
		}
		if record.TransactionID != "" {
			records[record.TransactionID] = line.Record
		}
	}
	if len(records) == 0 {
		tb.Fatal("preview shows no record")
	}
	return records
}

// requests are the export requests in a file.
func requests(tb testing.TB, file string) (all [][]byte) {
	tb.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(content))
	for {
		var request json.RawMessage
		err := dec.Decode(&request)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		all = append(all, request)
	}
}
