package guard

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// telling is an alert to be told, after the letters of an event that it goes on with.
type telling struct {
	alert.Alert
	after ledger.Key
	// mark ends the id of its letter.
	mark string
}

// mended marks the letter of an alert whose resolution is recorded beside it, so
// that whoever tells it, and whenever, adds no second one.
const mended = "/mended"

// finish records the end of an event and what people have to be told of it, in
// one step, and then tells it. What could not be told stays in the ledger, and
// is told when the message comes again, or by Deliver. A crash between the
// telling and its record tells the same alert twice, and none is lost (I7).
func (g *Guard) finish(ctx context.Context, res Result, j job, c ledger.Conclusion, all ...telling) (Result, error) {
	c.Event, c.At = j.key, g.cfg.Now()
	all = j.hush(&res, all)
	if len(all) > 0 && !j.alone {
		return g.alone(ctx, res, &j, func(j job) (Result, error) { return g.finish(ctx, res, j, c, all...) })
	}
	for i, t := range all {
		// They are told in the order of time, also by who finds them in the ledger.
		at := c.At.Add(time.Duration(i) * time.Millisecond)
		c.Letters = append(c.Letters, ledger.Letter{ID: t.ID + "/" + t.State.String() + t.mark, Event: j.key, Body: t.JSON(), After: t.after, At: at})
	}
	if len(c.Letters) > 0 {
		// Reserved before they are there, so that nobody else tells them too.
		box := mailbox(c.Letters[0])
		if err := g.lease(ctx, box, j.holder()); err != nil {
			return res, err
		}
		defer g.release(ctx, j.key, box, j.holder())
	}
	if err := g.cfg.Ledger.Conclude(ctx, c); err != nil {
		return res, fmt.Errorf("recording the end of event %s: %w", j.key.EventID, err)
	}
	res.End, res.Reason = c.End, c.Reason
	err := g.inOrder(ctx, &res, j, c.Letters)
	return res, err
}

// ended answers a message whose event has ended before, and tells what of it
// still has to be told.
func (g *Guard) ended(ctx context.Context, j job, taken ledger.Taken) (Result, error) {
	res := Result{Key: j.key, Change: j.change, End: taken.End, Ignored: "handled before", Reason: "the event was handled before and ended in " + taken.End.String()}
	if len(taken.Letters) == 0 {
		return res, nil
	}
	res.Ignored, res.Reason = "", "the event ended in "+taken.End.String()+" before, and what it had to tell is told now"
	j.taken = taken
	box := mailbox(taken.Letters[0])
	if err := g.lease(ctx, box, j.holder()); err != nil {
		return res, err
	}
	defer g.release(ctx, j.key, box, j.holder())
	// Somebody else may have told it before it was reserved.
	taken, err := g.cfg.Ledger.Take(ctx, j.key, g.cfg.Now())
	if err != nil {
		return res, fmt.Errorf("taking event %s of account %s: %w", j.key.EventID, j.key.Account, err)
	}
	err = g.inOrder(ctx, &res, j, taken.Letters)
	return res, err
}

// inOrder tells letters after those that they go on with: who reads that an
// alert is resolved must not read afterwards that it is opened.
func (g *Guard) inOrder(ctx context.Context, res *Result, j job, letters []ledger.Letter) error {
	done := map[ledger.Key]bool{{}: true, j.key: true}
	for _, l := range letters {
		if done[l.After] {
			continue
		}
		if err := g.earlier(ctx, res, j, l.After, done); err != nil {
			return err
		}
	}
	return g.send(ctx, res, j.change.Time, letters)
}

// earlier tells what an earlier event still has to tell, and before it what that
// goes on with in its turn. done are the events that have told all of it.
func (g *Guard) earlier(ctx context.Context, res *Result, j job, k ledger.Key, done map[ledger.Key]bool) error {
	done[k] = true
	box := mailbox(ledger.Letter{Event: k})
	if err := g.lease(ctx, box, j.holder()); err != nil {
		return err
	}
	defer g.release(ctx, k, box, j.holder())
	taken, err := g.cfg.Ledger.Take(ctx, k, g.cfg.Now())
	if err != nil {
		return fmt.Errorf("taking event %s of account %s: %w", k.EventID, k.Account, err)
	}
	for _, l := range taken.Letters {
		if done[l.After] {
			continue
		}
		if err := g.earlier(ctx, res, j, l.After, done); err != nil {
			return err
		}
	}
	return g.send(ctx, res, time.Time{}, taken.Letters)
}

// Deliver tells what the ledger holds and nobody has told yet, the oldest
// first, and gives how many alerts it told. What somebody else is telling at
// this moment is left to them.
func (g *Guard) Deliver(ctx context.Context, limit int) (int, error) {
	waiting, err := g.cfg.Ledger.Undelivered(ctx, limit)
	problems := []error{err}
	holder, held := "delivery "+rand.Text(), map[role.Ref]bool{}
	for _, l := range waiting {
		box := mailbox(l)
		if _, known := held[box]; known {
			continue
		}
		err := g.lease(ctx, box, holder)
		held[box] = err == nil
		switch {
		case err == nil:
			defer g.release(ctx, l.Event, box, holder)
		case !errors.Is(err, ledger.ErrLeased):
			problems = append(problems, err)
		}
	}
	var res Result
	failed := map[ledger.Key]bool{}
	if len(held) > 0 {
		// Some of it may have been told before it was reserved.
		waiting, err = g.cfg.Ledger.Undelivered(ctx, limit)
		problems = append(problems, err)
	}
	for _, l := range inTurn(waiting) {
		told := held[mailbox(l)] && !failed[l.After] && !failed[l.Event]
		if told {
			err := g.send(ctx, &res, time.Time{}, []ledger.Letter{l})
			told, problems = err == nil, append(problems, err)
		}
		// What was not told keeps back what goes on with it, and what is told after it
		// of the same event. What is of no event keeps nobody back.
		if !told && l.Event != (ledger.Key{}) {
			failed[l.Event] = true
		}
	}
	if err := errors.Join(problems...); err != nil {
		return len(res.Alerts), fmt.Errorf("telling what was not told yet: %w", err)
	}
	return len(res.Alerts), nil
}

// inTurn puts letters behind those that they go on with, also where both were
// written in one moment, and behind the ones of their own event that are put so.
// Else their order stays.
func inTurn(waiting []ledger.Letter) []ledger.Letter {
	var out []ledger.Letter
	for len(waiting) > 0 {
		var rest []ledger.Letter
		for _, l := range waiting {
			of := func(k ledger.Key) func(ledger.Letter) bool {
				return func(o ledger.Letter) bool { return k != (ledger.Key{}) && o.Event == k }
			}
			if slices.ContainsFunc(rest, of(l.Event)) || l.After != l.Event && slices.ContainsFunc(waiting, of(l.After)) {
				rest = append(rest, l)
				continue
			}
			out = append(out, l)
		}
		if len(rest) == len(waiting) {
			// They wait for each other: told in any order is better than not told.
			return append(out, rest...)
		}
		waiting = rest
	}
	return out
}

// mailbox is what is leased while an event's letters, or one without an event,
// are told. No role is called so.
func mailbox(l ledger.Letter) role.Ref {
	if l.Event == (ledger.Key{}) {
		return role.Ref{Account: "none", Name: "letter " + l.ID}
	}
	return role.Ref{Account: l.Event.Account, Name: "letters of event " + l.Event.EventID}
}

// send tells letters in their order and records each one's delivery. since is
// the time of their event.
func (g *Guard) send(ctx context.Context, res *Result, since time.Time, letters []ledger.Letter) error {
	for _, l := range letters {
		a, err := alert.Parse(l.Body)
		if err != nil {
			return fmt.Errorf("reading the letter %s of event %s: %w", l.ID, l.Event.EventID, err)
		}
		more, err := g.resolvedSince(ctx, since, l, a)
		if err != nil {
			return err
		}
		if err := g.sendOne(ctx, res, l, a); err != nil {
			return err
		}
		for _, l := range more {
			if a, err = alert.Parse(l.Body); err == nil {
				err = g.sendOne(ctx, res, l, a)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Guard) sendOne(ctx context.Context, res *Result, l ledger.Letter, a alert.Alert) error {
	if _, err := g.cfg.Channel.Notify(ctx, a); err != nil {
		g.cfg.Log.Error("an alert could not be told and is told later", meter.Key, meter.WordUndelivered,
			"event_id", l.Event.EventID, "account", a.Account, "role", a.Role.ARN, "reason", err.Error())
		return fmt.Errorf("telling %s about %s: %w", g.cfg.Channel.Name(), a.Role.ARN, err)
	}
	res.Alerts = append(res.Alerts, a)
	if err := g.cfg.Ledger.Delivered(ctx, l); err != nil {
		return fmt.Errorf("recording that alert %s was told: %w", a.ID, err)
	}
	return nil
}

// foundGood gives what is remembered of a role when another event has found it
// good since: after a revert most likely the one of our own write, and where only
// the event was in doubt a later one. It had nothing to resolve yet. Nil when none has.
func foundGood(j job, v judged, res Result) *ledger.RoleState {
	s, shown := v.known.State, v.digest
	if s == nil || s.Event == j.key || s.EventTime.Before(j.change.Time) || !quietlyGood(*s) {
		return nil
	}
	switch {
	case res.Outcome.Done == decision.Revert:
		after, err := policy.Parse([]byte(res.Outcome.After))
		if err != nil || s.UpdatedAt.Before(res.Decision.At) {
			return nil
		}
		shown = after.Digest(v.role.Partition)
	case res.Outcome.Done != decision.Ignore, v.report.Verdict != finding.Undecided:
		return nil
	}
	if s.Digest != shown {
		return nil
	}
	return s
}

// quietlyGood says that a role was found good by a handling that had nothing to
// resolve; one that has decides to.
func quietlyGood(s ledger.RoleState) bool {
	return s.Verdict == finding.Compliant && s.AlertID == "" && s.Decided == decision.Ignore && !remediate.IsQuarantine(s.Document)
}

// resolvedSince posts the resolution of an alert whose role was found good by
// a later event, such as the one of our own write, before the alert was
// recorded: that event found nothing to resolve, and no other may come. It is
// posted before the alert counts as told, so that a crash loses neither. An alert
// that was recorded together with its resolution has no other.
func (g *Guard) resolvedSince(ctx context.Context, since time.Time, l ledger.Letter, a alert.Alert) ([]ledger.Letter, error) {
	ofRole := a.Role.ID != "" && a.Decision.ID == decision.ID(l.Event.Account, l.Event.EventID, a.Role.ID)
	if !ofRole || strings.HasSuffix(l.ID, mended) || a.State == alert.Resolved || a.Verdict == finding.Compliant.String() {
		return nil, nil
	}
	s, ok, err := g.cfg.Ledger.State(ctx, a.Account, a.Role.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what is remembered of role %s: %w", a.Role.ARN, err)
	}
	if !ok || s.Event == l.Event || !s.EventTime.After(since) || !quietlyGood(s) {
		return nil, nil
	}
	now := g.cfg.Now()
	letter := ledger.Letter{ID: a.ID + "/resolved/" + l.Event.EventID, Body: g.resolution(a, s).JSON(), After: l.Event, At: now}
	first, err := g.cfg.Ledger.Post(ctx, "resolved/"+l.Name(), letter)
	if err != nil {
		return nil, fmt.Errorf("recording that the alert about role %s is resolved: %w", a.Role.ARN, err)
	}
	if first == ledger.Again {
		// It waits among the others since it was posted, or was told.
		return nil, nil
	}
	return []ledger.Letter{letter}, nil
}

// resolution is the alert that takes another one back.
func (g *Guard) resolution(a alert.Alert, s ledger.RoleState) alert.Alert {
	told := map[string]finding.Severity{}
	for _, f := range a.Findings {
		var severity finding.Severity
		if f.Exemption == "" && severity.UnmarshalText([]byte(f.Severity)) == nil {
			told[f.Rule] = max(told[f.Rule], severity)
		}
	}
	out := alert.Build(alert.Input{
		Now: g.cfg.Now(), Role: role.Role{Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID, TrustPolicy: s.Document},
		Before: s.Document, OpenID: a.ID, Resolves: told, Report: finding.Report{Verdict: finding.Compliant},
		Decision: decision.Decision{ID: a.Decision.ID, Action: decision.Clear, Reasons: []string{"The role has obeyed the rules since."}, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()},
	})
	if a.Change != nil {
		change := *a.Change
		change.Diff, change.NewlyAllowed = "", ""
		out.Change = &change
	}
	return out
}
