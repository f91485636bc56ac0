package chaos

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/invariant"
)

func TestModelTry(t *testing.T) {
	good, bad := goodDocuments(), badDocuments()
	s := Scenario{Name: "fix", Before: good[0], Writes: []string{bad[1], good[5]}, Copies: 1, Workers: 2, Crashes: 0, Stales: 0, States: 200000}
	for _, x := range []struct{ c, s, n int }{{0, 0, 1}, {0, 1, 1}, {1, 1, 1}} {
		s.Crashes, s.Stales, s.Copies = x.c, x.s, x.n
		start := time.Now()
		out, err := Explore(s, invariant.NewJudge())
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range out.Found {
			if i < 0 {
				fmt.Println(b.Violation)
				for _, l := range b.Way {
					fmt.Println("   ", l)
				}
			} else {
				fmt.Println(b.Violation)
			}
		}
		out.Found = nil
		fmt.Printf("%+v %s %+v\n", x, time.Since(start), out)
	}
}
