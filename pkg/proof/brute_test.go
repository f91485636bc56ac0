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

// bruteRuns is how many documents the completeness tests try; the variable
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

// tally counts what a completeness test saw.
type tally struct {
	outcomes             [3]int
	documents, requests  int
	undecidedThoughFound int
}

// print gives the figures; of a thousand answers no more than most may be Unknown.
func (n *tally) print(t *testing.T, most int) {
	t.Helper()
	total := n.outcomes[Unknown] + n.outcomes[None] + n.outcomes[Found]
	t.Logf("%d documents, %d requests enumerated: %d witnesses, %d none, %d unknown (%.2f%%; %d of them with a request)",
		n.documents, n.requests, n.outcomes[Found], n.outcomes[None], n.outcomes[Unknown], 100*float64(n.outcomes[Unknown])/float64(total), n.undecidedThoughFound)
	if total >= 1000 && n.outcomes[Unknown]*1000 > most*total {
		t.Errorf("more than %d answers in a thousand are Unknown", most)
	}
}

// bare is the small world's surroundings: nothing is known of organizations.
func bare() World {
	w := world()
	w.OrganizationID, w.Members = "", nil
	return w
}

// TestNoneMeansNone is the promise of completeness: a witness exists exactly
// when Find says so. What it finds is allowed and in the region; where it finds
// none, no request of the small world is.
func TestNoneMeansNone(t *testing.T) {
	var n tally
	for seed := range bruteRuns(2000) {
		g := newSmall(uint64(seed))
		keys := g.some(3)
		d, where := g.document(keys), g.region(keys)
		v := variant{kind: g.kind}
		a := Find(d, Query{World: bare(), Callers: []Callers{{Kind: g.kind}}, Actions: []string{v.assumeAction()}, Where: where})
		n.documents++
		n.outcomes[a.Outcome]++
		show := func() string {
			return fmt.Sprintf("seed %d %v\n%s\nregion %+v\n%+v", seed, g.kind, d.Print(), where, a)
		}
		honest(t, a, show)
		if a.Outcome == Found {
			if !meets(*a.Witness, where) || access.Evaluate(d, *a.Witness).Decision != access.Allowed {
				t.Fatalf("the witness is not allowed, or not in the region: %s %+v", show(), *a.Witness)
			}
			continue
		}
		g.each(g.mentioned(where, d), func(r access.Request) bool {
			n.requests++
			r.Actions = actionsOf(g.kind, r)
			if access.Evaluate(d, r).Decision != access.Allowed || !meets(r, where) {
				return true
			}
			if n.undecidedThoughFound++; a.Outcome == None {
				t.Fatalf("a request was missed: %s\n%+v", show(), r)
			}
			return false
		})
	}
	n.print(t, 5)
}

// honest fails on an Unknown that is none of the document's fault.
func honest(t *testing.T, a Answer, show func() string) {
	t.Helper()
	for _, u := range a.Undecided {
		if strings.Contains(u, "agree") {
			t.Fatal(show())
		}
	}
	if a.Outcome == Unknown && os.Getenv("ROLEWARDEN_SHOW") != "" {
		t.Log(show())
	}
}

// TestCompareMissesNothing compares two documents, in both directions, with
// every request of a small world.
func TestCompareMissesNothing(t *testing.T) {
	var n tally
	for seed := range bruteRuns(1000) {
		g := newSmall(uint64(1_000_000 + seed))
		keys := g.some(2)
		older, newer := g.document(keys), g.document(keys)
		if g.one(2) {
			// A near copy: one condition less.
			newer = older
			newer.Statements = append([]policy.Statement(nil), older.Statements...)
			if s := &newer.Statements[g.rnd.IntN(len(newer.Statements))]; len(s.Conditions) > 0 {
				s.Conditions = s.Conditions[1:]
			}
		}
		c := Compare(older, newer, bare())
		n.documents += 2
		n.outcomes[c.New.Outcome]++
		n.outcomes[c.Lost.Outcome]++
		show := func() string {
			return fmt.Sprintf("seed %d\nold %s\nnew %s\n%+v", seed, older.Print(), newer.Print(), c)
		}
		honest(t, c.New, show)
		honest(t, c.Lost, show)
		confirm(t, newer, older, c.New)
		confirm(t, older, newer, c.Lost)
		g.each(g.mentioned(nil, older, newer), func(r access.Request) bool {
			n.requests++
			r.Actions = actionsOf(g.kind, r)
			before, after := access.Evaluate(older, r).Decision, access.Evaluate(newer, r).Decision
			if before == access.Denied && after == access.Allowed && c.New.Outcome == None || before == access.Allowed && after == access.Denied && c.Lost.Outcome == None {
				t.Fatalf("missed: %s\n%+v", show(), r)
			}
			return true
		})
	}
	n.print(t, 15)
}

// TestRefusedTwinMissesNothing compares the search for refused twins with every
// request of a small world. Half of the questions list the legal values, so
// that every twin can be tried too.
func TestRefusedTwinMissesNothing(t *testing.T) {
	var n tally
	for seed := range bruteRuns(1000) {
		g := newSmall(uint64(2_000_000 + seed))
		keys := append(g.some(1), twinKey)
		d := g.document(keys)
		v := variant{kind: g.kind}
		for i := range d.Statements {
			if g.one(2) {
				d.Statements[i].Actions, d.Statements[i].NotActions = []string{"sts:SetSourceIdentity", v.assumeAction()}, nil
			}
		}
		tw := twins{g.kind, d, twinValues(g, d)}
		var legal []Requirement
		if g.one(2) {
			tw.values = g.words[:3]
			legal = require(Holds, "StringEquals", twinKey, tw.values...)
		}
		q := Query{World: bare(), Callers: []Callers{{Kind: g.kind}}, Actions: []string{v.assumeAction()}}
		a := FindRefused(d, q, twinKey, []string{"sts:SetSourceIdentity"}, legal)
		n.documents++
		n.outcomes[a.Outcome]++
		honest(t, a, func() string { return fmt.Sprintf("seed %d %s %+v", seed, d.Print(), a) })
		if a.Outcome == Found {
			if tw.allowed(*a.Witness) {
				t.Fatalf("seed %d: a twin is allowed\n%s\n%+v", seed, d.Print(), *a.Witness)
			}
			continue
		}
		g.each(g.mentioned(nil, d), func(r access.Request) bool {
			n.requests++
			if !tw.baseAllowed(r) || tw.allowed(r) {
				return true
			}
			if n.undecidedThoughFound++; a.Outcome == None {
				t.Fatalf("seed %d missed\n%s\n%+v", seed, d.Print(), r)
			}
			return false
		})
	}
	n.print(t, 50)
}

const twinKey = "sts:SourceIdentity"

// twins tries every value of the projected key in a document.
type twins struct {
	kind     CallerKind
	document policy.Document
	values   []string
}

// twinValues are so many that any pattern of the small world has its examples.
func twinValues(g *small, d policy.Document) []string {
	values := append([]string{}, g.words...)
	for _, s := range d.Statements {
		for _, c := range s.Conditions {
			for _, v := range c.Values {
				// What a pattern writes out, with its wildcards filled in.
				if v = strings.NewReplacer("*", "", "?", "c").Replace(v); sessionLang.has(v) {
					values = append(values, v)
				}
			}
		}
	}
	for _, w := range g.words {
		values = append(values, strings.ToUpper(w), w[:1]+strings.ToUpper(w[1:]), "c"+w, w+"c", "c"+w+"c", "a"+w, w+"b")
	}
	return append(values, "ac", "bc", "ca", "cb", "aaaa", "abab", "baba", "bbbb", "cccc", "abbb", "baaa", "acca", "bccb", "accb", "bcca")
}

// baseAllowed reports whether the request is allowed for all its actions but
// the one that the key needs.
func (tw twins) baseAllowed(r access.Request) bool {
	all := actionsOf(tw.kind, r)
	r.Actions = all[:1:1]
	for _, x := range all[1:] {
		if x != "sts:SetSourceIdentity" {
			r.Actions = append(r.Actions, x)
		}
	}
	return access.Evaluate(tw.document, r).Decision == access.Allowed
}

// allowed reports whether some value of the key makes the twin allowed. The
// twin of a session that carries one on carries another one on.
func (tw twins) allowed(r access.Request) bool {
	old, had := r.Context[twinKey]
	held, chained := r.Context["aws:SourceIdentity"]
	defer func() {
		if delete(r.Context, twinKey); had {
			r.Context[twinKey] = old
		}
		if chained {
			r.Context["aws:SourceIdentity"] = held
		}
	}()
	for _, v := range tw.values {
		r.Context[twinKey] = access.One(v)
		if chained {
			r.Context["aws:SourceIdentity"] = access.One(v)
		}
		if r.Actions = actionsOf(tw.kind, r); access.Evaluate(tw.document, r).Decision == access.Allowed {
			return true
		}
	}
	return false
}
