// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package llmhttp makes a span of every model call that a program sends over
// HTTP. It is an http.RoundTripper to be put into the http.Client of whichever
// SDK makes the calls:
//
//	client := openai.NewClient(option.WithHTTPClient(&http.Client{
//		Transport: llmhttp.NewTransport(nil),
//	}))
//
// [Client] does that to a client that exists, and [Middleware] is the same for
// SDKs that take a function.
//
// It understands, plain and streamed: OpenAI's chat completions, responses,
// completions, embeddings, images, audio and videos, and the many servers that are
// compatible with them; Anthropic's messages; Gemini and Vertex AI; Bedrock's
// Converse and InvokeModel; Cohere; Ollama; and what LiteLLM passes on of these.
// docs/providers.md lists them and how each is counted. Calls are recognised by the
// path of the request, providers by its host; all other requests pass as if the
// transport were not there.
//
// Requests that are no inference and whose answers look like one have spans that
// are not billed: counting of tokens, moderation, submission of batches, retrieval
// of what was answered before. A response in the background, or a video, is metered
// once, by the first request of the same transport that shows how it ended.
//
// # What a span says
//
// Model, parameters, the answer's id and finish reasons, and what the provider
// reported as consumed, in the words of the OpenTelemetry GenAI conventions.
// Servers count in different ways; the span has one: the input includes what was
// cached, the output what was spent on reasoning. Counts are never estimated. A
// successful call whose tokens nobody reported carries revenium.usage.missing;
// counts of an answer that was cut carry revenium.usage.partial, since they are a
// lower bound. Who pays is what the request's context carries
// (instrument.WithMetadata) and what [WithRequestAttributes] adds, which goes
// first; instrument.WithCallOptions is for a single call. Neither prompts nor
// answers nor the text of errors are recorded; with [WithContentCapture] prompts
// and answers are.
//
// Each attempt of a client that tries again is a span of its own, with
// revenium.retry.number from the second one on where the client tells (the
// official OpenAI and Anthropic clients do).
//
// # What happens to requests and answers
//
// The bytes of an answer are passed on as they come; a copy is scanned on the
// way, in memory that does not grow with the answer. The span ends with the
// answer: at its own mark of the end, or when its body has ended, failed, been
// closed or been thrown away, or the request's context has ended.
//
// A request is changed in two ways, and the one that the caller made never is
// (the base transport gets a copy). The trace context is put into its headers,
// see [WithPropagators]. And streams of OpenAI-compatible servers report usage
// only when asked by stream_options.include_usage, so that a stream whose caller
// says nothing of it is asked for its usage, if all of these hold:
//
//   - it goes to OpenAI, to a LiteLLM proxy ([WithLiteLLMHosts], or known by its
//     x-litellm-* headers from an earlier answer) or to one of
//     [WithStreamUsageHosts]; never to other hosts, some of which refuse it;
//   - the request can be repeated (http.Request.GetBody), is not signed and does
//     not ask for a compressed answer;
//   - [WithoutStreamUsage] is not set.
//
// The only bytes that change are those of the member put in. The additional
// chunk at the end of the stream, which has usage and no choices, is taken out
// again together with its empty line; the caller sees the other chunks as the
// server sends them, which may include a "usage":null that it would not send
// otherwise. A server that answers 400 or 422 and names the option is sent the
// caller's own request at once, within the same span, and is not asked again
// (of a LiteLLM proxy: for that model).
//
// An answer with an error status is kept from the caller for at most 250 ms, in
// which the beginning of its body is read: clients that try again close it
// unread.
//
// # Other instrumentation
//
// Around or beneath a transport that makes HTTP spans (otelhttp) it works as
// expected: those are not billable. Of two transports of this package, one inside
// the other, the outer makes the span.
package llmhttp
