// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// A record is frozen once and sent until an attempt has a final outcome.
func Example() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n%s\n", r.Method, r.URL.Path, body)
		w.WriteHeader(http.StatusCreated)
	}))
	defer service.Close()

	start := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	frozen, changes, err := metering.Freeze(&metering.Completion{
		Call: metering.Call{
			Model:            "gpt-4o",
			Provider:         "OpenAI",
			TransactionID:    "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
			RequestTime:      metering.Timestamp{Time: start},
			ResponseTime:     metering.Timestamp{Time: start.Add(1200 * time.Millisecond)},
			RequestDuration:  1200,
			OrganizationName: "ACME",
			TraceType:        "not a valid type",
		},
		InputTokenCount:     1000,
		OutputTokenCount:    50,
		TotalTokenCount:     1050,
		CacheReadTokenCount: new(int64(800)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, change := range changes {
		fmt.Println(change)
	}

	client, err := metering.NewClient("rev_mk_test_example", metering.WithBaseURL(service.URL))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	result := client.Send(context.Background(), frozen)
	fmt.Println(result.Outcome, result.StatusCode)

	// Output:
	// traceType dropped: does not match the pattern of the API
	// POST /meter/v2/ai/completions
	// {"model":"gpt-4o","provider":"OpenAI","transactionId":"4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7","requestTime":"2026-03-14T15:09:26.000Z","responseTime":"2026-03-14T15:09:27.200Z","requestDuration":1200,"costType":"AI","organizationName":"ACME","inputTokenCount":1000,"outputTokenCount":50,"totalTokenCount":1050,"cacheReadTokenCount":800,"completionStartTime":"2026-03-14T15:09:27.200Z","isStreamed":false,"stopReason":"END"}
	// delivered 201
}

func ExampleFreeze_invalid() {
	_, _, err := metering.Freeze(&metering.ToolEvent{ToolID: "get_weather", DurationMs: 12, Success: true})

	if invalid, ok := errors.AsType[*metering.InvalidRecordError](err); ok {
		for _, problem := range invalid.Problems {
			fmt.Println(problem.Field, problem.Reason)
		}
	}
	// Output:
	// transactionId is blank
	// timestamp is missing
}

func ExampleNormalizeBaseURL() {
	for _, raw := range []string{"https://api.revenium.ai/meter/v2/", "api.revenium.ai"} {
		fmt.Println(metering.NormalizeBaseURL(raw))
	}
	// Output:
	// https://api.revenium.ai <nil>
	//  metering: bad base URL: it does not begin with https:// (or http://); write it like https://api.revenium.ai
}

func ExampleClient_String() {
	client, err := metering.NewClient("rev_mk_test_example", metering.WithTimeout(5*time.Second))
	fmt.Println(client, err)
	// Output:
	// metering.Client{BaseURL: https://api.revenium.ai, APIKey: rev_mk_[REDACTED], Timeout: 5s} <nil>
}
