// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
)

// bareBody is as long as the record of a span of the benchmark.
var bareBody = bytes.Repeat([]byte("x"), 640)

// bareSenders is how many records the exporter sends at a time by default.
const bareSenders = 32

// measureBare is measure for a process that does nothing but send as many requests as
// there are records: what of the exporter's cost is due to the API, which takes one
// record per request.
func measureBare(ctx context.Context, requests int) (result, error) {
	stub, err := startStub()
	if err != nil {
		return result{}, err
	}
	defer stub.close()
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, self, "-send", stub.url, "-spans", strconv.Itoa(requests)) //nolint:gosec // this program
	if out, err := cmd.CombinedOutput(); err != nil {
		return result{}, fmt.Errorf("send requests: %w\n%s", err, out)
	}
	r := result{requests: stub.requests.Load()}
	r.cpu, err = cpuTime(cmd.ProcessState)
	return r, err
}

// sendBare is the process that measureBare starts.
func sendBare(ctx context.Context, url string, requests int64) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: bareSenders, MaxConnsPerHost: bareSenders}}
	var next atomic.Int64
	var senders sync.WaitGroup
	failed := make(chan error, bareSenders)
	for range bareSenders {
		senders.Go(func() {
			for next.Add(1) <= requests {
				if err := postBare(ctx, client, url); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	senders.Wait()
	close(failed)
	return <-failed
}

func postBare(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/records", bytes.NewReader(bareBody))
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
