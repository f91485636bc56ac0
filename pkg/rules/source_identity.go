package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

//go:embed source_identity.md
var sourceIdentityPage string

const sourceIdentityID = "source-identity"

func sourceIdentity() Rule {
	return Rule{
		ID: sourceIdentityID, Title: "Callers of the listed classes must set a permitted source identity",
		Severity: finding.Medium, Reach: MayWrite, Page: sourceIdentityPage, Check: checkSourceIdentity,
		Mend: mendSourceIdentity,
	}
}

// callerClass is a class of callers that a rules file can name.
type callerClass struct {
	word   string
	kind   proof.CallerKind
	action string
}

// callerClasses gives the classes of the given words, in a fixed order.
func callerClasses(words []string) []callerClass {
	all := []callerClass{
		{"users", proof.Users, assume},
		{"roles", proof.RoleSessions, assume},
		{"saml", proof.SAMLIdentities, assumeSAML},
		{"oidc", proof.OIDCIdentities, assumeOIDC},
	}
	var out []callerClass
	for _, c := range all {
		for _, w := range words {
			if w == c.word {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// sourceIdentityClasses are the classes the file lists; all of them where it
// lists roles alone; none where it says nothing.
func sourceIdentityClasses(set org.Setting) []callerClass {
	if len(set.Callers) == 0 && len(set.Roles) > 0 {
		return callerClasses([]string{"users", "roles", "saml", "oidc"})
	}
	return callerClasses(set.Callers)
}

// checkSourceIdentity looks for a caller of each class who may assume the role
// without a source identity or with one that is not permitted. A chained
// session that holds one carries it in sts:SourceIdentity too (IAM User Guide,
// id_credentials_temp_control-access_monitor).
func checkSourceIdentity(in Input) Judgement {
	set := in.Org.Setting(sourceIdentityID)
	forbidden := demand(proof.Holds, "Null", sourceIdentityKey, "true")
	if len(set.Values) > 0 {
		forbidden = demand(proof.Fails, "StringLike", sourceIdentityKey, set.Values...)
	}
	j := illegalIdentities(in.Document)
	for _, class := range sourceIdentityClasses(set) {
		a := in.find(in.query(class.action, [][]proof.Requirement{must(forbidden)}, proof.Callers{Kind: class.kind}))
		j = j.and(judged(a, func(a proof.Answer) finding.Finding { return noSourceIdentity(in, set, class, a) }))
	}
	return j
}

func noSourceIdentity(in Input, set org.Setting, class callerClass, a proof.Answer) finding.Finding {
	key := sourceIdentityKey
	how := "without a source identity"
	if _, carried := a.Witness.Get(sourceIdentityKey); carried {
		how = "with a source identity that is not permitted"
	}
	var list []string
	for _, v := range permittedIdentities(set) {
		list = append(list, quoted(v))
	}
	return finding.Finding{
		Rule: sourceIdentityID, Severity: finding.Medium, Where: at(first(a.Statements)),
		Message: fmt.Sprintf("%s may assume the role %s, so that CloudTrail does not tell who acts: %s; demand one like %s",
			className(class, a), how, guards(in.Document, a.Statements, key), strings.Join(list, ", ")),
		Fix:      "allow sts:SetSourceIdentity in " + at(first(a.Statements)) + ` and add to its Condition: {"StringLike": {"sts:SourceIdentity": [` + strings.Join(list, ", ") + "]}}",
		Evidence: witness(finding.Allowed, a),
	}
}

// className names the callers of a class.
func className(class callerClass, a proof.Answer) string {
	switch class.word {
	case "users":
		return "users"
	case "roles":
		return "role sessions"
	default:
		return "callers of the identity provider " + quoted(a.Witness.Caller.Federated)
	}
}

// illegalIdentities tells of written source identities that no caller can ever
// set: the statement asks for what cannot be.
func illegalIdentities(d policy.Document) Judgement {
	var j Judgement
	for i, st := range d.Statements {
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || !strings.EqualFold(c.Key, sourceIdentityKey) && !strings.EqualFold(c.Key, heldIdentityKey) {
				continue
			}
			if o.Base != policy.String && o.Base != policy.StringLike && o.Base != policy.StringIgnoreCase {
				continue
			}
			for _, v := range c.Values {
				if problem := illegalIdentity(v, o.Base == policy.StringLike, d.Version == "2012-10-17"); problem != "" {
					j.Findings = append(j.Findings, illegalFinding(conditionAt(i, c), v, problem))
				}
			}
		}
	}
	return j
}

func illegalFinding(place, value, problem string) finding.Finding {
	return finding.Finding{
		Rule: sourceIdentityID, Severity: finding.Low, Where: place,
		Message: fmt.Sprintf("no caller can have the source identity %s: %s; write 2 to 64 letters, digits and _+=,.@-", quoted(value), problem),
		Fix:     "replace " + quoted(value) + " by a value that a caller can set",
		Evidence: finding.Evidence{
			Kind:     finding.Place,
			Sentence: "a source identity has 2 to 64 letters, digits and _+=,.@-, and does not begin with aws:",
		},
	}
}

// illegalIdentity says why a written value can never be a source identity, or
// nothing. Variables and wildcards stand for what fits.
func illegalIdentity(v string, like, variables bool) string {
	if strings.HasPrefix(strings.ToLower(v), "aws:") {
		return "aws: is reserved"
	}
	if variables && strings.Contains(v, "${") {
		return ""
	}
	length, open := 0, false
	for _, r := range v {
		switch {
		case like && r == '*':
			open = true
		case like && r == '?', identityRune(r):
			length++
		default:
			return "it holds " + quoted(string(r))
		}
	}
	switch {
	case length > 64:
		return fmt.Sprintf("it has %d characters", length)
	case length < 2 && !open:
		return fmt.Sprintf("it has %d characters", length)
	default:
		return ""
	}
}

func identityRune(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("_+=,.@-", r)
}

// mendSourceIdentity asks the callers of the listed classes for a permitted
// source identity, first where the document asks for one of whoever sends it,
// else by a condition more, and takes all other callers of the statement out of
// that. It helps only where they are allowed sts:SetSourceIdentity already: to
// allow it is for people. A value that nobody can set has no mend, since whom it
// was meant for is not known.
func mendSourceIdentity(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || f.Evidence.Kind != finding.Allowed || in.Document.Statements[i].Effect != policy.Allow {
		return nil
	}
	set := in.Org.Setting(sourceIdentityID)
	values := permittedIdentities(set)
	var out []policy.Document
	for _, bind := range []func(policy.Statement) (policy.Statement, bool){
		func(st policy.Statement) (policy.Statement, bool) { return allTightened(st, sourceIdentityKey) },
		func(st policy.Statement) (policy.Statement, bool) { return permittedAlone(st, values) },
		func(st policy.Statement) (policy.Statement, bool) {
			return demanding(st, sourceIdentityKey, values, equality(values)...)
		},
	} {
		out = append(out, divided(in, in.Document, i, askedFor(sourceIdentityClasses(set)), bind)...)
	}
	return out
}

// permittedAlone gives the statement without those of its written source
// identities that are not permitted; some says that there are such, and others.
func permittedAlone(st policy.Statement, permitted []string) (kept policy.Statement, some bool) {
	kept = st
	kept.Conditions = slices.Clone(st.Conditions)
	for k, c := range st.Conditions {
		o, ok := policy.ParseOperator(c.Operator)
		if !ok || o.Negated || !strings.EqualFold(c.Key, sourceIdentityKey) {
			continue
		}
		values := slices.DeleteFunc(slices.Clone(c.Values), func(v string) bool {
			return !slices.ContainsFunc(permitted, func(p string) bool {
				// As the last part of an ARN, where * and ? mean the same.
				const parts = "arn:aws:iam:::"
				return role.MatchARN(parts+p, parts+v)
			})
		})
		if len(values) > 0 && len(values) < len(c.Values) {
			kept.Conditions[k].Values, some = values, true
		}
	}
	return kept, some
}

// askedFor gives the share of each principal that belongs to some classes.
func askedFor(classes []callerClass) func(policy.Principal) share {
	return shares(func(word string, _ policy.Principal) bool {
		return slices.ContainsFunc(classes, func(c callerClass) bool { return c.word == word })
	})
}

// permittedIdentities are the values that the rules file permits; any legal one
// where it names none.
func permittedIdentities(set org.Setting) []string {
	if len(set.Values) == 0 {
		return []string{"??*"}
	}
	return set.Values
}
