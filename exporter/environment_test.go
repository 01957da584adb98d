// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/revenium/revenium-otel-go/exporter"
	"github.com/revenium/revenium-otel-go/semconv"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestEnvironment: variables give what options do not.
func TestEnvironment(t *testing.T) {
	for name, test := range map[string]struct {
		env  map[string]string
		opts []exporter.Option
		want map[string]string
	}{
		"variables": {
			env: map[string]string{
				"REVENIUM_ORGANIZATION_NAME": "acme", "REVENIUM_PRODUCT_NAME": "search", "REVENIUM_ENVIRONMENT": "staging",
				"REVENIUM_REGION": "eu-1", "REVENIUM_SUBSCRIBER_EMAIL": "a@example.com", "REVENIUM_AGENT_NAME": "helper",
				"REVENIUM_AGENTIC_JOB_ID": "job-7",
			},
			want: map[string]string{
				"organizationName": "acme", "productName": "search", "environment": "staging", "region": "eu-1",
				"subscriber.email": "a@example.com", "agent": "helper", "agenticJobId": "job-7",
			},
		},
		"second names": {
			env: map[string]string{
				"REVENIUM_ORGANIZATION_ID": "old name", "REVENIUM_PRODUCT_ID": "old product", "ENVIRONMENT": "qa", "DEPLOYMENT_ENV": "ignored",
				"AWS_DEFAULT_REGION": "us-1", "GCP_REGION": "ignored", "REVENIUM_REGION": " ",
			},
			want: map[string]string{"organizationName": "old name", "productName": "old product", "environment": "qa", "region": "us-1"},
		},
		"options outrank": {
			env: map[string]string{"REVENIUM_ORGANIZATION_NAME": "acme", "REVENIUM_ENVIRONMENT": "staging", "AWS_REGION": "us-1"},
			opts: []exporter.Option{
				exporter.WithOrganization("umbrella"), exporter.WithEnvironment("production"), exporter.WithRegion("eu-1"),
				exporter.WithProduct("search"), exporter.WithDefault("subscriber.id", "42"),
			},
			want: map[string]string{
				"organizationName": "umbrella", "environment": "production", "region": "eu-1", "productName": "search", "subscriber.id": "42",
			},
		},
		"the last option of a field counts": {
			opts: []exporter.Option{exporter.WithOrganization("first"), exporter.WithOrganization("second")},
			want: map[string]string{"organizationName": "second"},
		},
		"what belongs to one call is not read": {
			env:  map[string]string{"REVENIUM_RETRY_NUMBER": "3", "REVENIUM_PARENT_TRANSACTION_ID": "p"},
			want: map[string]string{"retryNumber": "", "parentTransactionId": ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			t.Setenv("REVENIUM_METERING_API_KEY", testKey)
			t.Setenv("REVENIUM_METERING_BASE_URL", srv.URL()+"/meter/v2/")
			record := recordOfACall(t, srv, append(test.opts, exporter.WithLogger(slog.New(slog.DiscardHandler)))...)
			for field, want := range test.want {
				if got := record.Text(field); got != want {
					t.Errorf("%s = %q, want %q", field, got, want)
				}
			}
		})
	}
}

// TestEveryVariable sets each variable of a field, as docs/attributes.md lists them:
// first the last of a field's names alone, then all of them, of which the first counts.
func TestEveryVariable(t *testing.T) {
	for name, first := range map[string]bool{"last name": false, "all names": true} {
		t.Run(name, func(t *testing.T) {
			srv := reveniumtest.Start(t)
			clearEnv(t)
			want := make(map[string]string)
			for _, field := range semconv.Fields() {
				if len(field.Env) == 0 || !field.ResourceLevel || field.Record != semconv.RecordCall {
					continue
				}
				for i, variable := range field.Env {
					if value := variableValue(field.Name, i); first || i == len(field.Env)-1 {
						t.Setenv(variable, value)
						if i == 0 || !first {
							want[field.Name] = value
						}
					}
				}
			}
			if len(want) < 20 {
				t.Fatalf("only the fields %v have variables", want)
			}
			record := recordOfACall(t, srv, exporter.WithAPIKey(testKey), exporter.WithBaseURL(srv.URL()),
				exporter.WithLogger(slog.New(slog.DiscardHandler)))
			for field, value := range want {
				if got := record.Text(field); got != value {
					t.Errorf("%s = %q, want %q", field, got, value)
				}
			}
		})
	}
}

// variableValue is a value that the API takes for a field, another one for each of
// the field's variables.
func variableValue(field string, i int) string {
	switch field {
	case "skillKind":
		return "workflow"
	case "skillSource":
		return "bundled"
	default:
		return strings.ToLower(strings.ReplaceAll(field, ".", "-")) + strings.Repeat("x", i)
	}
}

// recordOfACall makes the span of a call, with a processor that has the environment as
// it is, and returns the record.
func recordOfACall(t *testing.T, srv *reveniumtest.Server, opts ...exporter.Option) reveniumtest.Record {
	t.Helper()
	p, err := exporter.NewProcessor(opts...)
	if err != nil {
		t.Fatal(err)
	}
	chat(t.Context(), newTracer(t, p))
	if err := p.Shutdown(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	records := srv.Completions()
	if len(records) != 1 {
		t.Fatalf("%d records, want 1", len(records))
	}
	return records[0]
}
