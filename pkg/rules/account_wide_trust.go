package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed account_wide_trust.md
var accountWideTrustPage string

const accountWideTrustID = "account-wide-trust"

func accountWideTrust() Rule {
	return Rule{
		ID: accountWideTrustID, Title: "Name a user or role, not a whole account",
		Severity: finding.Advice, Reach: TagOnly, Page: accountWideTrustPage, Check: checkAccountWideTrust,
	}
}

// mostWide is how many accounts are told of; more would say nothing new.
const mostWide = 8

// checkAccountWideTrust looks, in each account of ours that the document names,
// for a user or role that nobody named. Third parties are external-account's
// and external-id's to judge: that a vendor is trusted by its account and an
// external ID is how AWS describes it (IAM User Guide,
// id_roles_common-scenarios_third-party). What a document opens to everybody is
// public-principal's.
func checkAccountWideTrust(in Input) Judgement {
	s := newSaid(in)
	wide, anyone := wideAccounts(in, s)
	if len(wide) == 0 || anyone && openToAll(in, s) {
		return Judgement{}
	}
	where := unnamed(in.Document)
	var j Judgement
	for len(wide) > 0 && len(j.Findings) < mostWide {
		a := in.find(in.query(assume, where, awsCallers(proof.Accounts{Only: wide}, nil)...))
		if a.Outcome != proof.Found {
			// Advice hinges on no doubt.
			break
		}
		account := callerAccount(a)
		j.Findings = append(j.Findings, wideFinding(in, s, a, account))
		wide = without(wide, []string{account})
		if _, text := entry(in.Document, a); text == `{"AWS":"*"}` || text == `"*"` {
			// One entry lets them all in, and one finding tells of it.
			break
		}
	}
	return j
}

// wideAccounts gives the accounts of ours that an Allow names as a whole, and
// where one names anyone, the role's own and all of ours that are written out.
func wideAccounts(in Input, s said) (wide []string, anyone bool) {
	for _, st := range in.Document.Statements {
		if st.Effect != policy.Allow {
			continue
		}
		anyone = anyone || st.Principal.Star
		for _, p := range st.Principal.List {
			anyone = anyone || p.Kind == policy.Anyone
			if p.Kind == policy.Account && (p.Account == in.Role.Account || in.Org.Member(p.Account)) {
				wide = appendMissing(wide, []string{p.Account})
			}
		}
	}
	if anyone {
		wide = appendMissing(wide, []string{in.Role.Account})
		for _, a := range s.accounts {
			if in.Org.Member(a) {
				wide = appendMissing(wide, []string{a})
			}
		}
	}
	return wide, anyone
}

// openToAll says whether somebody gets in from an account and organization that
// nobody named.
func openToAll(in Input, s said) bool {
	others := proof.Accounts{Except: append([]string{in.Role.Account}, s.accounts...)}
	return in.find(in.query(assume, outside(s, append(in.ours(), s.organizations...)), awsCallers(others, nil)...)).Outcome == proof.Found
}

// unnamed requires a caller whom the document does not write out: as a
// principal, or in a condition on who the caller is. A pattern that leaves the
// name open altogether names nobody.
func unnamed(d policy.Document) [][]proof.Requirement {
	var arns, names, ids, tags []string
	for _, st := range d.Statements {
		for _, p := range st.Principal.List {
			if p.Kind == policy.User || p.Kind == policy.Role {
				arns = append(arns, p.Value)
			}
		}
		for _, c := range st.Conditions {
			switch key := strings.ToLower(c.Key); {
			case key == "aws:principalarn":
				arns = append(arns, narrow(c.Values)...)
			case key == "aws:username":
				names = append(names, narrow(c.Values)...)
			case key == "aws:userid":
				ids = append(ids, narrow(c.Values)...)
			case strings.HasPrefix(key, "aws:principaltag/"):
				tags = appendMissing(tags, []string{c.Key})
			}
		}
	}
	var where [][]proof.Requirement
	for _, n := range []struct {
		key    string
		values []string
	}{{"aws:PrincipalArn", arns}, {"aws:username", names}, {"aws:userid", ids}} {
		if len(n.values) > 0 {
			where = append(where, must(demand(proof.Fails, "StringLike", n.key, n.values...)))
		}
	}
	for _, t := range tags {
		where = append(where, must(demand(proof.Holds, "Null", t, "true")))
	}
	return where
}

// narrow gives the values that say something of the name.
func narrow(values []string) []string {
	var out []string
	for _, v := range values {
		name := v[strings.LastIndexAny(v, "/:")+1:]
		if strings.Trim(name, "*?") != "" && name != "root" || strings.Contains(v, "/") && strings.Trim(pathOf(v), "*?/") != "" {
			out = append(out, v)
		}
	}
	return out
}

// pathOf gives what stands between the kind and the name in an ARN.
func pathOf(arn string) string {
	from, to := strings.IndexByte(arn, '/'), strings.LastIndexByte(arn, '/')
	if from < 0 || from == to {
		return ""
	}
	return arn[from:to]
}

func wideFinding(in Input, s said, a proof.Answer, account string) finding.Finding {
	place, text := entry(in.Document, a)
	who, meets := in.whose(s, account), ""
	if len(in.Document.Statements[first(a.Statements)].Conditions) > 0 {
		meets = " and meets its conditions"
	}
	if text == `{"AWS":"*"}` || text == `"*"` {
		who = "every account that its conditions admit"
	}
	return finding.Finding{
		Rule: accountWideTrustID, Severity: finding.Advice, Where: place,
		Message: fmt.Sprintf("%s names no user or role: whoever in %s may call sts:AssumeRole%s gets in; name those that need the role", text, who, meets),
		Fix: `"Principal": {"AWS": "arn:` + in.Role.Partition + `:iam::` + account + `:role/NAME"}, or keep the account and add {"ArnLike": {"aws:PrincipalArn": "arn:` +
			in.Role.Partition + `:iam::` + account + `:role/PATH/NAME"}}`,
		Evidence: witness(finding.Allowed, a),
	}
}
