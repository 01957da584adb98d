// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package reveniumgenkit goes with Genkit, github.com/firebase/genkit/go.
//
// Genkit makes spans by itself, and the exporter of this project makes records of
// those of models and embedders. So there is nothing to instrument: start metering
// before Genkit, which wants the global tracer provider to be one of OpenTelemetry's
// SDK, as that of revenium.Start is.
//
//	sdk, err := revenium.Start(ctx)
//	...
//	g := genkit.Init(ctx, genkit.WithPlugins(&googlegenai.GoogleAI{}))
//
// # Prompts and answers on spans
//
// Genkit puts what goes into each action and what comes out of it on its spans,
// prompts and answers whole, so that they reach every backend that the program's
// spans go to. The exporter reads the counts in them and keeps nothing else.
// [WithoutContent] keeps the rest from other processors.
//
// # Plugins that take options of a client
//
// A plugin tells what it understood of the provider's counts, and for the streams of
// OpenAI's API it has none. Plugins of package compat_oai take options, through
// which a transport of this project sees the provider itself:
//
//	&openai.OpenAI{Opts: []option.RequestOption{option.WithMiddleware(llmhttp.Middleware())}}
//
// Genkit's span and that of the transport are then about one call, which is billed
// once.
package reveniumgenkit
