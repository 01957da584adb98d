// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package collectortest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/revenium/revenium-otel-go/testing/collectortest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// A test uses the functions Start(t) instead of NewServer, New and what ends them.
func Example() {
	ctx := context.Background()
	srv, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()
	c, err := collectortest.New(ctx, fmt.Sprintf(config, srv.URL()))
	if err != nil {
		fmt.Println(err)
		return
	}

	resp, err := http.Post("http://"+c.HTTP("otlp")+"/v1/traces", "application/json", strings.NewReader(span)) //nolint:noctx // an example
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	fmt.Println(c.Stop(ctx)) // delivers what it has
	for _, record := range srv.Completions() {
		fmt.Println(record.Text("model"), record.Text("inputTokenCount"))
	}
	// Output:
	// <nil>
	// gpt-4o 12
}
