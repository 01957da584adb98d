// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// acceptedRecords is a transport that notes the metering records that the real
// Revenium accepted, for the table that this program prints.
type acceptedRecords struct {
	mu      sync.Mutex
	records []reveniumtest.Record
}

func (a *acceptedRecords) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		if closeErr := req.Body.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || resp.StatusCode/100 != 2 {
		return resp, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields map[string]any
	if decoder.Decode(&fields) == nil {
		a.mu.Lock()
		a.records = append(a.records, reveniumtest.Record{Path: req.URL.Path, Body: body, Fields: fields})
		a.mu.Unlock()
	}
	return resp, nil
}

func (a *acceptedRecords) list() []reveniumtest.Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.records)
}
