// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package convert

import "testing"

// TestKeyTable checks that every key of every dialect is found, that others are
// not, and that finding one takes a look or two: keys that the hash does not tell
// apart would make a dialect slow without anybody noticing.
func TestKeyTable(t *testing.T) {
	attributes, err := newAttribution(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dialects() {
		v := newVocabulary(d, otelConventions(), attributes)
		keys, looks := 0, 0
		for at, info := range v.keys.slots {
			if info == nil {
				continue
			}
			keys++
			if got := v.keys.lookup(info.key); got != info {
				t.Errorf("%s: lookup(%q) is %v", d.name, info.key, got)
			}
			for _, other := range []string{info.key + "x", info.key[1:], "x" + info.key[1:]} {
				if got := v.keys.lookup(other); got != nil && got.key != other {
					t.Errorf("%s: lookup(%q) found %q", d.name, other, got.key)
				}
			}
			looks += 1 + (at-int(keyHash(info.key)&v.keys.mask)+len(v.keys.slots))%len(v.keys.slots)
		}
		if keys < 100 {
			t.Errorf("%s: %d keys, want all of the conventions and the attribution", d.name, keys)
		}
		if average := float64(looks) / float64(keys); average > 1.3 {
			t.Errorf("%s: a lookup takes %.2f looks on average: the hash does not tell the keys apart", d.name, average)
		}
		if v.keys.lookup("") != nil {
			t.Errorf("%s: the empty key means something", d.name)
		}
	}
}
