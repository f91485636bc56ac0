package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// Whoever has no rules file has one that knows nobody and lets nothing act.
func TestNoRulesFileIsAnEmptyOne(t *testing.T) {
	t.Parallel()
	var none *org.Rules
	for _, r := range []*org.Rules{none, org.Empty(), {}} {
		_, partner := r.Partner("444455556666")
		_, known := r.OrganizationOf("111122223333")
		_, exempt := r.Exempt("external-id", "arn:aws:iam::111122223333:role/a", "", "", today())
		if r.Mode("external-id", "111122223333") != org.Observe || r.Member("111122223333") || r.Member("") || partner || known || exempt {
			t.Errorf("%+v knows somebody", r)
		}
		if r.Unit("111122223333") != "" || len(r.MemberIDs())+len(r.PartnerIDs())+len(r.RuleIDs()) > 0 {
			t.Errorf("%+v lists somebody", r)
		}
		want := org.Setting{SessionName: "${aws:username}", MinLength: 8}
		if diff := cmp.Diff(want, r.Setting("external-id")); diff != "" {
			t.Error(diff)
		}
	}
	if diff := cmp.Diff(org.Limits{PerRolePerDay: 3, PerAccountPerHour: 5, PerHour: 25, PerRulePerHour: 25, TagsPerHour: 200}, org.Empty().Limits); diff != "" {
		t.Error(diff)
	}
}

func TestExampleKnowsItsAccounts(t *testing.T) {
	t.Parallel()
	r := example(t)
	if id, ok := r.OrganizationOf("111122223333"); id != "o-exampleorgid" || !ok {
		t.Errorf("OrganizationOf(a member) = %q, %v", id, ok)
	}
	if id, ok := r.OrganizationOf("444455556666"); id != "" || ok {
		t.Errorf("OrganizationOf(a partner) = %q, %v", id, ok)
	}
	if p, ok := r.Partner("555555555555"); !ok || p.Name != "initech" || p.ExternalID != org.RolePrincipalSuffices {
		t.Errorf("Partner = %+v, %v", p, ok)
	}
	if p, _ := r.Partner("444455556666"); p.ExternalID != org.ExternalIDRequired {
		t.Errorf("Partner = %+v", p)
	}
	if got := strings.Join(r.MemberIDs(), " "); got != "111122223333 123456789012 777788889999 999999999999" {
		t.Errorf("members %s", got)
	}
	if got := strings.Join(r.PartnerIDs(), " "); got != "222222222222 444455556666 555555555555" {
		t.Errorf("partners %s", got)
	}
	if got := r.Unit("777788889999"); got != "workloads/test" {
		t.Errorf("unit %q", got)
	}
	if s := r.Setting("source-identity"); strings.Join(s.Callers, " ") != "saml oidc" || s.Values[0] != "*@acme.example" || s.MinLength != 8 {
		t.Errorf("setting %+v", s)
	}
	if !r.Setting("set-source-identity").Off {
		t.Error("a rule that the file takes out is still in")
	}
}

// An unknown rule id is told with its line by whoever knows the catalogue.
func TestRuleIDsComeWithTheirPlace(t *testing.T) {
	t.Parallel()
	const text = `version: 1
rules:
  mfa: {}
  external-id: {mode: tag}
exemptions:
  - {rules: [mfa, no-such], role: "arn:aws:iam::111122223333:role/a", owner: o, reason: r, ticket: t, expires: 2026-12-01}
`
	r, err := org.Parse("rules.yaml", []byte(text), today())
	if err != nil {
		t.Fatal(err)
	}
	want := []org.Located{{"mfa", 3, 3}, {"external-id", 4, 3}, {"mfa", 6, 5}, {"no-such", 6, 5}}
	if diff := cmp.Diff(want, r.RuleIDs()); diff != "" {
		t.Error(diff)
	}
}

// T53, T54, T59: an exemption is for one role, as long as it says, and for
// nothing that merely resembles it.
func TestExemptionIsExact(t *testing.T) {
	t.Parallel()
	const arn, id = "arn:aws:iam::111122223333:role/team/legacy", "AROAEXAMPLELEGACY0001"
	end := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	r := &org.Rules{Exemptions: []org.Exemption{
		{Rules: []string{"external-id"}, Role: arn, RoleID: id, Digest: "sha256:1", Ticket: "narrow", Expires: end},
		{Rules: []string{"mfa", "session-name"}, Role: arn, Ticket: "wide", Expires: end},
	}}
	before := end.Add(-time.Nanosecond)
	for _, tt := range []struct {
		name, rule, role, id, digest string
		now                          time.Time
		want                         string
	}{
		{"all agrees", "external-id", arn, id, "sha256:1", before, "narrow"},
		{"another id: the role was made anew", "external-id", arn, "AROAEXAMPLELEGACY0002", "sha256:1", before, ""},
		{"the id is not known", "external-id", arn, "", "sha256:1", before, ""},
		{"another document", "external-id", arn, id, "sha256:2", before, ""},
		{"no id asked for", "mfa", arn, "AROAEXAMPLELEGACY0002", "sha256:2", before, "wide"},
		{"another rule", "public-principal", arn, id, "sha256:1", before, ""},
		{"a rule that contains one", "session-name-x", arn, id, "sha256:1", before, ""},
		{"a longer name", "mfa", arn + "2", id, "sha256:1", before, ""},
		{"a prefix", "mfa", strings.TrimSuffix(arn, "y"), id, "sha256:1", before, ""},
		{"another case", "mfa", strings.ToUpper(arn), id, "sha256:1", before, ""},
		{"another account", "mfa", strings.Replace(arn, "1111", "4444", 1), id, "sha256:1", before, ""},
		{"it has just ended", "mfa", arn, id, "sha256:1", end, ""},
		{"it ended long ago", "mfa", arn, id, "sha256:1", end.AddDate(1, 0, 0), ""},
	} {
		e, ok := r.Exempt(tt.rule, tt.role, tt.id, tt.digest, tt.now)
		if e.Ticket != tt.want || ok != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, e.Ticket, ok, tt.want)
		}
	}
}

// No mode is higher than what somebody wrote for the rule (or as the default),
// nor than what somebody wrote for the place.
func TestNothingActsUnlessSomebodyWroteEnforce(t *testing.T) {
	t.Parallel()
	modes := rapid.SampledFrom([]org.Mode{org.Observe, org.Tag, org.Enforce})
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SampledFrom([]string{"", "/", "a", "a/b", "a/b/c", "ab", "x"})
		r := &org.Rules{
			Organization: org.Organization{Accounts: []org.Account{{ID: "111122223333", Unit: units.Draw(t, "unit")}}},
			Default:      modes.Draw(t, "default"),
			Settings: map[string]org.Setting{"mfa": {
				Mode: modes.Draw(t, "mode"), ModeSet: rapid.Bool().Draw(t, "set"), Off: rapid.Bool().Draw(t, "off"),
			}},
			Units: rapid.MapOf(rapid.SampledFrom([]string{"/", "a", "a/b", "x"}), modes).Draw(t, "units"),
		}
		if rapid.Bool().Draw(t, "account") {
			r.AccountModes = map[string]org.Mode{"111122223333": modes.Draw(t, "account mode")}
		}
		got := r.Mode("mfa", "111122223333")
		s := r.Settings["mfa"]
		rule := r.Default
		if s.ModeSet {
			rule = s.Mode
		}
		var place org.Mode
		if m, said := r.AccountModes["111122223333"]; said {
			place = m
		} else {
			place = slowPlace(r, r.Unit("111122223333"))
		}
		want := min(rule, place)
		if s.Off {
			want = org.Observe
		}
		if got != want {
			t.Fatalf("%v, want %v: %+v", got, want, r)
		}
	})
}

// slowPlace climbs from a unit to the root and takes the first mode on the way.
func slowPlace(r *org.Rules, unit string) org.Mode {
	if unit == "" {
		least := org.Enforce
		for _, m := range r.Units {
			least = min(least, m)
		}
		return least
	}
	for unit != "" {
		if m, said := r.Units[unit]; said {
			return m
		}
		if unit == "/" {
			break
		}
		at := strings.LastIndexByte(unit, '/')
		if at < 0 {
			unit = "/"
			continue
		}
		unit = unit[:at]
	}
	return org.Enforce
}

func TestModesAreTheWordsOfTheFile(t *testing.T) {
	t.Parallel()
	if got := fmt.Sprint(org.Observe, org.Tag, org.Enforce, org.Mode(9)); got != "observe tag enforce mode?" {
		t.Error(got)
	}
}
