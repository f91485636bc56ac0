package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// confirmAfter is how long an id has to stand in the place of an ARN before it
// may be called an orphan: IAM was seen to show a living principal by its id for
// a while (T47).
const confirmAfter = 10 * time.Minute

// Census lists the users and roles of an account with their unique ids, page by
// page. It is asked only whether somebody lives under another name than the one
// that is known, and only where no deletion was told.
type Census interface {
	Details(ctx context.Context, account, marker string) (roles []role.Role, principals []ledger.Identity, next string, err error)
}

// whoWere says of each unique id that a document shows who it was and how sure
// it is that its owner is gone, as far as one reading of the role, and what is
// remembered of earlier ones, can tell. An id whose owner lives is judged as the
// owner's ARN: IAM shows it so for a while, and an id would hide from the rules
// whom it lets in.
func (g *Guard) whoWere(ctx context.Context, v *judged) error {
	ids := shownIDs(v.doc)
	if len(ids) == 0 {
		return nil
	}
	state, remembered, err := g.cfg.Ledger.State(ctx, v.role.Account, v.role.ID)
	if err != nil {
		return fmt.Errorf("reading since when role %s shows ids: %w", v.role.Ref(), err)
	}
	read := v.role.ReadAt
	if read.IsZero() {
		read = g.cfg.Now()
	}
	v.shown, v.input.History = map[string]time.Time{}, map[string]finding.Principal{}
	living := map[string]string{}
	for _, id := range ids {
		v.shown[id] = read
		if remembered && !state.Shown[id].IsZero() {
			v.shown[id] = state.Shown[id]
		}
		p, err := g.whoWas(ctx, id, read.Sub(v.shown[id]))
		if err != nil {
			return err
		}
		if p.Standing == finding.Living {
			living[id] = p.ARN
		}
		v.input.History[id] = p
	}
	v.input.Document = withNames(v.doc, living)
	return nil
}

// whoWas says of one id, which has stood for some time, who it was and how it stands.
func (g *Guard) whoWas(ctx context.Context, id string, stood time.Duration) (finding.Principal, error) {
	p, known, err := g.cfg.Ledger.Identify(ctx, id)
	if err != nil {
		return p, fmt.Errorf("asking the ledger who %s was: %w", id, err)
	}
	p.ID, p.Standing = id, finding.Unconfirmed
	if !known || p.ARN == "" {
		if stood >= confirmAfter {
			p.Standing = finding.Stranger
		}
		return p, nil
	}
	bearer, err := g.cfg.Reader.PrincipalID(ctx, p.ARN)
	switch {
	case err == nil && bearer == id:
		p.Standing = finding.Living
		return p, nil
	case err == nil:
		p.LivesAgainAs = bearer
	case errors.Is(err, role.ErrNotFound):
	default:
		// That nobody can say leaves the question open; it is no reason to be
		// silent about the id, and none to call it an orphan.
		g.cfg.Log.Warn("could not look whether a principal that is shown by its id lives", "principal", p.ARN, "id", id, "reason", err.Error())
		if stood >= confirmAfter {
			p.Standing = finding.Unproven
		}
		return p, nil
	}
	if stood < confirmAfter {
		return p, nil
	}
	return g.settled(ctx, p)
}

// settled says whether somebody whose name is free, or somebody else's, is
// gone: a deletion was told, or nobody in the account has the id.
func (g *Guard) settled(ctx context.Context, p finding.Principal) (finding.Principal, error) {
	if !p.DeletedAt.IsZero() {
		p.Standing = finding.Orphan
		return p, nil
	}
	p.Standing = finding.Unproven
	owner, ok := ledger.PrincipalOf(p.ARN)
	if !ok || g.cfg.Census == nil {
		return p, nil
	}
	if g.counted.gone(p.ID) {
		p.Standing = finding.Orphan
		return p, nil
	}
	for marker := ""; ; {
		_, principals, next, err := g.cfg.Census.Details(ctx, owner.Account, marker)
		for _, one := range principals {
			if one.ID == p.ID {
				// It was given another name, and no event told.
				p.ARN, p.LivesAgainAs, p.Standing = one.ARN, "", finding.Living
				if err := g.cfg.Ledger.Record(ctx, []ledger.Identity{one}); err != nil {
					return p, fmt.Errorf("recording that %s is %s now: %w", p.ID, one.ARN, err)
				}
				return p, nil
			}
		}
		if err != nil {
			g.cfg.Log.Warn("could not look through an account for a principal that is shown by its id", "principal", p.ARN, "id", p.ID, "reason", err.Error())
			return p, nil
		}
		if next == "" || next == marker {
			break
		}
		marker = next
	}
	g.counted.note(p.ID)
	p.Standing = finding.Orphan
	return p, nil
}

// counted are ids that nobody in their account had, so that an account is not
// read whole for each role that shows one: an id that is gone never comes back.
type counted struct {
	mu  sync.Mutex
	ids map[string]bool
}

// mostCounted bounds how many are kept.
const mostCounted = 10_000

func (c *counted) gone(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ids[id]
}

func (c *counted) note(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= mostCounted {
		c.ids = map[string]bool{}
	}
	c.ids[id] = true
}

// withNames is a document with ARNs in the place of the ids of those who live.
func withNames(d policy.Document, living map[string]string) policy.Document {
	if len(living) == 0 {
		return d
	}
	named := func(list []policy.Principal) []policy.Principal {
		out := append([]policy.Principal(nil), list...)
		for i, p := range out {
			arn, ok := living[p.Value]
			if !ok || !p.OrphanLike() {
				continue
			}
			if now, err := policy.ParsePrincipal("AWS", arn); err == nil {
				out[i] = now
			}
		}
		return out
	}
	out := d
	out.Statements = append([]policy.Statement(nil), d.Statements...)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Principal.List, s.NotPrincipal.List = named(s.Principal.List), named(s.NotPrincipal.List)
	}
	return out
}

// unsettledIDs says whether a document shows an id that a later look may settle.
func (v judged) unsettledIDs() bool {
	for _, p := range v.input.History {
		switch p.Standing {
		case finding.Unconfirmed:
			return true
		case finding.NotAsked, finding.Living, finding.Unproven, finding.Stranger, finding.Orphan:
		}
	}
	return false
}

// confirms says whether this reading settled an id that the last handling of
// the role could not settle: then there is something new to tell, though the
// same rule is broken at the same place.
func (v judged) confirms() bool {
	if v.known.State == nil {
		return false
	}
	for id, p := range v.input.History {
		since, seen := v.known.State.Shown[id]
		switch p.Standing {
		case finding.Orphan, finding.Stranger, finding.Unproven:
			if !seen || v.known.State.UpdatedAt.Sub(since) < confirmAfter {
				return true
			}
		case finding.NotAsked, finding.Unconfirmed, finding.Living:
		}
	}
	return false
}

// confirmLater asks for the second look at a role that shows ids which one
// reading cannot settle, or that is to be shut when it should be finished. The
// latter look asks for the former itself.
func (g *Guard) confirmLater(ctx context.Context, res *Result, j job, v judged) error {
	switch {
	case !v.making.IsZero():
		return g.lookStep(ctx, res, j, v.role, v.making)
	case j.sweep != "" || !v.unsettledIDs():
		return nil // the next sweep looks again
	default:
		return g.confirmStep(ctx, res, j, v.role)
	}
}

// lookedAgain marks, with the RoleId behind it, the events that no event told
// of: the second look at a role that shows ids, or is new. One event may lead to
// such a look at many roles.
const lookedAgain = "#ids."

// confirmStep asks for a look at a role after its ids have stood for long enough.
func (g *Guard) confirmStep(ctx context.Context, res *Result, j job, r role.Role) error {
	return g.lookStep(ctx, res, j, r, g.cfg.Now().Add(confirmAfter))
}

// lookStep asks for a look at a role at a time.
func (g *Guard) lookStep(ctx context.Context, res *Result, j job, r role.Role, at time.Time) error {
	c := j.change
	if strings.Count(c.EventID, lookedAgain) >= generations {
		return nil // the sweep looks again
	}
	if c.Account != r.Account || !strings.EqualFold(c.RoleName, r.Name) {
		c.Document = ""
	}
	c.Account, c.RoleName, c.RoleARN, c.RoleID = r.Account, r.Name, r.ARN, ""
	after, err := g.postpone(ctx, *res, Step{
		Account: r.Account, RoleName: r.Name, RoleID: r.ID, Step: Confirm,
		NotBefore: at, Attempt: 1, Change: c,
	})
	res.Steps = after.Steps
	return err
}

// confirm takes the second look: an event of its own, as old as the last one
// that was handled for the role, so that what is found is what is remembered.
func (g *Guard) confirm(ctx context.Context, s Step) (Result, error) {
	c := s.Change
	c.Kind, c.EventID, c.RoleID = trail.TrustUpdated, c.EventID+lookedAgain+s.RoleID, s.RoleID
	state, ok, err := g.cfg.Ledger.State(ctx, s.Account, s.RoleID)
	if err != nil {
		return Result{Key: keyOf(c), Change: c}, fmt.Errorf("reading what is remembered of role %s/%s: %w", s.Account, s.RoleName, err)
	}
	if ok && state.EventTime.After(c.Time) {
		c.Time = state.EventTime
	}
	return g.change(ctx, job{change: c, key: keyOf(c), attempt: afterSeconds})
}

// lookedUp says whether a document was found by a second look, and is not the
// one that the event behind it brought: then nobody knows who made it.
func lookedUp(c trail.Change, b role.Baseline, r role.Role) bool {
	if !strings.Contains(c.EventID, lookedAgain) {
		return false
	}
	sent, err := policy.Parse([]byte(c.Document))
	return err != nil || sent.Digest(r.Partition) != b.Digest
}

// mayPrune says whether orphans may be taken out of the roles of an account.
func (g *Guard) mayPrune(account string) bool {
	return g.cfg.Rules.Pruning == org.PruningOn && g.cfg.Rules.Mode(rules.UniqueIDPrincipal, account) == org.Enforce
}
