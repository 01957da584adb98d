// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
)

// side is one way to get calls to a service.
type side struct {
	name, title string
	// pipeline is what the application has: see pipelines.
	pipeline string
	// exporter and storage are those of its Collector; no exporter means no
	// Collector.
	exporter string
	storage  bool
	ours     bool
}

func sides() []side {
	return []side{
		{name: "revenium", title: "revenium, memory", pipeline: "revenium", ours: true},
		{name: "revenium-spool", title: "revenium, spool", pipeline: "revenium-spool", ours: true},
		{name: "revenium-collector", title: "revenium, Collector with a queue on disk", pipeline: "forward", exporter: "revenium", storage: true, ours: true},
		{name: "otlp", title: "OTel SDK, OTLP", pipeline: "batch"},
		{name: "otlp-collector", title: "OTel SDK, Collector with a queue in memory", pipeline: "batch", exporter: "otlp_http"},
		{name: "otlp-collector-disk", title: "OTel SDK, Collector with a queue on disk", pipeline: "batch", exporter: "otlp_http", storage: true},
	}
}

// inProcess reports whether the application sends to the service itself.
func (s *side) inProcess() bool { return s.exporter == "" }

// choose returns those whose name is in a comma-separated list; all for an empty
// one.
func choose[T any](all []T, list string, name func(T) string) ([]T, error) {
	if list == "" {
		return all, nil
	}
	var chosen []T
	for want := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(all, func(t T) bool { return strings.EqualFold(name(t), strings.TrimSpace(want)) })
		if i < 0 {
			names := make([]string, len(all))
			for i := range all {
				names[i] = name(all[i])
			}
			return nil, fmt.Errorf("there is no %q: choose among %s", want, strings.Join(names, ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
