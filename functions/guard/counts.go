package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/meter"
)

// source is the queue that a message came from.
type source uint8

const (
	intakeQueue source = iota
	laterQueue
)

// handled is how one message of a batch was handled.
type handled struct {
	from source
	res  guard.Result
	err  error
	// at is when the handling was over.
	at time.Time
}

// counted is what one message adds to the numbers. What is an alarm is counted
// where it is logged. Alerts count also when the message comes again: they are
// published all the same.
func (h handled) counted() []meter.Sample {
	var out []meter.Sample
	if h.from == intakeQueue {
		out = append(out, meter.Count(meter.EventsReceived, 1))
	}
	if n := len(h.res.Alerts); n > 0 {
		out = append(out, meter.Count(meter.AlertPublished, n))
	}
	switch {
	case h.err != nil:
	case h.res.Ignored != "":
		if h.from == intakeQueue {
			out = append(out, meter.Count(meter.EventsIgnored, 1))
		}
	case h.res.Concluded():
		out = append(out, meter.Count(meter.Decided, 1), meter.Count(meter.Findings, len(h.res.Report.Open())))
		if took, ok := h.res.Latency(h.at); ok {
			out = append(out, meter.Seconds(meter.DecisionSeconds, took))
		}
		if h.res.Outcome.Done.Writes() {
			out = append(out, meter.Count(meter.Written, 1))
		}
	}
	return out
}

// fingerprint makes a number of a rules file's hash, so that a graph and an
// alarm show when another file is in use (T76): its first 32 bits, which a
// metric holds exactly.
func fingerprint(hash string) float64 {
	digits := strings.TrimPrefix(hash, "sha256:")
	n, err := strconv.ParseUint(digits[:min(len(digits), 8)], 16, 32)
	if err != nil {
		return 0
	}
	return float64(n)
}
