package chaos

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/role"
)

var (
	modelStates = flag.Int("model.states", 10_000, "TestModel looks at so many states of each case at most; 0 is no bound")
	modelDepth  = flag.Int("model.depth", 18, "how many steps deep the cases with a crash and a lagging reading go; 0 is no bound")
)

// cases are the stories that the model check tries in every order: somebody
// opens the role, and then mends it, opens it otherwise, puts it back by hand, or
// does nothing while the event comes twice.
func cases() []Scenario {
	good, bad := goodDocuments(), badDocuments()
	return []Scenario{
		{Name: "opened, and mended by its owner", Writes: []string{bad[1], good[5]}, Copies: 1},
		{Name: "opened, and mended seconds later", Writes: []string{bad[1], good[5]}, Early: 2, Copies: 1},
		{Name: "opened twice", Writes: []string{bad[1], bad[0]}, Copies: 1},
		{Name: "opened, and put back by hand", Writes: []string{bad[1], good[0]}, Copies: 1},
		{Name: "opened, and told twice", Writes: []string{bad[1]}, Copies: 2},
		{Name: "opened when new, and mended by its owner", Writes: []string{bad[1], good[5]}, Copies: 1, Age: 30 * time.Minute},
	}
}

// Two handlings, one foreign writer, readings that lag and a crash at every
// step, in every order: no invariant is broken. A write of somebody else that
// falls between our last reading and our write is lost, which nothing can
// prevent (IAM has no compare-and-set).
func TestModel(t *testing.T) {
	t.Parallel()
	start, states := time.Now(), 0
	for _, c := range cases() {
		for _, m := range []struct{ crashes, stales, depth int }{{0, 0, 0}, {1, 2, *modelDepth}} {
			c.Before, c.Workers, c.States = goodDocuments()[0], 2, *modelStates
			c.Crashes, c.Stales, c.Depth = m.crashes, m.stales, m.depth
			t.Run(strings.ReplaceAll(fmt.Sprintf("%s with %d crashes and %d lagging readings", c.Name, m.crashes, m.stales), " ", "-"), func(t *testing.T) {
				began := time.Now()
				out, err := Explore(c, invariant.NewJudge())
				if err != nil {
					t.Fatal(err)
				}
				states += out.States
				t.Logf("%d states, %d steps between them, %d ends, %d deep, %s, %s; %d positions of a handling; lost updates: %d writes, ends told of %d, not told of %d",
					out.States, out.Edges, out.Ends, out.Deepest, out.Whole, time.Since(began).Round(time.Millisecond), out.Positions, out.Lost, out.Told, out.Untold)
				for i, b := range out.Found {
					t.Error(b.Violation)
					if i == 0 {
						t.Log("the way there:\n  " + strings.Join(b.Way, "\n  "))
					}
				}
			})
		}
	}
	t.Logf("%d states in %s", states, time.Since(start).Round(time.Millisecond))
}

// What is tried is what it is meant to be.
func TestDocumentsAreWhatTheyAreCalled(t *testing.T) {
	variants, err := rulesFiles(wideLimits)
	if err != nil {
		t.Fatal(err)
	}
	judge := invariant.NewJudge()
	for want, list := range map[finding.Verdict][]string{finding.Compliant: goodDocuments(), finding.Noncompliant: badDocuments(), finding.Undecided: oddDocuments()} {
		for _, d := range list {
			r := role.Role{Partition: "aws", Account: prod, Name: "app", Path: "/", ARN: arn(prod, "role", "app"), ID: "AROAAPP", TrustPolicy: d}
			if got := judge.Verdict(variants[0], nil, r, epoch); got != want {
				t.Errorf("%s, want %s: %s", got, want, d)
			}
		}
	}
}

// A mistake on purpose is found: where nothing keeps two handlings of one role
// apart, some order writes it twice.
func TestTheModelFindsAMistake(t *testing.T) {
	t.Parallel()
	c := cases()[3]
	c.Before, c.Workers, c.States = goodDocuments()[0], 2, 20_000
	c.without = func(k call) bool { return k.name == "Lease" }
	out, err := Explore(c, invariant.NewJudge())
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Found) == 0 {
		t.Errorf("%d states without leases, and nothing is found", out.States)
	}
}
