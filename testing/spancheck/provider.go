// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "strings"

// displayNames says how Revenium wants the providers to be called. It is a table
// of its own, so that it does not agree with the converter's by being it.
func displayNames(provider string) string {
	name := strings.ToLower(provider)
	for _, suffix := range []string{".responses", ".chat", ".messages", ".embedding"} {
		name = strings.TrimSuffix(name, suffix)
	}
	switch name {
	case "openai":
		return "OpenAI"
	case "azure", "azure.ai.openai", "az.ai.openai", "azure.openai", "azure.ai.inference", "az.ai.inference":
		return "Azure"
	case "anthropic":
		return "Anthropic"
	case "aws.bedrock", "bedrock":
		return "Amazon Bedrock"
	case "gcp.gemini", "gcp.gen_ai", "gcp.vertex_ai", "google", "google-gla", "gemini", "vertex_ai":
		return "Google"
	case "cohere":
		return "Cohere"
	case "mistral_ai":
		return "Mistral"
	case "groq":
		return "Groq"
	case "perplexity":
		return "Perplexity"
	case "deepseek":
		return "DeepSeek"
	case "x_ai":
		return "xAI"
	case "ibm.watsonx.ai":
		return "IBM watsonx"
	case "unknown":
		return "Unknown"
	default:
		return provider
	}
}

// providerIs reports whether a record's provider is one of those accepted.
func providerIs(got string, accepted []string) bool {
	for _, name := range accepted {
		if got == displayNames(name) {
			return true
		}
	}
	return false
}
