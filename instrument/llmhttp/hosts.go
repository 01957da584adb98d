// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"net/url"
	"strings"
	"sync"
)

// hostSettings is what the user said about hosts, and what was learnt of them.
type hostSettings struct {
	providers   map[string]string
	litellm     hostList
	streamUsage hostList
	// learntLiteLLM are hosts that have answered as LiteLLM proxies do.
	learntLiteLLM memory
	// refusedUsage are hosts (for LiteLLM: models of a host) that have refused
	// stream_options.
	refusedUsage memory
}

// refine applies the settings to what the tables say.
func (s *hostSettings) refine(t *target) {
	if s == nil {
		return
	}
	t.litellm = s.litellm.has(t.host, t.hostPort) || s.learntLiteLLM.has(t.hostPort)
	if t.litellm {
		t.known, t.source, t.streamUsage = true, sourceLiteLLM, true
		if t.provider == providerOpenAI {
			t.provider = providerLiteLLM
		}
	}
	if s.streamUsage.has(t.host, t.hostPort) {
		t.known, t.streamUsage = true, true
	}
	for _, name := range [...]string{t.hostPort, t.host} {
		if provider := s.providers[name]; provider != "" {
			t.known, t.named, t.provider = true, true, provider
			break
		}
	}
}

// hostList is a list of hosts by name, with or without port.
type hostList map[string]struct{}

// newHostList takes hosts in any form of cleanHost.
func newHostList(hosts []string) hostList {
	l := make(hostList, len(hosts))
	for _, host := range hosts {
		if host = cleanHost(host); host != "" {
			l[host] = struct{}{}
		}
	}
	return l
}

// has says whether the list names the host: with its port or for all of them.
func (l hostList) has(host, hostPort string) bool {
	if len(l) == 0 {
		return false
	}
	if _, ok := l[hostPort]; ok {
		return true
	}
	_, ok := l[host]
	return ok
}

// cleanHost brings a host as people write it into the form of hostOf: "host",
// "host:port" or, which is one port too, a whole URL.
func cleanHost(host string) string {
	host = strings.ToLower(strings.TrimSpace(host))
	if strings.Contains(host, "://") {
		u, err := url.Parse(host)
		if err != nil || u.Host == "" {
			return ""
		}
		_, hostPort := hostOf(u)
		return hostPort
	}
	host = strings.TrimSuffix(host, "/")
	if !strings.Contains(host, "]:") { // an IPv6 address without a port
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.TrimSuffix(host, ".")
}

// memory is a set of bounded size. When it is full something old makes room:
// what is forgotten is learnt again.
type memory struct {
	mu   sync.RWMutex
	seen map[string]struct{}
}

// maxMemory is far above the number of model servers that a program talks to,
// and keeps one that is led to ever new hosts from growing.
const maxMemory = 256

func (m *memory) has(key string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	_, ok := m.seen[key]
	return ok
}

func (m *memory) add(key string) {
	if m.has(key) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[string]struct{})
	}
	for other := range m.seen {
		if len(m.seen) < maxMemory {
			break
		}
		delete(m.seen, other)
	}
	m.seen[key] = struct{}{}
}
