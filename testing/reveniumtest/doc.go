// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumtest is an in-process Revenium for tests and demonstrations: it takes metering records over HTTP
// as the service does, and is stricter than the service.
//
// # In a test
//
// [Start] gives a server that lives as long as the test. Point the exporter at its URL, with any key that begins
// with rev_mk_, run the code under test, and look at what arrived:
//
//	srv := reveniumtest.Start(t)
//	sdk, err := revenium.Start(t.Context(), revenium.WithExporterOptions(
//		exporter.WithBaseURL(srv.URL()),
//		exporter.WithAPIKey("rev_mk_test_1"),
//	))
//	... // call an LLM through instrumented code
//	if err := srv.Wait(t.Context(), 1); err != nil {
//		t.Fatal(err)
//	}
//	rec := srv.Completions()[0]
//	if got, ok := rec.Int("inputTokenCount"); !ok || got != 12 {
//		t.Errorf("input tokens: %d, %v", got, ok)
//	}
//
// Fields are read with their presence, because a count that is absent is not a count of 0.
//
// # Answers and violations
//
// The server answers as the service does: 201 for what it takes, also where it silently ignores or cuts something;
// 400 with a JSON error for what it refuses (blank model, unknown enumeration value, bad job id, wrong type,
// missing field); 401 and 403 for keys; the second record with a transaction id is acknowledged and not stored; an
// idempotency key replays its answer for 24 hours of the server's clock, or is answered with
// 409 idempotency_key_mismatch (another body) or 409 idempotency_key_in_progress (the first is still in flight).
//
// Apart from its answer, every request is held against rules of this package's own, written from the Revenium API
// reference: required fields, types, enumerations, lengths in characters, patterns, ranges, names, timestamps,
// relations between fields, headers. What breaks one is a [Violation], and at its end the test that was given to
// [Start] fails for it, because the service would have dropped or mislabelled that data without a word. The rules
// do not share code with this project's own validation. [WithoutRules], [Server.TakeViolations] and
// [WithoutViolationCheck] are for tests that break rules on purpose.
//
// # Faults
//
// A [Fault] makes something go wrong, for all requests or some: latency, no answer at all, broken connections,
// statuses with Retry-After, 401, a rate limit, records that are stored but not acknowledged. Faults can be added
// and removed at any time:
//
//	release := srv.Hang() // accept and never answer
//	...
//	release()
//	srv.ScriptStatus(reveniumtest.Answer{Status: 503}, reveniumtest.Answer{Status: 429, RetryAfter: 2 * time.Second})
//	srv.AddFault(reveniumtest.Fault{Kind: reveniumtest.FaultReset, Attempt: 1}) // each record's first attempt
//
// # Load tests
//
// [WithRecordLimit] and [WithoutBodies] bound memory, [WithoutVerification] saves time, [Server.Stats] and
// [Server.Connections] count.
//
// # Programs
//
// [NewServer] starts a server without a test, and [Server.Handler] is the server as an [net/http.Handler]. It
// serves an account of its own in memory only; it is no substitute for the service.
package reveniumtest
