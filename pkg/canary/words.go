package canary

import "time"

// State is how an account was found. Each account of a run is in exactly one.
// The zero value is NotLooked: nothing is known of it.
type State uint8

// The states.
const (
	// NotLooked: the run's time was up before the account's turn came.
	NotLooked State = iota
	// Reached: the canary's last change was decided on. The way is open.
	Reached
	// Missed: the canary's last change ought to have been decided on and was
	// not, or is not there any more, or the account's rule is not as it was
	// deployed. The way is shut, or somebody touched the role or the rule.
	Missed
	// Unreachable: the canary may not enter the account or finds no target
	// there. It is not covered (T14, T84).
	Unreachable
	// Unknown: AWS or the ledger gave no answer, or it is too early for one.
	Unknown
	// First: the target stood as it was made, none of its name was decided on
	// before, and it has been changed for the first time.
	First
)

// States gives every state, NotLooked first.
func States() []State { return []State{NotLooked, Reached, Missed, Unreachable, Unknown, First} }

// String gives the state in words, such as "not looked at" or "missed".
func (s State) String() string {
	switch s {
	case NotLooked:
		return "not looked at"
	case Reached:
		return "reached"
	case Missed:
		return "missed"
	case Unreachable:
		return "unreachable"
	case Unknown:
		return "unknown"
	case First:
		return "first time"
	}
	return "state?"
}

// Account is what a run found in one account.
type Account struct {
	ID    string
	State State
	// Why says in a sentence what is wrong; empty where nothing is.
	Why string
	// Written is when the canary had changed the target before this run; zero
	// where that is not known.
	Written time.Time
	// Took is the time from that change to the decision on it; only where Reached.
	Took time.Duration
	// Change says whether this run changed the target.
	Change Change
}

// Change says whether a run changed a target. The zero value is Unchanged.
type Change uint8

// Whether a run changed a target.
const (
	// Unchanged: it stands as it stood.
	Unchanged Change = iota
	// Changed: the new document was taken by IAM.
	Changed
	// Uncertain: no answer came, or a refusal nobody can place.
	Uncertain
)

// String gives "unchanged", "changed" or "uncertain".
func (c Change) String() string {
	switch c {
	case Unchanged:
		return "unchanged"
	case Changed:
		return "changed"
	case Uncertain:
		return "uncertain"
	}
	return "change?"
}

// Report is what a run found, one entry for each account, ordered by its id.
type Report struct {
	Accounts []Account
	// Told counts the alerts that were published.
	Told int
}

// Count says how many accounts are in a state.
func (r Report) Count(s State) int { return len(r.In(s)) }

// In gives the accounts that are in one of some states.
func (r Report) In(states ...State) []Account {
	var out []Account
	for _, a := range r.Accounts {
		for _, s := range states {
			if a.State == s {
				out = append(out, a)
			}
		}
	}
	return out
}
