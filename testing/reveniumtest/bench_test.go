// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumtest

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
)

// discard is a response writer that costs nothing.
type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkServe measures what the server itself costs per record, without the network.
func BenchmarkServe(b *testing.B) {
	for name, opts := range map[string][]Option{
		"verified":   {WithRecordLimit(100)},
		"unverified": {WithRecordLimit(100), WithoutBodies(), WithoutVerification()},
	} {
		b.Run(name, func(b *testing.B) {
			s := Start(b, opts...)
			h := s.Handler()
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				body := fullCompletion(fmt.Sprintf("0af7651916cd43dd8448eb211c80319c-%016x", n))
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, PathCompletions, bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				r.Header = http.Header{
					"Content-Type": {"application/json"}, "X-Api-Key": {testKey}, "Idempotency-Key": {fmt.Sprint("key-", n)},
				}
				h.ServeHTTP(&discard{make(http.Header)}, r)
			}
			if st := s.Stats(); st.Stored != n {
				b.Fatalf("%+v, want %d stored", st, n)
			}
		})
	}
}
