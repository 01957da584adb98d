// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package metering speaks Revenium's metering API. It knows nothing of
// OpenTelemetry.
//
// Records: [Completion], [Image], [Audio], [Video] and [ToolEvent] have every
// field of their endpoints. An empty string or nil pointer is absent; a pointer
// to zero is sent. The four of AI calls embed [Call], which holds what they have
// in common.
//
// [Freeze] checks a record against the limits of the API, mends what can be
// mended, reports each [Change], and fixes the bytes, the transaction id and the
// idempotency key. From then on a [Frozen] record never changes, however often it
// has to be sent: the service stores a transaction id once.
//
// [Client] makes one attempt to deliver a frozen record and says by its [Outcome]
// what came of it. Queues and retries are its caller's.
//
//	record := &metering.Completion{Call: metering.Call{Model: "gpt-4o", ...}, ...}
//	frozen, changes, err := metering.Freeze(record)
//	...
//	client, err := metering.NewClient(os.Getenv("REVENIUM_METERING_API_KEY"))
//	...
//	result := client.Send(ctx, frozen)
//
// The API key is sent to the origin of the base URL alone and is not printed by
// anything in this package; neither is a subscriber's credential (see [Secret]).
package metering
