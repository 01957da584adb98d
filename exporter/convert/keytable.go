// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

// keyTable finds what an attribute key means. Every attribute of every span that
// looks like GenAI is looked up in it, which is why it is not a map: a map hashes
// the whole key, and a few of its bytes tell the keys of a vocabulary apart well
// enough. It is filled once and only read afterwards.
type keyTable struct {
	// slots is a hash table with open addressing, at most a quarter full.
	slots []*keyInfo
	mask  uint32
}

func newKeyTable(index map[string]*keyInfo) keyTable {
	size := 64
	for size < 4*len(index) {
		size *= 2
	}
	t := keyTable{slots: make([]*keyInfo, size), mask: uint32(size - 1)}
	for key, info := range index {
		at := keyHash(key) & t.mask
		for t.slots[at] != nil {
			at = (at + 1) & t.mask
		}
		t.slots[at] = info
	}
	return t
}

// lookup returns what a key means, nil for nothing.
func (t *keyTable) lookup(key string) *keyInfo {
	for at := keyHash(key) & t.mask; ; at = (at + 1) & t.mask {
		info := t.slots[at]
		if info == nil || info.key == key {
			return info
		}
	}
}

// keyHash mixes the length with bytes in which keys differ: their namespaces begin
// alike, and their last words often end alike.
func keyHash(key string) uint32 {
	n := len(key)
	if n < 4 {
		return uint32(n)
	}
	h := uint32(n)
	for _, c := range [...]byte{key[n-1], key[n-3], key[n/2], key[n/2+1], key[n*3/4], key[n/4]} {
		h = (h ^ uint32(c)) * 0x01000193
	}
	return h ^ h>>15
}
