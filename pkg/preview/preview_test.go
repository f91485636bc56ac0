package preview_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/preview"
	"github.com/rolewarden/rolewarden/pkg/role"
)

var now = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

const (
	partnered = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:role/vendor"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"a-secret-of-some-length"}}}]}`
	homely    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

	without = `
version: 1
organization: {id: o-exampleorg1, accounts: [{id: "111122223333"}]}
modes: {default: enforce}
`
	with = without + `partners: [{name: acme, accounts: ["999999999999"]}]` + "\n"
)

func rulesOf(t *testing.T, text string) *org.Rules {
	t.Helper()
	r, err := org.Parse("rules.yaml", []byte(text), now)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// remembered is a role that was fine under the former rules.
func remembered(t *testing.T, document string) ledger.RoleState {
	return ledger.RoleState{
		Account: "111122223333", RoleID: "AROAEXAMPLEVENDOR0001", Name: "vendor-access", ARN: "arn:aws:iam::111122223333:role/partners/vendor-access",
		Document: document, Digest: parse(t, document).Digest("aws"), Verdict: finding.Compliant, RulesHash: "sha256:former",
	}
}

func baseline(t *testing.T, document string, p role.Provenance) role.Baseline {
	return role.Baseline{Account: "111122223333", RoleID: "AROAEXAMPLEVENDOR0001", Document: document, Digest: parse(t, document).Digest("aws"), Provenance: p}
}

// T68: before a rules file is deployed, each role that it would judge another way
// is listed, with what would be written: a revert only where there is a baseline
// that obeys the file and may be gone back to, else nothing.
func TestARulesFileIsTriedOnWhatIsRemembered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		rules     string
		baselines []role.Baseline
		// after is what the role would be reverted to; empty when it would not be.
		after string
	}{
		{"a partner struck out, with a baseline from before the partner", without, []role.Baseline{baseline(t, partnered, role.Observed), baseline(t, homely, role.Observed)}, homely},
		{"no baseline", without, nil, ""},
		{"a first sighting that nobody accepted", without, []role.Baseline{baseline(t, homely, role.Unreviewed)}, ""},
		{"a first sighting that somebody accepted", without + "baselines: {firstSightings: [\"111122223333\"]}\n", []role.Baseline{baseline(t, homely, role.Unreviewed)}, homely},
		{"a role that is never written", without + "protected: [\"arn:aws:iam::*:role/partners/*\"]\n", []role.Baseline{baseline(t, homely, role.Observed)}, ""},
		{"a rule that only observes", without + "rules: {external-account: {mode: observe}}\n", []role.Baseline{baseline(t, homely, role.Observed)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, changed, err := preview.Judge(preview.Input{
				Rules: rulesOf(t, c.rules), State: remembered(t, partnered), Now: now,
				Recall: func() (ledger.Recalled, error) { return ledger.Recalled{Baselines: c.baselines}, nil },
			})
			if err != nil || !changed {
				t.Fatalf("changed is %t, %v", changed, err)
			}
			if got.Was != finding.Compliant || got.Would != finding.Noncompliant || !slices.Equal(got.Broken, []string{"external-account"}) || len(got.Mended) != 0 {
				t.Errorf("%s -> %s, breaks %v, mends %v", got.Was, got.Would, got.Broken, got.Mended)
			}
			if got.After != c.after || (got.Action == decision.Revert) != (c.after != "") || got.Action == decision.Quarantine || got.Reason == "" {
				t.Errorf("would %s (%s), leaving %q; want %q", got.Action, got.Reason, got.After, c.after)
			}
		})
	}
}

// What stays as it is is not listed, and what would be mended is.
func TestOnlyDifferencesAreListed(t *testing.T) {
	t.Parallel()
	if c, changed, err := preview.Judge(preview.Input{Rules: rulesOf(t, with), State: remembered(t, partnered), Now: now}); err != nil || changed {
		t.Errorf("listed as changed: %+v, %v", c, err)
	}
	s := remembered(t, partnered)
	s.Verdict, s.OpenRules = finding.Noncompliant, []string{"external-account", "external-account"}
	c, changed, err := preview.Judge(preview.Input{Rules: rulesOf(t, with), State: s, Now: now})
	if err != nil || !changed || c.Would != finding.Compliant || !slices.Equal(c.Mended, []string{"external-account"}) {
		t.Errorf("changed is %t, %+v, %v", changed, c, err)
	}
}

// What cannot be read is an error, and no role is passed over in silence.
func TestWhatCannotBePreviewedIsTold(t *testing.T) {
	t.Parallel()
	trouble := errors.New("no table")
	_, _, err := preview.Judge(preview.Input{Rules: rulesOf(t, without), State: remembered(t, partnered), Now: now, Recall: func() (ledger.Recalled, error) { return ledger.Recalled{}, trouble }})
	if !errors.Is(err, trouble) {
		t.Errorf("got %v", err)
	}
	s := remembered(t, partnered)
	s.ARN = "nonsense"
	if _, _, err := preview.Judge(preview.Input{Rules: rulesOf(t, without), State: s, Now: now}); err == nil {
		t.Error("a state without a role's ARN is previewed")
	}
	s = remembered(t, partnered)
	s.Document = "{"
	if c, changed, err := preview.Judge(preview.Input{Rules: rulesOf(t, without), State: s, Now: now}); err != nil || !changed || c.Would != finding.Undecided {
		t.Errorf("a document that is no policy: %+v, %t, %v", c, changed, err)
	}
}

// A mode that changes from observe to enforce changes no verdict, and is acted on
// all the same: before that nobody may be told that nothing would be written.
func TestRolesThatRulesBeginToActOnAreListed(t *testing.T) {
	t.Parallel()
	s := remembered(t, partnered)
	s.Verdict, s.OpenRules, s.LeftUnder = finding.Noncompliant, []string{"external-account"}, "sha256:former"
	in := preview.Input{
		Rules: rulesOf(t, without), State: s, Now: now,
		Recall: func() (ledger.Recalled, error) {
			return ledger.Recalled{Baselines: []role.Baseline{baseline(t, homely, role.Observed)}}, nil
		},
	}
	c, changed, err := preview.Judge(in)
	if err != nil || !changed || c.Action != decision.Revert || c.After != homely || len(c.Broken)+len(c.Mended) != 0 {
		t.Errorf("changed is %t, %+v, %v", changed, c, err)
	}
	// What the present rules would do they did.
	in.State.LeftUnder = in.Rules.Hash
	if c, changed, err := preview.Judge(in); err != nil || changed {
		t.Errorf("under the rules that it was left under: %+v, %v", c, err)
	}
	in.State.LeftUnder, in.Rules = "sha256:former", rulesOf(t, strings.Replace(without, "enforce", "observe", 1))
	if c, changed, err := preview.Judge(in); err != nil || changed {
		t.Errorf("under rules that only observe: %+v, %v", c, err)
	}
}

// A person's word that a document stays holds under new rules too, until it ends.
func TestADocumentThatStaysIsNotWritten(t *testing.T) {
	t.Parallel()
	s := remembered(t, partnered)
	for until, want := range map[time.Time]decision.Action{now: decision.Revert, now.Add(time.Second): decision.Hold} {
		c, changed, err := preview.Judge(preview.Input{
			Rules: rulesOf(t, without), State: s, Now: now,
			Recall: func() (ledger.Recalled, error) {
				return ledger.Recalled{
					Baselines: []role.Baseline{baseline(t, homely, role.Observed)},
					Word:      &ledger.Word{Account: s.Account, RoleID: s.RoleID, Digest: s.Digest, By: "bob", At: now.Add(-time.Hour), Until: until},
				}, nil
			},
		})
		if err != nil || !changed || c.Action != want {
			t.Errorf("until %s: would %s (%s), %v", until, c.Action, c.Reason, err)
		}
	}
}

// An account that the rules file does not list may be a member all the same, and
// is asked about before trust in it is called foreign.
func TestAMemberThatTheRulesFileDoesNotListIsNotForeign(t *testing.T) {
	t.Parallel()
	builder := strings.Replace(partnered, "role/vendor", "role/builder", 1)
	for name, document := range map[string]string{
		"as it is mostly written": builder,
		"its digits are escaped":  strings.ReplaceAll(builder, "999999999999", `\u0039\u0039999999999\u0039`),
	} {
		for _, member := range []bool{true, false} {
			_, changed, err := preview.Judge(preview.Input{
				Rules: rulesOf(t, without), State: remembered(t, document), Now: now,
				Member: func(account string) bool { return member && account == "999999999999" },
			})
			if err != nil || changed == member {
				t.Errorf("%s: a member: %t, listed: %t, %v", name, member, changed, err)
			}
		}
	}
}

// Where the file has those pruned who are gone, that is what is said to be written.
func TestPruningIsForeseen(t *testing.T) {
	t.Parallel()
	const gone = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/builder","AROAEXAMPLEGONE000001"]},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`
	s := remembered(t, gone)
	s.Verdict, s.OpenRules, s.LeftUnder = finding.Noncompliant, []string{"unique-id-principal"}, "sha256:former"
	c, changed, err := preview.Judge(preview.Input{
		Rules: rulesOf(t, without+"pruning: {orphans: true}\n"), State: s, Now: now,
		History: map[string]finding.Principal{"AROAEXAMPLEGONE000001": {ID: "AROAEXAMPLEGONE000001", ARN: "arn:aws:iam::111122223333:role/gone", DeletedAt: now.Add(-time.Hour), Standing: finding.Orphan}},
	})
	if err != nil || !changed || c.Action != decision.Prune {
		t.Errorf("changed is %t: would %s (%s), breaks %v, mends %v, %v", changed, c.Action, c.Reason, c.Broken, c.Mended, err)
	}
}
