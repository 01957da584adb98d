// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Defaults of a [Client].
const (
	// DefaultTimeout bounds one attempt.
	DefaultTimeout = 10 * time.Second
	// DefaultMaxConns bounds the connections to the service.
	DefaultMaxConns = 32
)

// ProxyFunc returns the proxy for a request, or nil for none, as in
// [http.Transport].
type ProxyFunc func(*http.Request) (*url.URL, error)

type clientConfig struct {
	baseURL    string
	plainHTTP  bool
	apiKey     APIKeyFunc
	httpClient *http.Client
	tls        *tls.Config
	proxy      ProxyFunc
	proxySet   bool
	timeout    time.Duration
	maxConns   int
	userAgent  string
}

func newClientConfig(opts []ClientOption) clientConfig {
	cfg := clientConfig{
		baseURL:  DefaultBaseURL,
		proxy:    http.ProxyFromEnvironment,
		timeout:  DefaultTimeout,
		maxConns: DefaultMaxConns,
	}
	for _, opt := range opts {
		cfg = opt.apply(cfg)
	}
	return cfg
}

// validate reports all settings that cannot be used, except URL and key.
func (c clientConfig) validate() error {
	var errs []error
	if c.timeout <= 0 {
		errs = append(errs, fmt.Errorf("metering: timeout is %v: it must be positive", c.timeout))
	}
	if c.maxConns < 1 {
		errs = append(errs, fmt.Errorf("metering: maximum of connections is %d: it must be 1 or more", c.maxConns))
	}
	if !isPrintable(c.userAgent) {
		errs = append(errs, errors.New("metering: user agent contains characters other than printable ASCII"))
	}
	if c.httpClient != nil && c.httpClient.Transport != nil {
		if c.tls != nil {
			errs = append(errs, errors.New("metering: WithTLSConfig has no effect on the transport of WithHTTPClient: set it there"))
		}
		if c.proxySet {
			errs = append(errs, errors.New("metering: WithProxy has no effect on the transport of WithHTTPClient: set it there"))
		}
	}
	return errors.Join(errs...)
}

// ClientOption configures [NewClient].
type ClientOption interface {
	apply(cfg clientConfig) clientConfig
}

type clientOptionFunc func(clientConfig) clientConfig

func (f clientOptionFunc) apply(cfg clientConfig) clientConfig { return f(cfg) }

// WithBaseURL sets the base URL; see [NormalizeBaseURL] for what is understood.
// The default, also for an empty string, is [DefaultBaseURL].
func WithBaseURL(baseURL string) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		if baseURL != "" {
			cfg.baseURL = baseURL
		}
		return cfg
	})
}

// WithPlainHTTP allows a base URL that begins with http:// and names another host
// than this machine. The API key then crosses the network unencrypted: it is for
// a trusted network, such as that between containers, or where a mesh encrypts.
func WithPlainHTTP() ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.plainHTTP = true
		return cfg
	})
}

// WithAPIKeyFunc asks key for the API key before every attempt, so that a key can
// be exchanged while the process runs. The apiKey argument of [NewClient] is
// ignored then and should be empty.
//
// When key fails, or returns a key that cannot be used, nothing is sent: the
// outcome is [Retry] in the first case and [Unauthorized] in the second.
func WithAPIKeyFunc(key APIKeyFunc) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.apiKey = key
		return cfg
	})
}

// WithHTTPClient sends through a copy of client. The copy keeps transport, cookie
// jar and timeout, but not CheckRedirect, because the API key must not follow a
// redirect to another host. If its transport is nil, the metering client's own is
// used rather than [http.DefaultTransport]; if not, [WithMaxConns] has no effect,
// and [WithTLSConfig] and [WithProxy] are errors.
func WithHTTPClient(client *http.Client) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.httpClient = client
		return cfg
	})
}

// WithTLSConfig sets the TLS configuration, as for a private certificate
// authority or client certificates. It is cloned.
func WithTLSConfig(config *tls.Config) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.tls = config
		return cfg
	})
}

// WithProxy sets the proxy; nil means none. The default is
// [http.ProxyFromEnvironment].
func WithProxy(proxy ProxyFunc) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.proxy = proxy
		cfg.proxySet = true
		return cfg
	})
}

// WithTimeout bounds one attempt, from connecting to the end of the answer; the
// default is [DefaultTimeout].
func WithTimeout(timeout time.Duration) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.timeout = timeout
		return cfg
	})
}

// WithMaxConns bounds the connections to the service; the default is
// [DefaultMaxConns]. Attempts beyond it wait, within their timeout.
func WithMaxConns(n int) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.maxConns = n
		return cfg
	})
}

// WithUserAgent puts product, such as "billing-worker/1.4", in front of the
// client's own User-Agent.
func WithUserAgent(product string) ClientOption {
	return clientOptionFunc(func(cfg clientConfig) clientConfig {
		cfg.userAgent = product
		return cfg
	})
}
