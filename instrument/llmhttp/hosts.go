// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package llmhttp

import (
	"sync"

	"github.com/revenium/revenium-otel-go/instrument/internal/hosts"
)

// hostSettings is what the user said about hosts, and what was learnt of them.
type hostSettings struct {
	providers   map[string]string
	litellm     hosts.List
	streamUsage hosts.List
	// learntLiteLLM are hosts that have answered as LiteLLM proxies do.
	learntLiteLLM memory
	// promised are hosts that have answered with the promise of an answer, so that
	// the answer is known when it is fetched there.
	promised memory
	// refusedUsage are hosts (for LiteLLM: models of a host) that have refused
	// stream_options.
	refusedUsage memory
}

// refine applies the settings to what the tables say.
func (s *hostSettings) refine(t *target) {
	if s == nil {
		return
	}
	t.promised = t.api.retrieves && s.promised.has(t.hostPort)
	t.litellm = s.litellm.Has(t.host, t.hostPort) || s.learntLiteLLM.has(t.hostPort)
	if t.litellm {
		t.known, t.source, t.streamUsage = true, sourceLiteLLM, true
		if t.provider == t.api.provider {
			t.provider = providerLiteLLM
			t.useVendorOfPath()
		}
	}
	if s.streamUsage.Has(t.host, t.hostPort) {
		t.known, t.streamUsage = true, true
	}
	for _, name := range [...]string{t.hostPort, t.host} {
		if provider := s.providers[name]; provider != "" {
			t.known, t.named, t.provider = true, true, provider
			break
		}
	}
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
