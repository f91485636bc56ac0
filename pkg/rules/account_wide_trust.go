package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
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

// mostWide is how many accounts are looked into; more would say nothing new.
const mostWide = 8

// wideWay is one account that gets in as a whole, and by what.
type wideWay struct {
	a                    proof.Answer
	account, place, text string
}

func newWideWay(d policy.Document, a proof.Answer) wideWay {
	place, text := entry(d, a)
	return wideWay{a: a, account: callerAccount(a), place: place, text: text}
}

func (w wideWay) anyone() bool { return opensToAnyone(w.text) }

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
	var ways []wideWay
	for len(wide) > 0 && len(ways) < mostWide {
		a := in.find(in.query(assume, where, awsCallers(proof.Accounts{Only: wide}, nil)...))
		if a.Outcome != proof.Found {
			// Advice hinges on no doubt.
			break
		}
		way := newWideWay(in.Document, a)
		ways = append(ways, way)
		wide = without(wide, []string{way.account})
		if way.anyone() {
			// One entry lets them all in, and one finding tells of it.
			break
		}
	}
	return Judgement{Findings: wideFindings(in, s, ways, len(ways) == mostWide && len(wide) > 0)}
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
				names = append(names, notOpen(c.Values)...)
			case key == "aws:userid":
				ids = append(ids, notOpen(c.Values)...)
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

// notOpen gives the values that are more than wildcards: of a caller's name, or of
// its ID, of which either part may say who it is.
func notOpen(values []string) []string {
	return slices.DeleteFunc(slices.Clone(values), func(v string) bool { return strings.Trim(v, "*?:") == "" })
}

// narrow gives the ARNs that say something of the name.
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

// wideFindings tells of each statement once: of a list of accounts the first is
// shown and the others are counted, so that a role for many accounts is one
// piece of advice.
func wideFindings(in Input, s said, ways []wideWay, more bool) []finding.Finding {
	var out []finding.Finding
	for len(ways) > 0 {
		statement := first(ways[0].a.Statements)
		of := func(w wideWay) bool { return first(w.a.Statements) == statement }
		var group []wideWay
		for _, w := range ways {
			if of(w) {
				group = append(group, w)
			}
		}
		ways = slices.DeleteFunc(ways, of)
		out = append(out, wideFinding(in, s, group, more))
	}
	return out
}

func wideFinding(in Input, s said, group []wideWay, more bool) finding.Finding {
	w, meets := group[0], ""
	names, who := w.text+" names", in.whose(s, w.account)
	if len(in.Document.Statements[first(w.a.Statements)].Conditions) > 0 {
		meets = " and meets its conditions"
	}
	if w.anyone() {
		who = "every account that its conditions admit"
	} else if n := len(group) - 1; n > 0 {
		count := strconv.Itoa(n) + " accounts"
		switch {
		case more:
			count = "at least " + count
		case n == 1:
			count = "1 account"
		}
		names, who = w.text+" and "+count+" more of "+at(first(w.a.Statements))+" name", "any of them"
	}
	return finding.Finding{
		Rule: accountWideTrustID, Severity: finding.Advice, Where: w.place,
		Message: fmt.Sprintf("%s no user or role: whoever in %s may call sts:AssumeRole%s gets in; name those that need the role", names, who, meets),
		Fix: `"Principal": {"AWS": "arn:` + in.Role.Partition + `:iam::` + w.account + `:role/NAME"}, or keep the account and add {"ArnLike": {"aws:PrincipalArn": "arn:` +
			in.Role.Partition + `:iam::` + w.account + `:role/PATH/NAME"}}`,
		Evidence: witness(finding.Allowed, w.a),
	}
}
