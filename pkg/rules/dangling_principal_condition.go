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

//go:embed dangling_principal_condition.md
var danglingPrincipalConditionPage string

const danglingPrincipalConditionID = "dangling-principal-condition"

const principalARNKey = "aws:PrincipalArn"

func danglingPrincipalCondition() Rule {
	return Rule{
		ID: danglingPrincipalConditionID, Title: "No access may rest on a name in aws:PrincipalArn that somebody else can take",
		Severity: finding.Medium, Reach: TagOnly, Page: danglingPrincipalConditionPage,
		Check: checkDanglingPrincipalCondition, Mend: mendDanglingPrincipalCondition,
	}
}

// byName is an entry on aws:PrincipalArn that lets in whom it matches: one of an
// Allow, or the exceptions of a Deny. A condition's ARN is never bound to an ID
// (IAM User Guide, reference_policies_elements_principal).
type byName struct {
	statement, condition int
	// operator is the entry's comparison, without negation and qualifiers.
	operator string
	// open are the values that more than one name fits, gone those whose user
	// or role is known not to exist any more.
	open, gone []string
}

// checkDanglingPrincipalCondition looks, for each name that can be taken, for a
// caller who has it, whom nobody wrote, and whom its statement lets in or spares.
// That another statement lets him in too is no excuse: else an Allow more would
// take the finding away.
func checkDanglingPrincipalCondition(in Input) Judgement {
	s := newSaid(in)
	entries := entriesByName(in, s)
	if len(entries) == 0 {
		return Judgement{}
	}
	// What is only advice may cost less.
	open := takers{in: in, left: &allowance{statements: mostStatements / 10}, written: writtenARNs(in.Document, s)}
	gone := takers{in: in, left: &allowance{statements: mostStatements}}
	var j Judgement
	for _, e := range entries {
		if enough(j, finding.Medium) {
			break
		}
		if len(e.open) > 0 {
			// What could only be advice leaves no verdict open.
			if a := open.of(e, e.open); a.Outcome == proof.Found {
				j.Findings = append(j.Findings, openName(in, s, e, a))
			}
		}
		for _, arn := range e.gone {
			a := gone.of(e, []string{arn})
			j = j.and(judged(a, func(a proof.Answer) finding.Finding { return goneName(in, s, e, arn, a) }))
		}
	}
	j.Findings, j.Undecided = told(j.Findings), appendMissing(nil, j.Undecided)
	return j
}

// takers looks for callers who have a name that can be taken.
type takers struct {
	in   Input
	left *allowance
	// written are those whom the document writes out: they took nothing.
	written []string
}

// of looks for a caller who has one of an entry's names, is none of those
// written, and is let in by the entry's Allow, or spared by its Deny and let in.
func (t *takers) of(e byName, names []string) proof.Answer {
	st := t.in.Document.Statements[e.statement]
	where := [][]proof.Requirement{must(demand(proof.Holds, e.operator, principalARNKey, names...)), must(reserved())}
	own := []string{t.in.Role.Account}
	among := func(accounts proof.Accounts) []proof.Callers { return awsCallers(accounts, t.written) }
	classes := append(among(proof.Accounts{Except: own}), among(proof.Accounts{Only: own})...)
	if st.Effect == policy.Deny {
		if !anybody(st) {
			classes = among(proof.Accounts{Only: accountsOf(st)})
		}
		for k, c := range st.Conditions {
			if k != e.condition {
				where = append(where, must(proof.Requirement{Condition: c, Sense: proof.Holds}))
			}
		}
		return t.in.find(t.in.query(assume, where, classes...))
	}
	if allows(t.in.Document) == 1 {
		return t.in.find(t.in.query(assume, where, classes...))
	}
	alone := onlyAllow(t.in.Document, e.statement)
	if !t.left.spend(alone, 1) {
		return proof.Answer{Undecided: []string{tooManyNames}}
	}
	q := t.in.query(assume, where, classes...)
	q.Budget = t.in.budget
	return proof.Compile(alone, t.in.Role.Partition).Find(q)
}

const tooManyNames = "the document has more conditions on names of users and roles than are tried"

// accountsOf gives the accounts that a statement names as a whole.
func accountsOf(st policy.Statement) []string {
	out := []string{}
	for _, p := range st.Principal.List {
		if p.Kind == policy.Account {
			out = append(out, p.Account)
		}
	}
	return out
}

func allows(d policy.Document) int {
	n := 0
	for _, st := range d.Statements {
		if st.Effect == policy.Allow {
			n++
		}
	}
	return n
}

// taken says in whose account the name is to be had, and how bad that is: who
// may make users and roles in the role's own account needs no more than that,
// in another account the whole of it is beyond the role's owner.
func taken(in Input, s said, a proof.Answer) (kind, where string, severity finding.Severity) {
	account := callerAccount(a)
	kind, severity = "role", finding.Medium
	if arn, _ := a.Witness.Get(principalARNKey); len(arn.Values) == 1 && strings.Contains(arn.Values[0], ":user/") {
		kind = "user"
	}
	if account == in.Role.Account {
		severity = finding.Low
	}
	return kind, in.whose(s, account), severity
}

// openName is advice: a pattern leaves the names to whoever runs the account, and
// trusting all of the account, which is more, is no worse than advice.
func openName(in Input, s said, e byName, a proof.Answer) finding.Finding {
	c := in.Document.Statements[e.statement].Conditions[e.condition]
	kind, where, _ := taken(in, s, a)
	return finding.Finding{
		Rule: danglingPrincipalConditionID, Severity: finding.Advice, Where: conditionAt(e.statement, c),
		Message: fmt.Sprintf("%s %s whoever makes a %s of a name that fits %s in %s; write out those who need it",
			word(c.Operator), e.lets(in), kind, oneOf(e.open), where),
		Fix: fmt.Sprintf(`name them as principals, "Principal": {"AWS": "%s"}: IAM binds each to its ID, and a name made anew inherits nothing`,
			exampleARN(a, kind)),
		Evidence: witness(finding.Allowed, a),
	}
}

func goneName(in Input, s said, e byName, arn string, a proof.Answer) finding.Finding {
	c := in.Document.Statements[e.statement].Conditions[e.condition]
	kind, where, severity := taken(in, s, a)
	past := in.Gone[strings.ToLower(arn)]
	if past.ARN == "" {
		past.ARN = arn
	}
	return finding.Finding{
		Rule: danglingPrincipalConditionID, Severity: severity, Where: conditionAt(e.statement, c),
		Message: fmt.Sprintf("%s is no more, %s; a condition is bound to no ID and %s whoever makes a %s of that name in %s",
			quoted(arn), strings.TrimPrefix(biography(past, true), "it was "+word(past.ARN)+", "), e.lets(in), kind, where),
		Fix:      "remove " + quoted(arn) + " from " + conditionAt(e.statement, c) + "; if somebody took over, name that one as a principal, after asking who it is",
		Evidence: witness(finding.Allowed, a),
	}
}

// lets says how an entry lets in whom it matches.
func (e byName) lets(in Input) string {
	if in.Document.Statements[e.statement].Effect == policy.Deny {
		return "spares"
	}
	return "lets in"
}

// oneOf names the patterns that a name may fit.
func oneOf(patterns []string) string {
	if len(patterns) == 1 {
		return quoted(patterns[0])
	}
	return fmt.Sprintf("%s or one of %d more patterns", quoted(patterns[0]), len(patterns)-1)
}

// exampleARN shows how a principal of the witness's account is written.
func exampleARN(a proof.Answer, kind string) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(a.Witness.Caller.AWS, "arn:"), ":")
	return "arn:" + partition + ":iam::" + callerAccount(a) + ":" + kind + "/NAME"
}

// mendDanglingPrincipalCondition takes the names of those who are gone out of
// the Allow that writes them. Whom a pattern was meant for is not known.
func mendDanglingPrincipalCondition(in Input, f finding.Finding) []policy.Document {
	for _, e := range entriesByName(in, newSaid(in)) {
		st := in.Document.Statements[e.statement]
		c := st.Conditions[e.condition]
		if len(e.gone) == 0 || st.Effect != policy.Allow || conditionAt(e.statement, c) != f.Where {
			continue
		}
		d := in.Document
		d.Statements = slices.Clone(d.Statements)
		kept := without(c.Values, e.gone)
		if len(kept) == 0 {
			if d.Statements = slices.Delete(d.Statements, e.statement, e.statement+1); len(d.Statements) == 0 {
				return nil
			}
			return []policy.Document{d}
		}
		st.Conditions = slices.Clone(st.Conditions)
		st.Conditions[e.condition].Values = kept
		d.Statements[e.statement] = st
		return []policy.Document{d}
	}
	return nil
}
