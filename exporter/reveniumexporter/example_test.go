// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter_test

import (
	"fmt"

	"github.com/revenium/revenium-otel-go/exporter/reveniumexporter"
)

// A Collector of your own has the factory among those of its exporters; with the
// Collector's builder, the manifest names the module.
func Example() {
	factory := reveniumexporter.NewFactory()
	fmt.Println(factory.Type(), factory.TracesStability(), factory.LogsStability())
	cfg := factory.CreateDefaultConfig().(*reveniumexporter.Config)
	cfg.APIKey = "rev_mk_of_yours" // all else has a default
	fmt.Println(cfg.HTTP.Endpoint, cfg.Validate())
	// Output:
	// revenium Alpha Alpha
	// https://api.revenium.ai <nil>
}
