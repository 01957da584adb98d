// Copyright The Revenium OpenTelemetry Go Authors
// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/revenium/revenium-otel-go/cmd/revenium-otel/internal/table"
	"github.com/revenium/revenium-otel-go/exporter/spool"
)

// InspectSpool prints what is in a spool directory at now.
func InspectSpool(out io.Writer, dir string, asJSON bool, now time.Time) error {
	in, err := spool.Inspect(dir)
	if err != nil {
		return err
	}
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(in)
	}
	p := spoolPrinter{out: out, now: now}
	for _, owner := range in.Owners {
		p.printf("process %d on %s, since %s, as of %s ago\n", owner.PID, owner.Host, owner.Started.Format(time.RFC3339), p.age(owner.Updated))
		if owner.Failing {
			p.printf("the disk does not take what it writes\n")
		}
		p.queues(owner.Queues)
	}
	for _, file := range in.Busy {
		p.printf("%s (%s) is open in a process that has not said yet what is in it\n\n", file.Name, size(file.Size))
	}
	for _, file := range in.Orphans {
		p.printf("%s (%s) is of a process that has ended; the next one takes it over\n", file.Name, size(file.Size))
		if file.Problem != "" {
			p.printf("it cannot be read: %s\n", file.Problem)
		}
		p.queues(file.Queues)
	}
	for _, file := range in.Damaged {
		p.printf("%s (%s) was damaged and is set aside\n\n", file.Name, size(file.Size))
	}
	if len(in.Owners)+len(in.Busy)+len(in.Orphans)+len(in.Damaged) == 0 {
		p.printf("nothing is waiting, and no process uses the directory\n")
	}
	return p.err
}

// spoolPrinter prints until something goes wrong.
type spoolPrinter struct {
	out io.Writer
	now time.Time
	err error
}

func (p *spoolPrinter) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

// queues prints a table of queues and an empty line.
func (p *spoolPrinter) queues(queues []spool.QueueStatus) {
	rows := [][]string{{"TENANT", "RECORDS", "ON DISK", "SIZE", "OLDEST"}}
	for _, q := range queues {
		oldest := "-"
		if !q.Oldest.IsZero() {
			oldest = p.age(q.Oldest)
		}
		rows = append(rows, []string{
			table.OrDash(q.Tenant), table.Thousands(int64(q.Entries)), table.Thousands(int64(q.OnDisk)), size(q.Bytes), oldest,
		})
	}
	if p.err == nil && len(queues) > 0 {
		p.err = table.Write(p.out, []table.Align{table.Left, table.Right, table.Right, table.Right, table.Right}, rows)
	}
	p.printf("\n")
}

// age is the time since t, to two digits or so.
func (p *spoolPrinter) age(t time.Time) string {
	d := max(p.now.Sub(t), 0)
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	case d >= time.Hour:
		return d.Truncate(time.Minute).String()
	case d >= time.Second:
		return d.Truncate(time.Second).String()
	default:
		return d.Truncate(time.Millisecond).String()
	}
}

// size is a number of bytes for people.
func size(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	}
}
