package proof

import (
	"strings"
	"testing"
)

// TestOrganizationAndItsPaths is about aws:PrincipalOrgID and
// aws:PrincipalOrgPaths, which come together and agree.
func TestOrganizationAndItsPaths(t *testing.T) {
	w := world()
	w.OtherMembers = MayBeMore
	q := Query{
		World: w, Callers: outsiders(), Actions: assume,
		Where: [][]Requirement{require(Fails, "StringEquals", "aws:PrincipalOrgID", "o-exampleorg1")},
	}
	open := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	const paths, id = "aws:PrincipalOrgPaths", "aws:PrincipalOrgID"
	some, all := "ForAnyValue:StringLike", "ForAllValues:StringLike"
	runGuards(t, q, []guard{
		{"our organization", open(cond(some, paths, `"o-exampleorg1/*"`)), None},
		{"another organization", open(cond(some, paths, `"o-other00000/*"`)), Found},
		{"a unit of another organization", open(cond(some, paths, `"o-other00000/r-ab12/ou-ab12-11111111/*"`)), Found},
		{"an id without paths", open(cond("StringLike", id, `"o-*"`) + "," + cond("Null", paths, `"true"`)), None},
		{"paths without an id", open(`"Null":{"aws:PrincipalOrgID":"true","aws:PrincipalOrgPaths":"false"}`), None},
		{"neither", open(`"Null":{"aws:PrincipalOrgID":"true","aws:PrincipalOrgPaths":"true"}`), Found},
		{"an id and paths of another", open(cond("StringEquals", id, `"o-other00000"`) + "," + cond(some, paths, `"o-third00000/*"`)), None},
		{"an id that paths may have", open(cond("StringLike", id, `"o-*77"`) + "," + cond(some, paths, `"o-third000*/*"`)), Found},
		{"two organizations at once", open(cond(some, paths, `"o-other00000/*"`) + `,"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":"o-other00000/*"}`), None},
		{"empty sets pass", open(cond(all, paths, `"o-exampleorg1/*"`)), Found},
		{"our id by a Deny", document(statementText("Allow", anyone, "sts:AssumeRole", ""),
			statementText("Deny", anyone, "sts:AssumeRole", cond("ForAllValues:StringNotLike", paths, `"o-exampleorg1/*"`))), None},
		{"a variable for the id", open(cond("StringEquals", id, `"${sts:ExternalId}"`) + "," + cond(some, paths, `"o-third00000/*"`)), Found},
	})
	a := Find(parse(t, open(cond(some, paths, `"o-other00000/*"`))), q)
	id1, _ := a.Witness.Get(id)
	at, _ := a.Witness.Get(paths)
	if len(id1.Values) != 1 || len(at.Values) != 1 || !strings.HasPrefix(at.Values[0], id1.Values[0]+"/") {
		t.Errorf("the witness is in two organizations, or half in one: %v %v", id1, at)
	}
}
