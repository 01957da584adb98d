// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"fmt"
	"os"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/ledger"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// The exporter writes; whoever compares with an invoice loads and adds up.
func Example() {
	dir, err := os.MkdirTemp("", "ledger")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	writer, err := ledger.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	record, _, err := metering.Freeze(&metering.Completion{
		Call: metering.Call{
			Model: "gpt-4o", Provider: "OpenAI", TransactionID: "0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7",
			RequestTime: metering.Timestamp{Time: time.Now()}, ResponseTime: metering.Timestamp{Time: time.Now()},
			OrganizationName: "Acme",
		},
		InputTokenCount: 120, OutputTokenCount: 30,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	writer.Billed("", record)
	writer.Ended("", record, ledger.Delivered, "", false)
	if err := writer.Close(); err != nil {
		fmt.Println(err)
	}

	book, err := ledger.Load(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	summary := ledger.Summarize(book, ledger.ByOrganization)
	for _, group := range summary.Groups {
		fmt.Println(group.Values[0], group.Total, "tokens")
	}
	fmt.Println(summary.Balance)
	// Output:
	// Acme 150 tokens
	// billed 1 = delivered 1 + duplicate 0 + waiting 0 + dead 0 + lost 0
}
