package decision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Plan says what to do in a situation. It fills Action, Reasons and Rules; ID,
// RulesHash and At are the caller's.
//
// Whatever is in doubt ends in Tell: an undecided verdict, a verdict that
// contradicts its findings, a change that leaves no role to write. A doubt that
// leaves the verdict as it is ends in Hold.
func Plan(s Situation) Decision {
	switch s.Verdict {
	case finding.Compliant:
		if len(s.Open) > 0 {
			return Decision{Action: Tell, Rules: ruleIDs(s.Open), Reasons: []string{
				"The report calls the role compliant and lists open findings all the same. Nothing is written on a report that contradicts itself: judge the findings by hand.",
			}}
		}
		return settled(s, "The trust policy obeys every rule.")
	case finding.Noncompliant:
		if s.Doubt != "" {
			return doubted(s)
		}
		if len(s.Open) == 0 {
			return settled(s, "Every finding is covered by an exemption.")
		}
		return breached(s)
	case finding.Undecided:
		return undecided(s)
	default:
		return undecided(s)
	}
}

// undecided tells, and writes nothing, tags included.
func undecided(s Situation) Decision {
	reasons := []string{"What the trust policy allows could not be settled, so nothing is written. Look at the elements named here, write them in a settled form, or judge the role by hand."}
	return Decision{Action: Tell, Reasons: append(reasons, s.Reasons...), Rules: ruleIDs(s.Open)}
}

// settled is for roles that ask for nothing: what was said of them before is taken back.
func settled(s Situation, why string) Decision {
	switch {
	case s.Tagged == Untagged && s.Told == Untagged:
		return Decision{Action: Ignore, Reasons: []string{why}}
	case s.Protected != "" && s.Tagged != Untagged:
		return Decision{Action: Hold, Reasons: []string{
			why + fmt.Sprintf(" The role still carries rolewarden's tags, and it is never written: %s. Take the tags off by hand.", s.Protected),
		}}
	case s.Protected != "":
		return Decision{Action: Tell, Reasons: []string{why + " What was told of this role before is resolved; there is nothing left to do."}}
	case !hasRole(s.Change):
		return Decision{Action: Tell, Reasons: []string{why + " The change left no role to take tags from; what was told before is resolved."}}
	case s.Tagged == Untagged:
		return Decision{Action: Clear, Reasons: []string{why + " What was told of this role before is resolved; there is nothing left to do."}}
	default:
		return Decision{Action: Clear, Reasons: []string{why + " rolewarden's tags are taken off and what was told of this role before is resolved; there is nothing left to do."}}
	}
}

// breached is for roles with open findings.
func breached(s Situation) Decision {
	if !hasRole(s.Change) {
		return Decision{Action: Tell, Rules: ruleIDs(s.Open), Reasons: []string{
			fmt.Sprintf("A change of the kind %s does not leave a role that could be written. Look at the findings by hand.", s.Change),
		}}
	}
	return pruned(s, byMode(s))
}

// byMode decides as the strongest mode of the broken rules asks.
func byMode(s Situation) Decision {
	mode, driving := strongest(s)
	notes := capNotes(s)
	if mode != org.Tag && mode != org.Enforce {
		return observed(s, notes)
	}
	switch {
	case s.Protected != "":
		return held(driving, s.Protected, "A person has to mend this role.", notes)
	case s.Stays != "":
		return held(driving, s.Stays, "Mend the role before that, or ask for an exemption in the rules file: then the rules act again.", notes)
	case s.Differs != "":
		return differs(s, driving, notes)
	case mode == org.Tag:
		first := fmt.Sprintf("%s: the role is tagged and its trust policy stays. Mend it as the findings say; the tags go when it is.", inMode(driving, "tag"))
		return Decision{Action: Tag, Rules: driving, Reasons: append([]string{first}, notes...)}
	default:
		return enforced(s, driving, notes)
	}
}

// differs is for roles that were left as they are under other rules: the new
// ones only tell of them at first, so that a mistake in the rules file rewrites
// nothing (T68).
func differs(s Situation, driving, notes []string) Decision {
	first := fmt.Sprintf("%s %s broken, and nothing is written yet: %s.", capital(theRules(driving)), are(driving), strings.TrimRight(s.Differs, "."))
	return Decision{Action: Tell, Rules: driving, Reasons: append([]string{first}, notes...)}
}

func observed(s Situation, notes []string) Decision {
	rules := ruleIDs(s.Open)
	first := fmt.Sprintf("%s: nothing is written. Mend the role as the findings say, or set the mode to tag or enforce in the rules file to have it acted on.", inMode(rules, "observe"))
	return Decision{Action: Tell, Rules: rules, Reasons: append([]string{first}, notes...)}
}

// enforced decides between reverting, quarantining, at once or after a while, and
// leaving the role as it is since there is nothing to go back to. Then no tag is
// written either: what is missing is a doubt, and doubt never writes.
func enforced(s Situation, driving, notes []string) Decision {
	lead := inMode(driving, "enforce")
	keep := func(why, next string) Decision {
		first := fmt.Sprintf("%s, and nothing is written: %s. %s", lead, why, next)
		return Decision{Action: Hold, Rules: driving, Reasons: append([]string{first}, notes...)}
	}
	switch s.Past {
	case GoodBaseline:
		first := lead + ": the trust policy goes back to the last one known to be good. Who needs the change makes it again in a form that obeys the rules, or asks for an exemption."
		return Decision{Action: Revert, Rules: driving, Reasons: append([]string{first}, notes...)}
	case JustCreated:
		first := lead + ": the role is new and has no past to go back to, so its trust policy is replaced by one that lets nobody in. Write a trust policy that obeys the rules; the alert holds the one that was replaced."
		return Decision{Action: Quarantine, Rules: driving, Reasons: append([]string{first}, notes...)}
	case InTheMaking:
		first := fmt.Sprintf("%s: the role is new, so whoever makes it has time to finish (%s). It is tagged; if it still breaks a rule then, its trust policy is replaced by one that lets nobody in.", lead, orUnknown(s.PastReason))
		return Decision{Action: Tag, Rules: driving, Reasons: append([]string{first}, notes...)}
	case RefusedBaseline:
		return keep("its baseline may not be restored: "+orUnknown(s.PastReason), "Mend the role by hand as the findings say.")
	case NoPast:
		why := "no baseline is known to go back to"
		if s.PastReason != "" {
			why += ": " + strings.TrimRight(s.PastReason, ".")
		}
		return keep(why, "Mend the role by hand as the findings say; once a document has stayed compliant, a baseline is kept.")
	default:
		return keep("what is known of its past is not understood", "Mend the role by hand as the findings say.")
	}
}

// doubted is for roles whose verdict is sure while something else is not. All
// that is broken is named, whatever its mode: with the doubt gone, the modes say
// what is done.
func doubted(s Situation) Decision {
	rules := ruleIDs(s.Open)
	broken := "Every finding is covered by an exemption"
	if len(rules) > 0 {
		broken = capital(theRules(rules)) + " " + are(rules) + " broken"
	}
	reasons := []string{
		capital(strings.TrimRight(s.Doubt, ".")) + ".",
		broken + ", and nothing is written while that is in doubt. Mend the role as the findings say, or settle the doubt and let the role be judged again.",
	}
	if s.Protected != "" {
		reasons = append(reasons, "The role is never written in any case: "+strings.TrimRight(s.Protected, ".")+".")
	}
	return Decision{Action: Hold, Rules: rules, Reasons: append(reasons, capNotes(s)...)}
}

// held is for roles on which a rule would act, were it not for one thing.
func held(driving []string, why, next string, notes []string) Decision {
	first := fmt.Sprintf("%s would be acted on, and nothing is: %s. %s", theRules(driving), strings.TrimRight(why, "."), next)
	return Decision{Action: Hold, Rules: driving, Reasons: append([]string{capital(first)}, notes...)}
}

// hasRole says whether a change leaves a role that could be written. The zero
// kind does: it is what a sweep has, which looks at roles without a change.
func hasRole(k trail.Kind) bool {
	switch k {
	case trail.Ignored, trail.RoleCreated, trail.TrustUpdated, trail.RoleAssumed:
		return true
	case trail.RoleDeleted, trail.UserDeleted, trail.UserRenamed:
		return false
	default:
		return false
	}
}

// strongest gives the strongest mode that an open finding justifies, and the
// rules of the findings that justify it.
func strongest(s Situation) (org.Mode, []string) {
	mode := org.Observe
	for _, f := range s.Open {
		mode = max(mode, justified(s, f))
	}
	var driving []finding.Finding
	for _, f := range s.Open {
		if justified(s, f) == mode {
			driving = append(driving, f)
		}
	}
	return mode, ruleIDs(driving)
}

// Enforced reports whether an open finding lets a trust policy be replaced, as far
// as the modes and its evidence go.
func (s Situation) Enforced() bool {
	mode, _ := strongest(s)
	return mode == org.Enforce
}

// justified is the mode of a finding's rule, capped by what its evidence can
// carry: only a request can be tried, so only a request takes a policy back.
func justified(s Situation, f finding.Finding) org.Mode {
	mode := s.Modes[f.Rule]
	if mode > org.Enforce {
		mode = org.Observe
	}
	return min(mode, carries(f.Evidence.Kind))
}

func carries(k finding.EvidenceKind) org.Mode {
	switch k {
	case finding.Allowed, finding.Refused:
		return org.Enforce
	case finding.Pair, finding.Place, finding.Fact:
		return org.Tag
	case finding.NoEvidence:
		return org.Observe
	default:
		return org.Observe
	}
}

// capNotes says of each rule that is set to do more than its evidence carries, that it is so.
func capNotes(s Situation) []string {
	var notes []string
	for _, f := range s.Open {
		got := justified(s, f)
		if s.Modes[f.Rule] <= got {
			continue
		}
		note := fmt.Sprintf("The finding of %s rests on a %s and not on a request that can be tried, so it never does more than %s.",
			f.Rule, strings.ToLower(f.Evidence.Kind.String()), map[org.Mode]string{org.Observe: "tell", org.Tag: "tag"}[got])
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// ruleIDs gives the rules of findings, each once, sorted.
func ruleIDs(findings []finding.Finding) []string {
	var ids []string
	for _, f := range findings {
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// inMode says which rules are broken, and how far they go.
func inMode(rules []string, mode string) string {
	return fmt.Sprintf("%s %s broken, in mode %s", capital(theRules(rules)), are(rules), mode)
}

func are(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

// theRules writes their names in a row: "the rules a, b and c".
func theRules(names []string) string {
	switch n := len(names); n {
	case 0:
		return "no rule"
	case 1:
		return "the rule " + names[0]
	default:
		return "the rules " + strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func orUnknown(why string) string {
	if why == "" {
		return "the reason is not known"
	}
	return strings.TrimRight(why, ".")
}
