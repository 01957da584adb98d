// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmtest

import (
	"encoding/binary"
	"hash/crc32"
)

// Sizes of an AWS event stream's frame: length of the frame, length of its headers and the checksum of both; then
// headers and payload; then the checksum of it all.
const (
	framePrelude   = 12
	frameChecksum  = 4
	headerTypeText = 7
)

// eventStreamFrame writes one frame of an AWS event stream. The headers are pairs of name and value.
func eventStreamFrame(payload []byte, headers ...string) []byte {
	var h []byte
	for i := 0; i+1 < len(headers); i += 2 {
		name, value := headers[i], headers[i+1]
		h = append(append(h, byte(len(name))), name...)
		h = binary.BigEndian.AppendUint16(append(h, headerTypeText), uint16(len(value)))
		h = append(h, value...)
	}
	total := framePrelude + len(h) + len(payload) + frameChecksum
	b := make([]byte, 0, total)
	b = binary.BigEndian.AppendUint32(b, uint32(total))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, h...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
