package ledger

import "time"

// RulesSeen is what is known of one version of the rules file.
type RulesSeen struct {
	Hash string
	// First is when it was first seen; zero when it was confirmed before that.
	First time.Time
	// ConfirmedBy, Reason and ConfirmedAt are the last word of a person on it;
	// empty when there is none.
	ConfirmedBy, Reason string
	ConfirmedAt         time.Time
}

// Sweep is one reading of every role of some accounts.
type Sweep struct {
	ID        string
	At        time.Time
	RulesHash string
	Accounts  []string
}

// SweptAccount is how far a sweep got in one account.
type SweptAccount struct {
	Sweep, Account string
	// Marker is where the reading goes on; empty at the beginning and the end.
	Marker string
	// Ended is when it was done with the account; zero while it is not.
	Ended time.Time
	// Problem is why not all of the account could be read; empty when it could.
	Problem string
	// Counts are what was found, by name.
	Counts map[string]int
	// Notes are for the summary, in the words of whoever sweeps.
	Notes []byte
}
