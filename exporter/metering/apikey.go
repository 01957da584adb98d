// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Errors of an API key, to be compared with errors.Is. None of them quotes the
// key.
var (
	// ErrNoAPIKey means that there is no key.
	ErrNoAPIKey = errors.New("metering: no API key")
	// ErrAPIKeyKind means that a key is not of a kind that can meter.
	ErrAPIKeyKind = errors.New("metering: wrong kind of API key")
)

// APIKeyFunc returns the API key for one request. It is called for every attempt,
// concurrently, and should be quick.
type APIKeyFunc func(ctx context.Context) (string, error)

// checkAPIKey returns the key without the white space around it, which files and
// shells leave.
//
// Keys begin with "rev_" ("rev_mk_" for metering, "rev_sk_" for everything) or,
// older ones, with "hak_". Revenium's own clients refuse all else, and so does
// this one: what it stops is mostly the key of an LLM provider in the wrong
// variable, which must not leave the machine.
func checkAPIKey(key string) (string, error) {
	key = strings.TrimSpace(key)
	switch {
	case key == "":
		return "", ErrNoAPIKey
	case !isHeaderToken(key):
		return "", fmt.Errorf("%w: it contains characters other than printable ASCII", ErrAPIKeyKind)
	case strings.HasPrefix(key, "rev_rk_"):
		return "", fmt.Errorf("%w: a key that begins with rev_rk_ can only read: use one that begins with rev_mk_", ErrAPIKeyKind)
	case !strings.HasPrefix(key, "rev_") && !strings.HasPrefix(key, "hak_"):
		return "", fmt.Errorf("%w: it begins with neither rev_ nor hak_: use one that begins with rev_mk_", ErrAPIKeyKind)
	default:
		return key, nil
	}
}

// isHeaderToken reports whether s is printable ASCII without spaces.
func isHeaderToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// keyKind is the beginning of a key that says what kind it is.
func keyKind(key string) string {
	if strings.HasPrefix(key, "rev_") {
		if i := strings.IndexByte(key[len("rev_"):], '_'); i == 2 {
			return key[:len("rev_xx_")]
		}
		return "rev_"
	}
	return key[:min(len("hak_"), len(key))]
}
