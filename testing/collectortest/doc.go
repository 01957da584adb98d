// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package collectortest runs an OpenTelemetry Collector with the revenium exporter
// in the process of a test or a demonstration.
//
// It has the OTLP receiver, the exporters revenium and nop and the extension
// file_storage. Receivers may listen on port 0; [Collector.HTTP] and
// [Collector.GRPC] say where they do:
//
//	srv := reveniumtest.Start(t)
//	c := collectortest.Start(t, `
//	receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
//	exporters: {revenium: {api_key: rev_mk_test_1, http: {endpoint: "`+srv.URL()+`"}}}
//	service:
//	  telemetry: {metrics: {level: none}}
//	  pipelines: {traces: {receivers: [otlp], exporters: [revenium]}}
//	`)
//	send(c.HTTP("otlp"))
package collectortest
