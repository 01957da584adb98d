// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collectortest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/testing/collectortest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const config = `
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "127.0.0.1:0"}}}
  otlp/second: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  revenium: {api_key: rev_mk_test_1, http: {endpoint: %q}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {traces: {receivers: [otlp, otlp/second], exporters: [revenium]}}
`

const span = `{"resourceSpans":[{"scopeSpans":[{"spans":[{
	"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat gpt-4o","kind":3,
	"startTimeUnixNano":"1795514400000000000","endTimeUnixNano":"1795514401000000000","attributes":[
		{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},
		{"key":"gen_ai.provider.name","value":{"stringValue":"openai"}},
		{"key":"gen_ai.request.model","value":{"stringValue":"gpt-4o"}},
		{"key":"gen_ai.usage.input_tokens","value":{"intValue":"12"}},
		{"key":"gen_ai.usage.output_tokens","value":{"intValue":"3"}}]}]}]}]}`

func TestCollector(t *testing.T) {
	srv := reveniumtest.Start(t)
	c := collectortest.Start(t, fmt.Sprintf(config, srv.URL()))
	if c.GRPC("otlp") == "" || c.GRPC("otlp/second") != "" || c.HTTP("otlp") == c.HTTP("otlp/second") {
		t.Errorf("addresses: %q %q %q %q", c.GRPC("otlp"), c.GRPC("otlp/second"), c.HTTP("otlp"), c.HTTP("otlp/second"))
	}
	resp, err := http.Post("http://"+c.HTTP("otlp/second")+"/v1/traces", "application/json", strings.NewReader(span))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err := srv.Wait(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got, _ := srv.Completions()[0].Int("inputTokenCount"); got != 12 {
		t.Errorf("%d input tokens, want 12", got)
	}
	for range 2 {
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestBadConfig(t *testing.T) {
	c, err := collectortest.New(context.Background(), strings.Replace(fmt.Sprintf(config, "http://127.0.0.1:1"), "rev_mk_test_1", `""`, 1))
	if err == nil || c != nil || !strings.Contains(err.Error(), "no metering key") {
		t.Errorf("got %v, %v; want the Collector's error", c, err)
	}
}
