package proof

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// FuzzCompare compares any two texts that parse: who is newly let in or shut
// out is so by the evaluator's judgement of that one request, an open answer
// says why, a document never differs from itself, and turning the comparison
// round turns its answers round.
func FuzzCompare(f *testing.F) {
	for older := range typical {
		for newer := range typical {
			f.Add([]byte(typical[older]), []byte(typical[newer]))
		}
	}
	for _, s := range unsettledAllows {
		f.Add([]byte(document(s)), []byte(typical["account"]))
	}
	for seed := range uint64(24) {
		g := newSmall(seed)
		keys := g.some(3)
		before, after := g.document(keys).Print(), g.document(keys).Print()
		f.Add(before, after)
	}
	f.Fuzz(func(t *testing.T, before, after []byte) {
		older, err := policy.Parse(before)
		if err != nil {
			return
		}
		newer, err := policy.Parse(after)
		if err != nil {
			return
		}
		c, back := Compare(older, newer, world()), Compare(newer, older, world())
		confirm(t, newer, older, c.New)
		confirm(t, older, newer, c.Lost)
		check(t, newer, c.New)
		check(t, older, c.Lost)
		if c.New.Outcome != back.Lost.Outcome || c.Lost.Outcome != back.New.Outcome {
			t.Errorf("new %v and lost %v turn round to lost %v and new %v", c.New.Outcome, c.Lost.Outcome, back.Lost.Outcome, back.New.Outcome)
		}
		for _, d := range []policy.Document{older, newer} {
			if same := Compare(d, d, world()); same.New.Outcome != None || same.Lost.Outcome != None {
				t.Errorf("a document differs from itself: %v %v, %v %v", same.New.Outcome, same.New.Undecided, same.Lost.Outcome, same.Lost.Undecided)
			}
		}
	})
}
