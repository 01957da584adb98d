// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

// Words of the API for the two kinds of 409.
const (
	codeMismatch   = "idempotency_key_mismatch"
	codeInProgress = "idempotency_key_in_progress"
)

// Bounds for what is kept of an answer.
const (
	maxCodeLen    = 128
	maxMessageLen = 512
	maxRetryAfter = time.Hour
)

// failedResult reads an answer other than 2xx.
func failedResult(resp *http.Response, scrub scrubber) Result {
	res := Result{StatusCode: resp.StatusCode, RetryAfter: retryAfter(resp.Header, time.Now())}
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	code, message := parseFailure(body)
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		message = redirectMessage(resp)
	}
	res.Code = scrub.clean(code, maxCodeLen)
	res.Message = scrub.clean(message, maxMessageLen)
	res.Err = &StatusError{StatusCode: res.StatusCode, Code: res.Code, Message: res.Message}

	res.Outcome = outcomeOf(resp.StatusCode, code, res.RetryAfter > 0, resp.Header.Get("X-Should-Retry") == "true")
	if resp.StatusCode == http.StatusConflict && res.Outcome == Rejected && readErr != nil {
		// Which conflict it was got lost on the way.
		res.Outcome = Retry
	}
	return res
}

// outcomeOf is the table of the API reference for all but 2xx. Where the status says that the
// record itself is wrong, shouldRetry (the header x-should-retry: true) overrules
// it; that header's "false" is not heeded, because a record is given up only for
// what is wrong with the record.
func outcomeOf(status int, code string, retryAfter, shouldRetry bool) Outcome {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Unauthorized
	case status == http.StatusConflict && code == codeMismatch:
		return Duplicate
	case status == http.StatusConflict && code == codeInProgress:
		return Retry
	case status == http.StatusConflict:
		if retryAfter || shouldRetry {
			return Retry
		}
		return Rejected
	case status == http.StatusRequestTimeout,
		status == http.StatusTooEarly,
		status == http.StatusTooManyRequests,
		// These two come from what stands between us and the service.
		status == http.StatusProxyAuthRequired,
		status == http.StatusMisdirectedRequest:
		return Retry
	case status >= 400 && status < 500 && !shouldRetry:
		return Rejected
	default:
		// 5xx; redirects that were not followed, which a corrected setting mends;
		// and whatever HTTP does not define.
		return Retry
	}
}

// redirectMessage says what was not followed and what to set. The target's path
// and query are left out, because they can carry tokens.
func redirectMessage(resp *http.Response) string {
	const mend = "check the base URL (WithBaseURL)"
	to, err := resp.Location()
	if err != nil {
		return "redirect without a usable target: " + mend
	}
	if from := origin(resp.Request.URL); origin(to) != from {
		return "redirect from " + from + " to " + origin(to) + " was not followed, because the API key is meant for the former: " + mend
	}
	return "redirect within " + origin(to) + " was not followed: " + mend
}

// retryAfter reads the Retry-After header: seconds, or a date, which is compared
// with the server's own clock where the answer shows it. It is 0 for what is
// absent, past or unreadable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if math.IsNaN(seconds) || seconds <= 0 {
			return 0
		}
		if seconds >= maxRetryAfter.Seconds() {
			return maxRetryAfter
		}
		return time.Duration(math.Ceil(seconds * float64(time.Second)))
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// parseFailure finds code and message in the body of a failure. The service is not
// consistent about its form, and proxies answer in HTML.
func parseFailure(body []byte) (code, message string) {
	var f failure
	if !f.read(body, 0) {
		f.texts = []string{string(body)}
	}
	if f.code == "" {
		lower := bytes.ToLower(body)
		for _, known := range []string{codeInProgress, codeMismatch} {
			if bytes.Contains(lower, []byte(known)) {
				f.code = known
			}
		}
	}
	return strings.ToLower(f.code), strings.Join(f.texts, ": ")
}

// failure collects what a JSON body says.
type failure struct {
	code  string
	texts []string
}

// read reports whether raw is a JSON object.
func (f *failure) read(raw []byte, depth int) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return false
	}
	for _, name := range []string{"code", "errorCode", "error_code"} {
		if s, ok := scalar(members[name]); ok && f.code == "" {
			f.code = s
		}
	}
	for _, name := range []string{"error", "message", "title", "detail", "details", "errors"} {
		f.readText(members[name], depth)
	}
	return true
}

// readText takes a text, or what is in an object or list.
func (f *failure) readText(raw json.RawMessage, depth int) {
	s, ok := scalar(raw)
	switch {
	case len(raw) == 0 || string(raw) == "null":
	case ok && f.code == "" && isCode(s):
		f.code = s
	case ok:
		f.addText(s)
	case raw[0] == '{' && depth == 0 && f.readNested(raw):
	default:
		f.addText(string(raw))
	}
}

// readNested reports whether the object held anything that read understands.
func (f *failure) readNested(raw json.RawMessage) bool {
	nested := failure{code: f.code}
	nested.read(raw, 1)
	if len(nested.texts) == 0 && nested.code == f.code {
		return false
	}
	f.code = nested.code
	for _, s := range nested.texts {
		f.addText(s)
	}
	return true
}

func (f *failure) addText(s string) {
	if s != "" && !slices.Contains(f.texts, s) {
		f.texts = append(f.texts, s)
	}
}

// scalar is a JSON string or number as text.
func scalar(raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s, true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil && n != "" {
		return n.String(), true
	}
	return "", false
}

// isCode reports whether s looks like a word for machines: lower case with
// underscores.
func isCode(s string) bool {
	return strings.Contains(s, "_") && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
}

// scrubber takes secrets out of foreign text.
type scrubber struct{ secrets []string }

// newScrubber knows the key and the credential in the body that was sent.
func newScrubber(key string, body []byte) scrubber {
	return scrubber{secrets: append(credentials(body), key)}
}

// minSecretLen is the length from which a credential is worth hiding. A shorter
// one is none, and hiding it would hide half of the text.
const minSecretLen = 4

// credentials finds the credential in a body, as it is and as JSON shows it.
func credentials(body []byte) []string {
	if !bytes.Contains(body, []byte(`redential":`)) {
		return nil
	}
	var record struct {
		Subscriber struct {
			Credential struct{ Value json.RawMessage }
		}
		SubscriberCredential json.RawMessage
	}
	if json.Unmarshal(body, &record) != nil {
		return nil
	}
	var found []string
	for _, raw := range []json.RawMessage{record.Subscriber.Credential.Value, record.SubscriberCredential} {
		if s, ok := scalar(raw); ok && len(s) >= minSecretLen {
			found = append(found, s, strings.Trim(string(raw), `"`))
		}
	}
	return found
}

// clean returns s on one line, without secrets and no longer than limit.
func (s scrubber) clean(text string, limit int) string {
	for _, secret := range s.secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, redacted)
		}
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runesExceed(text, limit) {
		return limits.Truncate(text, limit-1) + "…"
	}
	return text
}
