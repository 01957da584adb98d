// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/revenium/revenium-otel-go/exporter/metering"
	"github.com/revenium/revenium-otel-go/semconv"
)

// apiKey is a metering key, or the file that has it.
type apiKey struct {
	value configopaque.String
	file  string
}

// validate checks the key as far as the configuration shows it. path is what
// stands before the names of the settings.
func (k apiKey) validate(path string) error {
	if k.file != "" {
		if k.value != "" {
			return problem(path+"api_key_file", "is set, and so is api_key: remove one of them")
		}
		return nil // the file is read at the start
	}
	err := metering.CheckAPIKey(string(k.value))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, metering.ErrNoAPIKey):
		return problem(path+"api_key", "no metering key: set the environment variable %s and write api_key: ${env:%s} (a key begins with rev_mk_)",
			semconv.EnvMeteringAPIKey, semconv.EnvMeteringAPIKey)
	default:
		return problem(path+"api_key", "%s", strings.TrimPrefix(err.Error(), "metering: "))
	}
}

// newClient returns a client that sends with the key. A file that cannot be read
// shows now; one that changes is read anew.
func (k apiKey) newClient(ctx context.Context, opts ...metering.ClientOption) (*metering.Client, error) {
	if k.file == "" {
		return metering.NewClient(string(k.value), opts...)
	}
	read := metering.APIKeyFile(k.file)
	key, err := read(ctx)
	if err == nil {
		err = metering.CheckAPIKey(key)
	}
	if err != nil {
		return nil, fmt.Errorf("reveniumexporter: api_key_file %s: %w", k.file, err)
	}
	return metering.NewClient("", append(opts, metering.WithAPIKeyFunc(read))...)
}
