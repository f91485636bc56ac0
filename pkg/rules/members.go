package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// fewMembers is up to how many accounts proof is told of each.
const fewMembers = 32

// members gives the accounts of the organization that proof is told of. Of many
// only those that the document writes and a few that stand for all others, so
// that an organization of thousands is judged as fast as a small one: a document
// that writes no part of an account's id cannot tell that account from the next.
// find asks anew, of all, where a witness turns out to be a member left out.
func (in Input) members() []string {
	if in.compiled != nil && in.stand != nil {
		return in.stand
	}
	return standIns(in, newSaid(in))
}

// standIns chooses them, in order.
func standIns(in Input, s said) []string {
	const others = 3
	accounts := in.Org.Organization.Accounts
	if len(accounts) <= fewMembers || tellsAccountsApart(in.Document) {
		return in.memberIDs()
	}
	named := slices.Sorted(slices.Values(append(s.accounts[:len(s.accounts):len(s.accounts)], in.Role.Account)))
	var out []string
	if m := in.Org.Organization.Management; m != "" {
		out = append(out, m)
	}
	left := others
	for _, a := range accounts {
		if _, written := slices.BinarySearch(named, a.ID); written {
			out = append(out, a.ID)
		} else if left > 0 {
			out, left = append(out, a.ID), left-1
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tellsAccountsApart says whether a condition may hold for some of the accounts
// that the document does not write and not for others: a pattern of a part of an
// id, or a comparison of ids as numbers.
func tellsAccountsApart(d policy.Document) bool {
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			if strings.HasPrefix(c.Operator, "Numeric") && strings.EqualFold(c.Key, "aws:PrincipalAccount") {
				return true
			}
			if slices.ContainsFunc(c.Values, partOfID) {
				return true
			}
		}
	}
	return false
}

// partOfID says whether a wildcard of a pattern stands beside a digit that may
// be one of an account's id. It may not be in an ARN whose account is written,
// or left open, as a whole.
func partOfID(v string) bool {
	if !strings.ContainsAny(v, "*?") {
		return false
	}
	if f := strings.SplitN(v, ":", 6); len(f) == 6 && f[0] == "arn" && !strings.ContainsAny(f[1]+f[2]+f[3], "*?") &&
		(f[4] == "*" || policy.IsAccountID(f[4])) {
		// A star that is the whole account may still reach further, where text is compared.
		return f[4] == "*" && partOfID(f[5])
	}
	digit := func(i int) bool { return i >= 0 && i < len(v) && '0' <= v[i] && v[i] <= '9' }
	for i := range len(v) {
		if (v[i] == '*' || v[i] == '?') && (digit(i-1) || digit(i+1)) {
			return true
		}
	}
	return false
}

// misjudged says whether a witness's account is a member that proof was not told of.
func (in Input) misjudged(a proof.Answer) bool {
	if a.Outcome != proof.Found || len(in.Org.Organization.Accounts) <= fewMembers {
		return false
	}
	account := callerAccount(a)
	return account != "" && !slices.Contains(in.members(), account) && in.Org.Member(account)
}

// ofAll puts a question of all members.
func (in Input) ofAll(q proof.Query) proof.Query {
	told, all := in.members(), in.memberIDs()
	q.World.Members = all
	q.Callers = slices.Clone(q.Callers)
	for i, c := range q.Callers {
		if len(without(told, c.Accounts.Except)) == 0 {
			q.Callers[i].Accounts.Except = slices.Concat(c.Accounts.Except, all)
		}
	}
	return q
}
