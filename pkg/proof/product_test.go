package proof

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestShortestWordIsExact compares the search over globs with every short word:
// a word is found exactly when there is one, it meets every literal, and no
// shorter one does (T30: language inclusion, not comparison with "*").
func TestShortestWordIsExact(t *testing.T) {
	abc := words(classOf("a-c"), 1, 5)
	var all []string
	var grow func(string)
	grow = func(w string) {
		if len(w) > 0 {
			all = append(all, w)
		}
		if len(w) < 5 {
			for _, r := range "abc" {
				grow(w + string(r))
			}
		}
	}
	grow("")
	rapid.Check(t, func(t *rapid.T) {
		var lits []lit
		for range rapid.IntRange(1, 4).Draw(t, "literals") {
			u := &test{}
			how := rapid.SampledFrom([]comparison{compareExact, compareGlob, compareFold}).Draw(t, "how")
			for range rapid.IntRange(1, 3).Draw(t, "values") {
				text := rapid.StringOfN(rapid.SampledFrom([]rune("abABc**??")), 1, 5, -1).Draw(t, "value")
				u.add(appendText(nil, text, how), how)
			}
			lits = append(lits, lit{neg: rapid.Bool().Draw(t, "negated"), t: u.seal()})
		}
		best := ""
		for _, w := range all {
			ok := best == "" || len(w) < len(best)
			for i := range lits {
				ok = ok && lits[i].met(w)
			}
			if ok {
				best = w
			}
		}
		work := 1 << 30
		word, v := newProduct(abc, lits).search(&work)
		if (v == satisfiable) != (best != "") || v == undecided {
			t.Fatalf("search says %v %q, trying all says %q", v, word, best)
		}
		if v == satisfiable && len(word) != len(best) {
			t.Fatalf("search found %q, %q is shorter", word, best)
		}
		for i := range lits {
			if v == satisfiable && !lits[i].met(word) {
				t.Fatalf("%q does not meet literal %d", word, i)
			}
		}
		if v == empty && contradicted(lits) && best != "" {
			t.Fatal("a contradiction that is none")
		}
	})
}

// TestContradictionsAreReal holds the shortcut to the exhaustive search.
func TestContradictionsAreReal(t *testing.T) {
	abc := words(classOf("a-c"), 1, 5)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		var lits []lit
		for j := range 2 {
			u := &test{}
			for range 1 + rnd.IntN(2) {
				var b strings.Builder
				for range 1 + rnd.IntN(2) {
					b.WriteByte("ab*?"[rnd.IntN(4)])
				}
				u.add(appendText(nil, b.String(), compareGlob), compareGlob)
			}
			lits = append(lits, lit{neg: j == 1, t: u.seal()})
		}
		if !contradicted(lits) {
			continue
		}
		work := 1 << 30
		if word, v := newProduct(abc, lits).search(&work); v != empty {
			t.Fatalf("%q meets both of %v", word, lits)
		}
	}
}

// TestCallersSplitIntoPathAndName is about the two free parts of an ARN: the
// name's length is bounded, the path's is not by the same.
func TestCallersSplitIntoPathAndName(t *testing.T) {
	like := func(text string, win window, neg bool) lit {
		u, how := &test{}, compareGlob
		if strings.HasPrefix(text, "arn:") {
			how = compareARN
		}
		u.add(appendText(nil, text, how), how)
		return lit{win: win, neg: neg, t: u.seal()}
	}
	long := strings.Repeat("?", 65)
	for _, tt := range []struct {
		name string
		lits []lit
		want verdict
	}{
		{"a name of 64", []lit{like(strings.Repeat("?", 64), nameWindow, false)}, satisfiable},
		{"a name of 65", []lit{like(long, nameWindow, false)}, empty},
		{"65 letters with a path", []lit{like("arn:aws:iam::*:user/"+long, wholeWindow, false)}, satisfiable},
		{"65 letters without a slash in them", []lit{like("arn:aws:iam::*:user/"+long, wholeWindow, false), like("*/*/*", wholeWindow, true)}, empty},
		{"the name is what follows the last slash", []lit{like("*/alice", wholeWindow, false), like("alice", nameWindow, true)}, empty},
		{"the account is the fifth part", []lit{like("*:44*", wholeWindow, false), like("44*", accountWindow, true), like("*:user/*:*", wholeWindow, true)}, empty},
	} {
		work := workLimit
		if word, v := newProduct(awsUserLang, tt.lits).search(&work); v != tt.want {
			t.Errorf("%s: %v %q, work left %d", tt.name, v, word, work)
		}
	}
}
