package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// pastOf asks what the ledger knows of those whom a document names: whom its
// unique ids stood for, and which names that a condition lets in nobody bears.
func pastOf(ctx context.Context, m memories, s ledger.RoleState) (history, gone map[string]finding.Principal, err error) {
	doc, err := policy.Parse([]byte(s.Document))
	if err != nil {
		return nil, nil, nil //nolint:nilerr // what is no policy is judged so
	}
	if history, err = historyOf(ctx, m, s, doc); err != nil {
		return nil, nil, err
	}
	gone, err = goneOf(ctx, m, doc)
	return history, gone, err
}

// deletedRole says whether a role that is remembered was deleted since it was
// handled last: a role of its name that lives has another id.
func deletedRole(ctx context.Context, m memories, s ledger.RoleState) (bool, error) {
	ends, err := m.Ends(ctx, []ledger.PrincipalKey{{Account: s.Account, Kind: "role", Name: strings.ToLower(s.Name)}})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(ends, func(d ledger.Deletion) bool { return s.EventTime.Before(d.At) }), nil
}

// settled is how long an id has to stand in the place of an ARN before its owner,
// of whose deletion an event told, is called gone.
const settled = 10 * time.Minute

// historyOf asks whom the unique ids of a document stood for.
func historyOf(ctx context.Context, m memories, s ledger.RoleState, doc policy.Document) (map[string]finding.Principal, error) {
	out := map[string]finding.Principal{}
	for _, st := range doc.Statements {
		for _, p := range slices.Concat(st.Principal.List, st.NotPrincipal.List) {
			if p.Kind != policy.UniqueID {
				continue
			}
			h, ok, err := m.Identify(ctx, p.Value)
			if err != nil {
				return nil, err
			}
			if since := s.Shown[p.Value]; ok && !h.DeletedAt.IsZero() && !since.IsZero() && s.UpdatedAt.Sub(since) >= settled {
				h.Standing = finding.Orphan
			}
			if ok {
				out[p.Value] = h
			}
		}
	}
	return out, nil
}

// goneOf asks which of the users and roles that a condition lets in by name were
// deleted and not seen since. Nobody is asked in AWS: what is remembered is what
// was found when the role was handled last.
func goneOf(ctx context.Context, m memories, doc policy.Document) (map[string]finding.Principal, error) {
	out := map[string]finding.Principal{}
	for _, p := range rules.NamesInConditions(doc) {
		who, ok := ledger.PrincipalOf(p.Value)
		if !ok {
			continue
		}
		ends, err := m.Ends(ctx, []ledger.PrincipalKey{who})
		if err != nil {
			return nil, err
		}
		for _, end := range ends {
			again, err := bornAgain(ctx, m, p.Value, end)
			if err != nil {
				return nil, err
			}
			if !again {
				out[strings.ToLower(p.Value)] = finding.Principal{ARN: p.Value, DeletedBy: end.By, DeletedAt: end.At, DeletedEvent: end.Event.EventID, RenamedTo: end.RenamedTo}
			}
		}
	}
	return out, nil
}

// bornAgain says whether somebody was seen under a name after its end.
func bornAgain(ctx context.Context, m memories, arn string, end ledger.Deletion) (bool, error) {
	seen, err := m.Identities(ctx, arn)
	if err != nil {
		return false, err
	}
	for _, i := range seen {
		if i.SeenAt.Before(ledger.Until(end.At)) {
			continue
		}
		who, ok, err := m.Identify(ctx, i.ID)
		if err != nil {
			return false, err
		}
		if ok && who.ARN == arn && who.DeletedAt.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

// membership asks Organizations about accounts, of each once. It says once that
// there is no answer; the accounts count as foreign then.
type membership struct {
	members interface {
		Confirm(ctx context.Context, account string) (org.Membership, error)
	}
	note    func(string)
	answers map[string]bool
	failed  bool
}

func (m *membership) confirm(ctx context.Context, account string) bool {
	if member, known := m.answers[account]; known {
		return member
	}
	if m.answers == nil {
		m.answers = map[string]bool{}
	}
	said, err := m.members.Confirm(ctx, account)
	if err != nil && !m.failed {
		m.failed = true
		m.note("Organizations does not say which accounts are members, so those that the rules file does not list count as foreign, and less may be written than is said here: " + err.Error())
	}
	m.answers[account] = said == org.Member
	return m.answers[account]
}
