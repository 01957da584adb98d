// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "fmt"

// ParseWireInput reads the name of a [WireInput]: "gross", "net" or "reported".
func ParseWireInput(name string) (WireInput, error) {
	for i, known := range [...]string{"gross", "net", "reported"} {
		if name == known {
			return WireGross + WireInput(i), nil
		}
	}
	return 0, fmt.Errorf("convert: wire input %q is not known: use gross, net or reported", name)
}

// ParseInputBasis reads the name of an [InputBasis]: "inclusive" or "exclusive".
func ParseInputBasis(name string) (InputBasis, error) {
	for i, known := range [...]string{"inclusive", "exclusive"} {
		if name == known {
			return InputInclusive + InputBasis(i), nil
		}
	}
	return 0, fmt.Errorf("convert: input basis %q is not known: use inclusive or exclusive", name)
}
