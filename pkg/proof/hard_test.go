package proof

import (
	"fmt"
	"maps"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof/prooftest"
)

// hardOnes are documents made to be hard, knotted ones and wide ones; those that
// the parser refuses are left out.
func hardOnes() map[string]string {
	out := prooftest.Hard()
	maps.DeleteFunc(out, func(_, text string) bool {
		_, err := policy.Parse([]byte(text))
		return err != nil
	})
	return out
}

// BenchmarkHard shows what the bound holds: each ends within 5 ms and 8 MB.
func BenchmarkHard(b *testing.B) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	for name, text := range hardOnes() {
		c := Compile(parse(b, text), "aws")
		b.Run(fmt.Sprintf("%s/%v", name, c.Find(q).Outcome), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Find(q)
			}
		})
		b.Run(fmt.Sprintf("refused/%s/%v", name, c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil).Outcome), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil)
			}
		})
	}
}

// TestHardEnds is the promise that no document takes the search beyond its
// bound: an answer is given, and one that is left open names what left it so.
func TestHardEnds(t *testing.T) {
	for name, text := range hardOnes() {
		d := parse(t, text)
		for _, q := range []Query{
			{World: world(), Callers: outsiders(), Actions: assume},
			{World: world(), Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", "${aws:username}*")}},
		} {
			a := Find(d, q)
			t.Logf("%s: %v %q", name, a.Outcome, a.Undecided)
			check(t, d, a)
		}
		check(t, d, FindRefused(d, Query{World: world(), Callers: outsiders(), Actions: assume}, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil))
		check(t, d, Compile(d, "aws").Beyond(Compile(parse(t, typical["partner"]), "aws"), world()))
	}
}
