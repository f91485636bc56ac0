package guard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// roleAlert makes the alert about a role, and says whether it is due. The same
// findings on the same document under the same action are told once.
func (g *Guard) roleAlert(j job, v judged, res Result) (alert.Alert, bool) {
	change := j.asTold()
	in := alert.Input{
		Now: g.cfg.Now(), Role: v.role, Change: &change, Report: v.report,
		Decision: res.Decision, Outcome: res.Outcome,
	}
	if v.known.State != nil {
		in.OpenID, in.Before, in.Resolves = v.known.State.AlertID, v.known.State.Document, resolves(g.cfg.Rules, *v.known.State)
		if v.known.State.Digest != v.digest {
			in.NewlyAllowed = g.newlyAllowed(v)
		}
	}
	open := v.known.State != nil && v.known.State.AlertID != ""
	switch {
	case res.Decision.Action == decision.Ignore:
		return alert.Alert{}, false
	case open && (res.Outcome.Done == decision.Ignore || res.Outcome.Done == decision.Tag) && told(v, res) && !g.wasUnfinished(v, g.cfg.Now()):
		return alert.Alert{}, false
	}
	a := alert.Build(in)
	// What was never told cannot be resolved.
	return a, open || a.State != alert.Resolved
}

// resolves are the rules of what was told of a role before.
func resolves(o *org.Rules, s ledger.RoleState) map[string]finding.Severity {
	out := map[string]finding.Severity{}
	for _, id := range s.OpenRules {
		if r, ok := rules.FindUnder(o, id); ok {
			out[id] = r.Severity
		}
	}
	return out
}

// told reports whether the last alert said all of this already. It did not say
// that the role does not show what an event says.
func told(v judged, res Result) bool {
	var open []string
	for _, f := range v.report.Open() {
		open = append(open, f.Rule)
	}
	same := v.known.State.Digest == v.digest && (v.digest != "" || v.known.State.Document == v.role.TrustPolicy)
	return res.Decision.Action != decision.Clear && same && v.shows != anotherDocument && !v.known.State.Untold && v.known.State.Decided == res.Decision.Action &&
		v.known.State.Verdict == v.report.Verdict && slices.Equal(v.known.State.OpenRules, open) && !v.confirms()
}

// newlyAllowed is a request that the live document allows and the remembered one did not.
func (g *Guard) newlyAllowed(v judged) *access.Request {
	before, err := policy.Parse([]byte(v.known.State.Document))
	if err != nil || len(v.doc.Statements) == 0 {
		return nil
	}
	return proof.Compare(before, v.doc, rules.World(v.input)).New.Witness
}

// unread ends a handling whose role could not be read. A role that nobody may
// read is told of, never passed over (T84).
func (g *Guard) unread(ctx context.Context, res Result, j job, err error) (Result, error) {
	name := j.change.Account + "/" + j.change.RoleName
	switch {
	case errors.Is(err, role.ErrNotFound):
		// A call that AWS did not finish made no role, most likely.
		enough := j.change.Unfinished != "" && j.attempt >= afterSeconds
		if s, more := g.settleStep(j); more && !enough {
			res.Reason = "the role cannot be seen; it is read again later"
			return g.postpone(ctx, res, s)
		}
		return g.end(ctx, res, j, ledger.Superseded, "the role "+name+" cannot be found: it was deleted since, or never made")
	case errors.Is(err, role.ErrAccessDenied):
		if s, more := g.settleStep(j); more {
			res.Reason = "the role may not be read; it is tried again later"
			return g.postpone(ctx, res, s)
		}
		if err := g.tellLostUnseen(ctx, &res, j); err != nil {
			return res, err
		}
		return g.alarm(ctx, res, j, ledger.Told, meter.WordReadDenied, "rolewarden may not read the role "+name+" ("+err.Error()+"), so the account is not covered: deploy the member stack there, and look for an SCP or RCP that stops its reader role")
	default:
		return res, fmt.Errorf("reading role %s: %w", name, err)
	}
}

// trouble tells people what keeps rolewarden from its work, and ends the event.
func (g *Guard) trouble(ctx context.Context, res Result, j job, end ledger.End, problem string) (Result, error) {
	return g.alarm(ctx, res, j, end, meter.WordTrouble, problem)
}

// alarm is trouble under an alarm's word.
func (g *Guard) alarm(ctx context.Context, res Result, j job, end ledger.End, word, problem string) (Result, error) {
	change := toldOf(j.change)
	t := alert.Trouble{
		Now: g.cfg.Now(), Account: change.Account, Role: change.RoleARN, Change: &change,
		EventID: change.EventID, Problem: problem, Decision: res.Decision,
	}
	if res.Role.ARN != "" {
		t.Role, t.RoleID = res.Role.ARN, res.Role.ID
	}
	if t.Role == "" && change.RoleName != "" {
		t.Role = change.Account + "/" + change.RoleName
	}
	if i := j.mayHaveWritten(); i != nil {
		t.Decision, t.RoleID = i.Decision, i.RoleID
		t.Decision.Reasons = append([]string{problem}, i.Decision.Reasons...)
		t.Wrote = decision.Outcome{Done: i.Decision.Action, Before: i.Before, After: i.After, Problem: notKnown}
	}
	if t.Decision.ID == "" {
		t.Decision = decision.Decision{ID: decision.ID(j.key.Account, j.key.EventID, t.RoleID), Action: decision.Hold, Reasons: []string{problem}, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now()}
		if end == ledger.Told || end == ledger.Rejected {
			t.Decision.Action = decision.Tell
		}
	}
	res.Decision = t.Decision
	g.cfg.Log.Error("rolewarden is kept from its work", meter.Key, word,
		"event_id", change.EventID, "account", change.Account, "role", t.Role, "action", res.Decision.Action.String(), "reason", problem)
	return g.end(ctx, res, j, end, problem, telling{Alert: alert.BuildTrouble(t)})
}

// end ends an event about which nothing else is remembered.
func (g *Guard) end(ctx context.Context, res Result, j job, end ledger.End, reason string, all ...telling) (Result, error) {
	return g.finish(ctx, res, j, ledger.Conclusion{End: end, Reason: reason}, all...)
}

// reject ends a message that cannot be trusted to say what happened: it is
// told of and recorded as Rejected. One that does not even look like an event
// is given back, so that it ends on the dead-letter queue.
func (g *Guard) reject(ctx context.Context, body []byte, err error) (Result, error) {
	var m *trail.MalformedError
	if !errors.As(err, &m) {
		return Result{}, err
	}
	account, eventID := m.Key()
	if account == "" && eventID == "" && m.EventName == "" {
		return Result{}, fmt.Errorf("the message cannot be told from others, so it goes to the dead-letter queue: %w", err)
	}
	if account == "" {
		account = "unknown"
	}
	if eventID == "" {
		// The same text is the same event.
		sum := sha256.Sum256(body)
		eventID = "sha256:" + hex.EncodeToString(sum[:])
	}
	key := ledger.Key{Account: account, EventID: eventID}
	j := job{key: key, change: trail.Change{EventID: eventID, EventName: m.EventName, Account: account}}
	taken, terr := g.cfg.Ledger.Take(ctx, key, g.cfg.Now())
	if terr != nil {
		return Result{}, fmt.Errorf("taking event %s of account %s: %w", eventID, account, terr)
	}
	if taken.End != ledger.InFlight {
		return g.ended(ctx, j, taken)
	}
	j.taken = taken
	return g.trouble(ctx, Result{Key: key, Change: j.change}, j, ledger.Rejected, err.Error())
}

// assumed judges a session that was opened, where the rules file asks for session policies.
func (g *Guard) assumed(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	// An event says nothing of the trust policy: with an empty document only
	// the rules that look at the session can find anything.
	in := rules.Input{Role: role.Role{Account: j.change.Account, ARN: j.change.RoleARN, Partition: j.change.Partition, Name: j.change.RoleName}, Change: &j.change, Org: g.cfg.Rules, Now: g.cfg.Now()}
	v := judged{role: in.Role, input: in, report: rules.Judge(in)}
	res.Report = v.report
	if v.report.Verdict == finding.Compliant {
		return g.end(ctx, res, j, ledger.Compliant, "the session obeys the rules")
	}
	d := decision.Plan(g.plain(j, v))
	d.ID = decision.ID(j.key.Account, j.key.EventID, j.change.RoleARN)
	d.RulesHash, d.At = g.cfg.Rules.Hash, g.cfg.Now()
	res.Decision = d
	if d.Action.Writes() {
		return res, fmt.Errorf("handling session event %s: the rules asked for a write, which no session event may lead to", j.key.EventID)
	}
	change := j.change
	return g.end(ctx, res, j, ledger.Told, strings.Join(d.Reasons, " "), telling{Alert: alert.Build(alert.Input{Now: g.cfg.Now(), Role: v.role, Change: &change, Report: v.report, Decision: d})})
}
