package guard

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// Undoing is a person's word that what a decision wrote is taken back.
type Undoing struct {
	// Decision is the id that the alert names.
	Decision string
	// By is who says so, Reason why; both are needed and kept.
	By, Reason string
	// Until is how long the document stays though it breaks rules.
	Until time.Time
	// Accept are ARNs that may come back although nobody can tell whether they
	// still are whom they were.
	Accept []string
	// Stopped says whether it is done while the kill switch stops every write.
	Stopped WhileStopped
}

// WhileStopped says what the kill switch means to a person's own write. The zero
// value heeds it.
type WhileStopped uint8

// What the kill switch means.
const (
	Heed WhileStopped = iota
	// WriteAllTheSame: the switch was pulled because of what is being undone.
	WriteAllTheSame
)

// undoMark begins the event ids under which undoings are recorded.
const undoMark = "undo/"

// Longest is how long a document that breaks rules may stay on a person's word;
// beyond it there are exemptions, which have an owner and are reviewed.
const Longest = 14 * 24 * time.Hour

// Nobody is the Channel and the Later of a person's command: it is told nothing and
// does nothing later. What a person writes comes to the line as an event, which tells.
type Nobody struct{}

// Name gives "nobody".
func (Nobody) Name() string { return "nobody" }

// Notify fails.
func (Nobody) Notify(context.Context, alert.Alert) (notify.Retry, error) {
	return notify.Retry{}, errors.New("a person's command tells nobody")
}

// Send fails.
func (Nobody) Send(context.Context, Step) error {
	return errors.New("a person's command puts nothing off")
}

// Undone is what an undoing came to.
type Undone struct {
	// Role is the role as it was found.
	Role role.Role
	// Taken is the decision that was taken back.
	Taken    decision.Decision
	Decision decision.Decision
	// Report is the judgement of what was put back, by today's rules.
	Report  finding.Report
	Outcome decision.Outcome
	// Word is what keeps the line from taking it back; nil where the document
	// obeys the rules and needs none.
	Word *ledger.Word
}

// RefusedError says why nothing was undone, and what to do.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Undo puts back the document that a decision replaced. It passes the same checks
// as every other write, but for the verdict: a person answers for that, for a
// time. It writes under the credentials that the Guard's Writers open, which are
// to be the person's own.
//
// A role that was changed since, deleted, made anew or is never written is left
// alone, and so is one of whose principals a name may have been taken over. A
// *RefusedError says so; after it nothing was written.
func (g *Guard) Undo(ctx context.Context, u Undoing) (Undone, error) {
	i, err := g.undoable(ctx, u)
	if err != nil {
		return Undone{}, err
	}
	out := Undone{Taken: i.Decision}
	if out.Role, err = g.foundAsLeft(ctx, i); err != nil {
		return out, err
	}
	document, dropped, err := g.putBack(ctx, i, u)
	if err != nil {
		return out, err
	}
	if out.Report, err = g.judgePutBack(ctx, out.Role, document); err != nil {
		return out, err
	}
	if err := g.mayUndo(ctx, u); err != nil {
		return out, err
	}
	key := ledger.Key{Account: i.Role.Account, EventID: undoMark + i.Decision.ID}
	out.Decision = decision.Decision{
		ID: decision.ID(key.Account, key.EventID, i.RoleID), Action: decision.Revert, RulesHash: g.cfg.Rules.Hash, At: g.cfg.Now(),
		Reasons: []string{u.By + " took decision " + i.Decision.ID + " back: " + u.Reason},
	}
	return g.undo(ctx, u, i, key, out, document, dropped)
}

// undoable gives the intent of a decision that wrote a trust policy.
func (g *Guard) undoable(ctx context.Context, u Undoing) (ledger.Intent, error) {
	now := g.cfg.Now()
	switch {
	case u.By == "" || u.Reason == "":
		return ledger.Intent{}, refuse("an undoing needs who says so and why: both are kept with it")
	case !u.Until.After(now) || u.Until.After(now.Add(Longest)):
		return ledger.Intent{}, refuse("%s is no time at most %d days ahead: what is to stay for longer is an exemption in the rules file", u.Until.UTC().Format(time.RFC3339), int(Longest.Hours()/24))
	}
	i, _, ok, err := g.cfg.Ledger.Decided(ctx, u.Decision)
	switch {
	case err != nil:
		return i, fmt.Errorf("reading decision %s: %w", u.Decision, err)
	case !ok:
		return i, refuse("no decision %q wrote anything: take the id from the alert, as it stands there", u.Decision)
	case i.Decision.Action == decision.Prune:
		return i, refuse("decision %s took the IDs of users and roles that are gone out of the trust policy: IAM does not save a policy that names them, and nobody lost access, so there is nothing to put back", u.Decision)
	case i.After == "" || i.Before == i.After:
		return i, refuse("decision %s is a %s, which replaced no trust policy: there is nothing to put back", u.Decision, i.Decision.Action)
	}
	return i, nil
}

// foundAsLeft reads the role, which must be the one that was written, and must
// show what was written.
func (g *Guard) foundAsLeft(ctx context.Context, i ledger.Intent) (role.Role, error) {
	live, err := g.cfg.Reader.Role(ctx, i.Role)
	switch {
	case errors.Is(err, role.ErrNotFound):
		return live, refuse("role %s does not exist any more", i.Role)
	case err != nil:
		return live, fmt.Errorf("reading role %s: %w", i.Role, err)
	case live.ID != i.RoleID:
		return live, refuse("role %s was made anew since: it is %s, and the decision was about %s", i.Role, live.ID, i.RoleID)
	}
	if reason, protected := role.Protected(live, g.cfg.Rules.Protected); protected {
		return live, refuse("role %s is never written: %s", i.Role, reason)
	}
	doc, err := policy.Parse([]byte(live.TrustPolicy))
	if err != nil || !leftBy(i, doc, live.Partition) {
		if before, bad := policy.Parse([]byte(i.Before)); err == nil && bad == nil && before.Equal(doc, live.Partition) {
			return live, refuse("role %s has the document back already", i.Role)
		}
		return live, refuse("role %s was changed since decision %s: what it shows is neither what was written nor what was there before, so nothing is put over it; compare the two and change it by hand", i.Role, i.Decision.ID)
	}
	return live, nil
}

// putBack is the document that is written: what was there before, without those
// who are not whom they were.
func (g *Guard) putBack(ctx context.Context, i ledger.Intent, u Undoing) (document string, dropped []string, err error) {
	before, err := policy.Parse([]byte(i.Before))
	if err != nil {
		return "", nil, refuse("what was there before is no policy that IAM takes (%v): write one by hand", err)
	}
	was, now := map[string]string{}, map[string]string{}
	for _, p := range named(before) {
		if _, done := was[p.Value]; done {
			continue
		}
		if was[p.Value], err = g.idBy(ctx, p.Value, i.At); err != nil {
			return "", nil, err
		}
		id, err := g.cfg.Reader.PrincipalID(ctx, p.Value)
		switch {
		case err == nil:
			now[p.Value] = id
		case errors.Is(err, role.ErrNotFound):
		case errors.Is(err, role.ErrAccessDenied):
			// Nobody knows whether it is somebody else, so the person has to say.
			was[p.Value] = ""
		default:
			return "", nil, fmt.Errorf("reading who %s is now: %w", p.Value, err)
		}
	}
	maps.DeleteFunc(was, func(_, id string) bool { return id == "" })
	restored, err := remediate.Restore(role.Baseline{Account: i.Role.Account, RoleID: i.RoleID, Document: i.Before, Principals: was}, now, slices.Concat(accepted(g.cfg.Rules), u.Accept))
	switch {
	case err != nil:
		return "", nil, refuse("%v", err)
	case restored.Reason != "":
		return "", nil, refuse("the document is not put back: %s; accept the principal if you know that it is the same", restored.Reason)
	}
	return restored.Document, restored.Dropped, nil
}

// idBy is the unique id that an ARN had at a time, as far as the ledger knows; "" when it never saw one.
func (g *Guard) idBy(ctx context.Context, arn string, at time.Time) (string, error) {
	seen, err := g.cfg.Ledger.Identities(ctx, arn)
	if err != nil {
		return "", fmt.Errorf("asking the ledger who %s was: %w", arn, err)
	}
	for _, s := range seen {
		if !s.SeenAt.After(at) {
			return s.ID, nil
		}
	}
	if len(seen) == 0 {
		return "", nil
	}
	oldest := seen[len(seen)-1]
	key, ok := ledger.PrincipalOf(arn)
	if !ok {
		return oldest.ID, nil
	}
	ends, err := g.cfg.Ledger.Ends(ctx, []ledger.PrincipalKey{key})
	if err != nil {
		return "", fmt.Errorf("asking the ledger whether %s was deleted: %w", arn, err)
	}
	for _, end := range ends {
		if ledger.Until(end.At).After(at) && !oldest.SeenAt.Before(end.At) {
			// The name was free in between: it may be of whoever took it.
			return "", nil
		}
	}
	return oldest.ID, nil
}

// judgePutBack judges what will stand.
func (g *Guard) judgePutBack(ctx context.Context, live role.Role, document string) (finding.Report, error) {
	v := judged{role: live}
	v.role.TrustPolicy = document
	doc, err := policy.Parse([]byte(document))
	if err != nil {
		return finding.Report{}, refuse("what would be put back is no policy that IAM takes: %v", err)
	}
	v.doc = doc
	v.input = rules.Input{Role: v.role, Document: doc, Org: g.cfg.Rules, Now: g.cfg.Now()}
	if v.input.Gone, err = g.goneNames(ctx, doc); err != nil {
		return finding.Report{}, err
	}
	return v.report, g.judge(ctx, &v, lastLook)
}

// mayUndo asks the kill switch. One that cannot be read stops a person too.
func (g *Guard) mayUndo(ctx context.Context, u Undoing) error {
	s, err := g.cfg.Ledger.Switch(ctx)
	switch {
	case err != nil:
		return refuse("the kill switch cannot be read (%v), so nothing is written", err)
	case s == decision.WritesAllowed, s == decision.WritesStopped && u.Stopped == WriteAllTheSame:
		return nil
	case s == decision.WritesStopped:
		return refuse("the kill switch stops every write: if this undoing is part of the incident, say that it is done all the same")
	default:
		return refuse("the kill switch shows no known position, so nothing is written")
	}
}
