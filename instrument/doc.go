// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package instrument makes inference spans: one span per call of a language
// model, with the attributes of the OpenTelemetry GenAI conventions (what
// happened) and revenium.* attributes (who pays).
//
// Programs that reach their provider over HTTP need nothing of it: package
// llmhttp wraps their http.RoundTripper and fills the spans in from what goes
// over the wire. This package is for everything else, by hand:
//
//	ctx, call := instrument.StartCall(ctx, instrument.CallParams{
//		Operation: "chat", Provider: "openai", Model: "gpt-4o-mini",
//	})
//	answer, err := client.Ask(ctx, question)
//	if err == nil {
//		call.SetResponse(instrument.Response{ID: answer.ID, Model: answer.Model})
//		call.SetUsage(instrument.Usage{Input: &answer.PromptTokens, Output: &answer.CompletionTokens})
//	}
//	call.End(err)
//
// Use one of the two for a call, not both: a call made by hand through an
// instrumented transport is two spans about one call.
//
// [Metadata] says who pays. It is set for all calls that are made with a context
// ([WithMetadata]), or passed to a single call:
//
//	ctx = instrument.WithMetadata(ctx, instrument.Metadata{
//		Organization: "Acme",
//		Subscriber:   instrument.Subscriber{ID: user.ID},
//	})
//
// Of several sources, per field: an attribute set on the span itself; metadata
// passed to the call; that of wrapped functions (package wrap); that of contexts,
// the inner before the outer; the names of the agent and the workflow that are
// running; that of a request's headers and baggage (package propagate). An exporter
// adds defaults of the process.
//
// [StartWorkflow], [StartAgent] and [StartTool] make spans of the work around calls,
// which are never billed as calls; a [Crew] is several agents with tasks.
//
// Prompts, answers, tool arguments and the text of errors are never recorded.
// Counts are the provider's or they are absent: a successful call for which
// none were reported carries revenium.usage.missing, so that a gap in billing
// is seen rather than guessed away.
package instrument
