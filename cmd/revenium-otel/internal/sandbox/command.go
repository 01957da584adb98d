// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"io"
	"strings"

	"github.com/revenium/revenium-otel-go/testing/reveniumtest"
)

const commandHelp = `fault FAULT       let Revenium misbehave, see below
fault clear       end all faults; what hangs is answered
faults            list the faults that are on
llm MISHAP        let the LLM misbehave in its next answers, see below
records           all accepted records, as one table
violations        all violations so far
stats             counters
quit              stop
`

// execute runs one command line and says what came of it.
func (s *session) execute(text string) {
	word, rest, _ := strings.Cut(strings.TrimSpace(text), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "":
	case "help", "?":
		s.printer.say("%s\nFaults of Revenium:\n%s\n\nMishaps of the LLM:\n%s\n", commandHelp, indent(faultHelp), indent(mishapHelp))
	case "fault":
		s.fault(rest)
	case "faults":
		s.listFaults()
	case "llm":
		s.mishap(rest)
	case "records":
		records := s.revenium.Records()
		s.printer.writeSide(func(w io.Writer) error { return reveniumtest.WriteTable(w, records) })
	case "violations":
		violations := s.revenium.Violations()
		if len(violations) == 0 {
			s.printer.say("no violations\n")
		}
		for _, v := range violations {
			s.printer.say("  ! %s\n", violationText(v))
		}
	case "stats":
		s.summarize()
	case "quit", "exit":
		s.quit()
	default:
		s.printer.say("unknown command %q: try help\n", word)
	}
}

func (s *session) fault(text string) {
	if text == "clear" {
		s.revenium.ClearFaults()
		s.printer.say("no faults\n")
		return
	}
	fault, err := ParseFault(text)
	if err != nil {
		s.printer.say("%v\n", err)
		return
	}
	s.revenium.AddFault(fault)
	s.listFaults()
}

func (s *session) listFaults() {
	faults := s.revenium.Faults()
	if len(faults) == 0 {
		s.printer.say("no faults\n")
		return
	}
	for _, f := range faults {
		s.printer.say("fault %s\n", describeFault(f))
	}
}

func (s *session) mishap(text string) {
	answers, err := parseMishap(text)
	if err != nil {
		s.printer.say("%v\n", err)
		return
	}
	s.llm.Enqueue(answers...)
	s.printer.say("the next %d LLM answers are scripted\n", s.llm.Pending())
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
