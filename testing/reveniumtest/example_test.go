// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const record = `{"model":"gpt-4o","provider":"OpenAI","inputTokenCount":12,"outputTokenCount":5,"totalTokenCount":17,` +
	`"requestTime":"2026-11-24T10:00:00.000Z","completionStartTime":"2026-11-24T10:00:00.250Z",` +
	`"responseTime":"2026-11-24T10:00:01.500Z","requestDuration":1500,"timeToFirstToken":250,"stopReason":"END",` +
	`"transactionId":"0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331","isStreamed":true,"costType":"AI",` +
	`"operationType":"CHAT","organizationName":"Tulip Trading"}`

// send posts a record; a program that meters does it through the exporter.
func send(srv *reveniumtest.Server, body string) (string, error) {
	req, err := http.NewRequest(http.MethodPost, srv.URL()+reveniumtest.PathCompletions, strings.NewReader(body)) //nolint:noctx // an example
	if err != nil {
		return "", err
	}
	req.GetBody = nil // else net/http itself tries again where a connection breaks
	req.Header.Set("X-Api-Key", "rev_mk_test_1234")
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", "key-of-these-bytes")
	resp, err := srv.Client().Do(req)
	if err != nil {
		return "", err
	}
	return resp.Status, resp.Body.Close()
}

// A test uses reveniumtest.Start(t) instead of NewServer and Close.
func Example() {
	srv, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()

	status, err := send(srv, record)
	fmt.Println(status, err)

	for _, rec := range srv.Completions() {
		input, _ := rec.Int("inputTokenCount")
		_, cached := rec.Int("cacheReadTokenCount")
		fmt.Println(rec.Text("model"), rec.Text("organizationName"), input, cached)
	}
	if err := reveniumtest.WriteTable(os.Stdout, srv.Records()); err != nil {
		fmt.Println(err)
	}
	fmt.Println("violations:", srv.Violations())

	// Output:
	// 201 Created <nil>
	// gpt-4o Tulip Trading 12 false
	// TIME          MODEL   PROVIDER  OPERATION  INPUT  OUTPUT  CACHED  REASONING  DURATION   TTFT  STOP  ORGANIZATION
	// 10:00:00.000  gpt-4o  OpenAI    CHAT          12       5       -          -      1.5s  250ms  END   Tulip Trading
	// violations: []
}

// What the service would swallow without a word is a violation.
func ExampleServer_Violations() {
	srv, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()

	status, err := send(srv, strings.Replace(record, "organizationName", "organizationId", 1))
	fmt.Println(status, err)
	for _, v := range srv.Violations() {
		fmt.Println(v.Field, "-", v.Rule, "-", v.Detail)
	}

	// Output:
	// 201 Created <nil>
	// organizationId - dead-name - send organizationName
}

// Two bad answers, and then a record that is stored but never acknowledged: the client finds out when it tries
// again.
func ExampleServer_AddFault() {
	srv, err := reveniumtest.NewServer()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Close()

	srv.ScriptStatus(
		reveniumtest.Answer{Status: http.StatusServiceUnavailable},
		reveniumtest.Answer{Status: http.StatusTooManyRequests, RetryAfter: 2 * time.Second},
	)
	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultDropAfterStore, Times: 1})
	for range 4 {
		if status, err := send(srv, record); err == nil {
			fmt.Println("answer:", status)
		}
	}
	st := srv.Stats()
	fmt.Println(st.Stored, "stored,", st.Replayed, "replayed")
	first := srv.Requests()[0]
	fmt.Println(first.Outcome, first.Status, first.Attempt)

	// Output:
	// answer: 503 Service Unavailable
	// answer: 429 Too Many Requests
	// answer: 201 Created
	// 1 stored, 1 replayed
	// fault 503 1
}
