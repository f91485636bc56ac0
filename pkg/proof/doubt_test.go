package proof

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// unsettled are constructs whose meaning AWS leaves open, each as an Allow.
var unsettledAllows = []string{
	`{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`,
	`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*","Resource":"*"}`,
	`{"Effect":"Allow","Principal":{"Service":"*"},"Action":"sts:*"}`,
	`{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"sts:*"}`,
	`{"Effect":"Allow","Principal":{"CanonicalUser":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},"Action":"sts:*"}`,
	statementText("Allow", anyone, "sts:*", cond("StringResembles", "sts:ExternalId", `"a"`)),
	statementText("Allow", anyone, "sts:*", cond("StringEquals", "sts:ExternalId", `[]`)),
	statementText("Allow", anyone, "sts:*", cond("StringEquals", "aws:TagKeys", `"a"`)),
	statementText("Allow", anyone, "sts:*", cond("Bool", "aws:MultiFactorAuthPresent", `"TRUE"`)),
	statementText("Allow", anyone, "sts:*", cond("ArnLike", "aws:PrincipalArn", `"*"`)),
	statementText("Allow", anyone, "sts:*", cond("Null", "sts:ExternalId", `"maybe"`)),
	statementText("Allow", anyone, "sts:*", cond("StringEquals", "aws:ResourceTag/open", `"yes"`)),
	statementText("Allow", anyone, "sts:*", cond("StringEquals", "custom:key", `"yes"`)),
	statementText("Allow", anyone, "sts:*", cond("StringLike", "sts:RoleSessionName", `"${aws:username"`)),
	`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*","NotResource":"arn:aws:s3:::x"}`,
	`{"Effect":"Allow","Principal":{"AWS":"somebody"},"Action":"sts:*"}`,
	statementText("Allow", anyone, "sts:*", cond("ForAllValues:StringEquals", "sts:ExternalId", `[]`)),
	statementText("Allow", anyone, "sts:*", cond("NullIfExists", "sts:ExternalId", `"true"`)),
	statementText("Allow", anyone, "sts:*", cond("ArnNotLike", "sts:RoleSessionName", `"arn:aws:iam::*:role/x"`)+","+cond("StringLike", "sts:ExternalId", `"no*"`)),
	statementText("Allow", anyone, "sts:*", cond("NumericEquals", "aws:MultiFactorAuthAge", `"${aws:userid}"`)),
	statementText("Allow", anyone, "sts:*", cond("DateLessThan", "aws:CurrentTime", `"tomorrow"`)),
	statementText("Allow", anyone, "sts:*", cond("NumericLessThan", "aws:CurrentTime", `"5"`)),
	statementText("Allow", anyone, "sts:*", cond("StringLike", "aws:CurrentTime", `"1999-*"`)),
	statementText("Allow", anyone, "sts:*", cond("IpAddress", "aws:SourceIp", `"office"`)),
	statementText("Allow", anyone, "sts:*", cond("BinaryEquals", "sts:ExternalId", `"YWI="`)),
	statementText("Allow", anyone, "sts:*", cond("ForAnyValue:StringEquals", "aws:TagKeys", `"${aws:PrincipalTag/x}"`)),
	statementText("Allow", anyone, "sts:*", cond("Bool", "aws:ViaAWSService", `"true"`)),
	statementText("Allow", anyone, "sts:*", cond("StringEquals", "aws:CalledViaFirst", `"kms.amazonaws.com"`)),
}

// TestDoubtIsNoHidingPlace appends each unsettled construct, as an Allow, to
// documents with a breach: the breach stays found. As a Deny it may leave the
// answer open, but never hide it.
func TestDoubtIsNoHidingPlace(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	for _, flagged := range []string{
		statementText("Allow", anyone, "sts:AssumeRole", ""),
		statementText("Allow", partner, "sts:*", cond("StringLike", "sts:ExternalId", `"*"`)),
		statementText("Allow", anyone, "sts:AssumeRole", cond("StringNotEquals", "aws:username", `"mallory"`)),
	} {
		for _, doubtful := range unsettledAllows {
			doc := document(flagged, doubtful)
			if a := Find(parse(t, doc), q); a.Outcome != Found {
				t.Errorf("%v %v\n%s", a.Outcome, a.Undecided, doc)
			}
			doc = document(flagged, strings.Replace(doubtful, "Allow", "Deny", 1))
			if a := Find(parse(t, doc), q); a.Outcome == None || a.Outcome == Unknown && len(a.Undecided) == 0 {
				t.Errorf("%v %v\n%s", a.Outcome, a.Undecided, doc)
			}
		}
	}
}

// TestDoubtMakesNothingClean appends each unsettled construct to documents
// without a breach: as a Deny it changes nothing, as an Allow it is never taken
// for a breach, and where it leaves the answer open it is named.
func TestDoubtMakesNothingClean(t *testing.T) {
	q := Query{World: world(), Callers: append(outsiders(), Callers{Kind: Services}), Actions: assume}
	for _, clean := range []string{
		statementText("Allow", ownRoot, "sts:AssumeRole", ""),
		statementText("Allow", anyone, "sts:AssumeRole", cond("StringEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`)),
		statementText("Allow", ownRoot, "sts:*", cond("StringLike", "sts:RoleSessionName", `"${aws:username}"`)),
	} {
		if a := Find(parse(t, document(clean)), q); a.Outcome == Found {
			t.Fatalf("a breach of its own: %s", clean)
		}
		alone := Find(parse(t, document(clean)), q).Outcome
		for _, doubtful := range unsettledAllows {
			doc := document(clean, doubtful)
			a := Find(parse(t, doc), q)
			if a.Outcome == Found || a.Outcome == Unknown && len(a.Undecided) == 0 {
				t.Errorf("%v %v\n%s", a.Outcome, a.Undecided, doc)
			}
			doc = document(clean, strings.Replace(doubtful, "Allow", "Deny", 1))
			if a := Find(parse(t, doc), q); a.Outcome != alone {
				t.Errorf("%v %v\n%s", a.Outcome, a.Undecided, doc)
			}
		}
	}
}

// TestDoubtIsNamed shows which element leaves an answer open.
func TestDoubtIsNamed(t *testing.T) {
	doc := document(statementText("Allow", ownRoot, "sts:AssumeRole", ""), statementText("Allow", anyone, "sts:AssumeRole", cond("StringResembles", "sts:ExternalId", `"a"`)))
	a := Find(parse(t, doc), Query{World: world(), Callers: outsiders(), Actions: assume})
	if a.Outcome != Unknown || len(a.Undecided) != 1 || a.Undecided[0] != "Statement[1].Condition.StringResembles.sts:ExternalId" {
		t.Errorf("%v %q", a.Outcome, a.Undecided)
	}
}

// TestExtraActions is about one AssumeRole call being a conjunction: what it
// carries must be allowed too.
func TestExtraActions(t *testing.T) {
	w := world()
	set := Query{World: w, Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Holds, "StringLike", "sts:SourceIdentity", "*")}}
	runGuards(t, set, []guard{
		{"the source identity may not be set", allow(partner, "sts:AssumeRole", ""), None},
		{"it may", allow(partner, `["sts:AssumeRole","sts:SetSourceIdentity"]`, ""), Found},
		{"in two statements", document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Allow", anyone, "sts:SetSourceIdentity", "")), Found},
		{"it is required and may not be set", allow(partner, "sts:AssumeRole", cond("StringEquals", "sts:SourceIdentity", `"alice"`)), None},
		{"it is denied", document(statementText("Allow", partner, "sts:*", ""), statementText("Deny", anyone, "sts:SetSourceIdentity", "")), None},
	})
	tags := Query{World: w, Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Holds, "StringEquals", "aws:RequestTag/team", "blue")}}
	runGuards(t, tags, []guard{
		{"tags may not be passed", allow(partner, "sts:AssumeRole", ""), None},
		{"they may", allow(partner, "sts:*", ""), Found},
		{"tie: a tag is among the tag keys", allow(partner, "sts:*", cond("ForAllValues:StringEquals", "aws:TagKeys", `["project","cost"]`)), None},
		{"tie: and may be", allow(partner, "sts:*", cond("ForAllValues:StringEquals", "aws:TagKeys", `["project","team"]`)), Found},
	})
	keys := Query{World: w, Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Holds, "ForAnyValue:StringEquals", "sts:TransitiveTagKeys", "team")}}
	runGuards(t, keys, []guard{
		{"tags may be passed on", allow(partner, "sts:*", ""), Found},
	})
	chained := Query{World: w, Callers: []Callers{{Kind: RoleSessions}}, Actions: assume}
	runGuards(t, chained, []guard{
		{"tie: a session keeps its source identity", allow(partner, "sts:*", cond("StringEquals", "aws:SourceIdentity", `"alice"`)+`,"StringLike":{"sts:SourceIdentity":"bob"}`), None},
		{"tie: and passes it on", allow(partner, "sts:*", cond("StringEquals", "aws:SourceIdentity", `"alice"`)+`,"StringLike":{"sts:SourceIdentity":"ali*"}`), Found},
		{"tie: it needs the action", allow(partner, "sts:AssumeRole", cond("StringEquals", "aws:SourceIdentity", `"alice"`)), None},
	})
}

// TestTies has, for each tie between keys, documents that are clean only
// because of it.
func TestTies(t *testing.T) {
	q := Query{World: world(), Callers: []Callers{{Kind: Users}}, Actions: assume}
	with := func(c string) string { return allow(anyone, "sts:*", c) }
	runGuards(t, q, []guard{
		{"ARN and account", with(cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::444455556666:user/*"`) + `,"StringEquals":{"aws:PrincipalAccount":"111122223333"}`), None},
		{"ARN and user name", with(cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/team/alice"`) + `,"StringNotLike":{"aws:username":"a*"},"Null":{"aws:username":"false"}`), None},
		{"ARN and user name, a path in between", with(cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/a*"`) + `,"StringNotLike":{"aws:username":"a*"}`), Found},
		{"ARN and kind", with(cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/*"`)), None},
		{"type", with(cond("StringEquals", "aws:PrincipalType", `"AssumedRole"`)), None},
		{"principal and account", allow(aliceOnly, "sts:*", cond("StringNotEquals", "aws:PrincipalAccount", `"111122223333"`)), None},
		{"principal and name", allow(aliceOnly, "sts:*", cond("StringNotEquals", "aws:username", `"alice"`)+`,"Null":{"aws:username":"false"}`), None},
		{"account and organization", with(cond("StringEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`) + `,"StringNotEquals":{"aws:PrincipalAccount":["111122223333","222222222222"]}`), None},
		{"name in a pattern, equal", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:username}"`) + `,"StringNotLike":{"aws:username":"a*"},"StringLike":{"sts:RoleSessionName":"a*"}`), None},
		{"name in a pattern, lengths", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:username}"`) + `,"StringLike":{"aws:username":"?"}`), None},
		{"name as a prefix", with(cond("StringLike", "sts:RoleSessionName", `"${aws:username}-*"`) + `,"StringNotLike":{"sts:RoleSessionName":"*-*"}`), None},
		{"name as a prefix of fixed text", with(cond("StringLike", "sts:RoleSessionName", `"${aws:username}-*"`) + `,"StringEquals":{"sts:RoleSessionName":"audit-7","aws:username":"bob"}`), None},
		{"name as a prefix, found from the text", with(cond("StringLike", "sts:RoleSessionName", `"${aws:username}-*"`) + `,"StringEquals":{"sts:RoleSessionName":"audit-7"}`), Found},
		{"name as a suffix, found from the text", with(cond("StringLike", "sts:RoleSessionName", `"team-${aws:username}"`) + `,"StringEqualsIgnoreCase":{"sts:RoleSessionName":"team-zoe"}`), Found},
		{"two names of one caller", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:username}"`) + `,"StringLike":{"sts:SourceIdentity":"${aws:username}"},"StringNotEquals":{"sts:SourceIdentity":"${sts:RoleSessionName}"}`), None},
		{"a default", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:PrincipalTag/team, 'blue'}"`) + `,"StringNotEquals":{"sts:RoleSessionName":"blue"},"Null":{"aws:PrincipalTag/team":"true"}`), None},
		{"a default that is used", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:PrincipalTag/team, 'blue'}"`) + `,"Null":{"aws:PrincipalTag/team":"true"}`), Found},
		{"no value, no match", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:PrincipalTag/team}"`) + `,"Null":{"aws:PrincipalTag/team":"true"}`), None},
		{"a constant in a pattern", with(cond("StringEquals", "sts:RoleSessionName", `"${aws:PrincipalType}"`) + `,"StringNotLike":{"sts:RoleSessionName":"U*"}`), None},
		{"the account in a pattern", with(cond("StringLike", "sts:ExternalId", `"${aws:PrincipalAccount}/*"`) + `,"StringEquals":{"aws:PrincipalAccount":"444455556666"},"StringNotLike":{"sts:ExternalId":"4*"}`), None},
		{"unrelated keys stay free", with(cond("StringNotEquals", "sts:RoleSessionName", `"${aws:username}"`)), Found},
	})
	sessions := Query{World: world(), Callers: []Callers{{Kind: RoleSessions}}, Actions: assume}
	runGuards(t, sessions, []guard{
		{"user id and session", allow(`{"AWS":"arn:aws:sts::444455556666:assumed-role/app/bob"}`, "sts:*", cond("StringNotLike", "aws:userid", `"*:bob"`)), None},
		{"session and role", allow(`{"AWS":"arn:aws:sts::444455556666:assumed-role/app/bob"}`, "sts:*", cond("ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::444455556666:role/*app"`)), None},
		{"no user name", with(cond("StringLike", "sts:RoleSessionName", `"${aws:username}"`)), None},
	})
}

// TestWitnessIsSmall is about what a reader sees: nothing that the breach does not need.
func TestWitnessIsSmall(t *testing.T) {
	a := Find(parse(t, allow(partner, "sts:*", "")), Query{World: world(), Callers: outsiders(), Actions: assume})
	want := map[string]access.Value{
		"aws:PrincipalArn": access.One("arn:aws:iam::444455556666:user/mallory"), "aws:PrincipalAccount": access.One("444455556666"),
		"aws:PrincipalType": access.One("User"), "aws:username": access.One("mallory"), "aws:userid": access.One("AIDAEXAMPLEMALLORY000"),
		"sts:RoleSessionName": access.One("bob"),
	}
	if a.Outcome != Found || len(a.Witness.Context) != len(want) || len(a.Witness.Actions) != 1 {
		t.Fatalf("%+v", a.Witness)
	}
	for k, v := range want {
		if got, _ := a.Witness.Get(k); len(got.Values) != 1 || got.Values[0] != v.Values[0] {
			t.Errorf("%s is %v, want %v", k, got, v)
		}
	}
	if len(a.Statements) != 1 || a.Statements[0] != 0 {
		t.Errorf("statements %v", a.Statements)
	}
}

// TestReasonsForgeNoLines is about names that hold control characters (T79):
// what is told of an open element is plain ASCII on one line.
func TestReasonsForgeNoLines(t *testing.T) {
	for _, doc := range []string{
		allow(anyone, "sts:AssumeRole", `"StringEquals\u0085undecided":{"a\u009b31m":"x"}`),
		allow(anyone, "sts:AssumeRole", `"StringEquals":{"a\u009b31m:\u00ad\nx":"x"}`),
		allow(`{"AWS":"some\nbody\u009b"}`, "sts:AssumeRole", ""),
		allow(anyone, "sts:AssumeRole", `"StringEquals":{"`+strings.Repeat("x", 5000)+`":"x"}`),
	} {
		a := Find(parse(t, doc), Query{World: world(), Callers: outsiders(), Actions: assume})
		if a.Outcome != Unknown {
			t.Errorf("%v: %s", a.Outcome, doc)
		}
		for _, why := range a.Undecided {
			if len(why) > 1000 || strings.ContainsFunc(why, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%q", why)
			}
		}
	}
}
