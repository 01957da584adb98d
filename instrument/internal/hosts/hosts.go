// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

// Package hosts compares the hosts that people name in settings with those of
// requests.
package hosts

import (
	"net"
	"net/url"
	"strings"
)

// Of returns the host of u without and with its port, as they are compared: in
// lower case and without a dot at the end. The port is the scheme's where u has
// none.
func Of(u *url.URL) (host, hostPort string) {
	host = strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	port := u.Port()
	if port == "" {
		port = standardPort(u.Scheme)
	}
	return host, net.JoinHostPort(host, port)
}

func standardPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// Clean brings a host as people write it into the form of [Of]: "host" for all its
// ports, "host:port" for one or, which is one port too, a whole URL. It returns ""
// for what names no host.
func Clean(host string) string {
	host = strings.ToLower(strings.TrimSpace(host))
	if strings.Contains(host, "://") {
		u, err := url.Parse(host)
		if err != nil || u.Host == "" {
			return ""
		}
		_, hostPort := Of(u)
		return hostPort
	}
	host = strings.TrimSuffix(host, "/")
	if !strings.Contains(host, "]:") { // an IPv6 address without a port
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.TrimSuffix(host, ".")
}

// List is a set of hosts by name, with or without port. The nil List is empty.
type List map[string]struct{}

// NewList takes hosts in any form of [Clean].
func NewList(names []string) List {
	l := make(List, len(names))
	for _, name := range names {
		if name = Clean(name); name != "" {
			l[name] = struct{}{}
		}
	}
	return l
}

// Has says whether the list names a host in the form of [Of]: with its port or for
// all of them.
func (l List) Has(host, hostPort string) bool {
	if len(l) == 0 {
		return false
	}
	if _, ok := l[hostPort]; ok {
		return true
	}
	_, ok := l[host]
	return ok
}
