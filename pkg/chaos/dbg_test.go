package chaos

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

func TestDbg(t *testing.T) {
	s, _ := strconv.ParseUint(os.Getenv("S"), 10, 64)
	steps := 3000
	if x := os.Getenv("N"); x != "" {
		steps, _ = strconv.Atoi(x)
	}
	k := os.Getenv("K")
	ep := Episode{Seed: s, Steps: steps}
	if os.Getenv("T") != "" {
		ep.Trace = func(l string) { fmt.Println(l) }
	}
	out := ep.Run()
	fmt.Println(out.Count, out.Err)
	n := 0
	for _, v := range out.Violations {
		if k != "" && v.Invariant.String() != k {
			continue
		}
		fmt.Println("VIOLATION", v)
		if n == 0 {
			for _, l := range Story(out.History, v, 120) {
				fmt.Println(l)
			}
		}
		n++
	}
}
