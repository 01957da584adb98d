// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Command http-service is a web service whose callers come through an API gateway.
// The gateway knows them and says so in headers that it signs. The service takes
// organization and user from these; what callers add of their own says what the work
// is, and not who pays. The handlers know nothing of all that.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/revenium/revenium-otel-go/examples/internal/offline"
	"github.com/revenium/revenium-otel-go/instrument"
	"github.com/revenium/revenium-otel-go/instrument/propagate"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	signed := http.Header{"X-Org": {"Acme"}, "X-User": {"jo"}, "X-Signature": {sign("Acme", "jo")}}
	curious := signed.Clone()
	curious.Set("x-revenium-task-type", "translate")
	curious.Set("x-revenium-organization-name", "Globex")
	forged := http.Header{"X-Org": {"Globex"}, "X-User": {"jo"}, "X-Signature": {sign("Acme", "jo")}}

	records, err := offline.Run(ctx, func(ctx context.Context, llm *offline.Client) error {
		service := httptest.NewServer(identified(ask(llm)))
		defer service.Close()
		for _, request := range []struct {
			header http.Header
			want   int
		}{{signed, http.StatusOK}, {curious, http.StatusOK}, {forged, http.StatusUnauthorized}} {
			if err := send(ctx, service.URL, request.header, request.want); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return offline.Expect(out, records,
		offline.Row{"organizationName", "subscriber.id", "taskType"},
		offline.Row{"Acme", "jo", ""},
		offline.Row{"Acme", "jo", "translate"},
	)
}

// ask is a handler as any other.
func ask(llm *offline.Client) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := llm.Ask(r.Context(), "What is new?")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, answer)
	})
}

// identified lets requests of the gateway in, and says whom they are from.
func identified(next http.Handler) http.Handler {
	attributed := propagate.NewMiddleware(propagate.WithTrust(propagate.TrustClaims(
		func(_ context.Context, r *propagate.Request) (instrument.Metadata, bool) {
			organization, user, ok := identify(r.HTTP)
			return instrument.Metadata{Organization: organization, Subscriber: instrument.Subscriber{ID: user}}, ok
		})))(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := identify(r); !ok {
			http.Error(w, "not signed by the gateway", http.StatusUnauthorized)
			return
		}
		attributed.ServeHTTP(w, r)
	})
}

// identify reads the headers of the gateway.
func identify(r *http.Request) (organization, user string, ok bool) {
	organization, user = r.Header.Get("X-Org"), r.Header.Get("X-User")
	return organization, user, hmac.Equal([]byte(r.Header.Get("X-Signature")), []byte(sign(organization, user)))
}

// sign is how the gateway signs. A real one signs a time as well, or uses tokens.
func sign(organization, user string) string {
	mac := hmac.New(sha256.New, []byte("a secret of gateway and service"))
	fmt.Fprintf(mac, "%q %q", organization, user)
	return hex.EncodeToString(mac.Sum(nil))
}

// send is a caller.
func send(ctx context.Context, url string, header http.Header, want int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil {
		return err
	}
	if resp.StatusCode != want {
		return fmt.Errorf("the service answered %s, want %d", resp.Status, want)
	}
	return nil
}
