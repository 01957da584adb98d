// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"hash/maphash"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// keyLookInterval is how often a key that can change is looked at while the service
// refuses it, so that a new one takes effect soon.
const keyLookInterval = 2 * time.Second

// keyLookTimeout bounds one such look.
const keyLookTimeout = 5 * time.Second

// withKey finds out where the key of a request comes from.
func (cfg config) withKey() (config, error) {
	common := cfg.apiKeyFunc
	var err error
	if cfg.apiKeyFile != "" {
		common = metering.APIKeyFile(cfg.apiKeyFile)
		err = cfg.checkKeyFile(common)
	}
	cfg.keyChanges = common != nil || cfg.tenants.used() && cfg.tenants.key != nil
	if common == nil && !cfg.tenants.used() && (cfg.spoolDir == "" || cfg.apiKey == "") {
		return cfg, nil // one key for ever, which the client checks, or a client option
	}
	if common == nil {
		key := cfg.apiKey
		if key != "" || !cfg.tenants.hasKeys() {
			err = cfg.clientErrors(metering.CheckAPIKey(key))
		}
		// Without a common key, records of no tenant wait.
		common = func(context.Context) (string, error) { return key, nil }
	}
	cfg.requestKey = noteKeys(cfg.tenants.keyOf(common))
	return cfg, err
}

// checkKeyFile sees whether there is a key in the file: a wrong path shows at the
// start.
func (cfg config) checkKeyFile(read metering.APIKeyFunc) error {
	key, err := read(context.Background())
	if err == nil {
		err = metering.CheckAPIKey(key)
	}
	if err == nil {
		return nil
	}
	return &ConfigError{
		Setting: cfg.apiKeySetting,
		Problem: "API key file " + cfg.apiKeyFile + " (" + cfg.apiKeySetting + "): " + strings.TrimPrefix(strings.TrimPrefix(err.Error(), "metering: "), "API key file: "),
		Err:     err,
	}
}

// keyWatch notices that the key of a tenant has changed. The zero value is for a
// key that does not.
type keyWatch struct {
	key  metering.APIKeyFunc
	seed maphash.Seed
	// refused is the digest of the key that was refused last.
	refused uint64
}

func newKeyWatch(key metering.APIKeyFunc) keyWatch {
	return keyWatch{key: key, seed: maphash.MakeSeed()}
}

// watches reports whether the key can change.
func (w *keyWatch) watches() bool { return w.key != nil }

// look is the digest of the key as it is now; false if there is none.
func (w *keyWatch) look(ctx context.Context) (digest uint64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, keyLookTimeout)
	defer cancel()
	defer func() {
		// A key function that panics is one without a key.
		if recover() != nil {
			digest, ok = 0, false
		}
	}()
	key, err := w.key(ctx)
	if err != nil || key == "" {
		return 0, false
	}
	return maphash.String(w.seed, key), true
}

// usedKey is where the digest of the key of one request is noted.
type usedKey struct {
	watch  *keyWatch
	digest uint64
}

// usedKeyContextKey is the key of a *usedKey in the context of a request.
type usedKeyContextKey struct{}

// noting is a context that has the digest of its request's key noted.
func (w *keyWatch) noting(ctx context.Context) (context.Context, *usedKey) {
	if !w.watches() {
		return ctx, &usedKey{}
	}
	used := &usedKey{watch: w}
	return context.WithValue(ctx, usedKeyContextKey{}, used), used
}

// noteKeys has keys noted in the contexts that want that.
func noteKeys(key metering.APIKeyFunc) metering.APIKeyFunc {
	return func(ctx context.Context) (string, error) {
		k, err := key(ctx)
		if used, ok := ctx.Value(usedKeyContextKey{}).(*usedKey); ok && err == nil {
			used.digest = maphash.String(used.watch.seed, k)
		}
		return k, err
	}
}

// tenantContextKey is the key of the tenant's name in the context of a request.
type tenantContextKey struct{}

// withTenant says for whom the requests of ctx are.
func withTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantContextKey{}, tenant)
}

// tenantOf is the tenant for whom a request is.
func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantContextKey{}).(string)
	return tenant
}
