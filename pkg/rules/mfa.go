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

//go:embed mfa.md
var mfaPage string

const (
	mfaID  = "mfa"
	mfaKey = "aws:MultiFactorAuthPresent"
	ageKey = "aws:MultiFactorAuthAge"
)

func mfa() Rule {
	return Rule{
		ID: mfaID, Title: "Users must have signed in with MFA, where the rules file asks for it",
		Severity: finding.Medium, Reach: MayWrite, Page: mfaPage, Check: checkMFA, Mend: mendMFA,
	}
}

// checkMFA looks for a user who may assume the role without MFA: with a
// long-term key, whose requests have no aws:MultiFactorAuthPresent, or with a
// session in which it is false (IAM User Guide,
// reference_policies_condition-keys). Role sessions carry the sign-in of whoever
// began them, and services and federated callers have no MFA of ours: none of
// them is asked. Nor are a listed partner's users: what a partner must give is
// an external ID.
func checkMFA(in Input) Judgement {
	if in.Org.Setting(mfaID).Line == 0 {
		return Judgement{}
	}
	a := withoutMFA(in, in.find)
	return judged(a, func(a proof.Answer) finding.Finding {
		i := first(a.Statements)
		return finding.Finding{
			Rule: mfaID, Severity: finding.Medium, Where: mfaPlace(in.Document, i),
			Message: fmt.Sprintf("users of %s may assume the role without MFA, so a stolen access key is enough: %s; demand Bool true",
				in.whose(newSaid(in), callerAccount(a)), mfaGuards(in.Document, a.Statements)),
			Fix:      "add to the Condition of " + at(i) + `: {"Bool": {"` + mfaKey + `": "true"}}; callers that are roles or services need a statement of their own without it`,
			Evidence: witness(finding.Allowed, a),
		}
	})
}

func withoutMFA(in Input, find func(proof.Query) proof.Answer) proof.Answer {
	users := proof.Callers{Kind: proof.Users, Accounts: proof.Accounts{Except: in.Org.PartnerIDs()}}
	return find(in.query(assume, [][]proof.Requirement{must(demand(proof.Fails, "Bool", mfaKey, "true"))}, users))
}

// mfaPlace gives the condition of a statement that speaks of MFA, else the
// statement.
func mfaPlace(d policy.Document, i int) string {
	for _, c := range d.Statements[i].Conditions {
		if aboutMFA(c) {
			return conditionAt(i, c)
		}
	}
	return at(i)
}

func aboutMFA(c policy.Condition) bool {
	return strings.EqualFold(c.Key, mfaKey) || strings.EqualFold(c.Key, ageKey)
}

func mfaGuards(d policy.Document, used []int) string {
	for _, i := range used {
		for _, c := range d.Statements[i].Conditions {
			if strings.EqualFold(c.Key, ageKey) {
				return guards(d, used, ageKey)
			}
		}
	}
	return guards(d, used, mfaKey)
}

// mendMFA demands MFA in each statement that lets users in without, where proof
// says that the statement lets in nobody else, whom the demand might lock out.
func mendMFA(in Input, _ finding.Finding) []policy.Document {
	d := in.Document
	for range len(in.Document.Statements) {
		one := in
		one.Document, one.compiled, one.budget = d, nil, nil
		a := withoutMFA(one, one.find)
		if a.Outcome != proof.Found {
			break
		}
		i := first(a.Statements)
		if !usersAlone(in, d.Statements[i]) {
			return nil
		}
		conditions, ok := withMFA(d.Statements[i].Conditions)
		if !ok {
			return nil
		}
		d.Statements = slices.Clone(d.Statements)
		d.Statements[i].Conditions = conditions
	}
	if d.Equal(in.Document, in.Role.Partition) {
		return nil
	}
	return []policy.Document{d}
}

// usersAlone says whether a statement, standing alone, lets in no caller but users.
func usersAlone(in Input, st policy.Statement) bool {
	in.Document = policy.Document{Version: in.Document.Version, Statements: []policy.Statement{st}}
	in.compiled, in.budget, in.said = nil, nil, nil
	for _, others := range []struct {
		action string
		kind   proof.CallerKind
	}{{assume, proof.RoleSessions}, {assume, proof.Services}, {assumeSAML, proof.SAMLIdentities}, {assumeOIDC, proof.OIDCIdentities}} {
		if in.find(in.query(others.action, nil, proof.Callers{Kind: others.kind})).Outcome != proof.None {
			return false
		}
	}
	return true
}

// withMFA adds the demand to a statement's conditions, in the place of looser
// ones on the same key. Who asks for the opposite meant something else.
func withMFA(conditions []policy.Condition) ([]policy.Condition, bool) {
	var out []policy.Condition
	for _, c := range conditions {
		o, ok := policy.ParseOperator(c.Operator)
		switch {
		case !ok || !strings.EqualFold(c.Key, mfaKey) || o.Base != policy.Bool:
			out = append(out, c)
		case !slices.Contains(c.Values, "true"):
			return nil, false
		}
	}
	return append(out, policy.Condition{Operator: "Bool", Key: mfaKey, Values: []string{"true"}}), true
}
