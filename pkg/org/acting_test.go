package org_test

import (
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// Who writes nothing about acting gets the careful defaults: a day before a
// document is something to go back to, a day of watching after a change of the
// rules, no first sighting accepted, no containment and no pruning (T60, T62, T68, T69).
func TestActingIsCarefulByDefault(t *testing.T) {
	t.Parallel()
	r, err := org.Parse("rules.yaml", []byte("version: 1\nbaselines: {}\nruleChanges: {}\nquarantine: {}\ncontainment: {}\npruning: {}\n"), today())
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*org.Rules{"sections left empty": r, "no sections": org.Empty()} {
		if r.Baselines.Age != 24*time.Hour || r.RuleChanges.ObserveFor != 24*time.Hour {
			t.Errorf("%s: a baseline after %s, changes of the rules watched for %s; want a day each", name, r.Baselines.Age, r.RuleChanges.ObserveFor)
		}
		if r.Quarantine.Grace != 0 {
			t.Errorf("%s: new roles are left open for %s", name, r.Quarantine.Grace)
		}
		if r.Pruning != org.PruningOff || r.Contains([]string{"public-principal"}) || r.AcceptsFirstSighting("111122223333", "arn:aws:iam::111122223333:role/app") {
			t.Errorf("%s: it prunes, contains or accepts what nobody wrote", name)
		}
	}
}

// A first sighting is accepted by the account or by the whole ARN of the role, and
// by nothing that merely resembles them (T54, T62).
func TestFirstSightingIsAcceptedExactly(t *testing.T) {
	t.Parallel()
	const text = `version: 1
baselines: {ageHours: 48, firstSightings: ["111122223333", "arn:aws:iam::444455556666:role/team/app"]}
ruleChanges: {observeHours: 0}
quarantine: {graceMinutes: 5}
containment: {rules: [public-principal]}
pruning: {orphans: true}
`
	r, err := org.Parse("rules.yaml", []byte(text), today())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		account, arn string
		want         bool
	}{
		{"111122223333", "arn:aws:iam::111122223333:role/any", true},
		{"444455556666", "arn:aws:iam::444455556666:role/team/app", true},
		{"444455556666", "arn:aws:iam::444455556666:role/app", false},
		{"444455556666", "arn:aws:iam::444455556666:role/team/app2", false},
		{"444455556666", "arn:aws:iam::444455556666:role/team/App", false},
		{"", "", false},
	} {
		if got := r.AcceptsFirstSighting(c.account, c.arn); got != c.want {
			t.Errorf("%s %s: accepted is %t, want %t", c.account, c.arn, got, c.want)
		}
	}
	if r.Baselines.Age != 48*time.Hour || r.RuleChanges.ObserveFor != 0 || r.Quarantine.Grace != 5*time.Minute || r.Pruning != org.PruningOn {
		t.Errorf("read as %+v, %+v, %+v, pruning %d", r.Baselines, r.RuleChanges, r.Quarantine, r.Pruning)
	}
	if !r.Contains([]string{"mfa", "public-principal"}) || r.Contains([]string{"mfa"}) || r.Contains(nil) {
		t.Error("containment is for the listed rules, and for no other")
	}
	var none *org.Rules
	if none.AcceptsFirstSighting("111122223333", "") || none.Contains([]string{"public-principal"}) {
		t.Error("without a rules file something is accepted or contained")
	}
}

// A rule under containment that does not exist is told with its place, as
// anywhere else in the file: somebody relies on it.
func TestContainmentNamesItsRulesWithTheirPlace(t *testing.T) {
	t.Parallel()
	r, err := org.Parse("rules.yaml", []byte("version: 1\ncontainment:\n  rules: [public-principal, no-such]\n"), today())
	if err != nil {
		t.Fatal(err)
	}
	want := org.Located{ID: "no-such", Line: 3, Column: 29}
	if got := r.RuleIDs(); len(got) != 2 || got[1] != want {
		t.Errorf("the file names %v, want its second to be %v", got, want)
	}
}
