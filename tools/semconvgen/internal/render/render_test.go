// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package render

import (
	"strings"
	"testing"

	"github.com/revenium/revenium-otel-go/tools/semconvgen/internal/registry"
)

func TestGoName(t *testing.T) {
	for in, want := range map[string]string{
		"gen_ai.usage.cache_creation.input_tokens":  "GenAIUsageCacheCreationInputTokens",
		"revenium.usage.cache_creation_5m_tokens":   "ReveniumUsageCacheCreation5mTokens",
		"revenium.usage.cache_creation_1h_tokens":   "ReveniumUsageCacheCreation1hTokens",
		"openai.api.type":                           "OpenAIAPIType",
		"http.response.status_code":                 "HTTPResponseStatusCode",
		"revenium.coding_assistant.account_uuid":    "ReveniumCodingAssistantAccountUUID",
		"llm.token_count.prompt":                    "LLMTokenCountPrompt",
		"enduser.id":                                "EnduserID",
		"agenticJobId":                              "AgenticJobID",
		"codingAssistantAccountUuid":                "CodingAssistantAccountUUID",
		"subscriber.email":                          "SubscriberEmail",
		"cacheCreation5mTokenCount":                 "CacheCreation5mTokenCount",
		"audio:speed":                               "AudioSpeed",
		"aws.bedrock":                               "AWSBedrock",
		"x_ai":                                      "XAI",
		"revenium.parent_transaction.id":            "ReveniumParentTransactionID",
		"gen_ai.openai.response.system_fingerprint": "GenAIOpenAIResponseSystemFingerprint",
	} {
		if got := goName(in); got != want {
			t.Errorf("goName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestConstantNames(t *testing.T) {
	for in, want := range map[string]string{
		"REVENIUM_METERING_API_KEY":  "EnvMeteringAPIKey",
		"REVENIUM_METERING_BASE_URL": "EnvMeteringBaseURL",
		"REVENIUM_ENVIRONMENT":       "EnvEnvironment",
		"ENVIRONMENT":                "EnvGenericEnvironment",
		"DEPLOYMENT_ENV":             "EnvDeploymentEnv",
		"AWS_DEFAULT_REGION":         "EnvAWSDefaultRegion",
		"GOOGLE_CLOUD_REGION":        "EnvGoogleCloudRegion",
	} {
		if got := envName(in); got != want {
			t.Errorf("envName(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"x-revenium-organization-name":     "HeaderOrganizationName",
		"x-revenium-subscriber-credential": "HeaderSubscriberCredential",
		"x-claude-code-session-id":         "HeaderClaudeCodeSessionID",
	} {
		if got := headerName(in); got != want {
			t.Errorf("headerName(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNameClash covers names that differ in the model and not in Go.
func TestNameClash(t *testing.T) {
	attr := func(id string) *registry.Attribute {
		return &registry.Attribute{File: "m.yaml", ID: id, Type: registry.Type{Name: "string"}, Brief: "B.", Examples: []string{`"x"`}}
	}
	first, second := attr("revenium.task.type"), attr("revenium.task_type")
	reg := &registry.Registry{Groups: []*registry.Group{{Attributes: []*registry.Attribute{first, second}}}}
	_, err := Files(reg)
	want := "m.yaml: revenium.task_type: the Go name ReveniumTaskType is that of revenium.task.type already; " +
		"set code_generation: {exclude: true} on the lesser of the two"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	second.Excluded = true
	if _, err := Files(reg); err != nil {
		t.Errorf("with one of them excluded: %v", err)
	}

	enum := attr("revenium.task")
	enum.Type.Members = []registry.Member{{ID: "type", Value: "type"}}
	_, err = Files(&registry.Registry{Groups: []*registry.Group{{Attributes: []*registry.Attribute{enum, first}}}})
	if err == nil || !strings.Contains(err.Error(), "the Go name ReveniumTaskType is that of revenium.task already") {
		t.Errorf("a member and an attribute: error %v", err)
	}
}

func TestComment(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for line := range strings.SplitSeq(comment("\t", long+"\n\n"+strings.Repeat("x", 100)), "\n") {
		if len(line) > 78 && !strings.Contains(line, "xxx") {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
		if !strings.HasPrefix(line, "\t//") || strings.HasSuffix(line, " ") {
			t.Errorf("line %q", line)
		}
	}
}

func TestAnchor(t *testing.T) {
	for in, want := range map[string]string{
		"Images, audio and video": "images-audio-and-video",
		"Tiny & small":            "tiny--small",
	} {
		if got := anchor(in); got != want {
			t.Errorf("anchor(%q) = %q, want %q", in, got, want)
		}
	}
}
