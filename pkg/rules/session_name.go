package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed session_name.md
var sessionNamePage string

const sessionNameID = "session-name"

func sessionName() Rule {
	return Rule{
		ID: sessionNameID, Title: "Users may assume the role only under their own name",
		Severity: finding.Medium, Reach: MayWrite, Page: sessionNamePage, Check: checkSessionName,
		Mend: mendSessionName,
	}
}

// checkSessionName looks for a user who may choose a session name other than
// the demanded one. Role sessions have no aws:username and are not asked (IAM
// User Guide, reference_policies_condition-keys). Nor are a listed partner's
// users: which of its people acts is the partner's to know, and what it must
// give is an external ID.
func checkSessionName(in Input) Judgement {
	s, want := newSaid(in), in.Org.Setting(sessionNameID).SessionName
	a := otherName(in, want)
	j := judged(a, func(a proof.Answer) finding.Finding {
		return finding.Finding{
			Rule: sessionNameID, Severity: finding.Medium, Where: at(first(a.Statements)),
			Message: fmt.Sprintf("users of %s may assume the role under a name that is not theirs, and CloudTrail shows that name: %s; demand %s",
				in.whoseUsers(s, a), guards(in.Document, a.Statements, sessionNameKey), quoted(want)),
			Fix:      "add to the Condition of " + at(first(a.Statements)) + `: {"` + equality([]string{want})[0] + `": {"sts:RoleSessionName": ` + quoted(want) + `}}; callers that are roles have no aws:username and need a statement of their own, and where only they should come in: {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::ACCOUNT:role/*"}}`,
			Evidence: witness(finding.Allowed, a),
		}
	})
	return j.and(lockedOut(in))
}

// whoseUsers tells whose users come in. Where the principal is everybody the
// witness's account is one among many, unless the document writes it out.
func (in Input) whoseUsers(s said, a proof.Answer) string {
	account := callerAccount(a)
	if _, text := entry(in.Document, a); !opensToAnyone(text) || slices.Contains(s.accounts, account) {
		return in.whose(s, account)
	}
	if len(in.Document.Statements[first(a.Statements)].Conditions) > 0 {
		return "whatever account meets the conditions of " + at(first(a.Statements))
	}
	return "whatever account"
}

// otherName looks for the user under another name. Every user has
// aws:username, one with a token of GetSessionToken too (see pkg/proof/README.md).
func otherName(in Input, want string) proof.Answer {
	users := proof.Callers{Kind: proof.Users, Accounts: proof.Accounts{Except: in.Org.PartnerIDs()}}
	another := must(demand(proof.Fails, "StringLike", sessionNameKey, want))
	return in.find(in.query(assume, [][]proof.Requirement{another}, users))
}

// lockedOut tells of role principals that nobody can use, since the one
// condition that keeps them out speaks of aws:username. Proof says so: their
// sessions are let in once that condition is gone, and not before.
func lockedOut(in Input) Judgement {
	loose, place := withoutUserNames(in.Document)
	if place == "" {
		return Judgement{}
	}
	var out []string
	for _, st := range in.Document.Statements {
		for _, p := range st.Principal.List {
			if st.Effect != policy.Allow || p.Kind != policy.Role || slices.Contains(out, word(p.Value)) {
				continue
			}
			q := in.query(assume, [][]proof.Requirement{must(demand(proof.Holds, "ArnEquals", "aws:PrincipalArn", p.Value))},
				proof.Callers{Kind: proof.RoleSessions, Accounts: proof.Accounts{Only: []string{p.Account}}})
			if in.find(q).Outcome == proof.None && proof.Find(loose, q).Outcome == proof.Found {
				out = append(out, word(p.Value))
			}
		}
	}
	if len(out) == 0 {
		return Judgement{}
	}
	return Judgement{Findings: []finding.Finding{{
		Rule: sessionNameID, Severity: finding.Advice, Where: place,
		Message:  fmt.Sprintf("sessions of %s cannot assume the role: they have no aws:username to match; if they should, give them a statement of their own", strings.Join(out, ", ")),
		Fix:      "move the role principals to a statement without a condition on aws:username",
		Evidence: finding.Evidence{Kind: finding.Place, Sentence: "no session of " + strings.Join(out, ", ") + " meets this condition"},
	}}}
}

// withoutUserNames gives the document without its conditions that compare the
// session name with aws:username, and the place of the first of them.
func withoutUserNames(d policy.Document) (loose policy.Document, place string) {
	loose = policy.Document{Version: d.Version}
	for i, st := range d.Statements {
		at := slices.IndexFunc(st.Conditions, aboutUserName)
		if at < 0 {
			loose.Statements = append(loose.Statements, st)
			continue
		}
		if place == "" {
			place = conditionAt(i, st.Conditions[at])
		}
		if st.Effect == policy.Deny {
			continue
		}
		st.Conditions = slices.DeleteFunc(slices.Clone(st.Conditions), aboutUserName)
		loose.Statements = append(loose.Statements, st)
	}
	return loose, place
}

func aboutUserName(c policy.Condition) bool {
	return strings.EqualFold(c.Key, sessionNameKey) && slices.ContainsFunc(c.Values, func(v string) bool {
		return strings.Contains(strings.ToLower(v), "${aws:username")
	})
}

// mendSessionName asks the users of a statement for the demanded name, and takes
// its roles, and partners, out of that into statements of their own. Where the
// statement asks for other session names already, it is not known what they are
// for, and whoever uses them would be shut out.
func mendSessionName(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || f.Evidence.Kind != finding.Allowed || in.Document.Statements[i].Effect != policy.Allow {
		return nil
	}
	if slices.ContainsFunc(in.Document.Statements[i].Conditions, namesSessions) {
		return nil
	}
	want := in.Org.Setting(sessionNameID).SessionName
	d := in.Document
	if strings.Contains(want, "${") {
		if d, ok = speaksVariables(d); !ok {
			return nil
		}
	}
	meant := func(p policy.Principal) share {
		_, partner := in.Org.Partner(p.Account)
		switch {
		case partner:
			return nobody
		case p.Kind == policy.User:
			return everybody
		case p.Kind == policy.Account || p.Kind == policy.Anyone:
			return theUsers
		default:
			return nobody
		}
	}
	if !in.letsRolesIn(i) {
		meant = forUsersAlone(meant)
	}
	return divided(in, d, i, meant, func(st policy.Statement) (policy.Statement, bool) {
		return demanding(st, sessionNameKey, []string{want}, equality([]string{want})...)
	})
}

// namesSessions says whether a condition asks for some session names and not
// for any.
func namesSessions(c policy.Condition) bool {
	return strings.EqualFold(c.Key, sessionNameKey) && !slices.ContainsFunc(c.Values, func(v string) bool { return strings.Trim(v, "*") == "" })
}

// forUsersAlone takes whole accounts for their users: where a statement lets no
// role in, it has no roles to keep.
func forUsersAlone(meant func(policy.Principal) share) func(policy.Principal) share {
	return func(p policy.Principal) share {
		if s := meant(p); s != theUsers {
			return s
		}
		return everybody
	}
}

// letsRolesIn says whether role sessions may come in by one statement alone; it
// says so too where that is not known.
func (in Input) letsRolesIn(i int) bool {
	all, _ := readings(newSaid(in), in)
	alone := policy.Document{Version: in.Document.Version, Statements: in.Document.Statements[i : i+1]}
	return slices.ContainsFunc(all, func(r reading) bool {
		return proof.Find(alone, r.in.query(assume, nil, proof.Callers{Kind: proof.RoleSessions})).Outcome != proof.None
	})
}
