// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestOutcomes sends to a server that answers with each row of the API reference's
// table of responses.
func TestOutcomes(t *testing.T) {
	const (
		inProgress = `{"code":"idempotency_key_in_progress","message":"in flight"}`
		mismatch   = `{"error":"idempotency_key_mismatch","message":"another body"}`
	)
	for _, tc := range []struct {
		name   string
		status int
		header string // "Name: value"
		body   string
		want   Result
	}{
		{"ok", 200, "", `{"id":"1"}`, Result{Outcome: Delivered}},
		{"created", 201, "", "", Result{Outcome: Delivered}},
		{"accepted", 202, "", "not JSON", Result{Outcome: Delivered}},
		{"no content", 204, "", "", Result{Outcome: Delivered}},

		{"bad request", 400, "", `{"message":"model is blank"}`, Result{Outcome: Rejected, Message: "model is blank"}},
		{"bad key", 400, "", `{"error":"invalid_idempotency_key"}`, Result{Outcome: Rejected, Code: "invalid_idempotency_key"}},
		{"unauthorized", 401, "", `{"message":"no"}`, Result{Outcome: Unauthorized, Message: "no"}},
		{"forbidden", 403, "Retry-After: 5", `{"details":"scope"}`, Result{Outcome: Unauthorized, Message: "scope", RetryAfter: 5 * time.Second}},
		{"not found", 404, "", "404 page not found\n", Result{Outcome: Rejected, Message: "404 page not found"}},
		{"method", 405, "", "", Result{Outcome: Rejected}},
		{"proxy authentication", 407, "", "", Result{Outcome: Retry}},
		{"timeout", 408, "", "", Result{Outcome: Retry}},
		{"in progress", 409, "Retry-After: 1", inProgress, Result{Outcome: Retry, Code: "idempotency_key_in_progress", Message: "in flight", RetryAfter: time.Second}},
		{"in progress, no delay", 409, "", inProgress, Result{Outcome: Retry, Code: "idempotency_key_in_progress", Message: "in flight"}},
		{"mismatch", 409, "", mismatch, Result{Outcome: Duplicate, Code: "idempotency_key_mismatch", Message: "another body"}},
		{"mismatch with a delay", 409, "Retry-After: 1", mismatch, Result{Outcome: Duplicate, Code: "idempotency_key_mismatch", Message: "another body", RetryAfter: time.Second}},
		{"mismatch, told to retry", 409, "X-Should-Retry: true", mismatch, Result{Outcome: Duplicate, Code: "idempotency_key_mismatch", Message: "another body"}},
		{"mismatch in words", 409, "", "Conflict: Idempotency_Key_Mismatch", Result{Outcome: Duplicate, Code: "idempotency_key_mismatch", Message: "Conflict: Idempotency_Key_Mismatch"}},
		{"other conflict", 409, "", `{"code":"version_conflict"}`, Result{Outcome: Rejected, Code: "version_conflict"}},
		{"other conflict with a delay", 409, "Retry-After: 2", "", Result{Outcome: Retry, RetryAfter: 2 * time.Second}},
		{"gone", 410, "", "", Result{Outcome: Rejected}},
		{"too large", 413, "", "", Result{Outcome: Rejected}},
		{"misdirected", 421, "", "", Result{Outcome: Retry}},
		{"unprocessable", 422, "", `{"error":{"code":"invalid","message":"bad enum"}}`, Result{Outcome: Rejected, Code: "invalid", Message: "bad enum"}},
		{"unprocessable, told to retry", 422, "X-Should-Retry: true", "", Result{Outcome: Retry}},
		{"too early", 425, "", "", Result{Outcome: Retry}},
		{"rate limit", 429, "Retry-After: 30", "", Result{Outcome: Retry, RetryAfter: 30 * time.Second}},
		{"rate limit, no delay", 429, "", "", Result{Outcome: Retry}},
		{"server error", 500, "", "<html><body>Oops</body></html>", Result{Outcome: Retry, Message: "<html><body>Oops</body></html>"}},
		{"server error, told not to retry", 500, "X-Should-Retry: false", "", Result{Outcome: Retry}},
		{"not implemented", 501, "", "", Result{Outcome: Retry}},
		{"bad gateway", 502, "", "", Result{Outcome: Retry}},
		{"unavailable", 503, "Retry-After: 120", "", Result{Outcome: Retry, RetryAfter: 2 * time.Minute}},
		{"gateway timeout", 504, "", "", Result{Outcome: Retry}},
		{"beyond HTTP", 799, "", "", Result{Outcome: Retry}},
		{"multiple choices", 300, "", "", Result{Outcome: Retry, Message: "redirect without a usable target: check the base URL (WithBaseURL)"}},
		{"not modified", 304, "", "", Result{Outcome: Retry, Message: "redirect without a usable target: check the base URL (WithBaseURL)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			srv := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
				if name, value, ok := strings.Cut(tc.header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			})
			got := newTestClient(t, srv.URL).Send(t.Context(), testFrozen(t))
			want := tc.want
			want.StatusCode = tc.status
			if want.Outcome != Delivered {
				var status *StatusError
				if !errors.As(got.Err, &status) {
					t.Fatalf("error = %v, want a StatusError", got.Err)
				}
				if diff := cmp.Diff(StatusError{tc.status, want.Code, want.Message}, *status); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
				want.Err = got.Err
			}
			if got != want {
				t.Errorf("result:\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestStatusErrorText(t *testing.T) {
	for _, tc := range []struct {
		err  StatusError
		want string
	}{
		{StatusError{StatusCode: 503}, "metering: service answered 503 Service Unavailable"},
		{StatusError{StatusCode: 799}, "metering: service answered 799"},
		{StatusError{400, "bad_enum", "stopReason"}, "metering: service answered 400 Bad Request: bad_enum: stopReason"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("error = %q, want %q", got, tc.want)
		}
	}
}

func TestOutcomeNames(t *testing.T) {
	want := []string{"Outcome(0)", "delivered", "duplicate", "retry", "unauthorized", "rejected", "Outcome(6)"}
	for o, name := range want {
		if got := Outcome(o).String(); got != name {
			t.Errorf("Outcome(%d) = %q, want %q", o, got, name)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, tc := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"1", "", time.Second},
		{" 120 ", "", 2 * time.Minute},
		{"1.5", "", 1500 * time.Millisecond},
		{"-5", "", 0},
		{"3600", "", time.Hour},
		{"3601", "", time.Hour},
		{"99999999999999999999", "", time.Hour},
		{"1e300", "", time.Hour},
		{"Inf", "", time.Hour},
		{"-Inf", "", 0},
		{"NaN", "", 0},
		{"soon", "", 0},
		{"5 seconds", "", 0},
		{date(90 * time.Second), "", 90 * time.Second},
		{date(-90 * time.Second), "", 0},
		{date(48 * time.Hour), "", time.Hour},
		// The clock here is ten minutes ahead of the server's.
		{date(-9 * time.Minute), date(-10 * time.Minute), time.Minute},
		{date(30 * time.Second), "yesterday", 30 * time.Second},
		{"Sat, 14 Mar 2026 15:00:61 GMT", "", 0},
	} {
		h := http.Header{"Retry-After": {tc.value}, "Date": {tc.date}}
		if got := retryAfter(h, now); got != tc.want {
			t.Errorf("Retry-After %q, Date %q = %v, want %v", tc.value, tc.date, got, tc.want)
		}
	}
	if got := retryAfter(http.Header{}, now); got != 0 {
		t.Errorf("without the header = %v, want 0", got)
	}
}

func TestParseFailure(t *testing.T) {
	for _, tc := range []struct{ body, code, message string }{
		{"", "", ""},
		{"plain text", "", "plain text"},
		{`{}`, "", ""},
		{`null`, "", ""},
		{`[1,2]`, "", "[1,2]"},
		{`"text"`, "", `"text"`},
		{`{"message":"m"}`, "", "m"},
		{`{"error":"Bad Request"}`, "", "Bad Request"},
		{`{"error":"bad_request"}`, "bad_request", ""},
		{`{"error":"Bad Request","message":"m","code":"C_1"}`, "c_1", "Bad Request: m"},
		{`{"code":4001,"message":"m"}`, "4001", "m"},
		{`{"errorCode":"X","details":"d"}`, "x", "d"},
		{`{"message":"m","details":{"field":"model"}}`, "", `m: {"field":"model"}`},
		{`{"message":"m","details":{"message":"inner","code":"inner_code"}}`, "inner_code", "m: inner"},
		{`{"details":["a","b"]}`, "", `["a","b"]`},
		{`{"error":{"code":"outer","message":"m","details":{"error":{"message":"deep"}}}}`, "outer", `m: {"error":{"message":"deep"}}`},
		{`{"message":"same","error":"same"}`, "", "same"},
		{`{"message":null,"error":false}`, "", "false"},
		{`{"title":"Unprocessable","detail":"bad","status":422}`, "", "Unprocessable: bad"},
		{`{"message":"idempotency_key_mismatch: another body"}`, "idempotency_key_mismatch", "idempotency_key_mismatch: another body"},
		{`{"message":"cut o`, "", `{"message":"cut o`},
	} {
		code, message := parseFailure([]byte(tc.body))
		if code != tc.code || message != tc.message {
			t.Errorf("%s: code %q, message %q, want %q, %q", tc.body, code, message, tc.code, tc.message)
		}
	}
}

// TestAnswersAreCleaned checks that what the server says cannot carry secrets,
// control characters or megabytes into logs.
func TestAnswersAreCleaned(t *testing.T) {
	const credential = `cred "quoted" test`
	rec := typicalCompletion()
	rec.Subscriber = &Subscriber{Credential: &Credential{Name: "n", Value: credential}}
	f, _ := mustFreeze(t, rec)
	tool := fullToolEvent().(*ToolEvent)
	tool.SubscriberCredential = "tool_credential_test"
	toolFrozen, _ := mustFreeze(t, tool)

	var body string
	srv := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(body))
	})
	c := newTestClient(t, srv.URL)
	for _, tc := range []struct {
		name, body string
		f          Frozen
		want       string
	}{
		{"key", "key " + testKey + " is unknown", f, "key [REDACTED] is unknown"},
		{"key in JSON", `{"message":"key ` + testKey + ` is unknown"}`, f, "key [REDACTED] is unknown"},
		{"credential", `{"message":"no cred \"quoted\" test here"}`, f, "no [REDACTED] here"},
		{"credential in an echo", "bad: " + string(f.Body[strings.Index(string(f.Body), `{"name"`):][:45]), f, `bad: {"name":"n","value":"[REDACTED]"`},
		{"credential of a tool", "no tool_credential_test", toolFrozen, "no [REDACTED]"},
		{"control characters", "a\x00b\r\n\x1b[31mc\u0085", f, "a b [31mc"},
		{"invalid UTF-8", "a\xffb", f, "a\ufffdb"},
	} {
		body = tc.body
		res := c.Send(t.Context(), tc.f)
		if !strings.HasPrefix(res.Message, tc.want) || (tc.name != "credential in an echo" && res.Message != tc.want) {
			t.Errorf("%s: message = %q, want %q", tc.name, res.Message, tc.want)
		}
		if strings.Contains(res.Err.Error(), testKey) || strings.Contains(res.Err.Error(), "quoted") {
			t.Errorf("%s: error holds a secret: %v", tc.name, res.Err)
		}
	}
	// The key stands where the text is cut.
	body = strings.Repeat("ä", maxMessageLen-10) + testKey + strings.Repeat("x", 10*maxBody)
	res := c.Send(t.Context(), f)
	if n := utf8.RuneCountInString(res.Message); n != maxMessageLen || !strings.HasSuffix(res.Message, "…") {
		t.Errorf("message has %d characters, want %d", n, maxMessageLen)
	}
	if strings.Contains(res.Message, "rev_mk") {
		t.Errorf("message holds a part of the key: %q", res.Message)
	}
}

// TestCutConflict: which of the conflicts it was gets lost with the connection, so
// the record must not be given up.
func TestCutConflict(t *testing.T) {
	srv := startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"code":"idemp`))
	})
	if res := newTestClient(t, srv.URL).Send(t.Context(), testFrozen(t)); res.Outcome != Retry || res.StatusCode != http.StatusConflict {
		t.Errorf("result = %+v, want a retry", res)
	}
}

func FuzzParseFailure(f *testing.F) {
	f.Add([]byte(`{"error":{"code":"x_y","message":"m"},"details":[1]}`))
	f.Add([]byte("<html>"))
	f.Add([]byte(`{"message":"` + testKey))
	f.Fuzz(func(t *testing.T, body []byte) {
		code, message := parseFailure(body)
		scrub := newScrubber(testKey, body)
		for text, limit := range map[string]int{code: maxCodeLen, message: maxMessageLen} {
			got := scrub.clean(text, limit)
			if utf8.RuneCountInString(got) > limit || !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\n\r\x1b") {
				t.Errorf("%q is cleaned to %q", text, got)
			}
			if strings.Contains(got, testKey) {
				t.Errorf("the key remains in %q", got)
			}
		}
	})
}
