// Package decision holds the pure table that says what to do about a
// judgement: Action, Decision, Brakes and Outcome.
//
// It takes a Situation as values and gives a Decision with its reasons. It
// reads nothing, writes nothing and knows no AWS.
package decision

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Action is what to do. The zero value does nothing.
type Action uint8

// The actions.
const (
	// Ignore: nothing to do and nothing to tell.
	Ignore Action = iota
	// Tell people, change nothing.
	Tell
	// Tag the role as noncompliant, and tell.
	Tag
	// Revert the trust policy to the baseline, take our tags off, and tell.
	Revert
	// Quarantine: replace the trust policy by one that lets nobody in, tag, and tell.
	Quarantine
	// Hold: an action was due, and something stays the hand; tell what.
	Hold
	// Clear: the role became compliant; take our tags off and tell that it is resolved.
	Clear
	// Prune: take unique ids of users and roles that are gone out of the trust
	// policy, which lets in the same callers as before, and tell.
	Prune
)

// Decision is an action with its reasons. The zero value ignores.
type Decision struct {
	// ID names the decision in sessions, tags, alerts and the ledger: it is
	// derived from account, event and role, so that a repeated handling of the
	// same event decides under the same ID.
	ID     string
	Action Action
	// Reasons are sentences for people, the deciding one first.
	Reasons []string
	// Rules are the ids of the open findings' rules that drove it.
	Rules []string
	// RulesHash is the hash of the rules file it was made under.
	RulesHash string
	At        time.Time
}

// Past says what is known of a role's past.
type Past uint8

// The pasts of a role. The zero value is the one under which nothing is reverted.
const (
	// NoPast is known: nothing is known of what the role was before, so there is
	// nothing to go back to.
	NoPast Past = iota
	// JustCreated: the role is so new that it has no past. Who fills in the
	// Situation decides what is new; the kind of the change is not looked at.
	JustCreated
	// GoodBaseline: there is a baseline that may be restored.
	GoodBaseline
	// RefusedBaseline: there is a baseline, and it may not be restored; PastReason says why.
	RefusedBaseline
	// InTheMaking: the role is so new that whoever makes it may not have finished;
	// PastReason says until when that is waited for.
	InTheMaking
)

// Situation is all that the table looks at.
type Situation struct {
	Change  trail.Kind
	Verdict finding.Verdict
	// Reasons are the report's reasons for doubt.
	Reasons []string
	// Doubt is a reason not to act although the verdict stands, such as that
	// Organizations could not be asked; empty when there is none.
	Doubt string
	// Open are the findings that no exemption covers.
	Open []finding.Finding
	// Modes gives the effective mode of each rule for this role; a rule that
	// is missing only observes.
	Modes map[string]org.Mode
	// Protected says why the role is never written; empty when it may be.
	Protected string
	// Stays says whose word it is that this document stays though it breaks
	// rules, and until when; empty when nobody gave one.
	Stays string
	// Differs says that the rules changed and not the role, and how the new ones
	// come to act on it; empty when they do already.
	Differs string
	// Past says whether and to what the role could be reverted.
	Past       Past
	PastReason string
	// Pruning says whether the ids of users and roles that are gone could be taken
	// out of the trust policy; PruneReason why not.
	Pruning     Pruning
	PruneReason string
	// Tagged says whether the role carries our tags.
	Tagged TagState
	// Told says whether an alert about this role is open.
	Told TagState
}

// Pruning says whether something could be pruned. The zero value is NothingToPrune.
type Pruning uint8

// Whether something could be pruned.
const (
	// NothingToPrune: nobody asks for it, or nothing in the policy is known to be an orphan.
	NothingToPrune Pruning = iota
	// MayPrune: pruning is on, the rule is enforced on this role, and there is a
	// policy without the orphans that is proven to let in the same callers.
	MayPrune
	// PruneRefused: it is asked for, and there is no such policy; PruneReason says why.
	PruneRefused
)

// TagState says whether something is there. The zero value is Untagged.
type TagState uint8

// Whether something is there.
const (
	Untagged TagState = iota
	Tagged
)

// Switch is the state of the kill switch. The zero value, Unreadable, stops every write.
type Switch uint8

// The states of the kill switch.
const (
	Unreadable Switch = iota
	WritesStopped
	WritesAllowed
)

// Brakes are what may stay the hand after a Decision is planned. The zero value stays it.
type Brakes struct {
	Switch Switch
	// Limit says that a limit on writes is used up, which one and with its
	// figures; empty when none is.
	Limit string
	// Next says what a person does so that writes are made again; empty for the
	// general advice.
	Next string
	// TagLimit likewise, for tagging.
	TagLimit string
}

// Outcome is what was done.
type Outcome struct {
	// Done is the action that took effect; Ignore when nothing was written.
	Done Action
	// Verified says that a later read showed it.
	Verified bool
	// Before and After are the trust policies' texts; equal when nothing was written.
	Before string
	After  string
	// Dropped are the principals left out of a reverted or pruned document since they no longer are whom they were.
	Dropped []string
	// Problem is why less was done than decided; empty when all was.
	Problem string
	// Contained is what became of the sessions that were issued before.
	Contained Contained
}

// Contained says whether sessions already issued were ended, by a permissions
// boundary that denies everything. The zero value: nobody asked for it.
type Contained struct {
	// Asked says that the rules file asks for it.
	Asked bool
	// Done says that the boundary was set, Verified that a later read showed it.
	Done, Verified bool
	// Before is the boundary's ARN that the role had, which a person puts back;
	// empty when it had none. After is the one it was last seen with.
	Before, After string
	// Problem is why the sessions may go on; empty when they do not.
	Problem string
}
