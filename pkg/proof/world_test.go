package proof

import (
	"strings"
	"testing"
)

// TestMembership is about accounts that may be members without being listed.
func TestMembership(t *testing.T) {
	org := allow(anyone, "sts:AssumeRole", cond("StringEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`))
	w := world()
	ask := func(w World, callers []Callers, doc string) Outcome {
		return Find(parse(t, doc), Query{World: w, Callers: callers, Actions: assume}).Outcome
	}
	if got := ask(w, outsiders(), org); got != None {
		t.Errorf("the list of members is complete: %v", got)
	}
	w.OtherMembers = MayBeMore
	if got := ask(w, outsiders(), org); got != Found {
		t.Errorf("a member that nobody listed: %v", got)
	}
	only := []Callers{{Kind: Users, Accounts: Accounts{Only: []string{"222222222222"}}}}
	for doc, want := range map[string]Outcome{
		org: Found,
		allow(anyone, "sts:AssumeRole", cond("StringNotEquals", "aws:PrincipalOrgID", `"o-exampleorg1"`)): None,
		allow(partner, "sts:AssumeRole", ""):                                        None,
		allow(`{"AWS":"arn:aws:iam::222222222222:role/app"}`, "sts:AssumeRole", ""): None,
		allow(`{"AWS":"arn:aws:iam::222222222222:user/a/b"}`, "sts:AssumeRole", ""): Found,
	} {
		if got := ask(w, only, doc); got != want {
			t.Errorf("%v, want %v: %s", got, want, doc)
		}
	}
	w.OrganizationID = ""
	if got := ask(w, outsiders(), org); got != Found {
		t.Errorf("no organization of ours is known: %v", got)
	}
}

// TestPartitions is about roles outside the aws partition.
func TestPartitions(t *testing.T) {
	w := World{Partition: "aws-cn", RoleARN: "arn:aws-cn:iam::111122223333:role/app", Own: "111122223333", Now: world().Now}
	q := Query{World: w, Callers: outsiders(), Actions: assume}
	for doc, want := range map[string]Outcome{
		allow(partner, "sts:AssumeRole", ""):                                                         Found,
		allow(`{"AWS":"arn:aws-cn:iam::444455556666:root"}`, "sts:AssumeRole", ""):                   Found,
		allow(`{"AWS":"arn:aws:iam::444455556666:root"}`, "sts:AssumeRole", ""):                      None,
		allow(anyone, "sts:AssumeRole", cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:*"`)):   None,
		allow(anyone, "sts:AssumeRole", cond("ArnLike", "aws:PrincipalArn", `"arn:aws-*:iam::*:*"`)): Found,
		allow(`{"AWS":"arn:aws-cn:iam::444455556666:user/team/zoe"}`, "sts:AssumeRole", ""):          Found,
	} {
		a := Find(parse(t, doc), q)
		if a.Outcome != want {
			t.Errorf("%v %v, want %v: %s", a.Outcome, a.Undecided, want, doc)
		}
		if a.Outcome == Found && !strings.HasPrefix(a.Witness.Caller.AWS, "arn:aws-cn:") {
			t.Errorf("a caller of another partition: %+v", a.Witness.Caller)
		}
	}
}

// TestProviderNames lets a question name a provider by its issuer.
func TestProviderNames(t *testing.T) {
	doc := parse(t, typical["github"])
	web := []string{"sts:AssumeRoleWithWebIdentity"}
	for name, want := range map[string]Outcome{
		"token.actions.githubusercontent.com":                                         Found,
		"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com": Found,
		"Token.Actions.GitHubUserContent.com":                                         Found,
		"accounts.google.com":                                                         None,
		"oidc.example.com":                                                            None,
	} {
		q := Query{World: world(), Callers: []Callers{{Kind: OIDCIdentities, Names: []string{name}}}, Actions: web}
		if a := Find(doc, q); a.Outcome != want {
			t.Errorf("%s: %v %v", name, a.Outcome, a.Undecided)
		}
	}
}

// TestTableNamesItsPages holds the attacker model to AWS's pages.
func TestTableNamesItsPages(t *testing.T) {
	for key, row := range keyRows {
		if row.page == "" || key != strings.ToLower(key) {
			t.Errorf("%s: page %q", key, row.page)
		}
		for _, v := range row.natural {
			if row.lang != nil && !row.lang.has(v) {
				t.Errorf("%s: the natural value %q is not legal", key, v)
			}
		}
	}
}
