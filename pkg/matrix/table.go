package matrix

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Ends is what became of a cell: how things stood while AWS was unwell, and
// after it was well again.
type Ends struct{ During, After string }

// String gives both, or one when they are the same.
func (e Ends) String() string {
	if e.During == e.After {
		return e.After
	}
	return e.During + ", then " + e.After
}

// Table gives the results as Markdown: a row for each call and story, a column
// for each fault. Where the moments differ each is named; what differs from none
// of the others is not.
func Table(results map[Cell]Ends) string {
	type row struct {
		call  Call
		story string
	}
	rows := map[row]map[Fault]map[When]Ends{}
	for c, e := range results {
		r := row{c.Call, c.Story}
		if rows[r] == nil {
			rows[r] = map[Fault]map[When]Ends{}
		}
		if rows[r][c.Fault] == nil {
			rows[r][c.Fault] = map[When]Ends{}
		}
		rows[r][c.Fault][c.When] = e
	}
	var out strings.Builder
	out.WriteString("| call | story |")
	for _, f := range Faults() {
		out.WriteString(" " + f.String() + " |")
	}
	out.WriteString("\n|---|---|" + strings.Repeat("---|", len(Faults())) + "\n")
	sorted := slices.SortedFunc(maps.Keys(rows), func(a, b row) int {
		return compare(Cell{Call: a.call, Story: a.story}, Cell{Call: b.call, Story: b.story})
	})
	for _, r := range sorted {
		fmt.Fprintf(&out, "| %s | %s |", r.call, r.story)
		for _, f := range Faults() {
			out.WriteString(" " + together(rows[r][f]) + " |")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// together says what became of a call under a fault at all moments.
func together(at map[When]Ends) string {
	if len(at) == 0 {
		return "–"
	}
	moments := map[Ends][]string{}
	var order []Ends
	for _, when := range Moments() {
		e, ok := at[when]
		if !ok {
			continue
		}
		if moments[e] == nil {
			order = append(order, e)
		}
		moments[e] = append(moments[e], when.String())
	}
	if len(order) == 1 {
		return order[0].String()
	}
	var parts []string
	for _, e := range order {
		parts = append(parts, strings.Join(moments[e], ", ")+": "+e.String())
	}
	return strings.Join(parts, "; ")
}

// Impossible lists the cells that cannot be, by the reason.
func Impossible(all map[Cell]string) string {
	calls := map[string]map[string]int{}
	for c, why := range all {
		if calls[why] == nil {
			calls[why] = map[string]int{}
		}
		calls[why][c.Call.String()]++
	}
	var out strings.Builder
	for _, why := range slices.Sorted(maps.Keys(calls)) {
		n := 0
		for _, cells := range calls[why] {
			n += cells
		}
		fmt.Fprintf(&out, "- %s (%d cells): %s.\n", why, n, strings.Join(slices.Sorted(maps.Keys(calls[why])), ", "))
	}
	return out.String()
}

// Counted gives how often each end was seen, the most frequent first.
func Counted(results map[Cell]Ends) string {
	times := map[string]int{}
	for _, e := range results {
		times[e.String()]++
	}
	ends := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Or(times[b]-times[a], cmp.Compare(a, b)) })
	var out strings.Builder
	out.WriteString("| end | cells |\n|---|---|\n")
	for _, e := range ends {
		fmt.Fprintf(&out, "| %s | %d |\n", e, times[e])
	}
	return out.String()
}
