package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// ending is a line in which a function logs that an event has ended, or waits.
type ending struct {
	Time    time.Time `json:"time"`
	EventID string    `json:"event_id"`
	Account string    `json:"account"`
	End     string    `json:"end"`
	Reason  string    `json:"reason"`
}

// outcome is what a run came to.
type outcome struct {
	name  string
	total int
	took  time.Duration
	// lines are the ends that were logged and ends those in the table, by event.
	lines map[string][]ending
	ends  map[string]string
	// unended are the events of which no end was logged.
	unended []string
	// sent and waited count events by account.
	sent, waited map[string]int
	// loud and others are the times from message to end.
	loud, others []time.Duration
}

// log is what all processes have written.
func (c *crowd) log() string {
	var all strings.Builder
	for _, r := range append(slices.Clone(c.intake), c.later...) {
		all.WriteString(r.Log())
	}
	return all.String()
}

// about is all that was logged of an event.
func (c *crowd) about(id string) string {
	var all strings.Builder
	for line := range strings.Lines(c.log()) {
		if strings.Contains(line, id) {
			all.WriteString(line)
		}
	}
	return all.String()
}

// each visits the lines about the events that were sent. Only what has been
// written since it last looked is read anew.
func (c *crowd) each(sent map[string]message, visit func(ending)) {
	for i, r := range append(slices.Clone(c.intake), c.later...) {
		text := r.Log()
		whole := text[c.read[i] : strings.LastIndexByte(text, '\n')+1]
		c.read[i] += len(whole)
		for line := range strings.Lines(whole) {
			var e ending
			if strings.Contains(line, `"msg":"handled"`) && json.Unmarshal([]byte(line), &e) == nil {
				c.logged = append(c.logged, e)
			}
		}
	}
	for _, e := range c.logged {
		if _, ok := sent[e.EventID]; ok {
			visit(e)
		}
	}
}

// handled gives the ends that were logged, by event. A step that looks again at
// an event that has ended logs none: it is in flight by itself.
func (c *crowd) handled(sent map[string]message) map[string][]ending {
	out := map[string][]ending{}
	c.each(sent, func(e ending) {
		if e.End != "InFlight" {
			out[e.EventID] = append(out[e.EventID], e)
		}
	})
	return out
}

func (c *crowd) outcome(p plan, sent map[string]message, lines map[string][]ending) outcome {
	o := outcome{name: p.name, total: len(sent), lines: lines, ends: c.ends(), sent: map[string]int{}, waited: map[string]int{}}
	c.each(sent, func(e ending) {
		if e.End == "InFlight" && strings.Contains(e.Reason, "more events than are handled at once") {
			o.waited[e.Account]++
		}
	})
	var begin, end time.Time
	for id, m := range sent {
		o.sent[m.account]++
		if begin.IsZero() || m.at.Before(begin) {
			begin = m.at
		}
		if len(lines[id]) == 0 {
			o.unended = append(o.unended, id)
			continue
		}
		at := lines[id][0].Time
		if at.After(end) {
			end = at
		}
		if m.account == noisy {
			o.loud = append(o.loud, at.Sub(m.at))
		} else {
			o.others = append(o.others, at.Sub(m.at))
		}
	}
	slices.Sort(o.loud)
	slices.Sort(o.others)
	o.took = end.Sub(begin)
	return o
}

// text is a run's figures.
func (o outcome) text() string {
	waited := 0
	for _, n := range o.waited {
		waited += n
	}
	return fmt.Sprintf("%-5s %6d events, %d lost, %d waited in the later queue, %.0f s to the last end, %.0f events/s; from message to end, %s: %s; %d others: %s",
		o.name, o.total, o.total-len(o.lines), waited, o.took.Seconds(), float64(o.total)/max(o.took.Seconds(), 0.001), noisy, quantiles(o.loud), members-1, quantiles(o.others))
}

func quantiles(d []time.Duration) string {
	return fmt.Sprintf("p50 %s p95 %s p99 %s", at(d, 0.50), at(d, 0.95), at(d, 0.99))
}

// at gives a quantile of sorted times.
func at(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[min(len(d)-1, int(q*float64(len(d))))].Round(time.Millisecond)
}

func ratio(a, b []time.Duration) float64 {
	return float64(at(a, 0.99)) / max(float64(at(b, 0.99)), float64(time.Millisecond))
}

// loadAverage says how busy the machine was, which the figures depend on.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load average unknown"
	}
	return "load average " + strings.Join(strings.Fields(string(text))[:3], " ")
}
