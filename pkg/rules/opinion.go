package rules

import "github.com/rolewarden/rolewarden/pkg/finding"

// opinion is what all rules say of a document, exemptions and echoes aside: a
// mended document has another digest, and what one rule says for another today
// it may no longer say for it tomorrow.
type opinion struct {
	findings []finding.Finding
	// doubts counts what each rule leaves undecided.
	doubts map[string]int
}

// opinionOf asks every rule about a settled Input.
func opinionOf(in Input) opinion {
	findings, doubts := judgements(in)
	o := opinion{findings: findings, doubts: map[string]int{}}
	for _, rules := range doubts.rules {
		for _, id := range rules {
			o.doubts[id]++
		}
	}
	return o
}

// of gives a rule's first finding of a severity or above.
func (o opinion) of(rule string, least finding.Severity) (finding.Finding, bool) {
	for _, f := range o.findings {
		if f.Rule == rule && f.Severity >= least {
			return f, true
		}
	}
	return finding.Finding{}, false
}

// count tells how many findings a rule has.
func (o opinion) count(rule string) int {
	n := 0
	for _, f := range o.findings {
		if f.Rule == rule {
			n++
		}
	}
	return n
}

// noWorse says that no rule speaks, with a severity or above, that was silent in
// another opinion, none tells of a breach that told of advice alone, and none is
// less decided.
func (o opinion) noWorse(than opinion, least finding.Severity) bool {
	for _, f := range o.findings {
		if f.Severity < least {
			continue
		}
		if _, spoke := than.of(f.Rule, min(f.Severity, finding.Low)); !spoke {
			return false
		}
	}
	for rule, n := range o.doubts {
		if n > than.doubts[rule] {
			return false
		}
	}
	return true
}
