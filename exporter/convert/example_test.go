// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"fmt"

	"github.com/revenium/revenium-otel-go/exporter/convert"
	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// A converter is shown every finished span and says which of them are billed.
func Example() {
	converter, err := convert.New(convert.WithDefault("organizationName", "Acme", convert.OriginDefault))
	if err != nil {
		fmt.Println(err)
		return
	}
	agent := chat("gen_ai.operation.name", "invoke_agent", "gen_ai.agent.name", "triage")
	agent.id = [8]byte{1}
	call := chat()
	call.parent = agent.id
	for _, span := range []*span{call, agent, httpSpan()} {
		for _, d := range converter.Convert(nil, span) {
			fmt.Println(d.Kind, "-", d.Reason)
			if record, ok := d.Record.(*metering.Completion); ok {
				fmt.Println(record.OrganizationName, record.Provider, record.Model, record.InputTokenCount, record.OutputTokenCount)
			}
		}
	}
	// Output:
	// billed - usage
	// Acme OpenAI gpt-4o-2024-08-06 100 20
	// suppressed - covered by calls
}
