// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"context"
	"fmt"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
)

type question struct {
	Tenant string
	Text   string
}

// analyst stands for code that calls a model with its context.
type analyst struct{ Name string }

func (a analyst) Answer(ctx context.Context, q question) (string, error) {
	return fmt.Sprintf("%s %v", q.Text, instrument.FromContext(ctx)), nil
}

// A method is wrapped with a fixed task, the agent from its receiver and the
// organization from its argument.
func Example() {
	type args = wrap.Args2[analyst, question]
	answer := wrap.Method1(analyst.Answer,
		instrument.Metadata{TaskType: "research"},
		wrap.Agent(func(a args) string { return a.First.Name }),
		wrap.Organization(func(a args) string { return a.Second.Tenant }).Required(),
	)
	ctx := context.Background()
	fmt.Println(answer(analyst{Name: "Lead Analyst"}, ctx, question{Tenant: "Northwind", Text: "Why?"}))
	fmt.Println(answer(analyst{Name: "Lead Analyst"}, ctx, question{Text: "Why?"}))
	// Output:
	// Why? {organizationName:"Northwind" agent:"Lead Analyst" taskType:"research"} <nil>
	//  wrap: no organization in the arguments, and it is required: the function was not called
}

// Wrapped functions stack: the inner goes before the outer.
func ExampleFunc1() {
	answer := func(ctx context.Context, _ question) (string, error) {
		return instrument.FromContext(ctx).String(), nil
	}
	inner := wrap.Func1(answer, instrument.Metadata{Agent: "Writer"})
	outer := wrap.Func1(inner, instrument.Metadata{Agent: "Editor", TaskType: "report"},
		wrap.Organization(func(q question) string { return q.Tenant }))
	fmt.Println(outer(context.Background(), question{Tenant: "Northwind"}))
	// Output:
	// {organizationName:"Northwind" agent:"Writer" taskType:"report"} <nil>
}

// In a chain of functions, the sources see the context.
func ExampleMiddleware() {
	type tenantKey struct{}
	attribution := wrap.Middleware(instrument.Metadata{Product: "nightly report"},
		wrap.Organization(func(ctx context.Context) string { s, _ := ctx.Value(tenantKey{}).(string); return s }))
	job := attribution(func(ctx context.Context) error {
		fmt.Println(instrument.FromContext(ctx))
		return nil
	})
	fmt.Println(job(context.WithValue(context.Background(), tenantKey{}, "Northwind")))
	// Output:
	// {organizationName:"Northwind" productName:"nightly report"}
	// <nil>
}
