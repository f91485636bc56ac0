package matrix

import (
	"iter"
	"maps"
	"slices"
	"strings"
)

// unmade are the calls that a function may make and does not: none, for what is
// not called is not granted. One that is listed needs a reason.
func unmade() map[Call]string { return map[Call]string{} }

// never says why a cell cannot be; nothing when it can.
func never(c Cell, made int) string {
	_, name, _ := strings.Cut(c.Call.Name, ":")
	switch {
	case c.When == Second && made < 2:
		return "no story makes the call twice"
	case c.When == Blip && !slices.Contains([]Fault{Throttle, TimeoutBefore, TimeoutAfter, ServerError}, c.Fault):
		return "the SDK repeats no call that goes wrong like this, so it is the same as once"
	case c.Fault == StaleRead:
		return neverStale(c.Call, name)
	case c.Fault == NotFound:
		return neverMissing(name)
	}
	return ""
}

func neverStale(c Call, name string) string {
	switch {
	case slices.Contains([]string{"GetRole", "GetUser", "GetAccountAuthorizationDetails"}, name):
		return ""
	case strings.HasPrefix(c.Name, "dynamodb:") && slices.Contains([]string{"GetItem", "BatchGetItem", "Query", "Scan"}, name):
		return "every read of the ledger is consistent"
	case strings.HasPrefix(c.Name, "organizations:"):
		return "Organizations answers in the lab as things stand, and nothing older can be shown"
	}
	return "the call reads nothing that somebody writes"
}

func neverMissing(name string) string {
	switch name {
	case "AssumeRole":
		return "STS says access denied of a role that is not there"
	case "GetAccountAuthorizationDetails", "ListAccounts", "ListRoots":
		return "the call names nothing that could be missing"
	}
	return ""
}

// unmadeSorted gives the calls that are not made, in order.
func unmadeSorted() iter.Seq2[Call, string] {
	all := unmade()
	return func(yield func(Call, string) bool) {
		for _, c := range slices.SortedFunc(maps.Keys(all), func(a, b Call) int { return compare(Cell{Call: a}, Cell{Call: b}) }) {
			if !yield(c, all[c]) {
				return
			}
		}
	}
}
