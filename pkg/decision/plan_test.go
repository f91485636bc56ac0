package decision_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

func found(rule string, kind finding.EvidenceKind) finding.Finding {
	return finding.Finding{Rule: rule, Severity: finding.High, Evidence: finding.Evidence{Kind: kind}}
}

func modes(m org.Mode, rules ...string) map[string]org.Mode {
	out := map[string]org.Mode{}
	for _, r := range rules {
		out[r] = m
	}
	return out
}

// Every row of the table: what a person reads in the README about what
// rolewarden does is what it does.
func TestPlanRows(t *testing.T) {
	witness := []finding.Finding{found("external-id", finding.Allowed)}
	refused := []finding.Finding{found("set-source-identity", finding.Refused)}
	enforce := modes(org.Enforce, "external-id", "set-source-identity", "session-policy", "no-effect", "shared")
	const doubt = "Organizations could not be asked"
	rows := []struct {
		name string
		in   Situation
		want Action
		// says must be in the reasons: what a person has to know or do.
		says []string
	}{
		{"undecided", Situation{Verdict: finding.Undecided, Reasons: []string{"Statement[0].NotPrincipal has no settled meaning"}, Open: witness, Modes: enforce, Past: GoodBaseline}, Tell, []string{"by hand", "NotPrincipal"}},
		{"a verdict that does not exist", Situation{Verdict: 77, Open: witness, Modes: enforce, Past: GoodBaseline}, Tell, []string{"by hand"}},
		{"compliant, nothing to take back", Situation{Verdict: finding.Compliant}, Ignore, nil},
		{"compliant again, tagged", Situation{Verdict: finding.Compliant, Tagged: Tagged}, Clear, []string{"tags are taken off"}},
		{"compliant again, told", Situation{Verdict: finding.Compliant, Told: Tagged}, Clear, []string{" What was told of this role before is resolved"}},
		{"compliant again, protected and tagged", Situation{Verdict: finding.Compliant, Tagged: Tagged, Protected: "break-glass"}, Hold, []string{"break-glass", "by hand"}},
		{"compliant again, protected and told", Situation{Verdict: finding.Compliant, Told: Tagged, Protected: "break-glass"}, Tell, []string{"resolved"}},
		{"compliant, and yet with findings", Situation{Verdict: finding.Compliant, Open: witness, Modes: enforce, Past: GoodBaseline, Tagged: Tagged}, Tell, []string{"contradicts"}},
		{"all exempted", Situation{Verdict: finding.Noncompliant, Past: GoodBaseline, Modes: enforce}, Ignore, nil},
		{"all exempted, tagged", Situation{Verdict: finding.Noncompliant, Tagged: Tagged}, Clear, []string{"exemption"}},
		{"all exempted, told", Situation{Verdict: finding.Noncompliant, Told: Tagged}, Clear, []string{"exemption"}},
		{"observe", Situation{Verdict: finding.Noncompliant, Open: witness, Past: GoodBaseline}, Tell, []string{"observe", "rules file"}},
		{"observe, protected", Situation{Verdict: finding.Noncompliant, Open: witness, Protected: "break-glass"}, Tell, []string{"observe"}},
		{"a mode that does not exist", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(9, "external-id"), Past: GoodBaseline}, Tell, []string{"observe"}},
		{"tag", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(org.Tag, "external-id"), Past: GoodBaseline}, Tag, []string{"Mend it"}},
		{"tag, protected", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(org.Tag, "external-id"), Protected: "Control Tower owns this role"}, Hold, []string{"Control Tower", "person"}},
		{"enforce, with a baseline", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline}, Revert, []string{"exemption"}},
		{"enforce, a refused request, with a baseline", Situation{Verdict: finding.Noncompliant, Open: refused, Modes: enforce, Past: GoodBaseline}, Revert, nil},
		{"enforce, protected", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline, Protected: "break-glass"}, Hold, []string{"break-glass", "person"}},
		{"enforce, just created", Situation{Change: trail.RoleCreated, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: JustCreated}, Quarantine, []string{"lets nobody in"}},
		{"enforce, just created and opened by a second call", Situation{Change: trail.TrustUpdated, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: JustCreated}, Quarantine, []string{"lets nobody in"}},
		{"enforce, in the making", Situation{Change: trail.RoleCreated, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: InTheMaking, PastReason: "until noon"}, Tag, []string{"until noon", "lets nobody in"}},
		{"tag, in the making", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(org.Tag, "external-id"), Past: InTheMaking, PastReason: "until noon"}, Tag, []string{"Mend it"}},
		{"doubt beside an open role", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline, Doubt: doubt}, Hold, []string{"Organizations could not be asked.", "The rule external-id is broken", "nothing is written"}},
		{"doubt beside an open role, modes not known", Situation{Verdict: finding.Noncompliant, Open: witness, Past: GoodBaseline, Doubt: doubt}, Hold, []string{"The rule external-id is broken"}},
		{"doubt beside an open role that is protected", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Doubt: doubt, Protected: "break-glass"}, Hold, []string{"Organizations", "break-glass"}},
		{"doubt, all exempted", Situation{Verdict: finding.Noncompliant, Tagged: Tagged, Doubt: doubt}, Hold, []string{"Organizations", "exemption"}},
		{"doubt beside an undecided role", Situation{Verdict: finding.Undecided, Open: witness, Doubt: doubt}, Tell, []string{"by hand"}},
		{"doubt beside a compliant role", Situation{Verdict: finding.Compliant, Doubt: doubt}, Ignore, nil},
		{"enforce, no past", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce}, Hold, []string{"no baseline", "by hand"}},
		{"enforce, no past, said why", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, PastReason: "the baseline is younger than a day"}, Hold, []string{"younger than a day"}},
		{"enforce, refused baseline", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: RefusedBaseline, PastReason: "the seal does not fit"}, Hold, []string{"the seal does not fit", "by hand"}},
		{"enforce, refused baseline, reason missing", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: RefusedBaseline}, Hold, []string{"not known"}},
		{"enforce, a past that does not exist", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: 44}, Hold, []string{"by hand"}},
		{"enforce, and a person said that it stays", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline, Stays: "alice said so, until noon"}, Hold, []string{"alice said so, until noon", "exemption"}},
		{"enforce, new, and a person said that it stays", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: JustCreated, Stays: "alice said so, until noon"}, Hold, []string{"alice"}},
		{"tag, and a person said that it stays", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(org.Tag, "external-id"), Stays: "alice said so, until noon"}, Hold, []string{"alice"}},
		{"observe, and a person said that it stays", Situation{Verdict: finding.Noncompliant, Open: witness, Stays: "alice said so, until noon"}, Tell, []string{"observe"}},
		{"undecided, and a person said that it stays", Situation{Verdict: finding.Undecided, Open: witness, Modes: enforce, Stays: "alice said so, until noon"}, Tell, []string{"by hand"}},
		{"mended, and a person said that it stays", Situation{Verdict: finding.Compliant, Tagged: Tagged, Stays: "alice said so, until noon"}, Clear, []string{"tags are taken off"}},
		{"enforce, a difference of the rules", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline, Differs: "the rules changed, and act from noon"}, Tell, []string{"act from noon", "nothing is written yet"}},
		{"enforce, new, a difference of the rules", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: JustCreated, Differs: "the rules changed, and act from noon"}, Tell, []string{"act from noon"}},
		{"tag, a difference of the rules", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: modes(org.Tag, "external-id"), Differs: "the rules changed, and act from noon"}, Tell, []string{"act from noon"}},
		{"a difference of the rules on a protected role", Situation{Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Protected: "break-glass", Differs: "the rules changed, and act from noon"}, Hold, []string{"break-glass"}},
		{"a fact is never more than tagged", Situation{Verdict: finding.Noncompliant, Open: []finding.Finding{found("session-policy", finding.Fact)}, Modes: enforce, Past: GoodBaseline}, Tag, []string{"rests on a fact"}},
		{"a place is never more than tagged", Situation{Verdict: finding.Noncompliant, Open: []finding.Finding{found("no-effect", finding.Place)}, Modes: enforce, Past: GoodBaseline}, Tag, []string{"rests on a place"}},
		{"a pair is never more than tagged", Situation{Verdict: finding.Noncompliant, Open: []finding.Finding{found("shared", finding.Pair)}, Modes: enforce, Past: GoodBaseline}, Tag, []string{"rests on a pair"}},
		{"a finding without evidence is only told", Situation{Verdict: finding.Noncompliant, Open: []finding.Finding{found("external-id", finding.NoEvidence)}, Modes: enforce, Past: GoodBaseline}, Tell, nil},
		{"the role was deleted meanwhile", Situation{Change: trail.RoleDeleted, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline}, Tell, nil},
		{"a change of a user", Situation{Change: trail.UserDeleted, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline}, Tell, nil},
		{"a user's new name", Situation{Change: trail.UserRenamed, Verdict: finding.Compliant, Tagged: Tagged}, Tell, nil},
		{"a change that does not exist", Situation{Change: 99, Verdict: finding.Noncompliant, Open: witness, Modes: enforce, Past: GoodBaseline}, Tell, nil},
		{"an AssumeRole event is judged like others", Situation{Change: trail.RoleAssumed, Verdict: finding.Noncompliant, Open: []finding.Finding{found("session-policy", finding.Fact)}, Modes: modes(org.Tag, "session-policy")}, Tag, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := Plan(row.in)
			if got.Action != row.want {
				t.Errorf("Plan = %s, want %s; reasons %q", got.Action, row.want, got.Reasons)
			}
			all := strings.Join(got.Reasons, "\n")
			for _, say := range row.says {
				if !strings.Contains(all, say) {
					t.Errorf("the reasons do not say %q:\n%s", say, all)
				}
			}
			for _, r := range got.Reasons[:1] {
				if !strings.HasSuffix(r, ".") || strings.ToUpper(r[:1]) != r[:1] {
					t.Errorf("the first reason is no sentence: %q", r)
				}
			}
		})
	}
}

// The strongest mode among the broken rules decides, and the decision names
// the rules that drove it and no others.
func TestPlanNamesTheRulesThatDroveIt(t *testing.T) {
	s := Situation{
		Verdict: finding.Noncompliant,
		Open: []finding.Finding{
			found("session-name", finding.Allowed), found("external-id", finding.Allowed),
			found("external-id", finding.Allowed), found("mfa", finding.Allowed), found("no-effect", finding.Place),
		},
		Modes: map[string]org.Mode{"session-name": org.Enforce, "external-id": org.Enforce, "mfa": org.Tag, "no-effect": org.Enforce},
		Past:  GoodBaseline,
	}
	got := Plan(s)
	if got.Action != Revert {
		t.Errorf("Action = %s, want Revert", got.Action)
	}
	if diff := cmp.Diff([]string{"external-id", "session-name"}, got.Rules); diff != "" {
		t.Errorf("Rules (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(got.Reasons[0], "The rules external-id and session-name are broken") {
		t.Errorf("first reason: %q", got.Reasons[0])
	}
}

// Who reads why nothing was done reads the doubt first, and never that the mode
// was set so.
func TestDoubtComesFirstAndNoModeIsBlamed(t *testing.T) {
	got := Plan(Situation{
		Verdict: finding.Noncompliant, Doubt: "the membership of 444455556666 is not known",
		Open: []finding.Finding{found("mfa", finding.Allowed), found("external-id", finding.Fact)},
	})
	if got.Reasons[0] != "The membership of 444455556666 is not known." || !strings.HasPrefix(got.Reasons[1], "The rules external-id and mfa are broken") {
		t.Errorf("reasons: %q", got.Reasons)
	}
	if all := strings.Join(got.Reasons, " "); strings.Contains(all, "mode") {
		t.Errorf("a mode is blamed: %q", all)
	}
	if diff := cmp.Diff([]string{"external-id", "mfa"}, got.Rules); diff != "" {
		t.Errorf("Rules (-want +got):\n%s", diff)
	}
}
