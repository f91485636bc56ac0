package proof

import "testing"

// Of a list of alternatives one is enough, and each list must be met.
func TestOneAlternativeOfEachListIsMet(t *testing.T) {
	doc := parse(t, allow(partner, "sts:AssumeRole", ""))
	id := func(v string) Requirement { return require(Holds, "StringEquals", "sts:ExternalId", v)[0] }
	name := func(v string) Requirement { return require(Holds, "StringEquals", "sts:RoleSessionName", v)[0] }
	for _, c := range []struct {
		where [][]Requirement
		want  Outcome
	}{
		{[][]Requirement{{id("a-1"), id("b-1")}}, Found},
		{[][]Requirement{{id("x"), name("no spaces")}}, None},
		{[][]Requirement{{id("x"), name("bob")}}, Found},
		{[][]Requirement{{id("a-1"), name("bob")}, {id("b-1")}}, Found},
		{[][]Requirement{{id("a-1")}, {id("b-1")}}, None},
	} {
		a := Find(doc, Query{World: world(), Callers: outsiders(), Actions: assume, Where: c.where})
		if a.Outcome != c.want {
			t.Errorf("%v, want %v: %+v", a.Outcome, c.want, c.where)
		}
		if a.Outcome == Found && !meets(*a.Witness, c.where) {
			t.Errorf("the witness is not in the region: %+v", a.Witness)
		}
	}
}

// Who asks whether a source identity may be set is shown a request that sets one.
func TestSettingASourceIdentitySetsOne(t *testing.T) {
	both := []string{"sts:AssumeRole", "sts:SetSourceIdentity"}
	for doc, want := range map[string]Outcome{
		allow(partner, "sts:*", ""):                                           Found,
		allow(partner, "sts:AssumeRole", ""):                                  None,
		allow(partner, "sts:*", cond("Null", "sts:SourceIdentity", `"true"`)): None,
	} {
		a := Find(parse(t, doc), Query{World: world(), Callers: outsiders(), Actions: both})
		if a.Outcome != want {
			t.Errorf("%v, want %v: %s", a.Outcome, want, doc)
			continue
		}
		if a.Outcome == Found {
			if v, ok := a.Witness.Get("sts:SourceIdentity"); !ok || len(v.Values) != 1 {
				t.Errorf("the witness sets none: %+v", a.Witness)
			}
		}
	}
}

// Numbers, dates and addresses are compared with what is none: that is open, and
// neither a way in nor a guard.
func TestWhatIsNoNumberIsOpen(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume, Where: [][]Requirement{require(Holds, "StringEquals", "sts:ExternalId", "abc-d")}}
	var guards []guard
	for operator, value := range map[string]string{"Numeric": `"5"`, "Date": `"2026-01-01T00:00:00Z"`} {
		for _, order := range []string{"Equals", "NotEquals", "LessThan", "GreaterThanEquals"} {
			c := cond(operator+order, "sts:ExternalId", value)
			guards = append(guards, guard{operator + order, allow(partner, "sts:AssumeRole", c), Unknown})
			guards = append(guards, guard{"Deny " + operator + order, document(statementText("Allow", partner, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:AssumeRole", c)), Unknown})
		}
	}
	runGuards(t, q, guards)
}

// Where all values but the first are asked for, the next is found.
func TestEveryLegalValueIsTried(t *testing.T) {
	const key = "aws:MultiFactorAuthPresent"
	present := statementText("Allow", partner, "sts:AssumeRole", cond("Null", key, `"false"`))
	runGuards(t, Query{World: world(), Callers: outsiders(), Actions: assume}, []guard{
		{"not false", document(present, statementText("Deny", anyone, "sts:AssumeRole", cond("Bool", key, `"false"`))), Found},
		{"not true", document(present, statementText("Deny", anyone, "sts:AssumeRole", cond("Bool", key, `"true"`))), Found},
		{"neither", document(present, statementText("Deny", anyone, "sts:AssumeRole", cond("Bool", key, `["true","false"]`))), None},
	})
}

// A key that is passed on is one of the request's tags (IAM User Guide,
// id_session-tags).
func TestTransitiveKeysAreKeysOfTags(t *testing.T) {
	on := func(key, value string) string { return cond("ForAnyValue:StringEquals", key, value) }
	passed := statementText("Allow", partner, "sts:*", on("sts:TransitiveTagKeys", `"team"`))
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	runGuards(t, q, []guard{
		{"a Deny for the tag", document(passed, statementText("Deny", anyone, "sts:*", on("aws:TagKeys", `"team"`))), Unknown},
		{"a Deny for another tag", document(passed, statementText("Deny", anyone, "sts:*", on("aws:TagKeys", `"project"`))), Found},
		{"another tag beside it", allow(partner, "sts:*", `"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"team","aws:TagKeys":"project"}`), Found},
	})
	a := Find(parse(t, allow(partner, "sts:*", `"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"team","aws:TagKeys":"project"}`)), q)
	if v, _ := a.Witness.Get("aws:TagKeys"); len(v.Values) != 2 {
		t.Errorf("the tags' keys are %q, of which team is passed on", v.Values)
	}
}

// Whether a wildcard that comes out of a variable counts is not documented.
func TestWildcardsOutOfVariablesAreOpen(t *testing.T) {
	idp := `{"Federated":"arn:aws:iam::111122223333:saml-provider/okta"}`
	q := Query{
		World: world(), Callers: []Callers{{Kind: SAMLIdentities}}, Actions: []string{"sts:AssumeRoleWithSAML"},
		Where: [][]Requirement{require(Holds, "StringEquals", "SAML:sub", "b*"), require(Holds, "StringEquals", "sts:RoleSessionName", "bob")},
	}
	runGuards(t, q, []guard{
		{"in a pattern", allow(idp, "sts:AssumeRoleWithSAML", cond("StringLike", "sts:RoleSessionName", `"${SAML:sub}"`)), Unknown},
		{"in a pattern that must not match", allow(idp, "sts:AssumeRoleWithSAML", cond("StringNotLike", "sts:RoleSessionName", `"${SAML:sub}"`)), Unknown},
		{"in a text", allow(idp, "sts:AssumeRoleWithSAML", cond("StringEquals", "sts:RoleSessionName", `"${SAML:sub}"`)), None},
	})
}

// However soon a question is cut short, it never says that there is none where
// there is one: for each kind of caller, with every number of steps to spend.
func TestAQuestionCutShortNeverSaysNone(t *testing.T) {
	docs := map[string]string{
		"a guard that leaks": allow(partner, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", `"*a?b*c*"`)+","+cond("StringNotLike", "sts:RoleSessionName", `["b*","e*","a*","s*","t*"]`)),
		"many Denies": document(statementText("Allow", anyone, "sts:*", ""),
			statementText("Deny", anyone, "sts:*", cond("StringNotLike", "sts:RoleSessionName", `"*x*"`)),
			statementText("Deny", anyone, "sts:*", cond("StringLike", "sts:RoleSessionName", `["x*","*x"]`)),
			statementText("Deny", anyone, "sts:*", cond("StringNotLike", "sts:ExternalId", `"?q*"`))),
		"a variable": allow(partner, "sts:AssumeRole", cond("StringLike", "sts:RoleSessionName", `"z*${aws:username}*"`)),
	}
	for name, text := range docs {
		c := Compile(parse(t, text), "aws")
		for _, kind := range []CallerKind{Users, RoleSessions} {
			q := Query{World: world(), Callers: []Callers{{Kind: kind}}, Actions: assume, Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", "eve*")}}
			if a := c.Find(q); a.Outcome == None {
				continue
			}
			for steps := range 400 {
				q.Budget = &Budget{spent: 10 * sharedLimit, extra: reserve - steps, ready: [2]*Compiled{c}}
				if a := c.Find(q); a.Outcome == None || a.Outcome == Unknown && len(a.Undecided) == 0 {
					t.Fatalf("%s, %v: %v %q after %d steps", name, kind, a.Outcome, a.Undecided, steps)
				}
			}
		}
	}
}
