package decision_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	. "github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
)

const idRule = "unique-id-principal"

// shown is a finding about a unique id that a policy shows.
func shown(s finding.Standing, severity finding.Severity) finding.Finding {
	return finding.Finding{Rule: idRule, Severity: severity, Evidence: finding.Evidence{
		Kind: finding.Fact, Principal: &finding.Principal{ID: "AIDA3ZFZ4X6FO5HB76XYS", Standing: s},
	}}
}

// What is pruned, and what is not, row by row.
func TestPruneRows(t *testing.T) {
	gone := shown(finding.Orphan, finding.Low)
	breach := found("external-id", finding.Allowed)
	enforce := modes(org.Enforce, idRule, "external-id")
	for name, row := range map[string]struct {
		in   Situation
		want Action
		says string
	}{
		"an orphan":                                 {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule), Pruning: MayPrune}, Prune, "Nobody gains or loses access"},
		"off by default":                            {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule)}, Tag, "mode tag"},
		"T47: an ID that was read once":             {Situation{Open: []finding.Finding{shown(finding.Unconfirmed, finding.Low)}, Pruning: MayPrune}, Tell, "not settled, so nothing is written, not even a tag"},
		"an ID that nobody knows":                   {Situation{Open: []finding.Finding{shown(finding.Stranger, finding.Low)}, Modes: modes(org.Tag, idRule), Pruning: MayPrune}, Tag, "mode tag"},
		"T50: an orphan in a Deny":                  {Situation{Open: []finding.Finding{shown(finding.Orphan, finding.Advice)}, Pruning: MayPrune}, Tell, "observe"},
		"nothing to prune to":                       {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule), Pruning: PruneRefused, PruneReason: "it would be empty"}, Tag, "it would be empty"},
		"a pruning that does not exist":             {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule), Pruning: 9}, Tag, "mode tag"},
		"a breach beside it goes back":              {Situation{Open: []finding.Finding{breach, gone}, Modes: enforce, Past: GoodBaseline, Pruning: MayPrune}, Revert, "known to be good"},
		"a role in the making is left to its maker": {Situation{Open: []finding.Finding{breach, gone}, Modes: enforce, Past: InTheMaking, PastReason: "until noon", Pruning: MayPrune}, Tag, "until noon"},
		"a breach in a new role is shut":            {Situation{Open: []finding.Finding{breach, gone}, Modes: enforce, Past: JustCreated, Pruning: MayPrune}, Quarantine, "lets nobody in"},
		"a breach without a past is left alone":     {Situation{Open: []finding.Finding{breach, gone}, Modes: enforce, Pruning: MayPrune}, Hold, "no baseline is known"},
		"a person's word that it stays":             {Situation{Open: []finding.Finding{gone}, Pruning: MayPrune, Stays: "alice said so, until noon"}, Tell, "observe"},
		"a difference of the rules":                 {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule), Pruning: MayPrune, Differs: "the rules changed"}, Tell, "nothing is written yet"},
		"protected":                                 {Situation{Open: []finding.Finding{gone}, Modes: modes(org.Tag, idRule), Pruning: MayPrune, Protected: "break-glass"}, Hold, "break-glass"},
		"protected, only observed":                  {Situation{Open: []finding.Finding{gone}, Pruning: MayPrune, Protected: "break-glass"}, Tell, "observe"},
		"doubt":                                     {Situation{Open: []finding.Finding{gone}, Pruning: MayPrune, Doubt: "Organizations could not be asked"}, Hold, "Organizations"},
	} {
		t.Run(name, func(t *testing.T) {
			row.in.Verdict = finding.Noncompliant
			got := Plan(row.in)
			if got.Action != row.want || !strings.Contains(strings.Join(got.Reasons, "\n"), row.says) {
				t.Errorf("%s, want %s; %q", got.Action, row.want, got.Reasons)
			}
		})
	}
}

// A prune names the rule of the orphans, and the rules whose tags it sets.
func TestPruneNamesWhatItIsFor(t *testing.T) {
	s := Situation{
		Verdict: finding.Noncompliant, Pruning: MayPrune, Open: []finding.Finding{shown(finding.Orphan, finding.Low), found("no-effect", finding.Place)},
		Modes: modes(org.Tag, idRule, "no-effect"),
	}
	if got := Plan(s); !slices.Equal(got.Rules, []string{"no-effect", idRule}) {
		t.Errorf("rules: %q", got.Rules)
	}
	s.Modes = nil
	if got := Plan(s); got.Action != Prune || !slices.Equal(got.Rules, []string{idRule}) {
		t.Errorf("%s, rules: %q", got.Action, got.Rules)
	}
}

// Only a proven orphan in an Allow is ever pruned, and only when somebody asked for it.
func TestPruneNeedsAnOrphan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		if d := Plan(s); d.Action == Prune {
			orphan := slices.ContainsFunc(s.Open, finding.Finding.Orphaned)
			if !orphan || s.Pruning != MayPrune || s.Verdict != finding.Noncompliant || s.Protected+s.Doubt+s.Stays+s.Differs != "" {
				t.Fatalf("pruned without cause: %+v", s)
			}
		}
	})
}
