package proof

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// What one pattern is said to cover it takes, and what it is said to be apart
// from it never takes.
func TestAPatternTakesWhatItCovers(t *testing.T) {
	hows := []comparison{compareGlob, compareFold, compareARN}
	read := func(t *rapid.T, name string) pattern {
		how := rapid.SampledFrom(hows).Draw(t, name+" how")
		text := rapid.StringMatching(`[ab:*?A]{0,6}`).Draw(t, name)
		if how == compareARN {
			text = "arn:" + rapid.StringMatching(`[ab*?]{0,2}:[ab*]{0,2}:[ab*?]{0,2}:[ab*]{0,2}:[ab*?:]{0,3}`).Draw(t, name+" parts")
		}
		room := make([]token, 0, 64)
		p, ok := readPattern(text, how, &room)
		if !ok {
			t.Skip("no pattern")
		}
		return p
	}
	covered, apart := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		p, q := read(t, "p"), read(t, "q")
		if rapid.Bool().Draw(t, "near") {
			q.tokens = append([]token(nil), p.tokens...)
			for i := range q.tokens {
				if q.tokens[i].kind > takeFold && rapid.Bool().Draw(t, "fixed") {
					q.tokens[i] = token{kind: takeRune, r: rapid.SampledFrom([]rune("ab:A")).Draw(t, "rune")}
				}
			}
		}
		text := textOf(t, q.tokens)
		if p.covers(&q) {
			covered++
			if q.match(text) && !p.match(text) {
				t.Fatalf("%v covers %v, and %q is of the second alone", p.tokens, q.tokens, text)
			}
		}
		if p.apart(&q) {
			apart++
			if q.match(text) && p.match(text) {
				t.Fatalf("%v is apart from %v, and %q is of both", p.tokens, q.tokens, text)
			}
		}
	})
	if covered == 0 || apart == 0 {
		t.Errorf("%d patterns covered another, %d were apart", covered, apart)
	}
}

func textOf(t *rapid.T, tokens []token) string {
	var out []rune
	for _, tok := range tokens {
		n := 1
		if tok.star() {
			n = rapid.IntRange(0, 2).Draw(t, "n")
		}
		for range n {
			r := rapid.SampledFrom([]rune("abA:")).Draw(t, "r")
			if tok.kind == takeRune || tok.kind == takeFold {
				r = tok.r
			}
			out = append(out, r)
		}
	}
	return string(out)
}

// A service that is held to a pattern of the own account's resources is kept
// from all others without a search: documents with a few more statements would
// end beyond the bound for it.
func TestAPatternWithinABarredOneCostsLittle(t *testing.T) {
	d := parse(t, allow(`{"Service":"eks-fargate-pods.amazonaws.com"}`, "sts:AssumeRole",
		cond("ArnLike", "aws:SourceArn", `"arn:aws:eks:eu-west-1:111122223333:fargateprofile/shop/*"`)))
	where := [][]Requirement{
		{{Condition: policy.Condition{Operator: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:*:*:*:????????????:*"}}}},
		{{Condition: policy.Condition{Operator: "ArnLike", Key: "aws:SourceArn", Values: []string{"arn:*:*:*:111122223333:*", "arn:*:*:*:999999999999:*"}}, Sense: Fails}},
	}
	b := &Budget{}
	a := Find(d, Query{World: world(), Actions: assume, Where: where, Budget: b, Callers: []Callers{{Kind: Services, Names: []string{"eks-fargate-pods.amazonaws.com"}}}})
	if a.Outcome != None || b.spent > 1000 {
		t.Errorf("%v after %d steps", a.Outcome, b.spent)
	}
}
