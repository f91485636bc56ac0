package proof

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// guard is a document and what a region finds in it.
type guard struct {
	name string
	doc  string
	want Outcome
}

func runGuards(t *testing.T, q Query, guards []guard) {
	t.Helper()
	for _, g := range guards {
		t.Run(g.name, func(t *testing.T) {
			d := parse(t, g.doc)
			a := Find(d, q)
			if a.Outcome != g.want {
				t.Fatalf("outcome %v, want %v: %v\n%s\n%+v", a.Outcome, g.want, a.Undecided, g.doc, a.Witness)
			}
			if strings.Contains(strings.Join(a.Undecided, " "), "agree") {
				t.Errorf("open for the wrong reason: %q", a.Undecided)
			}
			if a.Outcome != Found {
				return
			}
			if r := access.Evaluate(d, *a.Witness); r.Decision != access.Allowed {
				t.Errorf("the witness is %v: %s", r.Decision, r.Reason)
			}
			if !meets(*a.Witness, q.Where) {
				t.Errorf("the witness is not in the region: %+v", *a.Witness)
			}
		})
	}
}

func cond(op, key, values string) string { return `"` + op + `":{"` + key + `":` + values + `}` }

// TestExternalIDGuards asks whether a partner is let in without the agreed
// external ID (T27-T34, T38, and the peers' mistakes 1, 2, 5, 10, 13).
func TestExternalIDGuards(t *testing.T) {
	q := Query{
		World: world(), Callers: outsiders(), Actions: assume,
		Where: [][]Requirement{require(Fails, "StringEquals", "sts:ExternalId", "acme-0123456789")},
	}
	id := `"acme-0123456789"`
	const key = "sts:ExternalId"
	with := func(c string) string { return allow(partner, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"no guard", with(""), Found},
		{"exact", with(cond("StringEquals", key, id)), None},
		{"T27 IfExists lets the key be absent", with(cond("StringEqualsIfExists", key, id)), Found},
		{"T28 ForAllValues lets the key be absent", with(cond("ForAllValues:StringEquals", key, id)), Found},
		{"ForAnyValue on a single-valued key guards", with(cond("ForAnyValue:StringEquals", key, id)), None},
		{"ForAnyValue with IfExists guards", with(cond("ForAnyValue:StringEqualsIfExists", key, id)), None},
		{"ForAllValues with Null guards", with(cond("ForAllValues:StringEquals", key, id) + "," + cond("Null", key, `"false"`)), None},
		{"T29 Null true asks for none", with(cond("Null", key, `"true"`)), Found},
		{"T29 a negated operator holds without the key", with(cond("StringNotEquals", key, `"x"`)), Found},
		{"T30 star", with(cond("StringLike", key, `"*"`)), Found},
		{"T30 one or more", with(cond("StringLike", key, `"?*"`)), Found},
		{"T30 two or more is every legal value", with(cond("StringLike", key, `"??*"`)), Found},
		{"T30 prefix", with(cond("StringLike", key, `"acme-*"`)), Found},
		{"no wildcard in StringLike guards", with(cond("StringLike", key, id)), None},
		{"a star under StringEquals is no legal value", with(cond("StringEquals", key, `"*"`)), None},
		{"a value of one character is no legal value", with(cond("StringEquals", key, `"x"`)), None},
		{"T31 one weak value of several", with(cond("StringLike", key, `[`+id+`,"x*"]`)), Found},
		{"case does not matter where it must not", with(cond("StringEqualsIgnoreCase", key, id)), Found},
		{"T32 a variable that names the key itself", with(cond("StringEquals", key, `"${sts:ExternalId}"`)), Found},
		{"T33 the same text without variables", `{"Version":"2008-10-17","Statement":[` + statementText("Allow", partner, "sts:AssumeRole", cond("StringEquals", key, `"${sts:ExternalId}"`)) + `]}`, None},
		{"T34 the key in other case", with(cond("StringEquals", "STS:externalid", id)), None},
		{"T35 a second Allow without it", document(statementText("Allow", partner, "sts:AssumeRole", cond("StringEquals", key, id)), statementText("Allow", partner, "sts:AssumeRole", "")), Found},
		{"a Deny for wrong values guards", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:AssumeRole", cond("StringNotEquals", key, id))), None},
		{"T40 a Deny with IfExists lets the key be absent", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:AssumeRole", cond("StringNotEqualsIfExists", key, id))), None},
		{"T40 a Deny for another principal", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", ownRoot, "sts:AssumeRole", cond("StringNotEquals", key, id))), Found},
		{"T40 a Deny for another action", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:TagSession", cond("StringNotEquals", key, id))), Found},
		{"T40 a Deny on one session", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", `{"AWS":"arn:aws:sts::444455556666:assumed-role/a/bob"}`, "sts:AssumeRole", "")), Found},
		{"other keys beside it do no harm", with(`"StringEquals":{"sts:ExternalId":` + id + `,"custom:thing":"v"}`), None},
		{"an empty list leaves it open", with(cond("StringEquals", key, `[]`)), Unknown},
		{"an unknown operator leaves it open", with(cond("StringResembles", key, `"a"`)), Unknown},
		{"an unknown operator beside a guard does not", with(cond("StringResembles", key, `"a"`) + "," + cond("StringEquals", key, id)), None},
		{"T38 services have no external ID", allow(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole", cond("StringEquals", key, id)), None},
		{"numbers", with(cond("NumericEquals", key, `"42"`)), Found},
	})
}

// TestPublicGuards asks whether outsiders are let in at all (T36, T39, T41 and
// the peers' mistakes 3, 4, 6, 8, 9, 10, 14, 15).
func TestPublicGuards(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	with := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"anyone", with(""), Found},
		{"T36 all of STS", allow(anyone, "sts:*", ""), Found},
		{"T36 star", allow(anyone, "*", ""), Found},
		{"T36 prefix in other case", allow(anyone, "STS:assume*", ""), Found},
		{"T36 question marks", allow(anyone, "sts:Assume????", ""), Found},
		{"T36 NotAction", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":"sts:TagSession"}}`, Found},
		{"T36 NotAction of it", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":"sts:A*"}}`, None},
		{"another action", allow(anyone, "sts:AssumeRoleWithSAML", ""), None},
		{"organization", with(cond("StringEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`)), None},
		{"another organization", with(cond("StringEquals", "aws:PrincipalOrgID", `["o-exampleorg1","o-otherorgan"]`)), Found},
		{"organization with IfExists", with(cond("StringEqualsIfExists", "aws:PrincipalOrgID", `"o-exampleorg1"`)), Found},
		{"organization by pattern", with(cond("StringLike", "aws:PrincipalOrgID", `"o-*"`)), Found},
		{"paths of the organization (mistake 9)", with(cond("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", `"o-exampleorg1/*"`)), None},
		{"paths of any organization", with(cond("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", `"o-*"`)), Found},
		{"paths under ForAllValues", with(cond("ForAllValues:StringLike", "aws:PrincipalOrgPaths", `"o-exampleorg1/*"`)), Found},
		{"paths without a set operator", with(cond("StringLike", "aws:PrincipalOrgPaths", `"o-exampleorg1/*"`)), Unknown},
		{"mistake 6: the role's account", with(cond("StringEquals", "aws:ResourceAccount", `"111122223333"`)), Found},
		{"mistake 6: the role's organization", with(cond("StringEquals", "aws:ResourceOrgID", `"o-exampleorg1"`)), Found},
		{"the role's account, wrong", with(cond("StringEquals", "aws:ResourceAccount", `"444455556666"`)), None},
		{"a tag of the role", with(cond("StringEquals", "aws:ResourceTag/open", `"yes"`)), Unknown},
		{"mistake 3: any source account", with(cond("StringLike", "aws:SourceAccount", `"*"`)), None},
		{"mistake 3: any user name", with(cond("StringLike", "aws:username", `"*"`)), Found},
		{"mistake 3: any user id", with(cond("StringLike", "aws:userid", `"*"`)), Found},
		{"a user id", with(cond("StringLike", "aws:userid", `"AROAEXAMPLEAPPLICATI1:*"`)), Found},
		{"no legal user id", with(cond("StringEquals", "aws:userid", `"AROAEXAMPLE"`)), None},
		{"mistake 4: all addresses", with(cond("IpAddress", "aws:SourceIp", `"0.0.0.0/0"`)), Found},
		{"mistake 4: all but some", with(cond("NotIpAddress", "aws:SourceIp", `"10.0.0.0/8"`)), Found},
		{"an address that nobody can have twice", with(cond("IpAddress", "aws:SourceIp", `"192.0.2.0/24"`) + "," + cond("NotIpAddress", "aws:SourceIp", `"192.0.2.0/23"`)), None},
		{"two halves leave nothing", with(cond("IpAddress", "aws:SourceIp", `"192.0.2.0/24"`) + "," + cond("NotIpAddress", "aws:SourceIp", `["192.0.2.0/25","192.0.2.128/25"]`)), None},
	})
}

// TestPublicGuardsToo goes on with TestPublicGuards.
func TestPublicGuardsToo(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	with := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"a gap between ranges is found", with(cond("IpAddress", "aws:SourceIp", `"192.0.2.0/24"`) + "," + cond("NotIpAddress", "aws:SourceIp", `["192.0.2.0/25","192.0.2.129/32","192.0.2.192/26"]`)), Found},
		{"an endpoint and an address", with(cond("StringLike", "aws:SourceVpce", `"vpce-*"`) + "," + cond("IpAddress", "aws:SourceIp", `"192.0.2.0/24"`)), None},
		{"mistake 8: a Deny for all who are not members", document(statementText("Allow", anyone, "sts:AssumeRole", ""), statementText("Deny", anyone, "*", cond("StringNotEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`))), None},
		{"a Deny that services escape", document(statementText("Allow", anyone, "sts:AssumeRole", ""), statementText("Deny", anyone, "*", cond("StringNotEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`)+","+cond("Bool", "aws:PrincipalIsAWSService", `"false"`))), None},
		{"mistake 14: a star among others", allow(`{"AWS":["111122223333","*"]}`, "sts:AssumeRole", ""), Found},
		{"T39 the bare star", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`, Found},
		{"T39 another partition", allow(`{"AWS":"arn:aws-cn:iam::444455556666:root"}`, "sts:AssumeRole", ""), None},
		{"T39 a federated user cannot call", allow(`{"AWS":"arn:aws:sts::444455556666:federated-user/bob"}`, "sts:AssumeRole", ""), None},
		{"T39 one session", allow(`{"AWS":"arn:aws:sts::444455556666:assumed-role/app/bob"}`, "sts:AssumeRole", ""), Found},
		{"T39 a unique id that IAM shows is nobody's", allow(`{"AWS":"AROAEXAMPLEAPPLICATI1"}`, "sts:AssumeRole", ""), None},
		{"T39 a canonical user", allow(`{"CanonicalUser":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`, "sts:AssumeRole", ""), Unknown},
		{"T41 NotPrincipal", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`, Unknown},
		{"Resource", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Resource":"*"}}`, Unknown},
		{"members only by account", with(cond("StringEquals", "aws:PrincipalAccount", `["111122223333","222222222222"]`)), None},
		{"one account too many", with(cond("StringEquals", "aws:PrincipalAccount", `["111122223333","333333333333"]`)), Found},
		{"account by pattern", with(cond("StringLike", "aws:PrincipalAccount", `"1111*"`)), Found},
		{"account by full-length pattern", with(cond("StringLike", "aws:PrincipalAccount", `"11112222333?"`) + "," + cond("StringNotLike", "aws:PrincipalAccount", `["*0","*1","*2","*4","*5","*6","*7","*8","*9"]`)), None},
		{"a wildcard does not cross colons in ArnLike", with(cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::111122223333*:role/app"`)), None},
		{"it does in StringLike", with(cond("StringLike", "aws:PrincipalArn", `"arn:aws:iam::*111122223333*"`)), Found},
		{"dates", with(cond("DateLessThan", "aws:CurrentTime", `"2026-12-31T00:00:00Z"`)), Found},
		{"dates past", with(cond("DateLessThan", "aws:CurrentTime", `"2026-01-31T00:00:00Z"`)), None},
		{"epoch past", with(cond("NumericLessThan", "aws:EpochTime", `"1500000000"`)), None},
		{"epoch and date are one time", with(cond("DateLessThan", "aws:CurrentTime", `"2027-01-01T00:00:00Z"`) + "," + cond("NumericGreaterThan", "aws:EpochTime", `"1830000000"`)), None},
		{"no encryption cannot be", with(cond("Bool", "aws:SecureTransport", `"false"`)), None},
		{"a Bool value in capitals", with(cond("Bool", "aws:MultiFactorAuthPresent", `"TRUE"`)), Unknown},
		{"an ArnLike pattern of five parts", with(cond("ArnLike", "aws:PrincipalArn", `"*"`)), Unknown},
		{"an unknown key asked for", with(cond("StringEquals", "custom:thing", `"v"`)), Unknown},
		{"an unknown key under IfExists", with(cond("StringEqualsIfExists", "custom:thing", `"v"`)), Found},
		{"an unknown key that must be absent", with(cond("Null", "custom:thing", `"true"`)), Unknown},
		{"an unknown key that a Deny asks for", document(statementText("Allow", anyone, "sts:AssumeRole", cond("StringEqualsIfExists", "custom:thing", `"v"`)), statementText("Deny", anyone, "*", cond("Null", "custom:thing", `"true"`))), Unknown},
		{"principal tags are the caller's", with(cond("StringEquals", "aws:PrincipalTag/team", `"blue"`)), Found},
		{"two tags at once", with(cond("StringEquals", "aws:PrincipalTag/team", `"blue"`) + "," + cond("StringLike", "aws:principaltag/Team", `"red"`)), None},
	})
}

// TestKindGuards asks by the kind of caller.
func TestKindGuards(t *testing.T) {
	const github = `{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`
	const saml = `{"Federated":"arn:aws:iam::111122223333:saml-provider/idp"}`
	sub := "token.actions.githubusercontent.com:sub"
	web := func(c string) string { return allow(github, "sts:AssumeRoleWithWebIdentity", c) }
	oidc := Query{
		World: world(), Callers: []Callers{{Kind: OIDCIdentities}}, Actions: []string{"sts:AssumeRoleWithWebIdentity"},
		Where: [][]Requirement{require(Fails, "StringLike", sub, "repo:acme/app:*")},
	}
	runGuards(t, oidc, []guard{
		{"T43 audience only", web(cond("StringEquals", "token.actions.githubusercontent.com:aud", `"sts.amazonaws.com"`)), Found},
		{"T43 the repository", web(cond("StringLike", sub, `"repo:acme/app:*"`)), None},
		{"T43 one branch", web(cond("StringEquals", sub, `"repo:acme/app:ref:refs/heads/main"`)), None},
		{"T43 any repository of an organization", web(cond("StringLike", sub, `"repo:acme/*"`)), Found},
		{"T43 ForAllValues: the subject is always there", web(cond("ForAllValues:StringLike", sub, `"repo:acme/app:*"`)), None},
		{"IfExists: the subject is always there", web(cond("StringLikeIfExists", sub, `"repo:acme/app:*"`)), None},
		{"another provider's claim is never there", web(cond("StringLike", "accounts.google.com:sub", `"repo:acme/app:*"`)), None},
		{"the wrong action for the provider", allow(github, "sts:AssumeRoleWithSAML", ""), None},
		{"AWS star", allow(anyone, "sts:AssumeRoleWithWebIdentity", ""), Unknown},
		{"Federated star", allow(`{"Federated":"*"}`, "sts:AssumeRoleWithWebIdentity", ""), Unknown},
		{"a user name is never there", web(cond("StringLike", "aws:username", `"*"`)), None},
	})
	samlQuery := Query{
		World: world(), Callers: []Callers{{Kind: SAMLIdentities}}, Actions: []string{"sts:AssumeRoleWithSAML"},
		Where: [][]Requirement{require(Fails, "StringEquals", "SAML:aud", "https://signin.aws.amazon.com/saml")},
	}
	runGuards(t, samlQuery, []guard{
		{"no audience", allow(saml, "sts:AssumeRoleWithSAML", ""), Found},
		{"the audience", allow(saml, "sts:AssumeRoleWithSAML", cond("StringEquals", "SAML:aud", `"https://signin.aws.amazon.com/saml"`)), None},
		{"external IDs are never there (T38)", allow(saml, "sts:AssumeRoleWithSAML", cond("StringLike", "sts:ExternalId", `"*"`)), None},
	})
	service := Query{
		World: world(), Callers: []Callers{{Kind: Services}}, Actions: assume,
		Where: [][]Requirement{require(Fails, "StringEquals", "aws:SourceAccount", "111122223333"), require(Fails, "ArnLike", "aws:SourceArn", "arn:aws:*:*:111122223333:*")},
	}
	lambda := func(c string) string { return allow(`{"Service":"lambda.amazonaws.com"}`, "sts:AssumeRole", c) }
	runGuards(t, service, []guard{
		{"T44 no source", lambda(""), Found},
		{"T44 source account", lambda(cond("StringEquals", "aws:SourceAccount", `"111122223333"`)), None},
		{"T44 source ARN", lambda(cond("ArnLike", "aws:SourceArn", `"arn:aws:lambda:*:111122223333:function:*"`)), None},
		{"mistake 3: any source ARN", lambda(cond("ArnLike", "aws:SourceArn", `"*:*:*:*:*:*"`)), Found},
		{"tie: the ARN's account is the source account", lambda(cond("StringEquals", "aws:SourceAccount", `"999999999999"`) + "," + cond("ArnLike", "aws:SourceArn", `"arn:aws:lambda:*:1234????????:function:*"`)), None},
		{"tie: an ARN without account", lambda(cond("StringEquals", "aws:SourceAccount", `"999999999999"`) + "," + cond("ArnLike", "aws:SourceArn", `"arn:aws:s3:::*"`)), Found},
		{"mistake 11: a neighbour without a guard", document(statementText("Allow", `{"Service":["ec2.amazonaws.com","lambda.amazonaws.com"]}`, "sts:AssumeRole", "")), Found},
		{"Service star", allow(`{"Service":"*"}`, "sts:AssumeRole", ""), Unknown},
	})
	mfa := Query{World: world(), Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "Bool", "aws:MultiFactorAuthPresent", "true")}}
	runGuards(t, mfa, []guard{
		{"Bool", allow(ownRoot, "sts:AssumeRole", cond("Bool", "aws:MultiFactorAuthPresent", `"true"`)), None},
		{"Bool without quotes", allow(ownRoot, "sts:AssumeRole", cond("Bool", "aws:MultiFactorAuthPresent", `true`)), None},
		{"BoolIfExists", allow(ownRoot, "sts:AssumeRole", cond("BoolIfExists", "aws:MultiFactorAuthPresent", `"true"`)), Found},
		{"tie: an age needs a sign-in", allow(ownRoot, "sts:AssumeRole", cond("NumericLessThan", "aws:MultiFactorAuthAge", `"3600"`)), None},
	})
}
