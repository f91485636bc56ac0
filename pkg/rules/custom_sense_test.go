package rules

import (
	"strings"
	"testing"
)

// A slip by which a rule of one's own would flag every role that lets its
// callers in is told of when the file is read, with its place, and shows no
// external ID; what some request can meet is taken.
func TestDemandsThatNobodyCanMeet(t *testing.T) {
	users, roles := "[{kind: users}]", "[{kind: roles}]"
	for _, tt := range []struct{ name, callers, demand, want string }{
		{
			"two names at once", users, "require: [{operator: StringEquals, key: aws:username, values: [alice]}, {operator: StringEquals, key: aws:username, values: [bob]}]",
			`4:58: "own": no request of users can meet all of its conditions at once`,
		},
		{
			"asked for and forbidden", users, "require: [{operator: StringEquals, key: aws:username, values: [alice]}], forbid: [{operator: StringLike, key: aws:username, values: ['a*']}]",
			`4:58: "own": no request of users can meet all of its conditions at once`,
		},
		{
			"a user's key of roles", "[{kind: users}, {kind: roles}]", "require: [{operator: StringEquals, key: aws:username, values: [alice]}]",
			`4:73: "own": no request of role sessions can be one with StringEquals aws:username "alice"`,
		},
		{
			"a person's key of services", "[{kind: services}]", "require: [{operator: StringEquals, key: aws:username, values: [alice]}]",
			`4:58: "own": no request of services can be one with StringEquals aws:username "alice"`,
		},
		{"no account", users, "require: [{operator: StringEquals, key: aws:PrincipalAccount, values: [prod]}]", `with StringEquals aws:PrincipalAccount "prod"`},
		{"no variable", users, "require: [{operator: StringEquals, key: sts:RoleSessionName, values: ['${aws:username']}]", `with StringEquals sts:RoleSessionName "${aws:username"`},
		{"no variable that is known", users, "require: [{operator: StringEquals, key: aws:SourceVpc, values: ['${aws:usrname}']}]", `of users is one with StringEquals aws:SourceVpc "${aws:usrname}" cannot be decided: write`},
		{"no number", roles, "require: [{operator: NumericEquals, key: sts:ExternalId, values: [hunter2-hunter2]}]", `with NumericEquals sts:ExternalId ***`},
		{"all forbidden", roles, "forbid: [{operator: StringLike, key: sts:RoleSessionName, values: ['*']}]", `without StringLike sts:RoleSessionName "*"`},
		{"an identity that AWS does not know", "[{kind: oidc, names: [gitlab.com]}]", "require: [{operator: StringEquals, key: aws:username, values: [alice]}]", `of callers of OIDC providers: gitlab.com can be one`},

		{"a tag", roles, "require: [{operator: StringEquals, key: aws:PrincipalTag/team, values: [payments]}]", ""},
		{"one of two", "[{kind: users}, {kind: roles}]", "require: [{anyOf: [{operator: StringEquals, key: aws:username, values: [alice]}, {operator: ArnLike, key: aws:PrincipalArn, values: ['arn:aws:iam::*:role/x']}]}]", ""},
		{"an external ID", "[{kind: users, accounts: ['444455556666']}]", "require: [{operator: StringEquals, key: sts:ExternalId, values: [hunter2-hunter2]}]", ""},
		{"a variable", users, "require: [{operator: StringLike, key: sts:RoleSessionName, values: ['${aws:username}']}]", ""},
		{"claims", "[{kind: oidc, names: [token.actions.githubusercontent.com]}]", "require: [{operator: StringLike, key: 'token.actions.githubusercontent.com:sub', values: ['repo:acme/*']}]", ""},
		{"claims of any provider", "[{kind: oidc}]", "require: [{operator: StringLike, key: 'token.actions.githubusercontent.com:sub', values: ['repo:acme/*']}]", ""},
		{"an assertion", "[{kind: saml}]", "require: [{operator: StringEquals, key: SAML:aud, values: ['https://signin.aws.amazon.com/saml']}]", ""},
		{"a source", "[{kind: services, except: [ec2.amazonaws.com]}]", "require: [{operator: StringEquals, key: aws:SourceAccount, values: ['111122223333']}]", ""},
		{"an organization", "[{kind: roles, accounts: outside}]", "require: [{operator: StringEquals, key: aws:PrincipalOrgID, values: [o-theirorgid1]}]", ""},
		{"tags of a session", users, "actions: [sts:TagSession], require: [{operator: 'ForAllValues:StringEquals', key: aws:TagKeys, values: [team]}]", ""},
		{"several units", "[{kind: roles}]", "require: [{operator: 'ForAnyValue:StringLike', key: aws:PrincipalOrgPaths, values: ['o-exampleorgid/*/ou-abcd-11111111/*']}]", ""},
		{"a date", users, "require: [{operator: DateLessThan, key: aws:CurrentTime, values: ['2027-01-31T00:00:00Z']}]", ""},
		{"a tag like the caller's", users, "actions: [sts:TagSession], require: [{operator: StringEquals, key: aws:RequestTag/team, values: ['${aws:PrincipalTag/team}']}]", ""},
		{"a variable with a default", users, "require: [{operator: StringEquals, key: sts:RoleSessionName, values: [\"${aws:PrincipalTag/name, 'none'}\"]}]", ""},
		{"a variable in an ARN", roles, "require: [{operator: ArnLike, key: aws:PrincipalArn, values: ['arn:aws:iam::${aws:PrincipalAccount}:role/x-*']}]", ""},
		{"if it is there", users, "require: [{operator: StringEqualsIfExists, key: aws:SourceVpc, values: [vpc-0a1b2c3d]}]", ""},
		{"an address", users, "require: [{operator: IpAddress, key: aws:SourceIp, values: [203.0.113.0/24]}, {operator: Bool, key: aws:SecureTransport, values: ['true']}]", ""},
		{"an age", users, "require: [{operator: NumericLessThan, key: aws:MultiFactorAuthAge, values: ['3600']}]", ""},
		{"the partner's", "[{kind: roles, accounts: partners}]", "require: [{operator: StringEquals, key: aws:SourceIdentity, values: [Saanvi]}]", ""},
		{"carried identity", roles, "actions: [sts:SetSourceIdentity], require: [{operator: StringLike, key: sts:SourceIdentity, values: ['*@acme.example']}]", ""},
		{"nobody", users, "never: true", ""},
	} {
		file := rulesFile(t, bare+"partners: [{name: acme, accounts: ['444455556666']}]\ncustomRules:\n  - {id: own, title: One's own, why: it is so, callers: "+tt.callers+", "+tt.demand+"}\n")
		err := Check(file)
		switch {
		case err == nil && tt.want == "":
		case err == nil || tt.want == "":
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		case !strings.Contains(err.Error(), tt.want) || strings.Count(err.Error(), "\n") > 0:
			t.Errorf("%s: %v\nwant %q", tt.name, err, tt.want)
		case strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%s: it shows an external ID: %v", tt.name, err)
		}
	}
}
