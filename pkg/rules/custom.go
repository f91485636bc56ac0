package rules

import (
	_ "embed"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed custom.md
var customPage string

// CustomPage tells how an organization writes rules of its own.
func CustomPage() string { return customPage }

// customRules gives the organization's own rules.
func customRules(o *org.Rules) []Rule {
	if o == nil {
		return nil
	}
	var out []Rule
	for _, c := range o.Custom {
		own := custom{CustomRule: c}
		// The reader of the file knows the words; for any other the gravest holds.
		if err := own.severity.UnmarshalText([]byte(c.Severity)); err != nil {
			own.severity = finding.Critical
		}
		out = append(out, Rule{
			ID: c.ID, Title: oneLine(c.Title), Severity: own.severity, Reach: MayWrite,
			Check: own.check, Mend: own.mend, page: own.page,
		})
	}
	return out
}

// custom is a rule of the organization's own.
type custom struct {
	org.CustomRule
	severity finding.Severity
}

// demanded is one thing that the rule demands: the region of the requests that
// break it, and how to say so.
type demanded struct {
	broken [][]proof.Requirement
	// conditions are those that are asked for, or the one that is forbidden.
	conditions []policy.Condition
	forbidden  bool
}

// demands gives what the rule demands, one by one.
func (c custom) demands() []demanded {
	if c.Never {
		return []demanded{{}}
	}
	var out []demanded
	for _, anyOf := range c.Require {
		d := demanded{conditions: anyOf}
		for _, one := range anyOf {
			d.broken = append(d.broken, must(proof.Requirement{Condition: one, Sense: proof.Fails}))
		}
		out = append(out, d)
	}
	for _, one := range c.Forbid {
		out = append(out, demanded{
			conditions: []policy.Condition{one}, forbidden: true,
			broken: [][]proof.Requirement{must(proof.Requirement{Condition: one, Sense: proof.Holds})},
		})
	}
	return out
}

// check looks, for each demand, for a request of the callers that breaks it and
// is let in.
func (c custom) check(in Input) Judgement {
	// It may write accounts that the document does not, so none stands for another.
	in.stand = in.memberIDs()
	s := newSaid(in)
	var j Judgement
	for _, d := range c.demands() {
		j = j.and(c.broken(in, s, d))
	}
	return j
}

// broken looks for a request that breaks one demand, among one class of callers
// after the other.
func (c custom) broken(in Input, s said, d demanded) Judgement {
	var open Judgement
	for _, callers := range c.Callers {
		for _, q := range c.queries(in, s, callers, d.broken) {
			a := in.find(q)
			j := judged(a, func(a proof.Answer) finding.Finding { return c.found(in, s, callers, d, a) })
			if len(j.Findings) > 0 {
				return j
			}
			open = open.and(j)
		}
	}
	return open
}

// queries asks about one class of callers. Those accounts come first that the
// document names, so that the witness is in one of them where it can be.
func (c custom) queries(in Input, s said, callers org.CustomCallers, where [][]proof.Requirement) []proof.Query {
	where = slices.Clone(where)
	exact := callers.Except
	if callers.Kind == "users" || callers.Kind == "roles" {
		exact = nil
		for _, arn := range callers.Except {
			if strings.ContainsAny(arn, "*?") {
				where = append(where, must(demand(proof.Fails, "ArnLike", "aws:PrincipalArn", arn)))
			} else {
				exact = append(exact, arn)
			}
		}
	}
	actions := appendMissing([]string{org.AssumeAction(callers.Kind)}, c.Actions)
	query := func(where [][]proof.Requirement, classes ...proof.Callers) proof.Query {
		return proof.Query{World: in.world(), Callers: classes, Actions: actions, Where: where}
	}
	class := proof.Callers{Kind: kindNamed(callers.Kind), Except: exact}
	if len(callers.Names) > 0 {
		class.Names = callers.Names
	}
	if class.Kind != proof.Users && class.Kind != proof.RoleSessions {
		return []proof.Query{query(where, class)}
	}
	of := func(sets ...proof.Accounts) []proof.Callers {
		var out []proof.Callers
		for _, a := range sets {
			if a.Only == nil || len(a.Only) > 0 {
				class.Accounts = a
				out = append(out, class)
			}
		}
		return out
	}
	inside := in.insiders()
	switch callers.Accounts {
	case org.OwnAccount:
		return []proof.Query{query(where, of(proof.Accounts{Only: []string{in.Role.Account}})...)}
	case org.OrganizationAccounts:
		out := []proof.Query{query(where, of(proof.Accounts{Only: inside})...)}
		if ours := in.ours(); len(ours) > 0 && s.speaksOfOrganizations {
			member := must(demand(proof.Holds, "StringEquals", "aws:PrincipalOrgID", ours...))
			out = append(out, query(append(slices.Clone(where), member), of(proof.Accounts{Except: inside})...))
		}
		return out
	case org.PartnerAccounts:
		return []proof.Query{query(where, of(proof.Accounts{Only: nonNil(in.Org.PartnerIDs())})...)}
	case org.OutsideAccounts:
		return []proof.Query{query(append(where, outside(s, in.ours())...), of(proof.Accounts{Only: nonNil(without(s.accounts, inside))}, proof.Accounts{Except: inside})...)}
	case org.ListedAccounts:
		return []proof.Query{query(where, of(proof.Accounts{Only: nonNil(callers.IDs)})...)}
	case org.AnyAccount:
		return []proof.Query{query(where, of(proof.Accounts{Only: nonNil(s.accounts)}, proof.Accounts{})...)}
	default:
		return []proof.Query{query(where, of(proof.Accounts{})...)}
	}
}

// nonNil gives a list that is empty where there is none: no list means everybody.
func nonNil(list []string) []string { return append([]string{}, list...) }

// kindNamed gives the kind of a word of the rules file.
func kindNamed(word string) proof.CallerKind {
	switch word {
	case "users":
		return proof.Users
	case "roles":
		return proof.RoleSessions
	case "services":
		return proof.Services
	case "saml":
		return proof.SAMLIdentities
	case "oidc":
		return proof.OIDCIdentities
	default:
		return proof.NoCaller
	}
}
