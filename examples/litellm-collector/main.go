// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command litellm-collector meters a LiteLLM proxy without a plugin: LiteLLM's own
// callback "otel" points at a Collector with the revenium exporter, and what
// clients say in x-revenium-* headers decides who pays.
//
//	go run ./examples/litellm-collector
//
// It replays spans.json, spans in the form in which LiteLLM writes them, through a
// Collector in this process that has collector.yaml, to an in-process Revenium.
// README.md says how to do it with a real proxy.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/revenium/revenium-otel-go/testing/collectortest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

//go:embed spans.json
var spans []byte

//go:embed collector.yaml
var config string

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// records is how many the spans become: four calls and a failed one.
const records = 5

func run(ctx context.Context, out io.Writer) error {
	got, err := replay(ctx)
	if err != nil {
		return err
	}
	return reveniumtest.WriteTable(out, got)
}

// replay sends the spans through a Collector and returns the records that Revenium
// gets.
func replay(ctx context.Context) (got []reveniumtest.Record, err error) {
	srv, err := reveniumtest.NewServer()
	if err != nil {
		return nil, err
	}
	defer srv.Close()
	// The settings of the file, but for what would leave this process.
	collector, err := collectortest.New(ctx, config, fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
exporters: {revenium: {api_key: rev_mk_test_example, http: {endpoint: %q}, selection: {settle_window: 1s}}}
service: {telemetry: {logs: {level: error}, metrics: {level: none}}}
`, srv.URL()))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, collector.Stop(context.WithoutCancel(ctx))) }()

	if err := send(ctx, collector.HTTP("otlp")); err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := srv.Wait(waiting, records); err != nil {
		return nil, err
	}
	return srv.Records(), nil
}

// send exports the spans as LiteLLM does.
func send(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/v1/traces", bytes.NewReader(spans))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{}
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("the Collector answered %s", resp.Status)
	}
	return err
}
