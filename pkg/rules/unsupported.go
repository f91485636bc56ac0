package rules

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

//go:embed unsupported.md
var unsupportedPage string

const unsupportedID = "unsupported"

func unsupported() Rule {
	return Rule{
		ID: unsupportedID, Title: "Nothing that IAM refuses in a trust policy, or whose meaning it leaves open",
		Severity: finding.Medium, Reach: TellOnly, Page: unsupportedPage, Check: checkUnsupported,
		Mend: mendUnsupported, homeless: true,
	}
}

// checkUnsupported names every element that has no settled meaning. It proves
// nothing about who gets in: where that hinges on such an element, the other
// rules are undecided, and so the verdict stays (report).
func checkUnsupported(in Input) Judgement {
	var u elements
	sids := map[string]int{}
	for i, st := range in.Document.Statements {
		u.statement(i, st)
		u.principals(i, "Principal", st.Principal, st)
		u.principals(i, "NotPrincipal", st.NotPrincipal, st)
		u.actions(i, st)
		for _, c := range st.Conditions {
			u.condition(i, c, in.Document.Version == "2012-10-17")
		}
		u.sid(i, st.Sid, sids)
	}
	return Judgement{Findings: u.found}
}

// elements gathers findings, as many of each severity as are told.
type elements struct {
	found []finding.Finding
	told  [finding.Critical + 1]int
}

func (u *elements) add(severity finding.Severity, where, message, fix, page string) {
	if u.told[severity]++; u.told[severity] > mostTold {
		return
	}
	u.found = append(u.found, finding.Finding{
		Rule: unsupportedID, Severity: severity, Where: where, Message: message, Fix: fix,
		Evidence: finding.Evidence{Kind: finding.Place, Sentence: where + ": see the IAM User Guide, " + page},
	})
}

// The pages of the IAM User Guide that say so.
const (
	checksPage     = "access-analyzer-reference-policy-checks"
	principalPage  = "reference_policies_elements_principal"
	operatorsPage  = "reference_policies_elements_condition_operators"
	multiValuePage = "reference_policies_multi-value-conditions"
	variablesPage  = "reference_policies_variables"
	sidPage        = "reference_policies_elements_sid"
	rolesPage      = "id_roles_create_for-custom"
)

// statement looks at the elements that a trust policy does not have.
func (u *elements) statement(i int, st policy.Statement) {
	if st.NotPrincipal.Present() {
		u.add(finding.Medium, at(i)+".NotPrincipal", "IAM refuses NotPrincipal in a trust policy, and whom it would match is not defined",
			"name in Principal whom you mean; to keep all others out, add a Deny with ArnNotLike on aws:PrincipalArn", checksPage)
	}
	if st.Principal.Star {
		u.add(finding.Low, at(i)+".Principal", `IAM refuses the bare "Principal": "*" in a trust policy; it is judged as {"AWS": "*"}, which is everybody`,
			`name whom you mean: "Principal": {"AWS": "arn:aws:iam::111122223333:role/NAME"}`, checksPage)
	}
	for _, e := range []struct {
		name    string
		written []string
	}{{"Resource", st.Resources}, {"NotResource", st.NotResources}} {
		if len(e.written) > 0 {
			u.add(finding.Medium, at(i)+"."+e.name, "IAM refuses "+e.name+" in a trust policy, which is about the role it belongs to; what it would change is not defined",
				"remove "+e.name, checksPage)
		}
	}
}

// principals looks at forms of principals, and at those who come in by another
// action than any of the statement's.
func (u *elements) principals(i int, element string, all policy.Principals, st policy.Statement) {
	for k, p := range all.List {
		where := principalAt(i, element, all, k)
		switch p.Kind {
		case policy.UnknownPrincipal:
			u.add(finding.Medium, where, quoted(p.Value)+" is no principal of the type "+p.Type+" that IAM knows; whom it would match is not defined",
				"write a whole ARN, an account ID, a service's name or a provider's ARN; a principal has no wildcard but \"*\" alone", principalPage)
		case policy.AnyService, policy.AnyFederated:
			u.add(finding.Medium, where, "whom {"+quoted(p.Type)+`: "*"} stands for is not documented`, "name the service or the identity provider", principalPage)
		case policy.CanonicalUser:
			u.add(finding.Medium, where, "a canonical user ID is a principal of S3; whom it stands for in a trust policy is not documented",
				"name the account: its 12-digit ID under AWS", principalPage)
		case policy.Anyone:
			if a := federatedAction(st); a != "" && st.Effect == policy.Allow {
				u.add(finding.Medium, where, `whether {"AWS": "*"} stands for those who call `+a+" is not documented", "name the identity provider under Federated", principalPage)
			}
		case policy.SAMLProvider:
			u.mismatched(where, p, st, assumeSAML)
		case policy.OIDCProvider:
			u.mismatched(where, p, st, assumeOIDC)
		case policy.Account, policy.User, policy.Role, policy.RoleSession, policy.FederatedUser, policy.UniqueID, policy.Service:
		}
	}
}

// federatedAction gives the statement's first action that only identity
// providers' callers make.
func federatedAction(st policy.Statement) string {
	for _, a := range st.Actions {
		if strings.EqualFold(a, assumeSAML) || strings.EqualFold(a, assumeOIDC) {
			return word(a)
		}
	}
	return ""
}

// mismatched tells of a provider whose action is missing while others of the
// statement have theirs; where none has, no-effect tells that nobody can use it.
func (u *elements) mismatched(where string, p policy.Principal, st policy.Statement, action string) {
	others := slices.ContainsFunc(audience(st), func(c proof.Callers) bool { return covers(st, actionOf(c.Kind)) })
	if covers(st, action) || carriesOnly(st) || !others {
		return
	}
	u.add(finding.Advice, where, fmt.Sprintf("callers from %s come in by %s, which is none of the statement's actions", quoted(p.Value), action),
		"add "+action+" in a statement of its own for this provider", checksPage)
}

// actions looks for actions that have no place in a trust policy.
func (u *elements) actions(i int, st policy.Statement) {
	for k, a := range st.Actions {
		where := fmt.Sprintf("%s.Action[%d]", at(i), k)
		switch {
		case trustAction(a):
		case strings.ContainsAny(a, "*?"):
			u.add(finding.Advice, where, "whether IAM saves a trust policy with the pattern "+quoted(a)+" for an action is not documented",
				"write sts:AssumeRole, and what goes with it", rolesPage)
		case u.told[finding.Low] >= mostTold:
		default:
			u.add(finding.Low, where, "IAM saves no trust policy with the action "+quoted(a)+": only those by which a role is assumed, and sts:TagSession, sts:SetSourceIdentity and sts:SetContext",
				"remove "+quoted(a)+"; what the role may do stands in its permission policies", rolesPage)
		}
	}
}

// trustAction recognises what IAM takes in a trust policy; case is not looked at.
func trustAction(a string) bool {
	a = strings.ToLower(a)
	if carried(a) || a == "sts:assumerole" || a == strings.ToLower(assumeSAML) || a == strings.ToLower(assumeOIDC) {
		return true
	}
	return strings.HasPrefix(a, "sts:assumerole") && strings.ContainsAny(a, "*?")
}

// sid looks at a statement's name (IAM User Guide, reference_policies_elements_sid).
func (u *elements) sid(i int, sid string, seen map[string]int) {
	if sid == "" {
		return
	}
	if before, twice := seen[sid]; twice {
		u.add(finding.Low, at(i)+".Sid", fmt.Sprintf("IAM saves no policy in which two statements have the Sid %s, as %s has", quoted(sid), at(before)), "give each a Sid of its own, or none", sidPage)
		return
	}
	seen[sid] = i
	if strings.ContainsFunc(sid, func(r rune) bool { return !inSid(r) }) {
		u.add(finding.Low, at(i)+".Sid", "IAM saves no Sid with other characters than letters and digits, as "+quoted(sid)+" has", "write letters and digits alone", sidPage)
	}
}

// mendUnsupported gives a statement whose Sid IAM refuses one that it takes, or
// none: a Sid means nothing to anybody who calls.
func mendUnsupported(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || f.Where != at(i)+".Sid" {
		return nil
	}
	st := in.Document.Statements[i]
	sid := strings.Map(func(r rune) rune {
		if !inSid(r) {
			return -1
		}
		return r
	}, st.Sid)
	if slices.ContainsFunc(in.Document.Statements, func(other policy.Statement) bool { return other.Sid == sid }) {
		sid = ""
	}
	st.Sid = sid
	return []policy.Document{replaced(in.Document, i, st)}
}

// inSid says whether a Sid may hold a character.
func inSid(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// condition looks at one entry.
func (u *elements) condition(i int, c policy.Condition, variables bool) {
	where := conditionAt(i, c)
	o, known := policy.ParseOperator(c.Operator)
	switch {
	case !known:
		u.add(finding.Medium, where, quoted(c.Operator)+" is no condition operator that AWS documents, so what it asks is not defined", nearOperator(c.Operator), operatorsPage)
		return
	case c.Key == "":
		u.add(finding.Medium, at(i)+".Condition."+word(c.Operator), word(c.Operator)+" has no key; what that asks is not documented", "remove it, or write the key and its values", operatorsPage)
		return
	case len(c.Values) == 0:
		u.add(finding.Medium, where, "the list of values is empty; what that asks is not documented", "write the values that are meant, or remove the entry", operatorsPage)
		return
	case o.Set == policy.NoSet && o.Base != policy.Null && manyValued(c.Key):
		u.add(finding.Medium, where, word(c.Key)+" may have many values, and what "+word(c.Operator)+" makes of them without a set operator is not documented",
			"write ForAnyValue:"+word(c.Operator)+" where one must match, ForAllValues with a Null beside it where all must", multiValuePage)
		return
	}
	for _, v := range c.Values {
		if why, fix, page := undefined(o, v, variables); why != "" {
			if !policy.SecretKey(c.Key) {
				why = quoted(v) + " " + why
			} else {
				why = "a value " + why
			}
			u.add(finding.Medium, where, why, fix, page)
			return
		}
	}
}

// undefined says what leaves a value without a meaning under an operator.
func undefined(o policy.Operator, v string, variables bool) (why, fix, page string) {
	if variables && access.HasVariable(v) {
		switch _, whole := access.Pieces(v); {
		case o.Base >= policy.NumericEquals && o.Base != policy.ARN:
			return "has a policy variable, which " + o.String() + " does not take", "write the value out", variablesPage
		case !whole:
			return "has a policy variable that does not end, or has no name", "write ${KEY}, or ${KEY, 'DEFAULT'}", variablesPage
		}
		return "", "", ""
	}
	compared := o
	if o.Base == policy.Null {
		compared.Base = policy.Bool
	}
	if sample, form := meant(o.Base); sample != "" && access.Match(compared, v, sample) == access.Unsettled {
		return "is no " + form + ", and what " + o.String() + " makes of it is not documented", "write " + article(form) + ", such as " + sample, operatorsPage
	}
	return "", "", ""
}

// meant gives an example of what an operator compares, and its name.
func meant(b policy.Base) (sample, form string) {
	switch b {
	case policy.NumericEquals, policy.NumericLessThan, policy.NumericLessThanEquals, policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		return "3600", "number"
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan, policy.DateGreaterThanEquals:
		return "2026-06-01T12:00:00Z", "date"
	case policy.IP:
		return "203.0.113.0", "range of addresses"
	case policy.ARN:
		return "arn:aws:iam::111122223333:role/app", "ARN of six parts"
	case policy.Bool, policy.Null:
		return "true", "truth value"
	case policy.NoBase, policy.String, policy.StringIgnoreCase, policy.StringLike, policy.Binary:
		return "", ""
	default:
		return "", ""
	}
}

func article(form string) string {
	if strings.HasPrefix(form, "ARN") {
		return "an " + form
	}
	return "a " + form
}

// nearOperator says what may be meant by an operator that does not exist.
func nearOperator(written string) string {
	best, least := "", 4
	for b := policy.String; b <= policy.Null; b++ {
		for _, negated := range []bool{false, true} {
			name := policy.Operator{Base: b, Negated: negated}.String()
			if d := distance(strings.ToLower(written), strings.ToLower(name)); name != "" && d < least {
				best, least = name, d
			}
		}
	}
	if best == "" {
		return "write one of those that the IAM User Guide lists, in that case, such as StringEquals; Null goes without IfExists and without a set operator"
	}
	return "write " + best
}

// manyValued recognises the multi-valued keys of requests that assume a role
// (IAM User Guide, reference_policies_condition-keys).
func manyValued(key string) bool {
	switch strings.ToLower(key) {
	case "aws:tagkeys", "sts:transitivetagkeys", "sts:requestcontextproviders", "aws:principalorgpaths", "aws:sourceorgpaths",
		"aws:resourceorgpaths", "aws:calledvia", "aws:principalservicenameslist", "cognito-identity.amazonaws.com:amr":
		return true
	default:
		return false
	}
}

// refused makes a finding of the element for which a text is no trust policy;
// there is none where the text as a whole is at fault.
func refused(err error) []finding.Finding {
	var e *policy.SyntaxError
	if !errors.As(err, &e) || e.Place == "" {
		return nil
	}
	message := e.Problem
	if e.Value != "" {
		message += " " + e.Value
	}
	fix := e.Remedy
	if fix == "" {
		fix = "write it as the grammar of policies has it"
	}
	var u elements
	u.add(finding.Medium, oneLine(e.Place), oneLine(message), oneLine(fix), "reference_policies_grammar")
	return u.found
}
