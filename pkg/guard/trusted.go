package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/meter"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// trusts are those whom a document trusts, under the keys by which a deletion
// finds them: users and roles that are principals, by their account and name;
// those that a condition lets in, by the name apart from these, since a rename
// moves the one and not the other; and unique ids. What a wildcard fits is not
// among them: every new name would have to be tried on every role.
func trusts(d policy.Document) []ledger.PrincipalKey {
	var out []ledger.PrincipalKey
	add := func(k ledger.PrincipalKey) {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	for _, p := range named(d) {
		add(keyOfPrincipal(p))
	}
	for _, id := range shownIDs(d) {
		add(idKey(id))
	}
	for _, n := range rules.HeldByName(d) {
		if n.Principal.OrphanLike() {
			add(idKey(n.Principal.Value))
			continue
		}
		add(nameKey(keyOfPrincipal(n.Principal)))
	}
	return out
}

// nameKey is the key of those who let somebody in by name.
func nameKey(k ledger.PrincipalKey) ledger.PrincipalKey {
	k.Kind += " name"
	return k
}

// idKey is the key of those who let somebody in by unique id; nobody knows of
// which account an id is.
func idKey(id string) ledger.PrincipalKey {
	return ledger.PrincipalKey{Kind: "id", Name: strings.ToLower(id)}
}

// shownIDs are the unique ids that stand in the place of principals, each once.
func shownIDs(d policy.Document) []string {
	var out []string
	for _, s := range d.Statements {
		for _, p := range slices.Concat(s.Principal.List, s.NotPrincipal.List) {
			if p.OrphanLike() && !slices.Contains(out, p.Value) {
				out = append(out, p.Value)
			}
		}
	}
	return out
}

// trustedBy gives the roles that are known to trust somebody: as a principal,
// by name in a condition, or by one of some unique ids.
func (g *Guard) trustedBy(ctx context.Context, who ledger.PrincipalKey, ids []finding.Principal) ([]ledger.RoleState, error) {
	keys := []ledger.PrincipalKey{who, nameKey(who)}
	for _, p := range ids {
		keys = append(keys, idKey(p.ID))
	}
	var out []ledger.RoleState
	for _, k := range keys {
		states, err := g.cfg.Ledger.Trusting(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("looking for roles that trust %s %s: %w", who.Kind, who.Name, err)
		}
		for _, s := range states {
			if !slices.ContainsFunc(out, func(o ledger.RoleState) bool { return o.Account == s.Account && o.RoleID == s.RoleID }) {
				out = append(out, s)
			}
		}
	}
	ledger.SortStates(out)
	return out, nil
}

// goneAs is somebody who is gone, by all that documents may know of them.
type goneAs struct {
	key    ledger.PrincipalKey
	marked []finding.Principal
	arn    string
	// event is the one that told of it.
	event string
	// keeps is an ARN that is theirs still: a condition with it is no loss.
	keeps string
	// at is when they were deleted, and heir the unique id of who has the name
	// now; empty when nobody has.
	at   time.Time
	heir string
}

// inherited says that a role was written after somebody was deleted, as an event
// told, and still shows what was written: IAM bound the ARNs in it to whoever had
// them by then, who is somebody else. An event of a deletion may come a day late.
func (a goneAs) inherited(d policy.Document, s ledger.RoleState, partition string) bool {
	another := a.heir != "" && !slices.ContainsFunc(a.marked, func(m finding.Principal) bool { return m.ID == a.heir })
	return another && !Unwitnessed(s.Event.EventID) && !s.EventTime.Before(ledger.Until(a.at)) && s.Digest == d.Digest(partition)
}

// is says whether a principal of a document was that one. IAM shows an id that
// nobody knows in the place of somebody of whom no id was ever seen.
func (a goneAs) is(p policy.Principal, s ledger.RoleState) bool {
	switch {
	case p.Kind == policy.User || p.Kind == policy.Role:
		return keyOfPrincipal(p) == a.key && p.Value != a.keeps && (p.Path != "" || !strings.HasSuffix(a.keeps, "/"+p.Name))
	case !p.OrphanLike():
		return false
	case len(a.marked) == 0:
		_, before := s.Shown[p.Value]
		return a.keeps == "" && s.Names(a.key) && !before
	default:
		return slices.ContainsFunc(a.marked, func(m finding.Principal) bool { return m.ID == p.Value })
	}
}

// strange is somebody of whom none of the ids is shown that were marked: where
// their name stood IAM may show one that was never seen.
func (a goneAs) strange(d policy.Document, s ledger.RoleState) goneAs {
	shown := shownIDs(d)
	if a.keeps == "" && !slices.ContainsFunc(a.marked, func(m finding.Principal) bool { return slices.Contains(shown, m.ID) }) &&
		!slices.ContainsFunc(named(d), func(p policy.Principal) bool { return a.is(p, s) }) {
		a.marked = nil
	}
	return a
}

// places are where a document lets somebody in who is gone.
func (a goneAs) places(d policy.Document, s ledger.RoleState, partition string) []alert.Place {
	var out []alert.Place
	inherited := a.inherited(d, s, partition)
	entered := a.strange(d, s)
	for i, st := range d.Statements {
		count, element := map[string]int{}, "Principal"
		if len(st.NotPrincipal.List) > 0 {
			element = "NotPrincipal"
		}
		for _, p := range slices.Concat(st.Principal.List, st.NotPrincipal.List) {
			if entered.is(p, s) && (p.OrphanLike() || !inherited) {
				out = append(out, alert.Place{Where: fmt.Sprintf("Statement[%d].%s.%s[%d]", i, element, p.Type, count[p.Type]), Hold: alert.ByPrincipal})
			}
			count[p.Type]++
		}
	}
	for _, n := range rules.HeldByName(d) {
		switch {
		case n.Principal.OrphanLike() && slices.ContainsFunc(a.marked, func(m finding.Principal) bool { return m.ID == n.Principal.Value }):
			out = append(out, alert.Place{Where: n.Where, Hold: alert.ByID})
		case !n.Principal.OrphanLike() && a.is(n.Principal, s):
			out = append(out, alert.Place{Where: n.Where, Hold: alert.ByName})
		}
	}
	return out
}

// disinherited leaves out what is the heir's.
func (a goneAs) disinherited(all []alert.Trusting, states []ledger.RoleState) []alert.Trusting {
	var out []alert.Trusting
	for _, t := range all {
		i := slices.IndexFunc(states, func(s ledger.RoleState) bool { return s.Account == t.Role.Account && s.RoleID == t.Role.ID })
		if doc, err := policy.Parse([]byte(t.Role.TrustPolicy)); err == nil && i >= 0 {
			t.Places = a.places(doc, states[i], t.Role.Partition)
		}
		if len(t.Places) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// stillTrusting reads roles and gives those that name somebody who is gone, and
// where. A role that cannot be read is told of all the same.
func (g *Guard) stillTrusting(ctx context.Context, states []ledger.RoleState, who goneAs) ([]alert.Trusting, error) {
	var out []alert.Trusting
	for _, s := range states {
		live, err := g.cfg.Reader.Role(ctx, role.Ref{Account: s.Account, Name: s.Name})
		switch {
		case errors.Is(err, role.ErrNotFound):
			continue
		case errors.Is(err, role.ErrAccessDenied):
			g.cfg.Log.Error("a role that trusted a deleted principal may not be read, so its account is not covered", meter.Key, meter.WordReadDenied,
				"event_id", who.event, "account", s.Account, "role", s.ARN, "principal", who.arn, "reason", err.Error())
			out = append(out, alert.Trusting{Role: role.Role{Account: s.Account, Name: s.Name, ARN: s.ARN, ID: s.RoleID}, Places: []alert.Place{{Hold: alert.Unread}}})
			continue
		case err != nil:
			return nil, fmt.Errorf("reading role %s, which trusted %s: %w", s.ARN, who.arn, err)
		case live.ID != s.RoleID:
			continue
		}
		doc, err := policy.Parse([]byte(live.TrustPolicy))
		if err != nil {
			// What cannot be understood may still trust it.
			out = append(out, alert.Trusting{Role: live, Places: []alert.Place{{Hold: alert.Unread}}})
			continue
		}
		if places := who.places(doc, s, live.Partition); len(places) > 0 {
			out = append(out, alert.Trusting{Role: live, Places: places})
		}
	}
	return out, nil
}

// deletedPrincipal says who was deleted, as well as is known: the newest
// marked id, else the ARN that a trusting role's document wrote.
func deletedPrincipal(c trail.Change, who ledger.PrincipalKey, marked []finding.Principal, states []ledger.RoleState) finding.Principal {
	if len(marked) > 0 {
		return marked[0]
	}
	p := finding.Principal{DeletedBy: c.Actor.ARN, DeletedAt: c.Time, DeletedEvent: c.EventID}
	if p.ARN = writtenARN(who, states); p.ARN == "" {
		p.ARN = "arn:" + c.Partition + ":iam::" + who.Account + ":" + who.Kind + "/" + who.Name
	}
	return p
}

// writtenARN is the ARN by which roles name a user or role; empty when none does.
func writtenARN(who ledger.PrincipalKey, states []ledger.RoleState) string {
	for _, s := range states {
		doc, err := policy.Parse([]byte(s.Document))
		if err != nil {
			continue
		}
		all := named(doc)
		for _, n := range rules.HeldByName(doc) {
			all = append(all, n.Principal)
		}
		for _, p := range all {
			if p.Path != "" && keyOfPrincipal(p) == who {
				return p.Value
			}
		}
	}
	return ""
}

// afterDeletion says what rolewarden does next with roles that trust somebody
// who is gone, and asks for it: where ids may be pruned, each is read again.
func (g *Guard) afterDeletion(ctx context.Context, res *Result, j job, roles []alert.Trusting) (string, error) {
	if !g.prunes(roles) {
		return "rolewarden takes nothing out of these trust policies (pruning is off, or the rule unique-id-principal is not enforced there): it tells again at the next sweep, as long as the ID stands.", nil
	}
	for _, t := range roles {
		if !g.mayPrune(t.Role.Account) || t.Role.TrustPolicy == "" {
			continue
		}
		if err := g.confirmStep(ctx, res, j, t.Role); err != nil {
			return "", err
		}
	}
	return "Pruning is on: rolewarden reads these roles again after ten minutes, and takes the ID out of every Allow once it is confirmed, as long as nobody gains or loses access by that.", nil
}

// prunes says whether the ID may be taken out of one of some roles.
func (g *Guard) prunes(roles []alert.Trusting) bool {
	return slices.ContainsFunc(roles, func(t alert.Trusting) bool {
		byID := slices.ContainsFunc(t.Places, func(p alert.Place) bool { return p.Hold == alert.ByPrincipal })
		return byID && g.mayPrune(t.Role.Account)
	})
}
