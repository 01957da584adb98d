// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// maxKeyFile bounds what is read of a key file.
const maxKeyFile = 4 << 10

// APIKeyFile returns the API key that is in a file, for [WithAPIKeyFunc]. The file
// is read again when its size or time of modification has changed, as when a
// secret that is mounted into a container is rotated; otherwise asking costs a
// system call. White space around the key does not matter.
//
// An error names the file, and never quotes what is in it.
func APIKeyFile(path string) APIKeyFunc {
	f := &keyFile{path: path}
	return f.key
}

// keyFile is a file with a key, and what was read of it last.
type keyFile struct {
	path string

	mu      sync.Mutex
	size    int64
	changed time.Time
	content string
}

func (f *keyFile) key(context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()

	info, err := os.Stat(f.path)
	if err != nil {
		return "", fmt.Errorf("metering: API key file: %w", err)
	}
	if f.content != "" && info.Size() == f.size && info.ModTime().Equal(f.changed) {
		return f.content, nil
	}
	content, err := readKeyFile(f.path)
	if err != nil {
		return "", fmt.Errorf("metering: API key file: %w", err)
	}
	f.content, f.size, f.changed = content, info.Size(), info.ModTime()
	return content, nil
}

func readKeyFile(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	return string(content), errors.Join(err, file.Close())
}

// CheckAPIKey reports what is wrong with a key, if anything. The error wraps
// [ErrNoAPIKey] or [ErrAPIKeyKind] and does not quote the key.
func CheckAPIKey(key string) error {
	_, err := checkAPIKey(key)
	return err
}
