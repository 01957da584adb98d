// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package deadletter keeps metering records that were given up: what the service
// refused for good, what became too old to be sent without asking, what could not
// be read. They stay until a person has mended the cause and sends them again
// ([Store.Replay]) or throws them away ([Store.Drop]).
//
// A [Store] is a directory of files of JSON lines, one [Letter] each, with the
// reason, the answer of the service and the record as it was sent, byte by byte:
//
//	{"v":1,"id":"3f2c…","time":"…","reason":"rejected","endpoint":"/meter/v2/ai/completions",
//	 "transactionId":"…","status":400,"message":"model is unknown","body":{"model":"gpt-9",…}}
//
// Several processes may use one directory at the same time: a lock file orders
// what they do. The directory is made with mode 0700 and files with 0600, since
// records say who used what. API keys are never part of a record.
//
// It is the one form of dead letters for the SDK's exporter, the Collector's, and
// the command revenium-otel.
package deadletter
