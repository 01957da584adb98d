// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/revenium/revenium-otel-go/testing/llmtest"
)

// mishapHelp explains parseMishap's words, one per line. TIMES is 1 unless given.
const mishapHelp = `status CODE [TIMES] [RETRY]    answer with this status; RETRY is a duration for Retry-After
delay DURATION [TIMES]         begin the answer late
slow DURATION [TIMES]          wait before each event of a stream
cut [TIMES]                    break the connection in the middle of the answer
reset [TIMES]                  break the connection before the answer
no-usage [TIMES]               report no tokens`

// cutAfter is the number of chunks that a cut stream still has.
const cutAfter = 2

// maxScripted bounds what one command can script.
const maxScripted = 100_000

// parseMishap reads what the next answers of the LLM shall be.
func parseMishap(text string) ([]llmtest.Answer, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return nil, errors.New("which mishap? One of status, delay, slow, cut, reset, no-usage")
	}
	args := &arguments{words: words[1:]}
	var answer llmtest.Answer
	var times int
	switch words[0] {
	case "status":
		code := args.number("CODE")
		if args.err == nil && (code < http.StatusBadRequest || code > 599) {
			args.fail(fmt.Errorf("CODE is %d: want 400 to 599", code))
		}
		answer = llmtest.Fail(code)
		times = args.times()
		answer.RetryAfter = args.optionalDuration("RETRY")
	case "delay":
		answer.Delay = args.duration("DURATION")
		times = args.times()
	case "slow":
		answer.Stream.Delay = args.duration("DURATION")
		times = args.times()
	case "cut":
		answer.Cut, answer.Stream.End, answer.Stream.After = true, llmtest.EndCut, cutAfter
		times = args.times()
	case "reset":
		answer.Reset = true
		times = args.times()
	case "no-usage":
		answer.OmitUsage, answer.Stream.Usage = true, llmtest.UsageNever
		times = args.times()
	default:
		return nil, fmt.Errorf("unknown mishap %q: one of status, delay, slow, cut, reset, no-usage", words[0])
	}
	if times > maxScripted {
		args.fail(fmt.Errorf("TIMES is %d: want at most %d", times, maxScripted))
	}
	if err := args.end(); err != nil {
		return nil, fmt.Errorf("llm %s: %w", words[0], err)
	}
	return slices.Repeat([]llmtest.Answer{answer}, max(times, 1)), nil
}
