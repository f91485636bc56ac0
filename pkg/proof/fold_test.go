package proof

import "testing"

// TestKeysAreFoldedAsAccessDoes is about letters outside ASCII in names of
// keys: whether AWS takes one for another is not documented.
func TestKeysAreFoldedAsAccessDoes(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	open := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"one tag or two", open(`"StringEquals":{"aws:PrincipalTag/\u00c9":"1"},"StringNotEquals":{"aws:PrincipalTag/\u00e9":"1"}`), Unknown},
		{"one tag", open(`"StringEquals":{"aws:PrincipalTag/\u00e9":"1"}`), Found},
		{"two tags", open(`"StringEquals":{"aws:PrincipalTag/\u00e9":"1"},"StringNotEquals":{"aws:PrincipalTag/\u00e8":"1"}`), Found},
		{"one tag, in ASCII", open(`"StringEquals":{"aws:PrincipalTag/E":"1"},"StringNotEquals":{"aws:PrincipalTag/e":"1"}`), None},
		{"a variable", open(`"StringEquals":{"sts:ExternalId":"${aws:PrincipalTag/\u00c9}"},"StringNotEquals":{"sts:ExternalId":"${aws:PrincipalTag/\u00e9}"}`), Unknown},
	})
}

// TestEveryRequestComesFromSomewhere is about what AWS shows of a call's
// origin: an address, or an endpoint, and not both.
func TestEveryRequestComesFromSomewhere(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	open := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"from nowhere", open(`"Null":{"aws:SourceIp":"true","aws:SourceVpce":"true"}`), None},
		{"from nowhere, by the network", open(`"Null":{"aws:SourceIp":"true","aws:SourceVpc":"true"}`), None},
		{"from an address", open(`"Null":{"aws:SourceIp":"false","aws:SourceVpce":"true"}`), Found},
		{"through an endpoint", open(`"Null":{"aws:SourceIp":"true","aws:SourceVpce":"false"}`), Found},
		{"both", open(`"Null":{"aws:SourceIp":"false","aws:SourceVpce":"false"}`), None},
		{"not from an address", open(`"Null":{"aws:SourceIp":"true"}`), Found},
	})
	service := Query{World: world(), Callers: []Callers{{Kind: Services}}, Actions: assume}
	runGuards(t, service, []guard{{"a service", allow(`{"Service":"ec2.amazonaws.com"}`, "sts:AssumeRole", `"Null":{"aws:SourceIp":"true","aws:SourceVpce":"true"}`), Found}})
}

// TestATwinKeepsItsTags is about a request that carries a tag nobody speaks of:
// its twin carries it too, and needs sts:TagSession for it.
func TestATwinKeepsItsTags(t *testing.T) {
	d := parse(t, document(
		statementText("Allow", anyone, `["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"]`, ""),
		statementText("Deny", anyone, "sts:TagSession", `"Null":{"sts:SourceIdentity":"false","aws:RequestTag/x":"true"}`)))
	q := Query{World: world(), Callers: users(), Actions: assume}
	a := FindRefused(d, q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil)
	if a.Outcome != Found {
		t.Fatalf("%v %v", a.Outcome, a.Undecided)
	}
	if tags, ok := a.Witness.Get("aws:TagKeys"); !ok || len(tags.Values) == 0 {
		t.Errorf("the twin carries no tag: %+v", a.Witness)
	}
}
