// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metertest_test

import (
	"encoding/json"
	"fmt"

	"github.com/revenium/revenium-otel-go/testing/metertest"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// What is the same in every run is left of a record.
func ExampleFactsOf() {
	record := reveniumtest.Record{Fields: map[string]any{
		"model": "gpt-4o", "inputTokenCount": json.Number("12"), "requestDuration": json.Number("1500"),
		"transactionId": "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
	}}
	facts := metertest.FactsOf(record)
	fmt.Println(facts)
	fmt.Println(facts.With("model", "gpt-4o-mini", "inputTokenCount", ""))
	// Output:
	// map[inputTokenCount:12 model:gpt-4o]
	// map[model:gpt-4o-mini]
}
