// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package reveniumexporter

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/revenium/revenium-otel-go/exporter/metering"
)

// health tells the Collector, and whoever reads its log, whether records can be
// delivered. The component is as well as the worst of its API keys. It is safe for
// concurrent use.
type health struct {
	unreachableAfter time.Duration
	log              *zap.Logger
	report           func(*componentstatus.Event)

	mu sync.Mutex
	of map[*account]*condition
	// reported: the last report was that of an error. permanent: no other may follow.
	reported, permanent bool
	// worked: the service has taken a record.
	worked bool
}

// condition is how it stands with one API key.
type condition struct {
	// since is when the service failed to answer first, without an answer since.
	since   time.Time
	trouble trouble
}

// trouble is why records cannot be delivered.
type trouble uint8

const (
	noTrouble trouble = iota
	keyRefused
	unreachable
)

func newHealth(unreachableAfter time.Duration, log *zap.Logger, report func(*componentstatus.Event)) *health {
	return &health{unreachableAfter: unreachableAfter, log: log, report: report, of: make(map[*account]*condition)}
}

// attempted learns from an attempt with the API key of an account.
func (h *health) attempted(a *account, now time.Time, res metering.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.of[a]
	if c == nil {
		c = &condition{}
		h.of[a] = c
	}
	switch {
	case res.Outcome == metering.Unauthorized:
		c.since = time.Time{}
		h.set(a, c, keyRefused, res)
	case res.Outcome == metering.Retry && !aboutService(res):
		// The service is there; what became of the key it does not say.
		c.since = time.Time{}
		if c.trouble == unreachable {
			h.set(a, c, noTrouble, res)
		}
	case res.Outcome == metering.Retry:
		if c.since.IsZero() {
			c.since = now
		}
		if c.trouble == noTrouble && h.unreachableAfter > 0 && now.Sub(c.since) >= h.unreachableAfter {
			h.set(a, c, unreachable, res)
		}
		h.misdirected(res)
	default:
		h.worked = h.worked || res.Outcome != metering.Rejected
		c.since = time.Time{}
		h.set(a, c, noTrouble, res)
		h.misdirected(res)
	}
}

// set notes the trouble of an account and tells if it is another one.
func (h *health) set(a *account, c *condition, to trouble, res metering.Result) {
	from := c.trouble
	if from == to {
		return
	}
	c.trouble = to
	name := zap.String("routing_value", a.name)
	switch to {
	case keyRefused:
		h.log.Error("The service refuses the API key; records are kept and tried again slowly", name, zap.Error(res.Err))
	case unreachable:
		h.log.Error("The service cannot be reached; records are kept and tried again", name, zap.Error(res.Err))
	default:
		switch from {
		case keyRefused:
			h.log.Info("The service accepts the API key again", name)
		default:
			h.log.Info("The service can be reached again", name)
		}
	}
	switch {
	case h.permanent:
	case to != noTrouble:
		h.reported = true
		h.report(componentstatus.NewRecoverableErrorEvent(res.Err))
	case h.reported && h.well():
		h.reported = false
		h.report(componentstatus.NewEvent(componentstatus.StatusOK))
	}
}

// well reports whether no API key has any trouble.
func (h *health) well() bool {
	for _, c := range h.of {
		if c.trouble != noTrouble {
			return false
		}
	}
	return true
}

// misdirected looks for answers that no metering API gives: as long as it has taken
// nothing, the endpoint is another service, which only another configuration mends.
func (h *health) misdirected(res metering.Result) {
	if h.worked || h.permanent {
		return
	}
	switch status := res.StatusCode; {
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone,
		status >= 300 && status < 400:
		h.permanent = true
		err := fmt.Errorf(`"http::endpoint" is no metering API: it answers with the status %d: %w`, status, res.Err)
		h.log.Error("Nothing can be metered with this configuration", zap.Error(err))
		h.report(componentstatus.NewPermanentErrorEvent(err))
	}
}
