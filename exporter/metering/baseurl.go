// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package metering

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// DefaultBaseURL is where the API lives.
const DefaultBaseURL = "https://api.revenium.ai"

// Errors of a base URL, to be compared with errors.Is.
var (
	// ErrBaseURL means that a base URL cannot be used.
	ErrBaseURL = errors.New("metering: bad base URL")
	// ErrPlainHTTP means that a base URL would send the API key unencrypted over
	// a network. Errors that wrap it also wrap [ErrBaseURL].
	ErrPlainHTTP = fmt.Errorf("%w: plain http to another host", ErrBaseURL)
)

// NormalizeBaseURL brings a base URL into the form to which an [Endpoint] is
// appended. It removes white space around it, trailing slashes and a trailing
// "/meter/v2", "/meter" or "/v2", so that "https://api.revenium.ai",
// "https://api.revenium.ai/meter" and "https://api.revenium.ai/meter/v2/" are the
// same; other paths, as of a gateway, stay. Scheme and host become lower case,
// and a port that is the scheme's default is left out. Normalizing twice changes
// nothing.
//
// The error wraps [ErrBaseURL] if the URL is not absolute, is neither http nor
// https, or carries a user, a query or a fragment. It never quotes more than
// scheme and host, because what people paste into URLs includes keys.
func NormalizeBaseURL(raw string) (string, error) {
	u, err := parseBaseURL(raw)
	if err != nil {
		return "", err
	}
	return u.String(), nil
}

const baseURLHint = "; write it like " + DefaultBaseURL

func parseBaseURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return nil, fmt.Errorf("%w: it is empty%s", ErrBaseURL, baseURLHint)
	}
	u, err := url.Parse(raw)
	if err != nil {
		// The parser's error quotes the URL.
		return nil, fmt.Errorf("%w: it cannot be parsed%s", ErrBaseURL, baseURLHint)
	}
	u.Scheme = strings.ToLower(u.Scheme)
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Opaque != "":
		return nil, fmt.Errorf("%w: it does not begin with https:// (or http://)%s", ErrBaseURL, baseURLHint)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%w: it has no host%s", ErrBaseURL, baseURLHint)
	case u.User != nil:
		return nil, fmt.Errorf("%w: %s carries a user or password: the API key is set apart from the URL", ErrBaseURL, origin(u))
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, fmt.Errorf("%w: %s carries a query or fragment: leave out what begins with ? or #", ErrBaseURL, origin(u))
	}
	if err := checkPort(u); err != nil {
		return nil, err
	}
	path, err := basePath(u)
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(origin(u) + path)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be parsed%s", ErrBaseURL, baseURLHint)
	}
	return base, nil
}

func checkPort(u *url.URL) error {
	port := u.Port()
	if port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("%w: %s has a port that is not between 1 and 65535", ErrBaseURL, origin(u))
	}
	return nil
}

// basePath is the escaped path of u without what endpoints begin with.
func basePath(u *url.URL) (string, error) {
	path := strings.TrimRight(u.EscapedPath(), "/")
	for {
		trimmed := path
		for _, suffix := range []string{"/meter/v2", "/meter", "/v2"} {
			trimmed = strings.TrimSuffix(trimmed, suffix)
		}
		trimmed = strings.TrimRight(trimmed, "/")
		if trimmed == path {
			break
		}
		path = trimmed
	}
	if strings.Contains(path+"/", "/meter/v2/") {
		return "", fmt.Errorf("%w: %s has the path of an endpoint: leave out what begins with /meter", ErrBaseURL, origin(u))
	}
	return path, nil
}

// origin is scheme, host and port, without a port that is the scheme's default.
// Two URLs have the same origin if it is the same string.
func origin(u *url.URL) string {
	scheme := strings.ToLower(u.Scheme)
	// A per cent sign can only be that of an IPv6 zone.
	host := strings.ReplaceAll(strings.ToLower(u.Hostname()), "%", "%25")
	port := u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	switch {
	case port != "":
		host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return scheme + "://" + host
}

// isLoopback reports whether the host is this machine. Names other than
// localhost are not resolved.
func isLoopback(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
