// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"compress/gzip"
	"io"
)

// maxInflated bounds what a compressed body is unpacked to, so that a few bytes
// cannot cost hours.
const maxInflated = 1 << 30

// newGunzip returns a reader that unpacks a gzip body and hands what it unpacks to
// out. What a piece completes comes out before its write returns, so that events
// flushed by the server are seen in time. A body that is no gzip, or is cut, ends
// it early.
func newGunzip(out func([]byte)) *pushReader {
	return newPushReader(func(packed io.Reader) {
		reader, err := gzip.NewReader(packed)
		if err != nil {
			return
		}
		buf := make([]byte, 8<<10)
		for total := 0; total < maxInflated; {
			n, err := reader.Read(buf)
			if n > 0 {
				out(buf[:n])
				total += n
			}
			if err != nil {
				return
			}
		}
	})
}
