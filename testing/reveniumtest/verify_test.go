// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func image(id string) fields {
	return fields{
		"model": "gpt-image-1", "provider": "OpenAI", "requestTime": "2026-11-24T10:00:00Z",
		"responseTime": "2026-11-24T10:00:02Z", "requestDuration": 2000, "transactionId": id,
		"actualImageCount": 1, "requestedImageCount": 1, "billingUnit": "PER_IMAGE",
	}
}

func audio() fields {
	return fields{
		"model": "whisper-1", "provider": "OpenAI", "requestTime": "2026-11-24T10:00:00Z",
		"responseTime": "2026-11-24T10:00:02Z", "requestDuration": 2000, "transactionId": "a",
		"operationSubtype": "transcription", "durationSeconds": 12.5, "billingUnit": "PER_SECOND",
	}
}

func video(id string) fields {
	return fields{
		"model": "sora-2", "provider": "OpenAI", "requestTime": "2026-11-24T10:00:00Z",
		"responseTime": "2026-11-24T10:01:00Z", "requestDuration": 60_000, "transactionId": id,
		"durationSeconds": 8, "billingUnit": "PER_SECOND", "completionStatus": "SUCCESS",
	}
}

func tool(id string) fields {
	return fields{
		"toolId": "weather", "durationMs": 7, "success": true, "timestamp": "2026-11-24T10:00:00.000Z",
		"transactionId": id,
	}
}

// found is what a test compares of a violation.
func found(vs []Violation) []string {
	var out []string
	for _, v := range vs {
		out = append(out, fmt.Sprintf("%s: %s", v.Field, v.Rule))
	}
	slices.Sort(out)
	return out
}

func TestGoodRecords(t *testing.T) {
	s := Start(t)
	for path, rec := range map[string]fields{
		PathCompletions: completion("c"), PathImages: image("i"), PathAudio: audio(), PathVideo: video("v"),
		PathToolEvents: tool("t"),
	} {
		if status, body, _ := post(t, s, path, rec.json(t)); status != http.StatusCreated {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	post(t, s, PathCompletions, fullCompletion("full"))
	if got := s.Stats(); got != (Stats{Requests: 6, Stored: 6}) {
		t.Errorf("stats: %+v", got)
	}
}

// Every optional field with a good value is accepted.
func TestAllCompletionFields(t *testing.T) {
	s := Start(t)
	rec := completion("all").with(fields{
		"traceId": "t", "traceType": "chat_flow-1", "traceName": strings.Repeat("é", 256), "transactionName": "n",
		"parentTransactionId": "p", "retryNumber": 0, "operationType": "EMBED", "operationSubtype": "web_search",
		"promptId": "p", "promptLength": 3, "systemFingerprint": "fp", "taskType": "t", "agent": "a", "agentVersion": "1",
		"environment": "prod", "region": "eu", "credentialAlias": "k", "ticketId": "T-1", "agenticJobId": "job-1.a_b",
		"agenticJobName": "n", "agenticJobType": "t", "agenticJobVersion": "1", "squadId": "s", "squadName": "s",
		"squadRole": "r", "skillName": "s", "skillPluginName": "p", "skillMarketplaceName": "m", "skillKind": "workflow",
		"skillSource": "userSettings", "skillInvocationTrigger": "user-slash", "subagentType": "s", "querySource": "q",
		"codingAssistantAccountUuid": "u", "responseQualityScore": 0.5, "organizationName": "o", "productName": "p",
		"subscriptionId": "s", "subscriber": fields{"id": "i", "email": "e", "credential": fields{"name": "n", "value": "v"}},
		"subscriberEmailSource": "git", "subscriptionTier": "gold", "reasoningTokenCount": 5, "cacheReadTokenCount": 3,
		"cacheCreationTokenCount": 3, "cacheCreation5mTokenCount": 1, "cacheCreation1hTokenCount": 2,
		"inputTokenCost": 0.1, "outputTokenCost": 1e-6, "cacheCreationTokenCost": 0, "cacheReadTokenCost": 0,
		"totalCost": 1.5, "costMultiplier": 1.0, "pricingTier": "BATCH", "requestedServiceTier": "auto",
		"actualServiceTier": "default", "speed": "fast", "effort": "high", "billingSkipped": true,
		"skipReason": "FREE_TIER", "timeToFirstToken": 250, "mediationLatency": 4, "errorReason": "", "errorCode": 429,
		"modelSource": "LITELLM", "modelHost": "bedrock", "middlewareSource": "test", "temperature": 2,
		"systemPrompt": "", "inputMessages": "[]", "outputResponse": "hi", "promptsTruncated": false,
		"attributes": fields{"free": []int{1}},
	})
	if status, body, _ := post(t, s, PathCompletions, rec.json(t)); status != http.StatusCreated {
		t.Errorf("%d %s", status, body)
	}
	r := s.book.endpoints[PathCompletions]
	if got, want := len(rec), len(r.byName); got != want {
		t.Errorf("%d of %d fields are tried", got, want)
	}
}

func TestViolations(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, tc := range []struct {
		name   string
		path   string
		rec    fields
		status int
		want   []string
	}{
		{
			"missing what the service wants", PathCompletions, completion("").with(fields{"stopReason": removed}), 400,
			[]string{"stopReason: missing", "transactionId: blank"},
		},
		{
			"missing what all send", PathCompletions,
			completion("").with(fields{"transactionId": removed, "isStreamed": removed, "costType": removed}), 201,
			[]string{"costType: missing", "isStreamed: missing", "transactionId: missing"},
		},
		{"empty record", PathCompletions, fields{}, 400, []string{
			"completionStartTime: missing", "costType: missing", "inputTokenCount: missing", "isStreamed: missing",
			"model: missing", "outputTokenCount: missing", "provider: missing", "requestDuration: missing",
			"requestTime: missing", "responseTime: missing", "stopReason: missing", "totalTokenCount: missing",
			"transactionId: missing",
		}},
		{"blank model", PathCompletions, completion("a").with(fields{"model": " "}), 400, []string{"model: blank"}},
		{"blank option", PathCompletions, completion("a").with(fields{"agent": ""}), 201, []string{"agent: blank"}},
		{
			"wrong types", PathCompletions, completion("a").with(fields{"agent": 1, "isStreamed": "true", "temperature": "1", "subscriber": "x"}), 400,
			[]string{"agent: type", "isStreamed: type", "subscriber: type", "temperature: type"},
		},
		{"fraction for integer", PathCompletions, completion("a").with(fields{"inputTokenCount": 1.5}), 400, []string{"inputTokenCount: type"}},
		{"beyond 32 bits", PathCompletions, completion("a").with(fields{"mediationLatency": int64(1) << 31}), 400, []string{"mediationLatency: type"}},
		{"null", PathCompletions, completion("a").with(fields{"traceId": nil}), 201, []string{"traceId: null"}},
		{"null for required", PathCompletions, completion("a").with(fields{"provider": nil}), 400, []string{"provider: null"}},
		{
			"bad enums", PathCompletions, completion("a").with(fields{"stopReason": "stop", "operationType": "chat"}), 400,
			[]string{"operationType: enum", "stopReason: enum"},
		},
		{
			"words that the service does not check", PathCompletions, completion("a").with(fields{"skillSource": "Plugin", "skillKind": "x"}), 201,
			[]string{"skillKind: enum", "skillSource: enum"},
		},
		{"skip reason of media", PathCompletions, completion("a").with(fields{"skipReason": "INTERNAL_TEST"}), 400, []string{"skipReason: enum"}},
		{
			"too long, in characters", PathCompletions, completion("a").with(fields{"traceName": long(257), "taskType": long(255), "promptId": long(65)}), 201,
			[]string{"promptId: length", "traceName: length"},
		},
		{"trace type", PathCompletions, completion("a").with(fields{"traceType": "a b"}), 201, []string{"traceType: pattern"}},
		{"effort", PathCompletions, completion("a").with(fields{"effort": "very high"}), 400, []string{"effort: pattern"}},
		{"job id", PathCompletions, completion("a").with(fields{"agenticJobId": ".a"}), 400, []string{"agenticJobId: pattern"}},
		{"reserved job id", PathToolEvents, tool("a").with(fields{"agenticJobId": "types"}), 400, []string{"agenticJobId: pattern"}},
		{"long job id", PathImages, image("a").with(fields{"agenticJobId": strings.Repeat("a", 256)}), 400, []string{"agenticJobId: pattern"}},
		{"unknown and dead names", PathCompletions, completion("a").with(fields{
			"organizationId": "o", "subscriberId": "s", "spanId": "x", "taskId": "t",
		}), 201, []string{"organizationId: dead-name", "spanId: dead-name", "subscriberId: dead-name", "taskId: unknown-field"}},
		{
			"completion's field elsewhere", PathImages, image("a").with(fields{"isStreamed": true, "stopReason": "END"}), 201,
			[]string{"isStreamed: unknown-field", "stopReason: unknown-field"},
		},
		{"realtime", PathAudio, audio().with(fields{"realtime": true}), 201, []string{"realtime: dead-name"}},
		{
			"flat credential is right for tools", PathToolEvents, tool("a").with(fields{"subscriberCredential": "c", "agenticJobName": "n"}), 201,
			[]string{"agenticJobName: unknown-field"},
		},
		{
			"nested", PathCompletions, completion("a").with(fields{"subscriber": fields{"name": "x", "id": 1, "credential": fields{}}}), 400,
			[]string{"subscriber.credential: blank", "subscriber.id: type", "subscriber.name: unknown-field"},
		},
		{
			"negative", PathCompletions, completion("a").with(fields{"inputTokenCount": -1, "retryNumber": -1, "totalCost": -0.5}), 400,
			[]string{"inputTokenCount: range", "retryNumber: range", "totalCost: range"},
		},
		{
			"ranges", PathCompletions, completion("a").with(fields{"temperature": 2.1, "responseQualityScore": 1.1, "errorCode": 99}), 201,
			[]string{"errorCode: range", "responseQualityScore: range", "temperature: range"},
		},
		{"speed of speech", PathAudio, audio().with(fields{"speed": 5}), 201, []string{"speed: range"}},
		{"no timestamp", PathCompletions, completion("a").with(fields{"requestTime": "yesterday"}), 400, []string{"requestTime: timestamp"}},
		{"zone", PathImages, image("a").with(fields{"requestTime": "2026-11-24T11:00:00+01:00"}), 201, []string{"requestTime: timestamp"}},
		{"nanoseconds", PathToolEvents, tool("a").with(fields{"timestamp": "2026-11-24T10:00:00.000001Z"}), 201, []string{"timestamp: timestamp"}},
		{"zero time", PathToolEvents, tool("a").with(fields{"timestamp": "0001-01-01T00:00:00Z"}), 201, []string{"timestamp: timestamp"}},
		{
			"ends before it starts", PathImages, image("a").with(fields{"responseTime": "2026-11-24T09:59:58Z"}), 201,
			[]string{"requestDuration: duration", "responseTime: time-order"},
		},
		{"duration in seconds", PathCompletions, completion("a").with(fields{"requestDuration": 2}), 201, []string{"requestDuration: duration"}},
		{"duration rounded up", PathCompletions, completion("a").with(fields{"requestDuration": 1501}), 201, nil},
		{"duration off by two", PathCompletions, completion("a").with(fields{"requestDuration": 1502}), 201, []string{"requestDuration: duration"}},
		{
			"first token after the end", PathCompletions, completion("a").with(fields{"completionStartTime": "2026-11-24T10:00:02Z"}), 201,
			[]string{"completionStartTime: time-order"},
		},
		{"time to first token", PathCompletions, completion("a").with(fields{"timeToFirstToken": 0}), 201, []string{"timeToFirstToken: duration"}},
		{"total below output", PathCompletions, completion("a").with(fields{"totalTokenCount": 11}), 201, []string{"totalTokenCount: tokens"}},
		{"reasoning beside output", PathCompletions, completion("a").with(fields{"reasoningTokenCount": 8}), 201, []string{"reasoningTokenCount: tokens"}},
		{"reasoning rounded", PathCompletions, completion("a").with(fields{"reasoningTokenCount": 7}), 201, nil},
		{
			"cache parts", PathCompletions, completion("a").with(fields{"cacheCreationTokenCount": 3, "cacheCreation5mTokenCount": 2, "cacheCreation1hTokenCount": 2}), 201,
			[]string{"cacheCreationTokenCount: tokens"},
		},
		{
			"cache parts without whole", PathCompletions, completion("a").with(fields{"cacheCreation5mTokenCount": 0}), 201,
			[]string{"cacheCreationTokenCount: tokens"},
		},
		{"messages are a document", PathCompletions, completion("a").with(fields{"inputMessages": "hello"}), 201, []string{"inputMessages: document"}},
		{"cut messages are none", PathCompletions, completion("a").with(fields{"inputMessages": "[{...[TRUNCATED]", "promptsTruncated": true}), 201, nil},
		{
			"image count", PathImages, image("a").with(fields{"actualImageCount": removed, "billingUnit": removed}), 400,
			[]string{"actualImageCount: missing", "billingUnit: missing"},
		},
		{"transcription of what", PathAudio, audio().with(fields{"durationSeconds": removed}), 201, []string{"durationSeconds: missing"}},
		{"transcription by tokens", PathAudio, audio().with(fields{"durationSeconds": removed, "inputAudioTokenCount": 4, "billingUnit": "PER_TOKEN"}), 201, nil},
		{"speech of what", PathAudio, audio().with(fields{"durationSeconds": removed, "operationSubtype": "speech"}), 201, []string{"characterCount: missing"}},
		{
			"video", PathVideo, video("a").with(fields{"billingUnit": "PER_IMAGE", "durationSeconds": removed}), 400,
			[]string{"billingUnit: enum", "durationSeconds: missing"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Start(t, WithoutViolationCheck())
			status, body, _ := post(t, s, tc.path, tc.rec.json(t), header("Idempotency-Key", "k"))
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			if diff := cmp.Diff(tc.want, found(s.Violations())); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			if want := len(tc.want); s.Stats().Violations != want {
				t.Errorf("%d counted, want %d", s.Stats().Violations, want)
			}
		})
	}
}

// Bodies that no JSON encoder would write.
func TestRawBodies(t *testing.T) {
	good := string(completion("a").json(t))
	splice := func(more string) string { return good[:len(good)-1] + "," + more + "}" }
	for _, tc := range []struct {
		name   string
		body   string
		status int
		want   []string
	}{
		{"no JSON", "model=gpt-4o", 400, []string{": json"}},
		{"empty", "", 400, []string{": json"}},
		{"list", "[" + good + "]", 400, []string{": json"}},
		{"two records", good + good, 400, []string{": json"}},
		{"cut", good[:len(good)-1], 400, []string{": json"}},
		{"same name twice", splice(`"agent":"x","agent":"y"`), 201, []string{"agent: duplicate-field"}},
		{"same name twice, nested", splice(`"attributes":{"a":[{"b":1,"b":2}]}`), 201, []string{"attributes.a.[].b: duplicate-field"}},
		{"same name twice, escaped", splice(`"agent":"x","\u0061gent":"y"`), 201, []string{"agent: duplicate-field"}},
		{"invalid UTF-8", splice("\"agent\":\"a\xffb\""), 400, []string{"agent: utf-8"}},
		{"half a pair", splice(`"agent":"\ud83d"`), 400, []string{"agent: utf-8"}},
		{"a pair", splice(`"agent":"\ud83d\ude00"`), 201, nil},
		{"infinite", splice(`"temperature":1e999`), 400, []string{"temperature: range"}},
		{"too large for 64 bits", splice(`"reasoningTokenCount":9223372036854775808`), 400, []string{"reasoningTokenCount: type"}},
		{"absurd count", splice(`"cacheReadTokenCount":9223372036854775807`), 400, []string{"cacheReadTokenCount: range"}},
		{"the key in the record", splice(`"agent":"` + testKey + `"`), 201, []string{": secret"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Start(t, WithoutViolationCheck())
			status, body, _ := post(t, s, PathCompletions, []byte(tc.body), header("Idempotency-Key", "k"))
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			if diff := cmp.Diff(tc.want, found(s.Violations())); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestViolations(t *testing.T) {
	for _, tc := range []struct {
		name   string
		path   string
		change func(*http.Request)
		status int
		want   []string
	}{
		{"no content type", PathCompletions, header("Content-Type"), 415, []string{"Content-Type: content-type"}},
		{"form", PathCompletions, header("Content-Type", "application/x-www-form-urlencoded"), 415, []string{"Content-Type: content-type"}},
		{"charset", PathCompletions, header("Content-Type", "application/json; charset=UTF-8"), 201, nil},
		{"other charset", PathCompletions, header("Content-Type", "application/json; charset=latin1"), 201, []string{"Content-Type: content-type"}},
		{"encoded", PathCompletions, header("Content-Encoding", "gzip"), 415, []string{"Content-Encoding: content-type"}},
		{"no idempotency key", PathCompletions, header("Idempotency-Key"), 201, []string{"Idempotency-Key: idempotency-key"}},
		{"two idempotency keys", PathCompletions, header("Idempotency-Key", "a", "b"), 201, []string{"Idempotency-Key: idempotency-key"}},
		{"blank in idempotency key", PathCompletions, header("Idempotency-Key", "a b"), 400, []string{"Idempotency-Key: idempotency-key"}},
		{"longest idempotency key", PathCompletions, header("Idempotency-Key", strings.Repeat("~", 255)), 201, nil},
		{"long idempotency key", PathCompletions, header("Idempotency-Key", strings.Repeat("~", 256)), 400, []string{"Idempotency-Key: idempotency-key"}},
		{"empty idempotency key", PathCompletions, header("Idempotency-Key", ""), 400, []string{"Idempotency-Key: idempotency-key"}},
		{"no key", PathCompletions, header("X-Api-Key"), 401, []string{"x-api-key: api-key"}},
		{"two keys", PathCompletions, header("X-Api-Key", testKey, testKey), 201, []string{"x-api-key: api-key"}},
		{"key in another header", PathCompletions, header("Authorization", "Bearer "+testKey), 201, []string{"Authorization: secret"}},
		{"key in the URL", PathCompletions + "?key=" + testKey, header("Accept"), 201, []string{": secret"}},
		{"wrong path", "/meter" + PathCompletions, header("Accept"), 404, []string{": path"}},
		{"wrong method", PathCompletions, func(r *http.Request) { r.Method = http.MethodPut }, 405, []string{": method"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := Start(t, WithoutViolationCheck())
			status, body, _ := post(t, s, tc.path, completion("a").json(t), tc.change)
			if status != tc.status {
				t.Errorf("status %d, want %d: %s", status, tc.status, body)
			}
			if diff := cmp.Diff(tc.want, found(s.Violations())); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
			for _, v := range s.Violations() {
				if strings.Contains(v.String(), testKey) {
					t.Errorf("the violation tells the key: %s", v)
				}
			}
		})
	}
}

func TestBodySize(t *testing.T) {
	s := Start(t, WithoutViolationCheck(), WithMaxBody(1000))
	body := completion("a").with(fields{"attributes": fields{"x": strings.Repeat("x", 1000)}}).json(t)
	if status, _, _ := post(t, s, PathCompletions, body); status != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", status)
	}
	if diff := cmp.Diff([]string{": body-size"}, found(s.Violations())); diff != "" {
		t.Errorf("violations (-want +got):\n%s", diff)
	}
}

// What the service refuses it refuses whether or not a test cares for the rule.
func TestWithoutRules(t *testing.T) {
	s := Start(t, WithoutRules(RuleEnum, RuleUnknown), WithoutRules(RuleBlank))
	if status, _, _ := post(t, s, PathCompletions, completion("a").with(fields{"stopReason": "x", "agent": "", "new": 1}).json(t)); status != 400 {
		t.Errorf("status %d", status)
	}
	if vs := s.Violations(); vs != nil {
		t.Errorf("violations: %v", vs)
	}
}

func TestWithoutVerification(t *testing.T) {
	s := Start(t, WithoutVerification())
	if status, _, _ := post(t, s, PathCompletions, []byte(`{"transactionId":"a"}`)); status != http.StatusCreated {
		t.Errorf("status %d", status)
	}
	if status, _, _ := post(t, s, PathCompletions, []byte(`{`), header("Idempotency-Key", "k")); status != http.StatusBadRequest {
		t.Errorf("status %d", status)
	}
}

func TestViolationString(t *testing.T) {
	v := Violation{Path: PathImages, TransactionID: "id", Field: "model", Rule: RuleBlank, Detail: "blank text"}
	if got, want := v.String(), "/meter/v2/ai/images (id): model: blank: blank text"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (Violation{Path: "/x", Rule: RulePath, Detail: "d"}).String(), "/x (no transaction id): request: path: d"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
