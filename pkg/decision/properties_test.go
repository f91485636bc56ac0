package decision_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

var ruleNames = []string{"external-id", "session-name", "mfa", "no-effect", "session-policy"}

// situations draws any situation, values that do not exist included.
func situations() *rapid.Generator[Situation] {
	return rapid.Custom(func(t *rapid.T) Situation {
		s := Situation{
			Change:     trail.Kind(rapid.IntRange(0, 8).Draw(t, "change")),
			Verdict:    finding.Verdict(rapid.IntRange(0, 3).Draw(t, "verdict")),
			Reasons:    rapid.SliceOfN(rapid.String(), 0, 2).Draw(t, "reasons"),
			Doubt:      rapid.SampledFrom([]string{"", "", "Organizations could not be asked"}).Draw(t, "doubt"),
			Protected:  rapid.SampledFrom([]string{"", "", "break-glass"}).Draw(t, "protected"),
			Stays:      rapid.SampledFrom([]string{"", "", "", "alice said so, until noon"}).Draw(t, "stays"),
			Differs:    rapid.SampledFrom([]string{"", "", "", "the rules changed"}).Draw(t, "differs"),
			Past:       Past(rapid.IntRange(0, 5).Draw(t, "past")),
			PastReason: rapid.SampledFrom([]string{"", "the seal does not fit."}).Draw(t, "pastReason"),
			Tagged:     TagState(rapid.IntRange(0, 2).Draw(t, "tagged")),
			Told:       TagState(rapid.IntRange(0, 2).Draw(t, "told")),
			Pruning:    Pruning(rapid.IntRange(0, 3).Draw(t, "pruning")),
			Modes:      map[string]org.Mode{},
		}
		for range rapid.IntRange(0, 4).Draw(t, "findings") {
			kind := finding.EvidenceKind(rapid.IntRange(0, 6).Draw(t, "kind"))
			s.Open = append(s.Open, found(rapid.SampledFrom(ruleNames).Draw(t, "rule"), kind))
		}
		for range rapid.IntRange(0, 2).Draw(t, "ids") {
			s.Open = append(s.Open, shown(finding.Standing(rapid.IntRange(0, 6).Draw(t, "standing")), finding.Severity(rapid.IntRange(0, 1).Draw(t, "severity"))))
		}
		for _, r := range ruleNames {
			if rapid.Bool().Draw(t, "has mode") {
				s.Modes[r] = org.Mode(rapid.IntRange(0, 3).Draw(t, "mode"))
			}
		}
		return s
	})
}

func brakes() *rapid.Generator[Brakes] {
	return rapid.Custom(func(t *rapid.T) Brakes {
		limit := rapid.SampledFrom([]string{"", "role (3 per day)"})
		return Brakes{Switch: Switch(rapid.IntRange(0, 3).Draw(t, "switch")), Limit: limit.Draw(t, "limit"), TagLimit: limit.Draw(t, "tagLimit")}
	})
}

// never checks that no situation of a kind is written, braked or not.
func never(t *testing.T, shape func(*Situation)) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		shape(&s)
		d := Plan(s)
		if d.Action.Writes() {
			t.Fatalf("Plan = %s, which writes; reasons %q", d.Action, d.Reasons)
		}
		if b := d.Brake(brakes().Draw(t, "brakes")); b.Action.Writes() {
			t.Fatalf("Brake made it %s, which writes", b.Action)
		}
	})
}

// The zero values are harmless: who forgets to fill something in writes nothing.
func TestZeroValuesNeverWrite(t *testing.T) {
	if a := Plan(Situation{}).Action; a != Tell {
		t.Errorf("the zero situation: %s, want Tell", a)
	}
	if a := (Decision{}).Brake(Brakes{Switch: WritesAllowed}).Action; a != Ignore {
		t.Errorf("the zero decision: %s, want Ignore", a)
	}
	for _, a := range []Action{Tag, Revert, Quarantine, Clear, Prune} {
		if got := (Decision{Action: a}).Brake(Brakes{}).Action; got != Hold {
			t.Errorf("%s under zero brakes: %s, want Hold", a, got)
		}
	}
	zeroed := map[string]func(*Situation){
		"verdict": func(s *Situation) { s.Verdict = 0 },
		"modes": func(s *Situation) {
			s.Pruning = NothingToPrune
			s.Verdict, s.Modes = finding.Noncompliant, nil
			s.Open = append(s.Open, found("mfa", finding.Allowed))
		},
	}
	for name, zero := range zeroed {
		t.Run(name, func(t *testing.T) { never(t, zero) })
	}
}

func TestUndecidedNeverWrites(t *testing.T) {
	never(t, func(s *Situation) { s.Verdict = finding.Undecided })
}

// Nothing is written while there is doubt, and nobody's silence is bought by it.
func TestDoubtHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		s.Verdict, s.Doubt = finding.Noncompliant, "the membership is not known"
		if d := Plan(s); d.Action != Hold || d.Reasons[0] != "The membership is not known." {
			t.Fatalf("%s, %q", d.Action, d.Reasons)
		}
	})
}

func TestProtectedNeverWrites(t *testing.T) { // T70
	never(t, func(s *Situation) { s.Protected = "rolewarden does not write its own roles" })
}

// A breach that a person let stay, or that new rules made, is never written and
// always told (T68).
func TestAWordOrADifferenceOfTheRulesNeverWritesAndIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		s.Verdict, s.Open = finding.Noncompliant, append(s.Open, found("mfa", finding.Allowed))
		if s.Stays == "" {
			s.Differs = "the rules changed"
		}
		if a := Plan(s).Action; a != Hold && a != Tell {
			t.Fatalf("Plan = %s", a)
		}
	})
}

// Doubt never writes: with nothing to go back to, not even a tag (design: a
// missing baseline).
func TestWithoutABaselineNothingIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		s.Verdict, s.Past = finding.Noncompliant, rapid.SampledFrom([]Past{NoPast, RefusedBaseline, 44}).Draw(t, "nothing")
		s.Open = append(s.Open, found("mfa", finding.Allowed))
		s.Modes["mfa"] = org.Enforce
		if a := Plan(s).Action; a != Hold && a != Tell {
			t.Fatalf("Plan = %s", a)
		}
	})
}

// An exempted-only report never writes a policy or a tag: at most the tags of
// earlier days are taken off.
func TestExemptedOnlyNeverWritesAPolicyOrATag(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		s.Verdict, s.Open, s.Doubt = finding.Noncompliant, nil, ""
		if s.Tagged == Untagged && s.Told == Untagged {
			if a := Plan(s).Action; a != Ignore {
				t.Fatalf("Plan = %s, want Ignore", a)
			}
			return
		}
		switch a := Plan(s).Action; a {
		case Clear, Hold, Tell:
		default:
			t.Fatalf("Plan = %s", a)
		}
	})
}

func TestObserveNeverWrites(t *testing.T) {
	never(t, func(s *Situation) {
		s.Pruning = NothingToPrune
		s.Verdict = finding.Noncompliant
		s.Open = append(s.Open, found("mfa", finding.Allowed))
		for r := range s.Modes {
			s.Modes[r] = org.Observe
		}
	})
}

// Only a request that can be tried takes a policy back, and only to a good baseline.
func TestRevertNeedsAWitnessAnEnforcedRuleAndABaseline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		d := Plan(s)
		if d.Action != Revert && d.Action != Quarantine {
			return
		}
		why := slices.ContainsFunc(s.Open, func(f finding.Finding) bool {
			witness := f.Evidence.Kind == finding.Allowed || f.Evidence.Kind == finding.Refused
			return witness && s.Modes[f.Rule] == org.Enforce && slices.Contains(d.Rules, f.Rule)
		})
		if !why || s.Verdict != finding.Noncompliant || s.Protected != "" {
			t.Fatalf("%s without cause: %+v", d.Action, s)
		}
		if d.Action == Revert && s.Past != GoodBaseline || d.Action == Quarantine && s.Past != JustCreated {
			t.Fatalf("%s with past %s and change %d", d.Action, s.Past, s.Change)
		}
	})
}

// strength orders the actions by what they do to a role.
func strength(a Action) int {
	return map[Action]int{Ignore: 0, Tell: 1, Hold: 1, Clear: 2, Tag: 2, Revert: 3, Quarantine: 3, Prune: 3}[a]
}

func TestBrakeNeverStrengthens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Plan(situations().Draw(t, "situation"))
		if rapid.Bool().Draw(t, "any action") {
			d.Action = Action(rapid.IntRange(0, 7).Draw(t, "action"))
		}
		b := brakes().Draw(t, "brakes")
		braked := d.Brake(b)
		if strength(braked.Action) > strength(d.Action) {
			t.Fatalf("Brake made %s of %s", braked.Action, d.Action)
		}
		if b.Switch != WritesAllowed && braked.Action.Writes() {
			t.Fatalf("%s under switch %s", braked.Action, b.Switch)
		}
		if d.Action != Ignore && braked.Action == Ignore {
			t.Fatalf("braking hid a %s", d.Action)
		}
		if again := braked.Brake(b); again.Action != braked.Action && strength(again.Action) > strength(braked.Action) {
			t.Fatalf("braking twice made %s of %s", again.Action, braked.Action)
		}
	})
}

// Silence needs a reason: an open finding or a doubt is always told.
func TestNothingIsSwallowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := situations().Draw(t, "situation")
		d := Plan(s)
		if d.Action == Ignore && (len(s.Open) > 0 || s.Verdict == finding.Undecided) {
			t.Fatalf("ignored: %+v", s)
		}
		if len(d.Reasons) == 0 {
			t.Fatalf("no reason given for %s", d.Action)
		}
	})
}

// The id fits a role session name, a source identity with its prefix, a tag
// and a Sid, and does not depend on chance.
func TestID(t *testing.T) {
	plain := regexp.MustCompile(`^[a-z0-9]{2,40}$`)
	seen := map[string][3]string{}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"", "1", "11", "111122223333", "e-1", "AROA1", "\x00"})
		in := [3]string{part.Draw(t, "account"), part.Draw(t, "event"), part.Draw(t, "role")}
		id := ID(in[0], in[1], in[2])
		if !plain.MatchString(id) {
			t.Fatalf("ID = %q", id)
		}
		if was, ok := seen[id]; ok && was != in {
			t.Fatalf("%q and %q share the id %s", was, in, id)
		}
		seen[id] = in
	})
	const want = "lrwulygor2m6drhkze4fjit65e"
	if got := ID("111122223333", "e1", "AROAEXAMPLE"); got != want {
		t.Errorf("ID = %s, want %s: ids are kept in the ledger and must not change between releases", got, want)
	}
}

// Words are a contract: what is written reads back, and nothing else does.
func TestActionWords(t *testing.T) {
	for a := Ignore; a <= Prune; a++ {
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back Action
		if err := json.Unmarshal(text, &back); err != nil || back != a {
			t.Errorf("%s reads back as %s, %v", text, back, err)
		}
	}
	if _, err := json.Marshal(Action(99)); err == nil {
		t.Error("an action that does not exist was written")
	}
	if _, err := ParseAction("revert"); err == nil {
		t.Error("ParseAction took a word that is none")
	}
	for _, s := range []string{Past(9).String(), Pruning(9).String(), Switch(9).String(), TagState(9).String(), Action(9).String()} {
		if s[len(s)-1] != '?' {
			t.Errorf("a value that does not exist prints as %q", s)
		}
	}
}
