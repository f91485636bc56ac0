package proof

import (
	"slices"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// aTie is a tie between keys with a document that is clean only because of it.
type aTie struct {
	name      string
	kind      CallerKind
	condition string
	// principal and action are anyone and all of STS unless told otherwise.
	principal, action string
}

// everyTie names each tie that the search knows.
func everyTie() []aTie {
	const name, id, paths = "sts:RoleSessionName", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths"
	equals, like := "StringEquals", "StringLike"
	return []aTie{
		{name: "the account is in the ARN", kind: Users, condition: cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::444455556666:user/*"`) + "," + cond(equals, "aws:PrincipalAccount", `"111122223333"`)},
		{name: "the user's name ends the ARN", kind: Users, condition: cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/team/alice"`) + "," + cond("StringNotEquals", "aws:username", `"alice"`)},
		{name: "users' ARNs are users'", kind: Users, condition: cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/*"`)},
		{name: "the type is the caller's", kind: Users, condition: cond(equals, "aws:PrincipalType", `"AssumedRole"`)},
		{name: "a user's id is a user's", kind: Users, condition: cond(like, "aws:userid", `"AROA*"`)},
		{name: "a session's id ends in its name", kind: RoleSessions, principal: `{"AWS":"arn:aws:sts::444455556666:assumed-role/app/bob"}`, condition: cond("StringNotLike", "aws:userid", `"*:bob"`)},
		{name: "a session's role is in its ARN", kind: RoleSessions, principal: `{"AWS":"arn:aws:sts::444455556666:assumed-role/app/bob"}`, condition: cond("ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/*app"`)},
		{name: "sessions have no user name", kind: RoleSessions, condition: cond(like, "aws:username", `"*"`)},
		{name: "members are in the organization", kind: Users, condition: cond(equals, id, `"o-exampleorg1"`) + `,"StringNotEquals":{"aws:PrincipalAccount":["111122223333","222222222222"]}`},
		{name: "a place needs an organization", kind: Users, condition: `"Null":{"aws:PrincipalOrgID":"true","aws:PrincipalOrgPaths":"false"}`},
		{name: "a place is in the organization", kind: Users, condition: cond(equals, id, `"o-other00000"`) + "," + cond("ForAnyValue:StringLike", paths, `"o-third00000/*"`)},
		{name: "members' places are in ours", kind: Users, condition: cond("ForAnyValue:StringLike", paths, `"o-other00000/*"`) + "," + cond(equals, "aws:PrincipalAccount", `"222222222222"`)},
		{name: "a source identity is carried on unchanged", kind: RoleSessions, condition: cond(equals, "aws:SourceIdentity", `"alice"`) + "," + cond(like, "sts:SourceIdentity", `"bob"`)},
		{name: "a source identity carried on needs its action", kind: RoleSessions, action: "sts:AssumeRole", condition: cond(equals, "aws:SourceIdentity", `"alice"`)},
		{name: "a source identity needs its action", kind: Users, action: "sts:AssumeRole", condition: cond(equals, "sts:SourceIdentity", `"alice"`)},
		{name: "tags need their action", kind: Users, action: "sts:AssumeRole", condition: cond(equals, "aws:RequestTag/team", `"blue"`)},
		{name: "contexts need their action", kind: Users, action: "sts:AssumeRole", condition: cond("Null", "sts:RequestContextProviders", `"false"`)},
		{name: "a source ARN is of the source account", kind: Services, principal: `{"Service":"lambda.amazonaws.com"}`, condition: cond("ArnLike", "aws:SourceArn", `"arn:aws:lambda:*:444455556666:*"`) + "," + cond(equals, "aws:SourceAccount", `"999999999999"`)},
		{name: "a tag is among the tag keys", kind: Users, condition: cond("ForAllValues:StringEquals", "aws:TagKeys", `"project"`) + "," + cond(like, "aws:RequestTag/team", `"*"`)},
		{name: "a tag key has its tag", kind: Users, condition: cond("ForAnyValue:StringEquals", "aws:TagKeys", `"team"`) + "," + cond("Null", "aws:RequestTag/team", `"true"`)},
		{name: "tag keys differ by more than case", kind: Users, condition: cond("ForAnyValue:StringLike", "aws:TagKeys", `"x"`) + "," + cond("ForAnyValue:StringEquals", "aws:TagKeys", `"X"`)},
		{name: "the time is one in both spellings", kind: Users, condition: cond("DateLessThan", "aws:CurrentTime", `"2027-01-01T00:00:00Z"`) + "," + cond("NumericGreaterThan", "aws:EpochTime", `"1830000000"`)},
		{name: "a token is issued before it is used", kind: RoleSessions, condition: `"DateGreaterThan":{"aws:TokenIssueTime":"2027-01-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}`},
		{name: "a user's token shows MFA or its lack", kind: Users, condition: `"Null":{"aws:TokenIssueTime":"false","aws:MultiFactorAuthPresent":"true"}`},
		{name: "MFA or its lack shows a user's token", kind: Users, condition: `"Null":{"aws:TokenIssueTime":"true","aws:MultiFactorAuthPresent":"false"}`},
		{name: "an age needs MFA", kind: Users, condition: cond("NumericLessThan", "aws:MultiFactorAuthAge", `"60"`) + "," + cond("BoolIfExists", "aws:MultiFactorAuthPresent", `"false"`)},
		{name: "an address or an endpoint", kind: Users, condition: `"Null":{"aws:SourceIp":"false","aws:SourceVpce":"false"}`},
		{name: "from somewhere", kind: Users, condition: `"Null":{"aws:SourceIp":"true","aws:SourceVpce":"true"}`},
		{name: "equal keys are one", kind: Users, condition: cond(equals, name, `"${aws:username}"`) + "," + cond("StringNotLike", name, `"a*"`) + "," + cond(like, "aws:username", `"a*"`)},
		{name: "a name behind the last slash", kind: Users, condition: cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/*/${sts:RoleSessionName}"`) + "," + cond("StringNotLike", name, `"a*"`) + "," + cond(like, "aws:username", `"a*"`)},
		{name: "fixed text around a variable", kind: Users, condition: cond(like, name, `"${aws:username}-*"`) + "," + cond("StringNotLike", name, `"*-*"`)},
		{name: "what a value leaves for a variable", kind: Users, condition: cond(like, name, `"${aws:username}-*"`) + "," + cond(equals, name, `"audit-7"`) + "," + cond("StringNotEquals", "aws:username", `"audit"`)},
		{name: "the same in either case", kind: Users, condition: cond(equals, name, `"a${aws:PrincipalTag/team}b"`) + "," + cond("StringEqualsIgnoreCase", name, `"AxB"`) + "," + cond("StringNotEqualsIgnoreCase", "aws:PrincipalTag/team", `"x"`)},
		{name: "no value, no match", kind: Users, condition: cond(equals, name, `"${aws:PrincipalTag/team}"`) + "," + cond("Null", "aws:PrincipalTag/team", `"true"`)},
		{name: "a default", kind: Users, condition: cond(equals, name, `"${aws:PrincipalTag/team, 'blue'}"`) + "," + cond("StringNotEquals", name, `"blue"`) + "," + cond("Null", "aws:PrincipalTag/team", `"true"`)},
		{name: "a constant", kind: Users, condition: cond(equals, name, `"${aws:PrincipalType}"`) + "," + cond("StringNotLike", name, `"U*"`)},
		{name: "lengths in a circle", kind: Users, condition: `"StringLike":{"sts:RoleSessionName":"${sts:ExternalId}?*","sts:ExternalId":"${aws:PrincipalTag/a}?*","aws:PrincipalTag/a":"${sts:RoleSessionName}?*"}`},
		{name: "a narrower pattern", kind: Users, condition: cond(like, name, `"${aws:username}-a*"`) + "," + cond("StringNotLike", name, `"${aws:username}-*"`)},
		{name: "claims are one provider's", kind: OIDCIdentities, principal: `{"Federated":"` + smallOIDC + `"}`, condition: cond(like, "accounts.google.com:sub", `"*"`)},
		{name: "SAML has no external ID", kind: SAMLIdentities, principal: `{"Federated":"` + smallSAML + `"}`, condition: cond(like, "sts:ExternalId", `"*"`)},
		{name: "principals are the caller's account", kind: Users, principal: partner, condition: cond("StringNotEquals", "aws:PrincipalAccount", `"444455556666"`)},
		{name: "principals are the caller's name", kind: Users, principal: aliceOnly, condition: cond("StringNotEquals", "aws:username", `"alice"`)},
		{name: "the role's account is known", kind: Users, condition: cond("StringNotEquals", "aws:ResourceAccount", `"111122223333"`)},
	}
}

// TestEachTie has, for each tie, a document that is clean only because of it,
// and would not be if any one of its conditions were missing.
func TestEachTie(t *testing.T) {
	for _, tie := range everyTie() {
		t.Run(tie.name, func(t *testing.T) {
			principal, action := tie.principal, tie.action
			if principal == "" {
				principal = anyone
			}
			if action == "" {
				action = "sts:*"
			}
			d := parse(t, allow(principal, action, tie.condition))
			v := variant{kind: tie.kind}
			q := Query{World: world(), Callers: []Callers{{Kind: tie.kind}}, Actions: []string{v.assumeAction()}}
			if a := Find(d, q); a.Outcome != None {
				t.Fatalf("%v %v: %+v", a.Outcome, a.Undecided, a.Witness)
			}
			for i := range d.Statements[0].Conditions {
				less := d
				less.Statements = []policy.Statement{d.Statements[0]}
				less.Statements[0].Conditions = slices.Delete(slices.Clone(d.Statements[0].Conditions), i, i+1)
				if a := Find(less, q); a.Outcome != Found {
					t.Errorf("without condition %d: %v %v", i, a.Outcome, a.Undecided)
				}
			}
		})
	}
}
