// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package semconv_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

func TestFieldByName(t *testing.T) {
	for _, want := range []semconv.Field{
		{
			Name:          "organizationName",
			Key:           "revenium.organization.name",
			Aliases:       []attribute.Key{"organization.name", "revenium.organization.id", "revenium.organization_name", "revenium.organization"},
			Headers:       []string{"x-revenium-organization-name", "x-revenium-organization-id"},
			Env:           []string{"REVENIUM_ORGANIZATION_NAME", "REVENIUM_ORGANIZATION_ID"},
			RequestLevel:  true,
			ResourceLevel: true,
		},
		{
			Name:         "traceId",
			Key:          "revenium.trace.id",
			OptInAliases: []attribute.Key{"gen_ai.conversation.id", "session.id"},
			Headers:      []string{"x-revenium-trace-id", "x-claude-code-session-id"},
			RequestLevel: true,
		},
		{
			Name:    "retryNumber",
			Key:     "revenium.retry.number",
			Aliases: []attribute.Key{"http.request.resend_count"},
		},
		{
			Name:          "subscriber.credential.value",
			Key:           "revenium.subscriber.credential.value",
			Headers:       []string{"x-revenium-subscriber-credential"},
			RequestLevel:  true,
			ResourceLevel: true,
			Secret:        true,
		},
		{
			Name:          "region",
			Key:           "cloud.region",
			Aliases:       []attribute.Key{"revenium.region"},
			Headers:       []string{"x-revenium-region"},
			Env:           []string{"REVENIUM_REGION", "AWS_REGION", "AWS_DEFAULT_REGION", "AZURE_REGION", "GCP_REGION", "GOOGLE_CLOUD_REGION"},
			RequestLevel:  true,
			ResourceLevel: true,
		},
	} {
		got, ok := semconv.FieldByName(want.Name)
		if !ok {
			t.Errorf("FieldByName(%q) finds nothing", want.Name)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("FieldByName(%q) (-want +got):\n%s", want.Name, diff)
		}
	}
	// Unknown, wrongly spelt, and of a kind of record that is not asked for.
	for _, name := range []string{"", "organizationId", "organizationname", "subscriber", "actualImageCount"} {
		if got, ok := semconv.FieldByName(name); ok {
			t.Errorf("FieldByName(%q) = %v, want nothing", name, got)
		}
	}
}

func TestFieldsGivesACopy(t *testing.T) {
	first := semconv.Fields()
	first[0].Name = "spoilt"
	first[0].Headers[0] = "spoilt"
	first[0].Aliases[0] = "spoilt"
	if diff := cmp.Diff("organizationName", semconv.Fields()[0].Name); diff != "" {
		t.Errorf("name (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("x-revenium-organization-name", semconv.Fields()[0].Headers[0]); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(attribute.Key("organization.name"), semconv.Fields()[0].Aliases[0]); diff != "" {
		t.Errorf("alias (-want +got):\n%s", diff)
	}
}

// TestPerCallFields lists what no context, header, resource or environment may
// give: one value for two calls would lose or falsify a record.
func TestPerCallFields(t *testing.T) {
	var got []string
	for _, f := range semconv.Fields() {
		if f.RequestLevel {
			continue
		}
		got = append(got, f.Name)
		if f.ResourceLevel || len(f.Headers) > 0 || len(f.Env) > 0 {
			t.Errorf("%s is for a single call and yet has a header, a variable or the resource level: %+v", f.Name, f)
		}
	}
	slices.Sort(got)
	want := []string{
		"actualServiceTier", "cacheCreation1hTokenCount", "cacheCreation5mTokenCount", "cacheCreationTokenCost",
		"cacheCreationTokenCount", "cacheReadTokenCost", "cacheReadTokenCount", "errorCode", "inputMessages",
		"inputTokenCost", "inputTokenCount", "isStreamed", "mediationLatency", "model", "outputResponse",
		"outputTokenCost", "outputTokenCount", "parentTransactionId", "promptLength", "reasoningTokenCount",
		"requestedServiceTier", "retryNumber", "stopReason", "systemFingerprint", "systemPrompt", "temperature",
		"timeToFirstToken", "totalCost", "totalTokenCount", "transactionId",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("per-call fields (-want +got):\n%s", diff)
	}
}

func TestSecretFields(t *testing.T) {
	var got []string
	for _, f := range semconv.Fields() {
		if f.Secret {
			got = append(got, f.Name)
		}
	}
	if diff := cmp.Diff([]string{"subscriber.credential.value"}, got); diff != "" {
		t.Errorf("secret fields (-want +got):\n%s", diff)
	}
}

// TestFieldsAreThoseOfTheRecords compares the table with the records of the
// metering API. The service ignores unknown names in silence, so a misspelt one
// would be noticed by nobody.
func TestFieldsAreThoseOfTheRecords(t *testing.T) {
	derived := []string{
		// From the span's times, ids and status.
		"requestTime", "responseTime", "requestDuration", "completionStartTime", "errorReason",
		// Set by the exporter itself.
		"costType", "promptsTruncated", "attributes",
	}
	call := fieldNames(semconv.Fields())
	for _, tt := range []struct {
		name   string
		record any
		fields []semconv.Field
		// absent are JSON names that the table need not have; common says whether
		// the fields of completions that the record has as well count.
		absent []string
	}{
		{"completion", metering.Completion{}, nil, derived},
		{"image", metering.Image{}, semconv.RecordFields(semconv.RecordImage), derived},
		{"audio", metering.Audio{}, semconv.RecordFields(semconv.RecordAudio), derived},
		{"video", metering.Video{}, semconv.RecordFields(semconv.RecordVideo), derived},
		{
			"tool",
			metering.ToolEvent{},
			semconv.RecordFields(semconv.RecordTool),
			[]string{"timestamp", "durationMs", "success", "errorMessage", "subscriberCredential"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			names := jsonNames(reflect.TypeOf(tt.record), "")
			own := fieldNames(tt.fields)
			if tt.name == "completion" {
				own = call
			} else if len(own) == 0 {
				t.Fatal("the table has no field of its own for this record")
			}
			for _, name := range own {
				if !slices.Contains(names, name) {
					t.Errorf("the record has no field %s", name)
				}
			}
			for _, name := range names {
				if !slices.Contains(own, name) && !slices.Contains(call, name) && !slices.Contains(tt.absent, name) {
					t.Errorf("nothing gives the record's field %s", name)
				}
			}
		})
	}
}

func fieldNames(fields []semconv.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// jsonNames lists the JSON names of a record, dotted where they are nested.
func jsonNames(record reflect.Type, prefix string) []string {
	var names []string
	for field := range record.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case field.Anonymous:
			names = append(names, jsonNames(inner, prefix)...)
		case name == "" || name == "-":
		case inner.Kind() == reflect.Struct && inner != reflect.TypeFor[metering.Timestamp]():
			names = append(names, jsonNames(inner, prefix+name+".")...)
		default:
			names = append(names, prefix+name)
		}
	}
	return names
}

func TestAttributes(t *testing.T) {
	for _, tt := range []struct {
		got, want attribute.KeyValue
	}{
		{semconv.ReveniumOrganizationName("acme"), attribute.String("revenium.organization.name", "acme")},
		{semconv.GenAIUsageInputTokens(7), attribute.Int("gen_ai.usage.input_tokens", 7)},
		{semconv.GenAIResponseTimeToFirstChunk(0.5), attribute.Float64("gen_ai.response.time_to_first_chunk", 0.5)},
		{semconv.GenAIRequestStream(true), attribute.Bool("gen_ai.request.stream", true)},
		{semconv.GenAIResponseFinishReasons("stop", "length"), attribute.StringSlice("gen_ai.response.finish_reasons", []string{"stop", "length"})},
		{semconv.GenAIProviderNameAzureAIOpenAI, attribute.String("gen_ai.provider.name", "azure.ai.openai")},
		{semconv.ReveniumToolUsage("pages", 3), attribute.Float64("revenium.tool.usage.pages", 3)},
		// With an underscore, as Revenium spells it.
		{semconv.ReveniumSubscriptionTier("free"), attribute.String("revenium.subscription_tier", "free")},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s = %s, want %s = %s", tt.got.Key, tt.got.Value.String(), tt.want.Key, tt.want.Value.String())
		}
	}
}
