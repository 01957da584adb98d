// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/openai/openai-go/v3"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// calls are the five calls, made with the unchanged client.
type calls struct {
	client         *openai.Client
	chatModel      string
	embeddingModel string
	services       *services
	out            io.Writer
}

// all makes the calls one after the other, each under a span of the
// application, as a request handler would have one.
func (c *calls) all(ctx context.Context) error {
	steps := []struct {
		name    string
		offline bool // needs a provider that can be told to misbehave
		call    func(context.Context) (string, error)
	}{
		{name: "chat", call: c.chat},
		{name: "streamed chat", call: c.stream},
		{name: "embedding", call: c.embedding},
		{name: "429, then retried", offline: true, call: c.retried},
		{name: "stream cancelled half-way", call: c.cancelled},
	}
	tracer := otel.Tracer("getting-started")
	var failed error
	for i, step := range steps {
		if step.offline && c.services.script == nil {
			fmt.Fprintf(c.out, "%d. %s: only without -live\n", i+1, step.name)
			continue
		}
		stepCtx, span := tracer.Start(ctx, step.name)
		answer, err := step.call(stepCtx)
		span.End()
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", step.name, err))
			answer = "failed: " + err.Error()
		}
		fmt.Fprintf(c.out, "%d. %s\n   trace  %s\n   answer %s\n", i+1, step.name, traceID(span), answer)
	}
	return failed
}

func traceID(span trace.Span) string { return span.SpanContext().TraceID().String() }

func (c *calls) question(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    c.chatModel,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func (c *calls) chat(ctx context.Context) (string, error) {
	c.services.say("Because every cent has a trace id.")
	completion, err := c.client.Chat.Completions.New(ctx, c.question("Why meter LLM calls?"))
	if err != nil {
		return "", err
	}
	return firstChoice(completion), nil
}

// stream asks for no usage, as most code does, and sees none; the metering
// record has it all the same.
func (c *calls) stream(ctx context.Context) (string, error) {
	c.services.say("Tokens ", "arrive ", "one ", "by ", "one.")
	stream := c.client.Chat.Completions.NewStreaming(ctx, c.question("How does a stream arrive?"))
	var text strings.Builder
	for stream.Next() {
		text.WriteString(stream.Current().Choices[0].Delta.Content)
	}
	return text.String(), errors.Join(stream.Err(), stream.Close())
}

func (c *calls) embedding(ctx context.Context) (string, error) {
	response, err := c.client.Embeddings.New(ctx, openai.EmbeddingNewParams{
		Model: c.embeddingModel,
		Input: openai.EmbeddingNewParamsInputUnion{OfString: openai.String("a sentence to look up later")},
	})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("a vector of %d numbers", len(response.Data[0].Embedding)), nil
}

// retried meets a rate limit first. The client waits and tries again by itself;
// only the attempt that was answered is billed.
func (c *calls) retried(ctx context.Context) (string, error) {
	c.services.refuse()
	c.services.say("The second attempt went through.")
	completion, err := c.client.Chat.Completions.New(ctx, c.question("Are you busy?"))
	if err != nil {
		return "", err
	}
	return firstChoice(completion), nil
}

// cancelled stops reading after the second piece of text.
func (c *calls) cancelled(ctx context.Context) (string, error) {
	c.services.sayWithoutEnd("This ", "answer ", "is ", "never ", "finished.")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream := c.client.Chat.Completions.NewStreaming(ctx, c.question("Tell me a very long story."))
	var text strings.Builder
	for pieces := 0; pieces < 2 && stream.Next(); {
		if choices := stream.Current().Choices; len(choices) > 0 && choices[0].Delta.Content != "" {
			text.WriteString(choices[0].Delta.Content)
			pieces++
		}
	}
	cancel()
	if err := stream.Err(); err != nil {
		return "", err
	}
	_ = stream.Close() // the answer is not wanted any more, nor how its connection ended
	return text.String() + "… (cancelled)", nil
}

func firstChoice(completion *openai.ChatCompletion) string {
	if len(completion.Choices) == 0 {
		return "(no choice)"
	}
	return completion.Choices[0].Message.Content
}
