// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// callFields are the names of [Call] in the API reference, typed in by hand. The
// service ignores unknown names silently, so that a typing error would be seen on
// no response.
const callFields = `model provider requestTime responseTime requestDuration transactionId traceId traceType
	traceName transactionName parentTransactionId retryNumber taskType agent agentVersion environment region
	credentialAlias ticketId agenticJobId agenticJobName agenticJobType agenticJobVersion squadId squadName
	squadRole operationType operationSubtype organizationName productName subscriptionId subscriber modelSource
	middlewareSource actualServiceTier requestedServiceTier pricingTier costType totalCost errorReason errorCode
	billingSkipped skipReason inputMessages outputResponse promptsTruncated `

// recordCases has every type of record with everything set and with the minimum.
var recordCases = []struct {
	name     string
	endpoint Endpoint
	full     func() Record
	minimal  func() Record
	// fields are all names; required those that are always sent.
	fields, required string
}{
	{
		name: "completion", endpoint: "/meter/v2/ai/completions",
		full: fullCompletion,
		minimal: func() Record {
			return &Completion{Call: minimalCall()}
		},
		fields: callFields + `inputTokenCount outputTokenCount totalTokenCount completionStartTime stopReason isStreamed
			promptId promptLength systemFingerprint skillName skillPluginName skillMarketplaceName skillKind
			skillSource skillInvocationTrigger subagentType querySource codingAssistantAccountUuid
			responseQualityScore subscriberEmailSource subscriptionTier reasoningTokenCount cacheReadTokenCount
			cacheCreationTokenCount cacheCreation5mTokenCount cacheCreation1hTokenCount inputTokenCost
			outputTokenCost cacheCreationTokenCost cacheReadTokenCost costMultiplier speed effort timeToFirstToken
			mediationLatency modelHost temperature systemPrompt attributes`,
		required: `model provider inputTokenCount outputTokenCount totalTokenCount requestTime completionStartTime
			responseTime requestDuration stopReason transactionId isStreamed costType`,
	},
	{
		name: "image", endpoint: "/meter/v2/ai/images",
		full: fullImage,
		minimal: func() Record {
			return &Image{Call: minimalCall()}
		},
		fields: callFields + `actualImageCount requestedImageCount billingUnit resolution aspectRatio quality style
			format revisedPromptProvided sourceImageProvided sourceTransactionId priorityTier`,
		required: `model provider requestTime responseTime requestDuration transactionId costType actualImageCount
			billingUnit`,
	},
	{
		name: "audio", endpoint: "/meter/v2/ai/audio",
		full: fullAudio,
		minimal: func() Record {
			return &Audio{Call: minimalCall()}
		},
		fields: callFields + `durationSeconds characterCount inputAudioTokenCount outputAudioTokenCount inputTokenCount
			outputTokenCount billingUnit language sourceLanguage targetLanguage voice audioFormat quality
			responseFormat speed sampleRate isRealtime`,
		required: `model provider requestTime responseTime requestDuration transactionId costType billingUnit`,
	},
	{
		name: "video", endpoint: "/meter/v2/ai/video",
		full: fullVideo,
		minimal: func() Record {
			return &Video{Call: minimalCall()}
		},
		fields: callFields + `durationSeconds billingUnit requestedDurationSeconds creditsConsumed creditRate fps
			resolution videoJobId asyncOperation completionStatus sourceTransactionId priorityTier`,
		required: `model provider requestTime responseTime requestDuration transactionId costType durationSeconds
			billingUnit`,
	},
	{
		name: "tool_event", endpoint: "/meter/v2/tool/events",
		full: fullToolEvent,
		minimal: func() Record {
			return &ToolEvent{ToolID: "get_weather", TransactionID: testID, Timestamp: testStart}
		},
		fields: `toolId durationMs success timestamp transactionId operation errorMessage costUsd agent
			organizationName productName subscriberCredential workflowId traceId agenticJobId usageMetadata`,
		required: `toolId durationMs success timestamp transactionId`,
	},
}

func fullCall() Call {
	return Call{
		Model: "gpt-4o-2024-08-06", Provider: "OpenAI", TransactionID: testID,
		RequestTime: testStart, ResponseTime: testEnd, RequestDuration: 1500,
		CostType: CostAI, OperationType: OperationToolCall, OperationSubtype: "function_call",
		TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", TraceType: "support_v2", TraceName: "Ticket 4711 – Müller & Söhne",
		TransactionName: "classify", ParentTransactionID: "4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001",
		RetryNumber:      new(int64(0)),
		OrganizationName: "ACME <Corp> & \"Sons\"", ProductName: "Support\\Desk", SubscriptionID: "sub-1",
		Subscriber: &Subscriber{
			ID: "user-1", Email: "user@example.com",
			Credential: &Credential{Name: "laptop", Value: "s3cret"},
		},
		TaskType: "triage", Agent: "router", AgentVersion: "1.2.3", Environment: "production", Region: "eu-central-1",
		CredentialAlias: "team-key", TicketID: "JIRA-1", AgenticJobID: "job-1", AgenticJobName: "Nightly import",
		AgenticJobType: "import", AgenticJobVersion: "7", SquadID: "squad-1", SquadName: "Blue", SquadRole: "lead",
		ModelSource: "LITELLM", MiddlewareSource: "revenium-otel-go", RequestedServiceTier: "auto",
		ActualServiceTier: "default", PricingTier: PricingBatch, TotalCost: new(0.0000001234),
		BillingSkipped: new(false), SkipReason: SkipFreeTier, ErrorReason: "line one\n\tline two", ErrorCode: new(int64(429)),
		InputMessages: `[{"role":"user","content":"hi"}]`, OutputResponse: "  hello 👋\u2028 ", PromptsTruncated: new(false),
	}
}

func fullCompletion() Record {
	return &Completion{
		Call:            fullCall(),
		InputTokenCount: 1000, OutputTokenCount: 200, TotalTokenCount: 1200, ReasoningTokenCount: new(int64(0)),
		CacheReadTokenCount: new(int64(512)), CacheCreationTokenCount: new(int64(100)),
		CacheCreation5mTokenCount: new(int64(60)), CacheCreation1hTokenCount: new(int64(40)),
		CompletionStartTime: Timestamp{testStart.Add(250 * time.Millisecond)}, TimeToFirstToken: new(int64(250)),
		MediationLatency: new(int64(3)), IsStreamed: true, StopReason: StopTokenLimit, SystemFingerprint: "fp_1",
		Temperature: new(0.0), ModelHost: "bedrock", Effort: "high", Speed: "fast", SubscriptionTier: "gold",
		SubscriberEmailSource: "env", ResponseQualityScore: new(0.875), PromptID: "prompt-1", PromptLength: new(int64(42)),
		SkillName: "pdf", SkillPluginName: "docs", SkillMarketplaceName: "market", SkillKind: SkillWorkflow,
		SkillSource: SkillProjectSettings, SkillInvocationTrigger: "user-slash", SubagentType: "explorer",
		QuerySource: "cli", CodingAssistantAccountUUID: "5f0c8f3e-0000-4000-8000-000000000001",
		InputTokenCost: new(0.25), OutputTokenCost: new(123456789.5), CacheReadTokenCost: new(0.0), CacheCreationTokenCost: new(0.5),
		CostMultiplier: new(1.5), SystemPrompt: "Be brief.",
		Attributes: map[string]any{"z": 1, "a": "x<y", "list": []string{"b", "a"}},
	}
}

func fullImage() Record {
	return &Image{
		Call: fullCall(), ActualImageCount: 2, RequestedImageCount: new(int64(4)), BillingUnit: BillingPerImage,
		Resolution: "1024x1024", AspectRatio: "1:1", Quality: "hd", Style: "vivid", Format: "b64_json",
		RevisedPromptProvided: new(true), SourceImageProvided: new(false), SourceTransactionID: "source-1",
		PriorityTier: "priority",
	}
}

func fullAudio() Record {
	return &Audio{
		Call: fullCall(), DurationSeconds: new(12.5), CharacterCount: new(int64(0)), InputAudioTokenCount: new(int64(5)),
		OutputAudioTokenCount: new(int64(6)), InputTokenCount: new(int64(7)), OutputTokenCount: new(int64(8)),
		BillingUnit: BillingPerMinute, Language: "de", SourceLanguage: "de", TargetLanguage: "en", Voice: "alloy",
		AudioFormat: "mp3", Quality: "hd", ResponseFormat: "verbose_json", Speed: new(1.25), SampleRate: new(int64(24000)),
		IsRealtime: new(true),
	}
}

func fullVideo() Record {
	return &Video{
		Call: fullCall(), DurationSeconds: 8, RequestedDurationSeconds: new(10.0), BillingUnit: BillingCredits,
		CreditsConsumed: new(40.0), CreditRate: new(5.0), FPS: new(int64(24)), Resolution: "1080p", VideoJobID: "video-1",
		AsyncOperation: new(true), CompletionStatus: CompletionPartialTimeout, SourceTransactionID: "source-1",
		PriorityTier: "priority",
	}
}

func fullToolEvent() Record {
	return &ToolEvent{
		ToolID: "get_weather", TransactionID: testID, Timestamp: testStart, DurationMs: 35, Success: true,
		Operation: "forecast", ErrorMessage: "none", CostUSD: new(0.01), Agent: "router", OrganizationName: "ACME",
		ProductName: "Desk", SubscriberCredential: "s3cret", WorkflowID: "wf-1", TraceID: "trace-1", AgenticJobID: "job-1",
		UsageMetadata: map[string]any{"pages": 3, "bytes": 1024.5},
	}
}

// mustFreeze fails the test when rec cannot be frozen.
func mustFreeze(t *testing.T, rec Record) (Frozen, []Change) {
	t.Helper()
	f, changes, err := Freeze(rec)
	if err != nil {
		t.Fatalf("Freeze: %v", err)
	}
	if got, want := string(f.Body), encodeWithStandardLibrary(t, rec); got != want {
		t.Errorf("the body is not what the record says after it was mended:\n got %s\nwant %s", got, want)
	}
	return f, changes
}

// members are the members of a JSON object.
func members(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var m map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatalf("body is not a JSON object: %v\n%s", err, body)
	}
	return m
}

func memberNames(t *testing.T, body []byte) []string {
	t.Helper()
	var names []string
	for name := range members(t, body) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func sortedWords(s string) []string {
	words := strings.Fields(s)
	slices.Sort(words)
	return words
}

func TestFieldNames(t *testing.T) {
	for _, tc := range recordCases {
		t.Run(tc.name, func(t *testing.T) {
			full, _ := mustFreeze(t, tc.full())
			if diff := cmp.Diff(sortedWords(tc.fields), memberNames(t, full.Body)); diff != "" {
				t.Errorf("fields with everything set (-reference +sent):\n%s", diff)
			}
			minimal, _ := mustFreeze(t, tc.minimal())
			if diff := cmp.Diff(sortedWords(tc.required), memberNames(t, minimal.Body)); diff != "" {
				t.Errorf("fields with the minimum set (-reference +sent):\n%s", diff)
			}
			if full.Endpoint != tc.endpoint {
				t.Errorf("endpoint = %q, want %q", full.Endpoint, tc.endpoint)
			}
		})
	}
}

// TestFullRecordsAreFull keeps the full records full when a field is added.
func TestFullRecordsAreFull(t *testing.T) {
	for _, tc := range recordCases {
		var check func(path string, v reflect.Value)
		check = func(path string, v reflect.Value) {
			if v.IsZero() {
				t.Errorf("%s: %s is not set", tc.name, path)
				return
			}
			if v.Kind() == reflect.Pointer {
				v = v.Elem()
			}
			if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[Timestamp]() {
				return
			}
			for i := range v.NumField() {
				check(path+"."+v.Type().Field(i).Name, v.Field(i))
			}
		}
		check(tc.name, reflect.ValueOf(tc.full()))
	}
}

func TestGoldenBytes(t *testing.T) {
	for _, tc := range recordCases {
		for variant, record := range map[string]func() Record{"full": tc.full, "minimal": tc.minimal} {
			t.Run(tc.name+"_"+variant, func(t *testing.T) {
				f, changes := mustFreeze(t, record())
				if len(changes) > 0 {
					t.Errorf("a good record was changed: %v", changes)
				}
				path := filepath.Join("testdata", tc.name+"_"+variant+".json")
				if *update {
					if err := os.WriteFile(path, append(f.Body, '\n'), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got := string(f.Body) + "\n"; got != string(want) {
					t.Errorf("bytes differ from %s:\n got %s\nwant %s", path, got, want)
				}
			})
		}
	}
}

func TestFreezeIsDeterministic(t *testing.T) {
	for _, tc := range recordCases {
		first, _ := mustFreeze(t, tc.full())
		for range 20 {
			again, _ := mustFreeze(t, tc.full())
			if diff := cmp.Diff(first, again); diff != "" {
				t.Fatalf("%s: two freezes of equal records differ (-first +second):\n%s", tc.name, diff)
			}
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	base, _ := mustFreeze(t, typicalCompletion())
	if got, want := base.TransactionID, testID; got != want {
		t.Errorf("transaction id = %q, want %q", got, want)
	}
	if got, want := base.IdempotencyKey, idempotencyKey(testID, append([]byte(base.Endpoint), base.Body...)); got != want {
		t.Errorf("key = %q, want %q", got, want)
	}
	// XXH64 of "/meter/v2/ai/completions{}", computed with xxhsum. The form of a key
	// must not change: a record that waits on a disk keeps the key that it has.
	const known = "id-13f185719598bcf9"
	empty := []byte(EndpointCompletions + "{}")
	if got := idempotencyKey("id", empty); got != known {
		t.Errorf("key = %q, want %q", got, known)
	}
	for _, id := range []string{strings.Repeat("x", 4096), "two words", "größe", "line\nbreak"} {
		// 64 digits of the id's digest, a hyphen and 16 of the body's.
		if key := idempotencyKey(id, empty); len(key) != 81 || !isHeaderToken(key) {
			t.Errorf("key of id %.20q = %q, want 81 characters that a header may have", id, key)
		}
	}
	keys := map[string]string{base.IdempotencyKey: "base"}
	for name, alter := range map[string]func(*Completion){
		"another id":    func(c *Completion) { c.TransactionID += "0" },
		"another body":  func(c *Completion) { c.InputTokenCount++ },
		"another field": func(c *Completion) { c.Agent = "" },
	} {
		rec := typicalCompletion()
		alter(rec)
		f, _ := mustFreeze(t, rec)
		if other, ok := keys[f.IdempotencyKey]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		keys[f.IdempotencyKey] = name
		if len(f.IdempotencyKey) > 255 || !isHeaderToken(f.IdempotencyKey) {
			t.Errorf("%s: key %q is none that a header may have", name, f.IdempotencyKey)
		}
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	rec := typicalCompletion()
	rec.CacheReadTokenCount = new(int64(0))
	rec.ReasoningTokenCount = nil
	rec.RetryNumber = new(int64(0))
	rec.Temperature = new(0.0)
	rec.BillingSkipped = new(false)
	f, _ := mustFreeze(t, rec)
	got := members(t, f.Body)
	for name, want := range map[string]any{
		"cacheReadTokenCount": json.Number("0"),
		"retryNumber":         json.Number("0"),
		"temperature":         json.Number("0"),
		"billingSkipped":      false,
		"reasoningTokenCount": nil,
		"errorCode":           nil,
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	if bytes.Contains(f.Body, []byte("null")) {
		t.Errorf("null is sent: %s", f.Body)
	}
}
