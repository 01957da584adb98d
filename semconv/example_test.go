// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package semconv_test

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/semconv"
)

// The attributes of a chat call that is made for a customer.
func Example() {
	attrs := attribute.NewSet(
		semconv.GenAIOperationNameChat,
		semconv.GenAIProviderNameOpenAI,
		semconv.GenAIRequestModel("gpt-4o"),
		semconv.GenAIUsageInputTokens(100),
		semconv.GenAIUsageOutputTokens(180),
		semconv.ReveniumOrganizationName("acme"),
		semconv.ReveniumTaskType("research"),
	)
	for _, kv := range attrs.ToSlice() {
		fmt.Printf("%s = %s\n", kv.Key, kv.Value.String())
	}
	// Output:
	// gen_ai.operation.name = chat
	// gen_ai.provider.name = openai
	// gen_ai.request.model = gpt-4o
	// gen_ai.usage.input_tokens = 100
	// gen_ai.usage.output_tokens = 180
	// revenium.organization.name = acme
	// revenium.task.type = research
}

// All names under which the deployment environment may be given.
func ExampleFieldByName() {
	field, ok := semconv.FieldByName("environment")
	if !ok {
		fmt.Println("no such field")
		return
	}
	fmt.Println(field.Key)
	fmt.Println(field.Aliases)
	fmt.Println(field.Headers)
	fmt.Println(field.Env)
	// Output:
	// deployment.environment.name
	// [revenium.environment deployment.environment]
	// [x-revenium-environment]
	// [REVENIUM_ENVIRONMENT ENVIRONMENT DEPLOYMENT_ENV]
}
