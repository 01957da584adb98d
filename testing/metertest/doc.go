// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package metertest tests what a call is billed as, from the client to the record: an in-process LLM provider
// ([llmtest]), a tracer provider with the exporter's processor, and an in-process Revenium ([reveniumtest]) around it.
//
//	meter := metertest.Start(t)
//	meter.LLM.Enqueue(llmtest.Answer{Text: "Hi", Usage: &llmtest.Usage{PromptTokens: 12, CompletionTokens: 1}})
//	... // call meter.LLM.BaseURL() with a client whose spans go to meter.Provider
//	meter.Want(metertest.Facts{
//		"model": "gpt-4o", "provider": "OpenAI", "inputTokenCount": "12", "outputTokenCount": "1", ...
//	})
//
// Nothing leaves the process. Settings in the environment that name who pays hold as for any exporter.
package metertest
