package ledger

import (
	"errors"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
)

// Counter is one count in a window, with its limit.
type Counter struct {
	// Name says what is counted, such as "account/111122223333".
	Name string
	// Window is the length over which it is counted; windows are aligned to the epoch.
	Window time.Duration
	Limit  int
	// Full says what happens when the limit is reached.
	Full OnFull
}

// OnFull says what a counter does when its limit is reached. The zero value is Refuse.
type OnFull uint8

// What a counter does when its limit is reached.
const (
	// Refuse refuses what would go beyond, until the window is over.
	Refuse OnFull = iota
	// Trip trips the breaker that is named like the counter, in the step that
	// reaches the limit: nothing more is let through until a person resets it.
	Trip
)

// LimitError is returned by Spend when a counter has reached its limit.
type LimitError struct {
	Counter Counter
	Count   int
}

// Breaker is a limit that was reached and stays shut until a person resets it.
type Breaker struct {
	// Scope is the name of the counter that tripped it.
	Scope string
	// Limit, Count and Window are the counter's when it tripped.
	Limit, Count int
	Window       time.Duration
	TrippedAt    time.Time
	// Token is that of the Spend which tripped it.
	Token string
}

// TrippedError is returned by Spend when the breaker of a counter's name is tripped.
type TrippedError struct {
	Breaker Breaker
}

// ErrNotTripped is returned by Reset when there is no breaker to reset.
var ErrNotTripped = errors.New("the breaker is not tripped")

// ErrLeased is returned by Lease when somebody else holds the role.
var ErrLeased = errors.New("the role is being handled by somebody else")

// Setting is a turn of the kill switch.
type Setting struct {
	Switch     decision.Switch
	By, Reason string
	At         time.Time
}
