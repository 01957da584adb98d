// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"strconv"
	"strings"
)

// NoLeaf is the Leaf of a [Tree] at which no value is wanted.
const NoLeaf = -1

// Tree says which values of a document are wanted. A member that is not in it is
// passed over.
type Tree struct {
	// Key is the name of the member in an object, or the index of the element in a
	// list. "*" stands for each that no other child names.
	Key string
	// Leaf is reported with the value; NoLeaf where none is wanted.
	Leaf int
	// Children are the wanted members of an object or list.
	Children []*Tree
}

// NewTree returns a tree without wishes.
func NewTree() *Tree { return &Tree{Leaf: NoLeaf} }

// Add wishes for the value at a path: keys and indexes with dots between them, as
// in "choices.0.finish_reason".
func (t *Tree) Add(path string, leaf int) {
	for key := range strings.SplitSeq(path, ".") {
		t = t.member(key)
	}
	t.Leaf = leaf
}

func (t *Tree) member(key string) *Tree {
	for _, c := range t.Children {
		if c.Key == key {
			return c
		}
	}
	c := &Tree{Key: key, Leaf: NoLeaf}
	t.Children = append(t.Children, c)
	return c
}

// Child returns what is wanted of a member, nil for nothing.
func (t *Tree) Child(key string) *Tree {
	if t == nil {
		return nil
	}
	var each *Tree
	for _, c := range t.Children {
		switch c.Key {
		case key:
			return c
		case "*":
			each = c
		}
	}
	return each
}

// element returns what is wanted of an element of a list.
func (t *Tree) element(i int) *Tree {
	if t == nil || len(t.Children) == 0 {
		return nil
	}
	return t.Child(strconv.Itoa(i))
}
