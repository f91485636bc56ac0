package proof

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// bruteRuns is how many documents the completeness test tries; the variable
// ROLEWARDEN_BRUTE asks for more.
func bruteRuns(normal int) int {
	if n, err := strconv.Atoi(os.Getenv("ROLEWARDEN_BRUTE")); err == nil {
		return n
	}
	if testing.Short() {
		return normal / 10
	}
	return normal
}

// TestNoneMeansNone is the promise of completeness: whenever trying every
// request of a small world finds one that the document allows in the region,
// Find finds one too; and what it finds is allowed and in the region.
func TestNoneMeansNone(t *testing.T) {
	runs := bruteRuns(2000)
	var tally [3]int
	for seed := range runs {
		g := newSmall(uint64(seed))
		kind := Users
		if seed%3 == 2 {
			kind = RoleSessions
		}
		var keys []string
		for range 1 + g.rnd.IntN(3) {
			keys = append(keys, smallKeys[g.rnd.IntN(len(smallKeys))])
		}
		d, where := g.document(keys), g.region(keys)
		w := world()
		w.OrganizationID = ""
		a := Find(d, Query{World: w, Callers: []Callers{{Kind: kind}}, Actions: assume, Where: where})
		tally[a.Outcome]++
		where2 := where
		show := func() string { return fmt.Sprintf("seed %d %v\n%s\nregion %+v\n%+v", seed, kind, d.Print(), where2, a) }
		switch a.Outcome {
		case Found:
			if !meets(*a.Witness, where) {
				t.Fatalf("the witness is not in the region: %s %+v", show(), *a.Witness)
			}
			if r := access.Evaluate(d, *a.Witness); r.Decision != access.Allowed {
				t.Fatalf("the witness is not allowed: %s %+v", show(), *a.Witness)
			}
		case None:
			tried := mentioned(d, where)
			budget := 600
			g.each(kind, tried, func(r access.Request) bool {
				r.Actions = actionsOf(r)
				if access.Evaluate(d, r).Decision == access.Allowed && real(r, tried) && meets(r, where) {
					t.Fatalf("a request was missed: %s\n%+v", show(), r)
				}
				budget--
				return budget == 0
			})
		case Unknown:
			for _, u := range a.Undecided {
				if strings.Contains(u, "disagree") || strings.Contains(u, "should agree") {
					t.Fatal(show())
				}
			}
			if os.Getenv("ROLEWARDEN_SHOW") != "" {
				t.Log(show())
			}
		}
	}
	t.Logf("%d documents: %d undecided, %d none, %d found", runs, tally[Unknown], tally[None], tally[Found])
}

// TestRefusedTwinMissesNothing compares with every request of a small world.
func TestRefusedTwinMissesNothing(t *testing.T) {
	var tally [3]int
	for seed := range bruteRuns(600) {
		g := newSmall(uint64(2_000_000 + seed))
		keys := []string{twinKey, smallKeys[g.rnd.IntN(len(smallKeys))]}
		d := g.document(keys)
		for i := range d.Statements {
			if g.rnd.IntN(2) == 0 {
				d.Statements[i].Actions, d.Statements[i].NotActions = []string{"sts:SetSourceIdentity", "sts:AssumeRole"}, nil
			}
		}
		w := world()
		w.OrganizationID = ""
		q := Query{World: w, Callers: []Callers{{Kind: RoleSessions}}, Actions: assume}
		a := FindRefused(d, q, twinKey, []string{"sts:SetSourceIdentity"}, nil)
		tally[a.Outcome]++
		for _, u := range a.Undecided {
			if strings.Contains(u, "agree") {
				t.Fatalf("seed %d %s %+v", seed, d.Print(), a)
			}
		}
		tw := twins{d, twinValues()}
		switch a.Outcome {
		case Found:
			if tw.allowed(*a.Witness) {
				t.Fatalf("seed %d: a twin is allowed\n%s\n%+v", seed, d.Print(), *a.Witness)
			}
		case None:
			tried := mentioned(d, nil)
			budget := 150
			g.each(RoleSessions, tried, func(r access.Request) bool {
				if tw.baseAllowed(r) && real(r, tried) && !tw.allowed(r) {
					t.Fatalf("seed %d missed\n%s\n%+v", seed, d.Print(), r)
				}
				budget--
				return budget == 0
			})
		case Unknown:
		}
	}
	t.Logf("%d undecided, %d none, %d found", tally[Unknown], tally[None], tally[Found])
}

const twinKey = "sts:SourceIdentity"

// twins tries every value of the projected key in a document.
type twins struct {
	document policy.Document
	values   []string
}

func twinValues() []string {
	values := newSmall(0).words
	for _, w := range values {
		values = append(values, strings.ToUpper(w), w[:1]+strings.ToUpper(w[1:]))
	}
	return append(values, "aaaa", "abab", "baba", "bbbb", "cccc", "abbb", "baaa", "acca", "bccb", "accb", "bcca")
}

// baseAllowed reports whether the request is allowed for all its actions but
// the one that the key needs.
func (tw twins) baseAllowed(r access.Request) bool {
	r.Actions = actionsOf(r)[:1:1]
	for _, x := range actionsOf(r)[1:] {
		if x != "sts:SetSourceIdentity" {
			r.Actions = append(r.Actions, x)
		}
	}
	return access.Evaluate(tw.document, r).Decision == access.Allowed
}

// allowed reports whether some value of the key makes the twin allowed.
func (tw twins) allowed(r access.Request) bool {
	old, had := r.Context[twinKey]
	defer func() {
		if delete(r.Context, twinKey); had {
			r.Context[twinKey] = old
		}
	}()
	for _, v := range tw.values {
		r.Context[twinKey] = access.One(v)
		if r.Actions = actionsOf(r); access.Evaluate(tw.document, r).Decision == access.Allowed {
			return true
		}
	}
	return false
}
