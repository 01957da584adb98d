// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering_test

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// TestStrictServerTakesEveryFrozenRecord sends what Freeze makes of random records
// to a server that has rules of its own: whatever goes in, what comes out is a
// request that breaks none of them.
func TestStrictServerTakesEveryFrozenRecord(t *testing.T) {
	srv := reveniumtest.Start(t)
	client, err := metering.NewClient("rev_mk_test_strict", metering.WithBaseURL(srv.URL()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)

	random := rand.New(rand.NewPCG(3, 4))
	sent := 0
	for i := range 1500 {
		frozen, _, err := metering.Freeze(metering.RandomRecord(random, "strict-"+strconv.Itoa(i)))
		if err != nil {
			continue
		}
		sent++
		if res := client.Send(t.Context(), frozen); res.Outcome != metering.Delivered {
			t.Fatalf("%+v for %s", res, frozen.Body)
		}
	}
	if sent < 500 {
		t.Errorf("only %d records were valid: the test proves little", sent)
	}
}
