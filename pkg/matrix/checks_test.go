package matrix

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// writes are the calls by which rolewarden changes roles.
var writes = []string{"UpdateAssumeRolePolicy", "TagRole", "UntagRole", "PutRolePermissionsBoundary"}

// changes gives the calls of rolewarden that changed a role, as the lab saw them.
func (w *world) changes() []lab.Call {
	var out []lab.Call
	for _, c := range w.lab.Calls() {
		if c.Service == "iam" && slices.Contains(writes, c.Action) && c.ErrorCode == "" && c.Fault != lab.TimeoutBefore && strings.HasPrefix(c.SourceIdentity, actions.SourceIdentityPrefix) {
			out = append(out, c)
		}
	}
	return out
}

// breaches checks what must be true at any moment, whatever went wrong.
func (w *world) breaches(s story, c Cell, fired int) []string {
	var out []string
	bad := func(invariant, format string, a ...any) {
		out = append(out, invariant+": "+fmt.Sprintf(format, a...))
	}
	documents := map[string]int{}
	for _, call := range w.changes() {
		id := strings.TrimPrefix(call.SourceIdentity, actions.SourceIdentityPrefix)
		if at, known := w.intents[id]; !known || at.After(call.Time) {
			bad("I2", "%s of %s at %s without an intent before it", call.Action, call.Resource, call.Time)
		}
		if strings.HasPrefix(call.Resource, "rolewarden-") {
			bad("I5", "%s of %s, which is protected", call.Action, call.Resource)
		}
		if call.Action == "UpdateAssumeRolePolicy" {
			documents[call.Account+"/"+call.Resource]++
		}
		if w.stopped {
			bad("I10", "%s of %s though the kill switch says stop", call.Action, call.Resource)
		}
	}
	for name, n := range documents {
		if n > 3 {
			bad("I10", "%d trust policies written to %s", n, name)
		}
	}
	for _, d := range w.wrote {
		if !remediate.IsQuarantine(d.document) && !w.same(d.document, closed) && (s.pruned == "" || !w.same(d.document, s.pruned)) {
			bad("I3", "%s/%s became %s, which is neither its baseline nor the quarantine", d.account, d.role, d.document)
		}
		gone := c.Call.Name == "iam:GetUser" && c.When == Always
		if s.past && remediate.IsQuarantine(d.document) && !gone {
			bad("I3", "%s/%s was quarantined though it has a past", d.account, d.role)
		}
	}
	allowed := w.crashes
	if c.Fault.Unknown() || strings.HasPrefix(c.Call.Name, "dynamodb:") {
		// Who does not learn that it was sent, or cannot record it, sends it again.
		allowed += fired
	}
	times := map[string]int{}
	for _, p := range w.told {
		key := p.id + " " + p.alert.Decision.ID + " " + p.alert.Fingerprint
		if times[key]++; times[key] > 1+allowed {
			bad("I7", "told %d times: %s", times[key], key)
		}
	}
	raw := w.raw()
	for _, secret := range append(w.wire.Secrets(), externalID) {
		if strings.Contains(raw, secret) {
			bad("I11", "a secret of %d characters is in what came out", len(secret))
		}
	}
	return out
}

// lost gives the events that have neither ended nor wait to be handled again (I1).
func (w *world) lost() []string {
	var out []string
	for _, k := range w.keys {
		if w.endOf(k) != ledger.InFlight {
			continue
		}
		waits := slices.ContainsFunc(slices.Concat(w.waiting, w.dead), func(m message) bool { return strings.Contains(m.body, k.EventID) })
		if !waits {
			out = append(out, "I1: event "+k.EventID+" has not ended and is in no queue")
		}
	}
	return out
}

func (w *world) endOf(k ledger.Key) ledger.End {
	taken, err := w.memory.Take(context.Background(), k, time.Now())
	w.must(err)
	return taken.End
}

// state says in a word or two how things stand with what a story is about.
func (w *world) state(s story) string {
	if w.multiplies && !w.well {
		return "multiplies"
	}
	if s.state != nil {
		return s.state(w)
	}
	if len(w.keys) == 0 {
		return "nothing"
	}
	// Only what people did counts; rolewarden's own writes come as events too.
	first := w.keys[s.event]
	if end := w.endOf(first); end != ledger.InFlight {
		if s.tells != "" && !w.hasTold(s.tells) {
			return end.String() + ", untold"
		}
		return end.String()
	}
	for _, m := range w.dead {
		if strings.Contains(m.body, first.EventID) {
			return "DLQ"
		}
	}
	return "waits"
}

// hasTold says whether people heard of a role, or of an account as a whole.
func (w *world) hasTold(about string) bool {
	// A role that could not be read is told of by its account and name.
	short := strings.Replace(strings.TrimPrefix(about, "arn:aws:iam::"), ":role", "", 1)
	return slices.ContainsFunc(w.told, func(p published) bool {
		return strings.Contains(p.raw, about) || strings.Contains(p.raw, short)
	})
}

// heard says whether somebody is bound to hear of a role: an alert is out, is in
// the ledger and waits, or a message about it waits in a queue with an alarm.
func (w *world) heard(s story) bool {
	if s.tells == "" || w.unbegun || w.hasTold(s.tells) || len(w.waiting)+len(w.dead) > 0 {
		return true
	}
	letters, err := w.memory.Undelivered(context.Background(), 10)
	w.must(err)
	return len(letters) > 0 || strings.Contains(w.log.String(), `"level":"ERROR"`)
}

// recover heals the world, gives back what lies in dead-letter queues, and lets
// a sweep run.
func (w *world) recover() {
	for _, m := range w.dead {
		m.tries, m.due = 0, time.Now()
		w.waiting = append(w.waiting, m)
	}
	w.dead, w.unbegun, w.well = nil, false, true
	// Of the same message three copies tell as much as hundreds.
	copies := map[string]int{}
	w.waiting = slices.DeleteFunc(w.waiting, func(m message) bool {
		copies[m.queue+m.body]++
		return copies[m.queue+m.body] > 3
	})
	w.run(time.Now().Add(time.Hour))
	time.Sleep(7 * time.Hour)
	if err := w.begin(); err != nil {
		w.t.Errorf("a sweep does not begin though all is well: %v", err)
	}
	w.run(time.Now().Add(2 * time.Hour))
	w.deliver()
	w.run(time.Now().Add(time.Hour))
}
