// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command litellm-proxy is a gateway to a model provider that meters for its
// callers, as a LiteLLM proxy with Revenium's callback does, and three callers: one
// that sets x-revenium-* headers by hand, one whose transport sets them from its
// context, and one that says nothing and is known by its key.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/llmhttp"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
	"github.com/revenium/revenium-otel-go/semconv"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		provider, err := url.Parse(llm.BaseURL())
		if err != nil {
			return err
		}
		gateway := httptest.NewServer(newGateway(provider))
		defer gateway.Close()

		byHand := http.Header{}
		byHand.Set(semconv.HeaderOrganizationID, "Acme") // the older name does as well
		byHand.Set(semconv.HeaderSubscriberEmail, "jo@acme.example")
		byHand.Set(semconv.HeaderTaskType, "chat")
		byContext := instrument.WithMetadata(ctx, instrument.Metadata{Organization: "Globex", Agent: "planner"})
		transport := propagate.NewTransport(nil, []string{gateway.URL})
		for _, err := range []error{
			ask(ctx, http.DefaultClient, gateway.URL, "sk-research", byHand, http.StatusOK),
			ask(byContext, &http.Client{Transport: transport}, gateway.URL, "sk-research", nil, http.StatusOK),
			ask(ctx, http.DefaultClient, gateway.URL, "sk-research", nil, http.StatusOK),
			ask(ctx, http.DefaultClient, gateway.URL, "sk-of-nobody", byHand, http.StatusUnauthorized),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"organizationName", "subscriber.id", "subscriber.email", "subscriber.credential.name", "agent", "taskType"},
		offline.Row{"Acme", "", "jo@acme.example", "key of the team", "", "chat"}, // not the owner of the key
		offline.Row{"Globex", "ada-1", "ada@research.example", "key of the team", "planner", ""},
		offline.Row{"Research", "ada-1", "ada@research.example", "key of the team", "", ""},
	)
}

// newGateway passes requests with a key that it knows to the provider, and meters
// them.
func newGateway(provider *url.URL) http.Handler {
	keys := map[string]propagate.LiteLLMKey{"Bearer sk-research": {
		Alias: "key of the team", TeamAlias: "Research", UserEmail: "ada@research.example",
		Metadata: map[string]any{"revenium_user_id": "ada-1"},
	}}
	proxy := &httputil.ReverseProxy{
		Transport: llmhttp.NewTransport(nil),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(provider)
			r.Out.Header.Set("Authorization", "Bearer sk-of-the-gateway")
		},
	}
	attributed := propagate.NewMiddleware(
		propagate.WithTrust(propagate.TrustLiteLLMKeys(func(_ context.Context, r *propagate.Request) (propagate.LiteLLMKey, bool) {
			key, ok := keys[r.HTTP.Header.Get("Authorization")]
			return key, ok
		})),
		propagate.WithHeaderRemoval(), // nothing of it concerns the provider
	)(proxy)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := keys[r.Header.Get("Authorization")]; !ok {
			http.Error(w, "unknown key", http.StatusUnauthorized)
			return
		}
		attributed.ServeHTTP(w, r)
	})
}

// ask is a plain HTTP client, in whichever language.
func ask(ctx context.Context, client *http.Client, gateway, key string, header http.Header, want int) error {
	body := []byte(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"What is new?"}]}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, gateway+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && resp.StatusCode != want {
		err = fmt.Errorf("the gateway answered %s, want %d", resp.Status, want)
	}
	return err
}
