// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

// faultHelp explains [ParseFault]'s words, one fault per line.
const faultHelp = `latency DURATION [TIMES]       answer late
status CODE [TIMES] [RETRY]    answer with this status; RETRY is a duration for Retry-After
hang                           accept and do not answer until "fault clear"
reset [TIMES]                  break the connection, nothing is stored
drop [TIMES]                   store the record and break the connection
unauthorized [TIMES]           answer 401
rate-limit PER_SECOND          answer 429 to what exceeds it`

// ParseFault reads a fault of the metering endpoint in the words of the command
// line, for example "status 503 10". Without TIMES a fault stays until it is
// cleared.
func ParseFault(text string) (reveniumtest.Fault, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return reveniumtest.Fault{}, errors.New("which fault? One of latency, status, hang, reset, drop, unauthorized, rate-limit")
	}
	args := &arguments{words: words[1:]}
	fault := reveniumtest.Fault{}
	switch words[0] {
	case "latency":
		fault.Kind = reveniumtest.FaultLatency
		fault.Latency = args.duration("DURATION")
		fault.Times = args.times()
	case "status":
		fault.Kind = reveniumtest.FaultStatus
		fault.Status = args.number("CODE")
		fault.Times = args.times()
		fault.RetryAfter = args.optionalDuration("RETRY")
	case "hang":
		// A fault that is used up lets nothing go: only clearing it does.
		fault.Kind = reveniumtest.FaultHang
	case "reset":
		fault.Kind = reveniumtest.FaultReset
		fault.Times = args.times()
	case "drop":
		fault.Kind = reveniumtest.FaultDropAfterStore
		fault.Times = args.times()
	case "unauthorized":
		fault.Kind = reveniumtest.FaultUnauthorized
		fault.Times = args.times()
	case "rate-limit":
		fault.Kind = reveniumtest.FaultRateLimit
		fault.PerSecond = args.number("PER_SECOND")
		fault.RetryAfter = time.Second
	default:
		return fault, fmt.Errorf("unknown fault %q: one of latency, status, hang, reset, drop, unauthorized, rate-limit", words[0])
	}
	if err := args.end(); err != nil {
		return fault, fmt.Errorf("fault %s: %w", words[0], err)
	}
	if err := fault.Validate(); err != nil {
		return fault, err
	}
	return fault, nil
}

// describeFault writes f as ParseFault reads it.
func describeFault(f reveniumtest.Fault) string {
	times := ""
	if f.Times > 0 {
		times = " " + strconv.Itoa(f.Times)
	}
	switch f.Kind {
	case reveniumtest.FaultLatency:
		return "latency " + f.Latency.String() + times
	case reveniumtest.FaultStatus:
		text := "status " + strconv.Itoa(f.Status) + times
		if f.RetryAfter > 0 {
			text += " " + f.RetryAfter.String()
		}
		return text
	case reveniumtest.FaultDropAfterStore:
		return "drop" + times
	case reveniumtest.FaultRateLimit:
		return "rate-limit " + strconv.Itoa(f.PerSecond)
	default:
		return string(f.Kind) + times
	}
}

// arguments reads the words behind a command. The first problem stays.
type arguments struct {
	words []string
	err   error
}

// next takes the next word; false if there is none.
func (a *arguments) next() (string, bool) {
	if a.err != nil || len(a.words) == 0 {
		return "", false
	}
	word := a.words[0]
	a.words = a.words[1:]
	return word, true
}

// number takes a whole number that must be there.
func (a *arguments) number(name string) int {
	word, ok := a.next()
	if !ok {
		a.fail(fmt.Errorf("%s is missing", name))
		return 0
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		a.fail(fmt.Errorf("%s is %q: want a whole number", name, word))
	}
	return n
}

// times takes how often; 0 without a limit. What is no number is left for the
// next argument.
func (a *arguments) times() int {
	if a.err != nil || len(a.words) == 0 {
		return 0
	}
	n, err := strconv.Atoi(a.words[0])
	if err != nil {
		return 0
	}
	a.words = a.words[1:]
	if n < 1 {
		a.fail(fmt.Errorf("TIMES is %d: want 1 or more", n))
	}
	return n
}

// duration takes a duration that must be there.
func (a *arguments) duration(name string) time.Duration {
	if a.err == nil && len(a.words) == 0 {
		a.fail(fmt.Errorf("%s is missing", name))
	}
	return a.optionalDuration(name)
}

func (a *arguments) optionalDuration(name string) time.Duration {
	word, ok := a.next()
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(word)
	if err != nil {
		a.fail(fmt.Errorf("%s is %q: want a duration such as 200ms or 2s", name, word))
	}
	return d
}

func (a *arguments) fail(err error) {
	if a.err == nil {
		a.err = err
	}
}

// end says what was wrong, words left over included.
func (a *arguments) end() error {
	if a.err == nil && len(a.words) > 0 {
		a.err = fmt.Errorf("%q is too much", strings.Join(a.words, " "))
	}
	return a.err
}
