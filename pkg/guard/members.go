package guard

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
// findings that rest on it are held back when there is no answer; where nothing
// else acts, a failure that may pass is errUnasked, as long as there are more
// looks to come.
func (g *Guard) judge(ctx context.Context, v *judged, looks looks) error {
	asked := &answers{of: map[string]org.Membership{}}
	for range rounds {
		v.report, v.unconfirmed, v.doubt = rules.Judge(v.input), nil, ""
		if v.report.Verdict != finding.Noncompliant || g.cfg.Members == nil || v.input.Org == nil || v.input.Org.Organization.ID == "" {
			return nil
		}
		joined := g.strangers(ctx, v, asked)
		if len(joined) == 0 {
			if _, held := v.modes(); held && asked.failed != nil && looks == moreLooks {
				return fmt.Errorf("%w: %w", errUnasked, asked.failed)
			}
			return nil
		}
		v.input.Org = withMembers(v.input.Org, joined)
	}
	for _, f := range v.report.Open() {
		if len(rules.Foreign(f)) > 0 {
			v.hold(f, "too many accounts that the rules file does not list have joined the organization; update the rules file")
		}
	}
	return nil
}

// answers are what Organizations said so far, and the last failure that may pass.
type answers struct {
	of     map[string]org.Membership
	failed error
}

// ask asks about an account, once for a judgement. Without an answer it is Unknown.
func (g *Guard) ask(ctx context.Context, asked *answers, account string) org.Membership {
	if m, known := asked.of[account]; known {
		return m
	}
	m, err := g.cfg.Members.Confirm(ctx, account)
	if err != nil {
		m = org.UnknownMembership
		g.cfg.Log.Warn("Organizations did not say whether an account is a member", "account", account, "reason", err.Error())
		if !errors.Is(err, role.ErrAccessDenied) {
			asked.failed = fmt.Errorf("asking whether account %s is a member: %w", account, err)
		}
	}
	asked.of[account] = m
	return m
}

// looks says whether the role will be looked at again. The zero value is the
// one under which a failure is no answer.
type looks uint8

const (
	moreLooks looks = iota
	lastLook
)

// strangers asks about the accounts that findings call foreign, and gives
// those that are members. Once one is, every account that the document names is
// asked about: each finding shows only one.
func (g *Guard) strangers(ctx context.Context, v *judged, asked *answers) (joined []string) {
	for _, f := range v.report.Open() {
		for _, account := range rules.Strangers(v.input, f) {
			switch g.ask(ctx, asked, account) {
			case org.NotMember:
			case org.Member:
				joined = append(joined, account)
			case org.UnknownMembership:
				v.hold(f, "Organizations did not say whether account "+account+", which the rules file does not list, has joined the organization; let the hub ask it (organizations:DescribeAccount), or list the account")
			}
		}
	}
	if len(joined) == 0 {
		return nil
	}
	for _, s := range v.doc.Statements {
		for _, p := range s.Principal.List {
			if p.Account != "" && !v.input.Org.Member(p.Account) && g.ask(ctx, asked, p.Account) == org.Member {
				joined = append(joined, p.Account)
			}
		}
	}
	slices.Sort(joined)
	return slices.Compact(joined)
}

// hold keeps a finding's rule from leading to a write.
func (v *judged) hold(f finding.Finding, why string) {
	if v.unconfirmed == nil {
		v.unconfirmed = map[string]bool{}
	}
	v.unconfirmed[f.Rule], v.doubt = true, why
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
