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
	cfg, err := newConfig([]Option{WithDialectAttribution(), WithTrustedHeaders()})
	if err != nil {
		t.Fatal(err)
	}
	compiler := newCompiler(attributes, cfg, newRecogniser(dialects(), contextMarkers(&cfg)))
	tables := map[string]keyTable{"all": compiler.table}
	for _, d := range dialects() {
		if v := compiler.vocabulary(&d); v.own != nil {
			tables[d.name] = *v.own
		}
	}
	for name, table := range tables {
		keys, looks := 0, 0
		for at, info := range table.slots {
			if info == nil {
				continue
			}
			keys++
			if got := table.lookup(info.key); got != info {
				t.Errorf("%s: lookup(%q) is %v", name, info.key, got)
			}
			for _, other := range []string{info.key + "x", info.key[1:], "x" + info.key[1:]} {
				if got := table.lookup(other); got != nil && got.key != other {
					t.Errorf("%s: lookup(%q) found %q", name, other, got.key)
				}
			}
			looks += 1 + (at-int(keyHash(info.key)&table.mask)+len(table.slots))%len(table.slots)
		}
		if average := float64(looks) / float64(keys); average > 1.4 {
			t.Errorf("%s: a lookup takes %.2f looks on average: the hash does not tell the keys apart", name, average)
		}
		if table.lookup("") != nil {
			t.Errorf("%s: the empty key means something", name)
		}
	}
}
