package guard

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// job is the handling of one event.
type job struct {
	change trail.Change
	key    ledger.Key
	taken  ledger.Taken
	// attempt counts the later steps this handling has been through.
	attempt int
}

// holder names this handling where roles are leased: two deliveries of one
// event at the same time are two handlings.
func (j job) holder() string { return fmt.Sprintf("%s#%d", j.key.EventID, j.taken.Attempts) }

// judged is a role as it was read and what was found in it.
type judged struct {
	role   role.Role
	doc    policy.Document
	digest string
	report finding.Report
	input  rules.Input
	// doubt is a reason not to act on the report; empty when there is none.
	doubt string
	state *ledger.RoleState
}

// startOvers is how often a handling begins again within one message because
// somebody else changed the role between two readings.
const startOvers = 3

// role judges and acts on the role of a change, beginning again when the role
// was changed under its hands.
func (g *Guard) role(ctx context.Context, j job) (Result, error) {
	for range startOvers {
		res, err := g.once(ctx, j)
		if !errors.Is(err, remediate.ErrStale) {
			return res, err
		}
	}
	return g.later(ctx, Result{Key: j.key, Change: j.change}, j, "somebody keeps changing the role while it is being handled")
}

func (g *Guard) once(ctx context.Context, j job) (Result, error) {
	res := Result{Key: j.key, Change: j.change}
	live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: j.change.Account, Name: j.change.RoleName})
	if err != nil {
		return g.unread(ctx, res, j, err)
	}
	res.Role = live
	if made, ok := g.madeBefore(j, live); ok {
		return g.resume(ctx, res, j, made)
	}
	v, unsettled, err := g.look(ctx, j, live)
	if err != nil {
		return res, err
	}
	if unsettled {
		if s, more := g.settleStep(j); more {
			res.Reason = "the role does not show what the event says yet; it is read again later"
			return g.postpone(ctx, res, s)
		}
		v.doubt = "the role still does not show what its newest event says: an event was lost, or somebody changes it without one; compare the role with the event and with your trail"
	}
	res.Report = v.report
	if v.report.Verdict == finding.Compliant && v.doubt == "" && !tagged(live) {
		return g.compliant(ctx, res, j, v)
	}
	return g.answer(ctx, res, j, v)
}

// look judges a live role, and reports whether the reading may lag behind the event.
func (g *Guard) look(ctx context.Context, j job, live role.Role) (judged, bool, error) {
	v := judged{role: live}
	change := j.change
	v.input = rules.Input{Role: live, Change: &change, Org: g.cfg.Rules, Now: g.cfg.Now()}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil {
		v.report = rules.JudgeText(v.input, live.TrustPolicy)
		return v, false, nil //nolint:nilerr // what is no policy is judged Undecided, which tells people
	}
	v.doc, v.digest, v.input.Document = doc, doc.Digest(live.Partition), doc
	if !settled(change.Document, doc, live.Partition) && sameRole(change, live) {
		newer, err := g.newerHandled(ctx, j, live)
		if err != nil || !newer {
			return v, true, err
		}
	}
	if v.input.History, err = g.history(ctx, doc); err != nil {
		return v, false, err
	}
	g.judge(ctx, &v)
	return v, false, nil
}

// sameRole reports whether the live role is the one the event speaks of; a
// role that was deleted and made again has an event of its own.
func sameRole(c trail.Change, live role.Role) bool { return c.RoleID == "" || c.RoleID == live.ID }

// newerHandled reports whether a later event of the same role has ended already.
func (g *Guard) newerHandled(ctx context.Context, j job, live role.Role) (bool, error) {
	s, ok, err := g.cfg.Ledger.State(ctx, live.Account, live.ID)
	if err != nil {
		return false, fmt.Errorf("reading what is remembered of role %s: %w", live.Ref(), err)
	}
	return ok && s.Event != j.key && s.EventTime.After(j.change.Time), nil
}

// history asks the ledger about each unique id that a document shows.
func (g *Guard) history(ctx context.Context, d policy.Document) (map[string]finding.Principal, error) {
	var out map[string]finding.Principal
	for _, s := range d.Statements {
		for _, p := range append(append([]policy.Principal(nil), s.Principal.List...), s.NotPrincipal.List...) {
			if p.Kind != policy.UniqueID {
				continue
			}
			h, ok, err := g.cfg.Ledger.Identify(ctx, p.Value)
			if err != nil {
				return nil, fmt.Errorf("asking the ledger who %s was: %w", p.Value, err)
			}
			if !ok {
				continue
			}
			if out == nil {
				out = map[string]finding.Principal{}
			}
			out[p.Value] = g.livesAgain(ctx, h)
		}
	}
	return out, nil
}

// livesAgain looks whether somebody else has the name now. A failure to look
// leaves the question open; it is no reason to be silent about the id.
func (g *Guard) livesAgain(ctx context.Context, p finding.Principal) finding.Principal {
	if p.ARN == "" || p.LivesAgainAs != "" {
		return p
	}
	id, err := g.cfg.Reader.PrincipalID(ctx, p.ARN)
	switch {
	case err == nil && id != p.ID:
		p.LivesAgainAs = id
	case err != nil && !errors.Is(err, role.ErrNotFound):
		g.cfg.Log.Warn("could not look whether a deleted principal's name lives again", "principal", p.ARN, "error", err.Error())
	}
	return p
}

// confirmations bounds how many accounts are confirmed with Organizations for one judgement.
const confirmations = 8

// judge runs the rules, and asks Organizations about each account that the
// rules file does not list before anybody acts on its absence.
func (g *Guard) judge(ctx context.Context, v *judged) {
	for range confirmations {
		v.report = rules.Judge(v.input)
		if v.report.Verdict != finding.Noncompliant || g.cfg.Members == nil || v.input.Org == nil || v.input.Org.Organization.ID == "" {
			return
		}
		joined, err := g.joined(ctx, v)
		if err != nil {
			v.doubt = "Organizations could not be asked whether an account the rules file does not list has joined: " + err.Error() + "; nothing is changed on that ground"
			return
		}
		if joined == "" {
			return
		}
		v.input.Org = withMember(v.input.Org, joined)
	}
	v.doubt = "too many accounts that the rules file does not list have joined the organization; update the rules file"
}

// joined gives an account that a finding calls foreign and Organizations a member.
func (g *Guard) joined(ctx context.Context, v *judged) (string, error) {
	asked := map[string]bool{}
	for _, f := range v.report.Open() {
		for _, account := range rules.Foreign(f) {
			if asked[account] {
				continue
			}
			asked[account] = true
			m, err := g.cfg.Members.Confirm(ctx, account)
			if err != nil {
				return "", fmt.Errorf("asking whether account %s is a member: %w", account, err)
			}
			switch m {
			case Member:
				return account, nil
			case NotMember:
			case Unknown:
				return "", fmt.Errorf("asking whether account %s is a member: no answer", account)
			}
		}
	}
	return "", nil
}

// withMember is a copy of the rules with one more member account.
func withMember(r *org.Rules, account string) *org.Rules {
	out := *r
	out.Organization.Accounts = append(append([]org.Account(nil), r.Organization.Accounts...), org.Account{ID: account})
	return &out
}

// compliant ends an event whose role obeys the rules, and asks for a second
// look after which its document becomes a baseline.
func (g *Guard) compliant(ctx context.Context, res Result, j job, v judged) (Result, error) {
	err := g.cfg.Ledger.Conclude(ctx, ledger.Conclusion{
		Event: j.key, End: ledger.Compliant, Reason: "the role obeys the rules", At: g.cfg.Now(),
		State: g.remember(j, v, decision.Decision{}, decision.Outcome{}, ""), Expect: ledger.NoOpenAlert,
	})
	switch {
	case errors.Is(err, ledger.ErrOpenAlert):
		return g.answer(ctx, res, j, v)
	case err != nil:
		return res, fmt.Errorf("recording the end of event %s: %w", j.key.EventID, err)
	}
	res.End, res.Reason = ledger.Compliant, "the role obeys the rules"
	return g.promoteLater(ctx, res, j, v)
}

// later postpones a handling, or tells people when that has been done often enough.
func (g *Guard) later(ctx context.Context, res Result, j job, why string) (Result, error) {
	if s, more := g.settleStep(j); more {
		res.Reason = why + "; it is tried again later"
		return g.postpone(ctx, res, s)
	}
	return g.trouble(ctx, res, j, ledger.Held, why+"; nothing was changed, look at the role and at who keeps changing it")
}
