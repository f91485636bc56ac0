package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// rounds bounds how often a document is judged anew since accounts turned out
// to be members. Every round takes all that the findings name.
const rounds = 32

// errUnasked says that Organizations gave no answer this time.
var errUnasked = errors.New("no answer from Organizations")

// judge runs the rules, and asks Organizations about each account that the
// rules file does not list before anybody acts on its absence. Only the
// findings that rest on it are held back when there is no answer. A failure
// that may pass is errUnasked, as long as there are more looks to come.
func (g *Guard) judge(ctx context.Context, v *judged, looks looks) error {
	asked := map[string]org.Membership{}
	for range rounds {
		v.report, v.unconfirmed, v.doubt = rules.Judge(v.input), nil, ""
		if v.report.Verdict != finding.Noncompliant || g.cfg.Members == nil || v.input.Org == nil || v.input.Org.Organization.ID == "" {
			return nil
		}
		joined, err := g.strangers(ctx, v, looks, asked)
		if err != nil {
			return err
		}
		if len(joined) == 0 {
			return nil
		}
		v.input.Org = withMembers(v.input.Org, joined)
	}
	v.hold(v.report.Open(), "too many accounts that the rules file does not list have joined the organization; update the rules file")
	return nil
}

// looks says whether the role will be looked at again. The zero value is the
// one under which a failure is no answer.
type looks uint8

const (
	moreLooks looks = iota
	lastLook
)

// strangers asks about the accounts that findings call foreign, and gives
// those that are members. Who is refused an answer knows nothing, and the
// findings are held back; so does who has asked often enough.
func (g *Guard) strangers(ctx context.Context, v *judged, looks looks, asked map[string]org.Membership) (joined []string, err error) {
	for _, f := range v.report.Open() {
		for _, account := range rules.Foreign(f) {
			// An account that the document does not write stands for anybody.
			if !strings.Contains(v.role.TrustPolicy, account) {
				continue
			}
			m, known := asked[account]
			if !known {
				m, err = g.cfg.Members.Confirm(ctx, account)
				if err != nil && looks == moreLooks && !errors.Is(err, role.ErrAccessDenied) {
					return nil, fmt.Errorf("asking whether account %s is a member: %w: %w", account, errUnasked, err)
				}
				asked[account] = m
			}
			switch {
			case m == org.NotMember:
			case m == org.Member && !slices.Contains(joined, account):
				joined = append(joined, account)
			case m == org.UnknownMembership:
				v.hold([]finding.Finding{f}, "Organizations did not say whether account "+account+", which the rules file does not list, has joined the organization; let the hub ask it (organizations:DescribeAccount), or list the account")
			}
		}
	}
	return joined, nil
}

// hold keeps the rules of findings from leading to a write.
func (v *judged) hold(findings []finding.Finding, why string) {
	if v.unconfirmed == nil {
		v.unconfirmed = map[string]bool{}
	}
	for _, f := range findings {
		v.unconfirmed[f.Rule] = true
	}
	v.doubt = why
}

// modes are how far each rule may go, and whether something held back would
// have acted where nothing else does.
func (v judged) modes() (modes map[string]org.Mode, held bool) {
	modes = rules.Modes(v.input, v.report)
	acts := false
	for rule, m := range modes {
		switch {
		case m == org.Observe:
		case v.unconfirmed[rule]:
			modes[rule], held = org.Observe, true
		default:
			acts = true
		}
	}
	return modes, held && !acts
}

// withMembers is a copy of the rules with more member accounts.
func withMembers(r *org.Rules, accounts []string) *org.Rules {
	out := *r
	out.Organization.Accounts = slices.Clone(r.Organization.Accounts)
	for _, a := range accounts {
		out.Organization.Accounts = append(out.Organization.Accounts, org.Account{ID: a})
	}
	return &out
}
