package proof

import (
	"strings"
	"testing"
)

// In the tables below: the callers are users, role sessions, a service, SAML and
// OIDC identities, in that order; + says that the request is Found, - that there
// is None, ? that it is Unknown.
var (
	everyKind = []Callers{
		{Kind: Users},
		{Kind: RoleSessions},
		{Kind: Services, Names: []string{"lambda.amazonaws.com"}},
		{Kind: SAMLIdentities, Names: []string{"arn:aws:iam::111122223333:saml-provider/okta"}},
		{Kind: OIDCIdentities, Names: []string{"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
	}
	shown = map[Outcome]string{Found: "+", None: "-", Unknown: "?"}
)

// everyone lets in all of them where a condition holds.
func everyoneWith(condition string) string {
	return allow(`{"AWS":"*","Service":"lambda.amazonaws.com","Federated":["arn:aws:iam::111122223333:saml-provider/okta",`+
		`"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"]}`, "sts:*", condition)
}

func lettersFor(t *testing.T, condition string, kinds []Callers) string {
	t.Helper()
	c := Compile(parse(t, everyoneWith(condition)), "aws")
	var b strings.Builder
	for i := range kinds {
		v := variant{kind: kinds[i].Kind}
		b.WriteString(shown[c.Find(Query{World: world(), Callers: kinds[i : i+1], Actions: []string{v.assumeAction()}}).Outcome])
	}
	return b.String()
}

// Whose requests have a key, and whose may lack it: a policy that asks for the
// key lets in the former, one that asks for its absence the latter.
func TestWhoHasWhichKey(t *testing.T) {
	for key, want := range map[string][2]string{
		"sts:RoleSessionName":                     {"+++++", "-----"},
		"sts:ExternalId":                          {"+++--", "+++++"},
		"sts:SourceIdentity":                      {"+++++", "+++++"},
		"aws:RequestTag/team":                     {"+++++", "+++++"},
		"sts:RequestContext/a:b":                  {"+++--", "+++++"},
		"sts:RoleAuthorizedByIdp":                 {"----+", "+++++"},
		"sts:DurationSeconds":                     {"-----", "+++++"},
		"aws:PrincipalArn":                        {"++???", "--???"},
		"aws:username":                            {"+----", "-++++"},
		"aws:PrincipalOrgID":                      {"++-??", "+++??"},
		"aws:PrincipalTag/team":                   {"++-??", "+++??"},
		"aws:PrincipalServiceName":                {"--+--", "++-++"},
		"aws:FederatedProvider":                   {"-+--+", "++++-"},
		"aws:PrincipalIsAWSService":               {"+++++", "-----"},
		"aws:MultiFactorAuthPresent":              {"++---", "+-+++"},
		"aws:MultiFactorAuthAge":                  {"++---", "+++++"},
		"aws:SourceIp":                            {"+++++", "+++++"},
		"aws:RequestedRegion":                     {"+++++", "-----"},
		"aws:CurrentTime":                         {"+++++", "-----"},
		"aws:SourceAccount":                       {"--+--", "+++++"},
		"aws:SourceArn":                           {"--+--", "+++++"},
		"aws:SourceOrgID":                         {"--+--", "+++++"},
		"aws:ResourceTag/team":                    {"?????", "?????"},
		"SAML:aud":                                {"-+-+-", "+++-+"},
		"SAML:doc":                                {"-+-+-", "+++++"},
		"accounts.google.com:sub":                 {"-+---", "+++++"},
		"token.actions.githubusercontent.com:sub": {"-?--+", "+?++-"},
		"acme:unheard-of":                         {"?????", "?????"},
	} {
		for i, absent := range []string{`"false"`, `"true"`} {
			if got := lettersFor(t, cond("Null", key, absent), everyKind); got != want[i] {
				t.Errorf("Null %s on %s: %s, want %s", absent, key, got, want[i])
			}
		}
	}
}

// How long a value may be and of what it may be made: just inside there is a
// request, just outside there is none.
func TestLegalValuesEndWhereAWSSays(t *testing.T) {
	of := func(n int) string { return `"` + strings.Repeat("?", n) + `"` }
	for _, c := range []struct {
		key          string
		kind         int
		short, least int
		most, long   int
	}{
		{"sts:RoleSessionName", 0, 1, 2, 64, 65},
		{"sts:SourceIdentity", 0, 1, 2, 64, 65},
		{"sts:ExternalId", 0, 1, 2, 1224, 1225},
		{"aws:RequestTag/team", 0, -1, 0, 256, 257},
		{"aws:username", 0, 0, 1, 64, 65},
		{"aws:SourceAccount", 2, 11, 12, 12, 13},
		{"aws:SourceOrgID", 2, 11, 12, 34, 35},
	} {
		for n, want := range map[int]string{c.short: "-", c.least: "+", c.most: "+", c.long: "-"} {
			if n < 0 {
				continue
			}
			if got := lettersFor(t, cond("StringLike", c.key, of(n)), everyKind[c.kind:c.kind+1]); got != want {
				t.Errorf("%s of %d characters: %s, want %s", c.key, n, got, want)
			}
		}
	}
	for key, chars := range map[string][2]string{
		"sts:RoleSessionName": {"aZ0_+=,.@-", "a b"}, "sts:SourceIdentity": {"aZ0_+=,.@-", "a:b"},
		"sts:ExternalId": {"aZ0_+=,.@:/-", "a b"}, "aws:username": {"aZ0_+=,.@-", "a/b"},
		"aws:RequestTag/team": {"aZ0 _.:/=+@-", "a!b"}, "aws:MultiFactorAuthPresent": {"true", "yes"},
	} {
		for i, want := range []string{"+", "-"} {
			if got := lettersFor(t, cond("StringEquals", key, `"`+chars[i]+`"`), everyKind[:1]); got != want {
				t.Errorf("%s %q: %s, want %s", key, chars[i], got, want)
			}
		}
	}
}

// Whom a question leaves out is not found, and whoever is beside them is.
func TestWhoIsLeftOutIsNotFound(t *testing.T) {
	const app, bob = "arn:aws:iam::444455556666:role/team/app", "arn:aws:iam::444455556666:user/bob"
	for doc, want := range map[string]Outcome{
		allow(`{"AWS":["`+app+`","`+bob+`"]}`, "sts:AssumeRole", ""):                                      None,
		allow(`{"AWS":["`+app+`","`+bob+`","arn:aws:iam::444455556666:role/app"]}`, "sts:AssumeRole", ""): Found,
		allow(partner, "sts:AssumeRole", ""):                                                              Found,
		allow(partner, "sts:AssumeRole", cond("ArnEquals", "aws:PrincipalArn", `"`+app+`"`)):              None,
	} {
		callers := []Callers{{Kind: Users, Except: []string{app, bob}}, {Kind: RoleSessions, Except: []string{app, bob}}}
		if a := Find(parse(t, doc), Query{World: world(), Callers: callers, Actions: assume}); a.Outcome != want {
			t.Errorf("%v, want %v: %s\n%+v", a.Outcome, want, doc, a.Witness)
		}
	}
}

// A member's place is in the organization and in no other.
func TestMembersPathsAreOfTheirOrganization(t *testing.T) {
	only := []Callers{{Kind: Users, Accounts: Accounts{Only: []string{"222222222222"}}}}
	for condition, want := range map[string]Outcome{
		cond("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", `"o-exampleorg1/*"`): Found,
		cond("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", `"o-zzzzzzzzzz/*"`):  None,
		cond("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", `"*/ou-a-b/*"`):      Found,
		cond("Null", "aws:PrincipalOrgPaths", `"true"`):                              None,
	} {
		if a := Find(parse(t, allow(anyone, "sts:AssumeRole", condition)), Query{World: world(), Callers: only, Actions: assume}); a.Outcome != want {
			t.Errorf("%v %v, want %v: %s", a.Outcome, a.Undecided, want, condition)
		}
	}
}
