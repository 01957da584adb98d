// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel"
	"go.uber.org/goleak"

	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/wrap"
	"github.com/revenium/revenium-otel-go/semconv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// carried is a function's value: what a call in it would carry.
type carried = instrument.Metadata

var errBody = errors.New("the function's own error")

// body is the inside of wrapped functions; it gives back what it carries, and the
// arguments, so that a test sees that they arrive.
func body(ctx context.Context, args ...string) (carried, error) {
	m := instrument.FromContext(ctx)
	m.TraceName = strings.Join(args, ",")
	return m, errBody
}

// handled collects what goes to OpenTelemetry's error handler.
func handled(t *testing.T) *[]error {
	t.Helper()
	var errs []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { errs = append(errs, err) }))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return &errs
}

type service struct{ name string }

func (s *service) zero(ctx context.Context) (carried, error)          { return body(ctx, s.name) }
func (s *service) one(ctx context.Context, a string) (carried, error) { return body(ctx, s.name, a) }

func (s *service) two(ctx context.Context, a, b string) (carried, error) {
	return body(ctx, s.name, a, b)
}

// result keeps what functions that return an error alone have seen.
type result struct{ carried }

func (r *result) zero(ctx context.Context) error                  { return r.keep(ctx) }
func (r *result) one(ctx context.Context, a string) error         { return r.keep(ctx, a) }
func (r *result) two(ctx context.Context, a, b string) error      { return r.keep(ctx, a, b) }
func (r *result) three(ctx context.Context, a, b, c string) error { return r.keep(ctx, a, b, c) }

func (r *result) keep(ctx context.Context, args ...string) error {
	var err error
	r.carried, err = body(ctx, args...)
	return err
}

type tenantKey struct{}

// TestShapes wraps functions and methods of every shape, each with something
// fixed, something from the first and something from the last argument.
func TestShapes(t *testing.T) {
	ctx := context.WithValue(t.Context(), tenantKey{}, "ctx")
	fixed := instrument.Metadata{TaskType: "fixed"}
	tenant := wrap.Organization(func(ctx context.Context) string { s, _ := ctx.Value(tenantKey{}).(string); return s })
	type two = wrap.Args2[string, string]
	type three = wrap.Args3[string, string, string]
	s := &service{name: "svc"}
	kept := func(call func(*result) error) (carried, error) {
		var r result
		err := call(&r)
		return r.carried, err
	}
	for _, tt := range []struct {
		name string
		call func() (carried, error)
		want string // arguments that arrived; organization is the first and product the last
	}{
		{"Func0", func() (carried, error) {
			return wrap.Func0(func(ctx context.Context) (carried, error) { return body(ctx, "ctx") }, fixed, tenant, wrap.Product(func(context.Context) string { return "ctx" }))(ctx)
		}, "ctx"},
		{"Func1", func() (carried, error) {
			return wrap.Func1(func(ctx context.Context, a string) (carried, error) { return body(ctx, a) }, fixed,
				wrap.Organization(func(a string) string { return a }), wrap.Product(func(a string) string { return a }))(ctx, "a")
		}, "a"},
		{"Func2", func() (carried, error) {
			return wrap.Func2(func(ctx context.Context, a, b string) (carried, error) { return body(ctx, a, b) }, fixed,
				wrap.Organization(func(args two) string { return args.First }), wrap.Product(func(args two) string { return args.Second }))(ctx, "a", "b")
		}, "a,b"},
		{"Func3", func() (carried, error) {
			return wrap.Func3(func(ctx context.Context, a, b, c string) (carried, error) { return body(ctx, a, b, c) }, fixed,
				wrap.Organization(func(args three) string { return args.First }), wrap.Product(func(args three) string { return args.Third }))(ctx, "a", "b", "c")
		}, "a,b,c"},
		{"Method0", func() (carried, error) {
			return wrap.Method0((*service).zero, fixed,
				wrap.Organization(func(s *service) string { return s.name }), wrap.Product(func(s *service) string { return s.name }))(s, ctx)
		}, "svc"},
		{"Method1", func() (carried, error) {
			return wrap.Method1((*service).one, fixed,
				wrap.Organization(func(args wrap.Args2[*service, string]) string { return args.First.name }),
				wrap.Product(func(args wrap.Args2[*service, string]) string { return args.Second }))(s, ctx, "a")
		}, "svc,a"},
		{"Method2", func() (carried, error) {
			return wrap.Method2((*service).two, fixed,
				wrap.Organization(func(args wrap.Args3[*service, string, string]) string { return args.First.name }),
				wrap.Product(func(args wrap.Args3[*service, string, string]) string { return args.Third }))(s, ctx, "a", "b")
		}, "svc,a,b"},
		{"method value", func() (carried, error) {
			return wrap.Func1(s.one, fixed, wrap.Organization(func(string) string { return s.name }), wrap.Product(func(a string) string { return a }))(ctx, "a")
		}, "svc,a"},
		{"Err0", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.Err0(func(ctx context.Context) error { return r.keep(ctx, "ctx") }, fixed, tenant, wrap.Product(func(context.Context) string { return "ctx" }))(ctx)
			})
		}, "ctx"},
		{"Err1", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.Err1(r.one, fixed, wrap.Organization(func(a string) string { return a }), wrap.Product(func(a string) string { return a }))(ctx, "a")
			})
		}, "a"},
		{"Err2", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.Err2(r.two, fixed, wrap.Organization(func(args two) string { return args.First }), wrap.Product(func(args two) string { return args.Second }))(ctx, "a", "b")
			})
		}, "a,b"},
		{"Err3", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.Err3(r.three, fixed, wrap.Organization(func(args three) string { return args.First }), wrap.Product(func(args three) string { return args.Third }))(ctx, "a", "b", "c")
			})
		}, "a,b,c"},
		{"MethodErr0", func() (carried, error) {
			return kept(func(r *result) error {
				r.TraceName = "r"
				return wrap.MethodErr0((*result).zero, fixed, wrap.Organization(func(r *result) string { return r.TraceName }), wrap.Product(func(*result) string { return "" }))(r, ctx)
			})
		}, ""},
		{"MethodErr1", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.MethodErr1((*result).one, fixed,
					wrap.Organization(func(args wrap.Args2[*result, string]) string { return args.Second }),
					wrap.Product(func(args wrap.Args2[*result, string]) string { return args.Second }))(r, ctx, "a")
			})
		}, "a"},
		{"MethodErr2", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.MethodErr2((*result).two, fixed,
					wrap.Organization(func(args wrap.Args3[*result, string, string]) string { return args.Second }),
					wrap.Product(func(args wrap.Args3[*result, string, string]) string { return args.Third }))(r, ctx, "a", "b")
			})
		}, "a,b"},
		{"Middleware", func() (carried, error) {
			return kept(func(r *result) error {
				return wrap.Middleware(fixed, tenant, wrap.Product(func(context.Context) string { return "ctx" }))(func(ctx context.Context) error { return r.keep(ctx, "ctx") })(ctx)
			})
		}, "ctx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.call()
			if !errors.Is(err, errBody) {
				t.Errorf("error %v, want that of the function", err)
			}
			args := strings.Split(tt.want, ",")
			want := carried{TaskType: "fixed", TraceName: tt.want, Organization: args[0], Product: args[len(args)-1]}
			if tt.name == "MethodErr0" {
				want.Organization = "r"
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("carried (-want +got):\n%s", diff)
			}
		})
	}
}

type job struct {
	Agent, Tenant, Product, Plan, Task, Batch string
	User                                      instrument.Subscriber
	Score                                     *float64
	Job                                       instrument.Job
	Ticket                                    string `revenium:"ticket_id"`
}

// TestSources has one source of each kind.
func TestSources(t *testing.T) {
	run := wrap.Func1(func(ctx context.Context, _ job) (carried, error) { return instrument.FromContext(ctx), nil },
		instrument.Metadata{Agent: "fixed", Region: "fixed"},
		wrap.Agent(func(j job) string { return j.Agent }),
		wrap.Task(func(j job) string { return j.Task }),
		wrap.Trace(func(j job) string { return j.Batch }),
		wrap.Organization(func(j job) string { return j.Tenant }),
		wrap.Subscription(func(j job) string { return j.Plan }),
		wrap.Product(func(j job) string { return j.Product }),
		wrap.Subscriber(func(j job) instrument.Subscriber { return j.User }),
		wrap.Quality(func(j job) *float64 { return j.Score }),
		wrap.Job(func(j job) instrument.Job { return j.Job }),
		wrap.Metadata(func(j job) (instrument.Metadata, error) { return instrument.FromStruct(j) }),
		wrap.Source[job]{},
	)
	got, err := run(t.Context(), job{
		Agent: "planner", Task: "research", Batch: "b-1", Tenant: "Acme", Plan: "gold", Product: "p", Ticket: "T-1", Score: new(0.5),
		User: instrument.Subscriber{ID: "u-1"}, Job: instrument.Job{ID: "j-1", Name: "Invoices"},
	})
	want := carried{
		Agent: "planner", TaskType: "research", TraceID: "b-1", Organization: "Acme", Subscription: "gold", Product: "p", TicketID: "T-1",
		QualityScore: new(0.5), Region: "fixed", Subscriber: instrument.Subscriber{ID: "u-1"}, Job: instrument.Job{ID: "j-1", Name: "Invoices"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, carried (-want +got):\n%s", err, diff)
	}
	// What is empty stays as it is.
	got, err = run(t.Context(), job{})
	if diff := cmp.Diff(carried{Agent: "fixed", Region: "fixed"}, got); err != nil || diff != "" {
		t.Errorf("error %v, carried (-want +got):\n%s", err, diff)
	}
}

// TestPrecedence stacks wrapped functions and contexts.
func TestPrecedence(t *testing.T) {
	inner := wrap.Func0(func(ctx context.Context) (carried, error) {
		// A context inside a wrapped function still yields to it.
		ctx = instrument.WithMetadata(ctx, instrument.Metadata{Agent: "inside", Organization: "inside", TicketID: "inside", Subscriber: instrument.Subscriber{Email: "inside"}})
		return instrument.FromContext(ctx), nil
	}, instrument.Metadata{Agent: "inner", Subscriber: instrument.Subscriber{CredentialName: "inner"}})
	outer := wrap.Func0(inner, instrument.Metadata{Agent: "outer", Product: "outer", Subscriber: instrument.Subscriber{ID: "outer", CredentialName: "outer"}})
	ctx := instrument.WithMetadata(t.Context(), instrument.Metadata{Agent: "context", Product: "context", Region: "context", Organization: "context"})
	ctx = instrument.WithHeaderMetadata(ctx, instrument.Metadata{Agent: "header", Environment: "header"})
	got, err := outer(ctx)
	want := carried{
		Agent: "inner", Product: "outer", Organization: "inside", TicketID: "inside", Region: "context", Environment: "header",
		Subscriber: instrument.Subscriber{ID: "outer", Email: "inside", CredentialName: "inner"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, carried (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff(carried{Agent: "context", Product: "context", Region: "context", Organization: "context", Environment: "header"}, instrument.FromContext(ctx)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
	// Taken away, it is gone whoever set it.
	gone, err := wrap.Func0(func(ctx context.Context) (carried, error) {
		return instrument.FromContext(instrument.WithoutMetadata(ctx, semconv.ReveniumAgentNameKey)), nil
	}, instrument.Metadata{Agent: "outer"})(ctx)
	if err != nil || gone.Agent != "" || gone.Product != "context" {
		t.Errorf("without the agent: %v, %v", gone, err)
	}
}

func TestRequired(t *testing.T) {
	called := 0
	count := func(ctx context.Context, _ job) (int, error) { called++; return called, ctx.Err() }
	run := wrap.Func1(count, instrument.Metadata{Agent: "fixed"}, wrap.Organization(func(j job) string { return j.Tenant }).Required())
	runErr := wrap.Err1(func(ctx context.Context, j job) error { _, err := count(ctx, j); return err }, instrument.Metadata{},
		wrap.Quality(func(j job) *float64 { return j.Score }).Required())
	if n, err := run(t.Context(), job{Tenant: "Acme"}); err != nil || n != 1 {
		t.Errorf("with a value: %d, %v", n, err)
	}
	for name, err := range map[string]error{
		"organization":  func() error { _, err := run(t.Context(), job{Tenant: " "}); return err }(),
		"quality score": runErr(t.Context(), job{}),
	} {
		missing, ok := errors.AsType[*wrap.MissingError](err)
		if !ok || missing.Name != name || !strings.Contains(err.Error(), "no "+name+" in the arguments") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if called != 1 {
		t.Errorf("called %d times, want 1", called)
	}
}

// TestBadSelectors: whatever selectors do, the function is called.
func TestBadSelectors(t *testing.T) {
	errs := handled(t)
	run := wrap.Func1(func(ctx context.Context, _ *job) (carried, error) { return instrument.FromContext(ctx), nil },
		instrument.Metadata{Agent: "fixed"},
		wrap.Organization(func(j *job) string { return j.Tenant }), // of nil
		wrap.Product(func(*job) string { panic(errors.New("at the disco")) }).Required(),
		wrap.Metadata(func(*job) (instrument.Metadata, error) {
			return instrument.FromMap(map[string]any{"task_type": "research", "agnet": "x"})
		}).Required(),
		wrap.Metadata(func(*job) (instrument.Metadata, error) { return instrument.Metadata{}, errBody }).Required(),
	)
	got, err := run(t.Context(), nil)
	if diff := cmp.Diff(carried{Agent: "fixed", TaskType: "research"}, got); err != nil || diff != "" {
		t.Errorf("error %v, carried (-want +got):\n%s", err, diff)
	}
	var texts []string
	for _, err := range *errs {
		texts = append(texts, err.Error())
	}
	for i, want := range []string{
		"wrap: the selector of the organization panicked: runtime error: invalid memory address",
		"wrap: the selector of the product panicked: at the disco",
		"agnet is no field of metadata",
		"wrap: the selector of the metadata failed: " + errBody.Error(),
	} {
		if len(texts) != 4 || !strings.Contains(texts[i], want) {
			t.Fatalf("reported %q, want %d to say %q", texts, i, want)
		}
	}
}

// TestPanics: a panic of the function itself is its caller's.
func TestPanics(t *testing.T) {
	errs := handled(t)
	defer func() {
		if p := recover(); p != "mine" || len(*errs) != 0 {
			t.Errorf("recovered %v, reported %v", p, *errs)
		}
	}()
	_ = wrap.Err0(func(context.Context) error { panic("mine") }, instrument.Metadata{Agent: "a"})(t.Context())
}

func TestFixedIsChecked(t *testing.T) {
	errs := handled(t)
	_ = wrap.Err0(func(context.Context) error { return nil }, instrument.Metadata{QualityScore: new(2.0)})
	if len(*errs) != 1 || !strings.Contains((*errs)[0].Error(), "responseQualityScore 2 is out of range") {
		t.Errorf("reported %v", *errs)
	}
}

func TestContext(t *testing.T) {
	// A function of a shape of its own.
	stream := func(ctx context.Context, j job, more ...int) (<-chan carried, int) {
		ctx, err := wrap.Context(ctx, j, instrument.Metadata{Agent: "fixed"}, wrap.Organization(func(j job) string { return j.Tenant }))
		if err != nil {
			return nil, 0
		}
		out := make(chan carried, 1)
		out <- instrument.FromContext(ctx)
		return out, len(more)
	}
	out, n := stream(t.Context(), job{Tenant: "Acme"}, 1, 2)
	if got := <-out; got.Agent != "fixed" || got.Organization != "Acme" || n != 2 {
		t.Errorf("carried %v", got)
	}
}
