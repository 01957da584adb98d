// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert_test

import (
	"testing"

	"github.com/revenium/revenium-otel-go/exporter/convert"
)

func TestParse(t *testing.T) {
	for name, want := range map[string]convert.WireInput{"gross": convert.WireGross, "net": convert.WireNet, "reported": convert.WireReported, "": 0, "Net": 0} {
		if got, err := convert.ParseWireInput(name); got != want || (err == nil) != (want != 0) {
			t.Errorf("wire input %q is %d, %v", name, got, err)
		}
	}
	for name, want := range map[string]convert.InputBasis{"inclusive": convert.InputInclusive, "exclusive": convert.InputExclusive, "": 0, "no": 0} {
		if got, err := convert.ParseInputBasis(name); got != want || (err == nil) != (want != 0) {
			t.Errorf("input basis %q is %d, %v", name, got, err)
		}
	}
}
