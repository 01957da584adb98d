// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/revenium/revenium-otel-go/exporter/deadletter"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// A record that the service refused is kept, looked at, and sent again when the
// cause is mended.
func Example() {
	dir, err := os.MkdirTemp("", "deadletter")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	store, err := deadletter.Open(filepath.Join(dir, "letters"))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = store.Append(deadletter.Letter{
		Reason: deadletter.ReasonRejected,
		Record: metering.Frozen{
			Endpoint:      metering.EndpointCompletions,
			TransactionID: "0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
			Body:          []byte(`{"model":"gpt-9"}`),
		},
		StatusCode: http.StatusBadRequest,
		Message:    "model is unknown",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for letter, err := range store.Letters() {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(letter)
	}

	// The model is known by now. In earnest this is the Send of a metering.Client.
	send := func(context.Context, deadletter.Letter) metering.Result {
		return metering.Result{Outcome: metering.Delivered, StatusCode: http.StatusCreated}
	}
	report, err := store.Replay(context.Background(), send, deadletter.ReplayOptions{})
	fmt.Println(report.Delivered, "delivered", err)
	// Output:
	// 314c05ad602e4eea rejected: /meter/v2/ai/completions 0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7 (17 bytes): 400: model is unknown
	// 1 delivered <nil>
}
