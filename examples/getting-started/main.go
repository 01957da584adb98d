// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command getting-started meters five LLM calls of the official OpenAI client:
// a chat, a streamed chat whose caller asks for no usage, an embedding, a call
// that is refused with 429 and retried by the client, and a stream that is
// cancelled half-way.
//
// Without flags it needs no key and no network: it starts an in-process LLM
// server that answers like a LiteLLM proxy and an in-process Revenium, and shows
// what the latter accepted. With -live it talks to a real LiteLLM proxy and to
// the real Revenium, with the settings of the environment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	revenium "github.com/revenium/revenium-otel-go"
	"github.com/revenium/revenium-otel-go/exporter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "getting-started:", err)
		os.Exit(1) //nolint:gocritic // stop only releases the signal, which the exit does as well
	}
}

// run is the whole program.
func run(ctx context.Context, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("getting-started", flag.ContinueOnError)
	flags.SetOutput(out)
	live := flags.Bool("live", false, "talk to the real services: "+liveSettings)
	chatModel := flags.String("model", "gpt-4o-mini", "chat model")
	embeddingModel := flags.String("embedding-model", "text-embedding-3-small", "embedding model")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q: the flags are -live, -model and -embedding-model", flags.Arg(0))
	}

	var services *services
	var err error
	if *live {
		services, err = liveServices()
	} else {
		services, err = offlineServices()
	}
	if err != nil {
		return err
	}
	defer services.close()
	fmt.Fprintf(out, "LLM:      %s\nRevenium: %s\n\n", services.llmURL, services.reveniumURL)

	// From here on, everything is what a service of yours would write: one call
	// that starts metering ...
	sdk, err := revenium.Start(ctx, services.options...)
	if err != nil {
		return err
	}

	// ... and one transport for the client that is already there.
	client := openai.NewClient(
		option.WithBaseURL(services.llmURL),
		option.WithAPIKey(services.llmKey),
		option.WithHTTPClient(services.httpClient()),
	)
	calls := calls{client: &client, chatModel: *chatModel, embeddingModel: *embeddingModel, services: services, out: out}
	callErr := calls.all(ctx)

	// The end of the program: wait for what is still on its way and say what
	// became of everything. A fresh context, since the first may be cancelled.
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	report, err := sdk.Shutdown(shutdown)
	if err != nil {
		return errors.Join(callErr, err)
	}
	if err := services.printAccepted(out); err != nil {
		return errors.Join(callErr, err)
	}
	printReport(out, report)
	return callErr
}

func printReport(out io.Writer, report exporter.Report) {
	fmt.Fprintf(out, "\nDelivery report\n%s\n", report)
}
