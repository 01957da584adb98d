// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package limits_test

import (
	"fmt"
	"strings"

	"github.com/revenium/revenium-otel-go/semconv/limits"
)

func Example() {
	name := strings.Repeat("Ü", 300)
	short := limits.Truncate(name, limits.TraceNameMaxLen)
	fmt.Println(len([]rune(short)), "of", len([]rune(name)), "characters")

	fmt.Println(limits.ValidTraceType("customer-support"))
	fmt.Println(limits.ValidTraceType("customer support"))
	// Output:
	// 256 of 300 characters
	// true
	// false
}
