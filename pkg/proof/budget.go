package proof

// Every answer comes within a bound on steps, which are counted and so the same
// on every machine; some 100 ns each (go test -bench Hard).
const (
	// workLimit bounds one question that has no Budget.
	workLimit = 40000
	// sharedLimit bounds all questions of one Budget, making the document ready
	// included. No question takes more than half of what is left of it.
	sharedLimit = 28000
	// reserve is kept for the questions that come when it is used up, ownSteps
	// each: a hard question leaves easy ones theirs.
	reserve  = 8000
	ownSteps = 400
)

const beyondBound = "the document is beyond the bound on what the search may do"

// Budget is what several questions may spend together: however many there are,
// sharedLimit and reserve steps in all. Who asks many questions about one
// document holds it to a bound this way. The zero value is whole; it is not for
// several goroutines at once.
type Budget struct {
	spent, extra int
	// ready are the documents whose making ready is paid for.
	ready [2]*Compiled
}

// steps is what the next question may spend.
func (b *Budget) steps(documents []*Compiled) int {
	if b == nil {
		return workLimit
	}
	for i, d := range documents {
		if b.ready[i] != d {
			b.ready[i] = d
			b.spent += d.cost
		}
	}
	left := sharedLimit - b.spent
	return max(left/2, min(ownSteps, reserve-b.extra))
}

// pay takes what a question spent.
func (b *Budget) pay(steps int) {
	switch {
	case b == nil:
	case b.spent < sharedLimit && sharedLimit-b.spent >= steps:
		b.spent += steps
	default:
		b.extra += steps
	}
}
