package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
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
// caller who has it, whom nobody wrote, and who is let in by nothing else.
func checkDanglingPrincipalCondition(in Input) Judgement {
	entries := entriesByName(in)
	if len(entries) == 0 {
		return Judgement{}
	}
	s, bare := newSaid(in), withoutNames(in.Document, entries)
	written := writtenARNs(in.Document, s)
	var j Judgement
	for _, e := range entries {
		if len(e.open) > 0 {
			a := e.taker(in, bare, e.open, written)
			j = j.and(judged(a, func(a proof.Answer) finding.Finding { return openName(in, s, e, a) }))
		}
		for _, arn := range e.gone {
			a := e.taker(in, bare, []string{arn}, nil)
			j = j.and(judged(a, func(a proof.Answer) finding.Finding { return goneName(in, s, e, arn, a) }))
		}
	}
	j.Undecided = appendMissing(nil, j.Undecided)
	return j
}

// entriesByName gives the entries with a value to ask about.
func entriesByName(in Input) []byName {
	var out []byName
	for i, st := range in.Document.Statements {
		for k, c := range st.Conditions {
			if !strings.EqualFold(c.Key, principalARNKey) {
				continue
			}
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || (st.Effect == policy.Deny) != o.Negated {
				continue
			}
			e := byName{statement: i, condition: k, operator: o.Base.String()}
			switch o.Base {
			case policy.ARN, policy.StringLike, policy.String, policy.StringIgnoreCase:
				e.values(in, o.Base, c.Values)
			default: // no other comparison is for names
			}
			if len(e.open)+len(e.gone) > 0 {
				out = append(out, e)
			}
		}
	}
	return out
}

func (e *byName) values(in Input, base policy.Base, values []string) {
	patterns, variables := base == policy.ARN || base == policy.StringLike, in.Document.Version == "2012-10-17"
	for _, v := range values {
		if _, gone := in.Gone[strings.ToLower(v)]; gone {
			e.gone = append(e.gone, v)
			continue
		}
		pattern := v
		switch {
		case !strings.Contains(v, "${"):
		case !variables:
			continue
		case base == policy.String:
			// Equal to a text that depends on the caller: open as a pattern is.
			pattern, patterns, e.operator = withoutVariables(v), true, policy.StringLike.String()
		default:
			pattern = withoutVariables(v)
		}
		if patterns && leavesNamesOpen(pattern) {
			e.open = append(e.open, pattern)
		}
	}
}

// NamesInConditions gives the users and roles whose whole ARNs the document
// writes where a condition lets them in by name: those of whom somebody should
// know whether they still exist (Input.Gone).
func NamesInConditions(d policy.Document) []policy.Principal {
	var out []policy.Principal
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || !strings.EqualFold(c.Key, principalARNKey) || (st.Effect == policy.Deny) != o.Negated {
				continue
			}
			for _, v := range c.Values {
				p, err := policy.ParsePrincipal("AWS", v)
				if err == nil && (p.Kind == policy.User || p.Kind == policy.Role) && !strings.ContainsAny(v, "*?$") && !slices.Contains(out, p) {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// withoutVariables puts a wildcard in the place of each policy variable.
func withoutVariables(v string) string {
	for {
		head, rest, ok := strings.Cut(v, "${")
		if !ok {
			return v
		}
		_, tail, closed := strings.Cut(rest, "}")
		if !closed {
			return v
		}
		v = head + "*" + tail
	}
}

// leavesNamesOpen says whether a pattern is one for names: it holds a part of a
// name, or a whole one in any account. A pattern for all roles or users of an
// account holds none; one whose only wildcard is in the path holds one name,
// which one role of the account can have at a time, whatever its path.
func leavesNamesOpen(pattern string) bool {
	parts := strings.SplitN(pattern, ":", 6)
	if len(parts) < 6 {
		return strings.Trim(pattern, "*?:/") != "" && strings.ContainsAny(pattern, "*?")
	}
	_, name, _ := strings.Cut(parts[5], "/")
	if strings.Trim(name, "*?/") == "" {
		return false
	}
	return strings.ContainsAny(parts[4], "*?") || strings.ContainsAny(name[strings.LastIndexByte(name, '/')+1:], "*?")
}

// nobodysARN is a value that no caller's ARN is.
const nobodysARN = "arn:none:iam::000000000000:none/none"

// withoutNames gives the document in which the values asked about match nobody.
func withoutNames(d policy.Document, entries []byName) policy.Document {
	d.Statements = slices.Clone(d.Statements)
	for _, e := range entries {
		st := &d.Statements[e.statement]
		st.Conditions = slices.Clone(st.Conditions)
		c := &st.Conditions[e.condition]
		c.Values = slices.Clone(c.Values)
		for i, v := range c.Values {
			if slices.Contains(e.gone, v) || slices.Contains(e.open, v) || slices.Contains(e.open, withoutVariables(v)) {
				c.Values[i] = nobodysARN
			}
		}
	}
	return d
}

// writtenARNs gives the users and roles that the document writes out, as
// principals or in conditions; a name in any account counts as written for the
// accounts that are.
func writtenARNs(d policy.Document, s said) []string {
	var out []string
	add := func(v string) {
		if p, err := policy.ParsePrincipal("AWS", v); err == nil && (p.Kind == policy.User || p.Kind == policy.Role) && !strings.ContainsAny(v, "*?$") {
			out = appendMissing(out, []string{v})
		}
	}
	for _, st := range d.Statements {
		for _, p := range st.Principal.List {
			add(p.Value)
		}
		for _, c := range st.Conditions {
			if !strings.EqualFold(c.Key, principalARNKey) {
				continue
			}
			for _, v := range c.Values {
				add(v)
				if head, name, ok := strings.Cut(withoutVariables(v), ":*:"); ok {
					for _, account := range s.accounts {
						add(head + ":" + account + ":" + name)
					}
				}
			}
		}
	}
	return out
}

// reserved are the paths in which AWS alone makes roles: those of IAM Identity
// Center's permission sets, and the service-linked ones.
func reserved() proof.Requirement {
	return demand(proof.Fails, "ArnLike", principalARNKey, "arn:*:iam::*:role/aws-reserved/*", "arn:*:iam::*:role/aws-service-role/*")
}

// taker looks for a caller who has one of the names, is none of those written,
// and is not let in when the names that can be taken match nobody.
func (e byName) taker(in Input, bare policy.Document, names, written []string) proof.Answer {
	own := []string{in.Role.Account}
	classes := append(awsCallers(proof.Accounts{Except: own}, written), awsCallers(proof.Accounts{Only: own}, written)...)
	a := in.find(in.query(assume, [][]proof.Requirement{must(demand(proof.Holds, e.operator, principalARNKey, names...)), must(reserved())}, classes...))
	if a.Outcome != proof.Found || access.Evaluate(bare, *a.Witness).Decision == access.Denied {
		return a
	}
	// That one has another way in as well; the rest are told apart by what the
	// names add to the document, all others being kept out of it.
	everybody := policy.Principals{List: []policy.Principal{{Type: "AWS", Value: "*", Kind: policy.Anyone}}}
	deny := func(p policy.Principals, operator string, arns ...string) policy.Statement {
		st := policy.Statement{Effect: policy.Deny, Principal: p, Actions: []string{"*"}}
		if operator != "" {
			st.Conditions = []policy.Condition{{Operator: operator, Key: principalARNKey, Values: arns}}
		}
		return st
	}
	narrow := in.Document
	narrow.Statements = append(slices.Clone(in.Document.Statements), deny(everybody, "ArnLike", reserved().Values...))
	var list []policy.Principal
	for _, arn := range written {
		p, _ := policy.ParsePrincipal("AWS", arn)
		list = append(list, p)
	}
	if len(list) > 0 {
		narrow.Statements = append(narrow.Statements, deny(policy.Principals{List: list}, ""))
	}
	return proof.Compile(narrow, in.Role.Partition).Beyond(proof.Compile(bare, in.Role.Partition), in.world())
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

func openName(in Input, s said, e byName, a proof.Answer) finding.Finding {
	c := in.Document.Statements[e.statement].Conditions[e.condition]
	kind, where, severity := taken(in, s, a)
	return finding.Finding{
		Rule: danglingPrincipalConditionID, Severity: severity, Where: conditionAt(e.statement, c),
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
	for _, e := range entriesByName(in) {
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
