package cli

import "testing"

// 3 beats 1 beats 2 beats 0, in whatever order they come up.
func TestTheGravestStatusCounts(t *testing.T) {
	t.Parallel()
	order := []Status{Fine, Undecided, Found, Unusable}
	for i, lesser := range order {
		for _, graver := range order[i:] {
			if got := lesser.graver(graver); got != graver {
				t.Errorf("%d then %d gives %d", lesser, graver, got)
			}
			if got := graver.graver(lesser); got != graver {
				t.Errorf("%d then %d gives %d", graver, lesser, got)
			}
		}
	}
	for status, number := range map[Status]int{Fine: 0, Found: 1, Undecided: 2, Unusable: 3} {
		if int(status) != number {
			t.Errorf("a published status changed its number: %d", status)
		}
	}
}
