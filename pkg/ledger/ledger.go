// Package ledger is the memory: which events were handled and how they ended,
// what each role was, its baselines, whom unique ids stood for, who trusts
// whom, how much was written, what people still have to be told, and how far a
// sweep got.
//
// It takes and gives values. It holds the contract, an implementation in
// memory, and the conformance tests that every implementation passes; the one
// on DynamoDB is in awsapi. It judges nothing and never scans on the event path.
package ledger

import (
	"context"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Ledger is the contract. Every method is safe under concurrency; an error
// means that nothing is known of the effect, and the same call may be repeated.
type Ledger interface {
	// Take records that the handling of an event begins, at a time. Two takings
	// of one event never both answer First. Of an event that has ended it gives
	// the letters that are not yet delivered.
	Take(ctx context.Context, k Key, at time.Time) (Taken, error)
	// Intend records a write before it is made: in the event, where the last one
	// stays, under its decision, and, where it replaces a trust policy, as the
	// role's Written, where an older one never replaces a newer. It is refused
	// (ErrConcluded) when the event is already concluded.
	Intend(ctx context.Context, i Intent) error
	// Decided gives the last intent of a decision and how its event ended; ok is
	// false when nothing was intended under that name.
	Decided(ctx context.Context, decisionID string) (i Intent, e End, ok bool, err error)
	// Conclude ends an event, at most once: a second conclusion changes
	// nothing and is no error. State, Seen and Letters are recorded with it, in
	// one step, or nothing is when Expect is not met. An end of InFlight is refused.
	Conclude(ctx context.Context, c Conclusion) error
	// Delivered takes a letter out, by its event and ID. One that does not wait is
	// no error: it was delivered before.
	Delivered(ctx context.Context, l Letter) error
	// Undelivered gives the letters that wait, of all events and of none, the
	// oldest first and at most limit. An error may come with those that could be read.
	Undelivered(ctx context.Context, limit int) ([]Letter, error)
	// Post keeps a letter that no event led to, once per token: a token that was
	// used before keeps nothing and answers Again, whatever the letter. A letter
	// whose ID another undelivered one has is refused (ErrLetterWaits).
	Post(ctx context.Context, token string, l Letter) (Firstness, error)
	// Recall gives all that is remembered of a role, in one request.
	Recall(ctx context.Context, account, roleID string) (Recalled, error)
	// State gives what is remembered of a role; ok is false when nothing is.
	State(ctx context.Context, account, roleID string) (s RoleState, ok bool, err error)
	// States shows every remembered role of an account, or of all when account is
	// empty, in no order, until visit gives an error, which it returns. It reads
	// the whole table: it is for people's commands and never on the event path. What
	// cannot be read is told after all others were visited.
	States(ctx context.Context, account string, visit func(RoleState) error) error
	// Baselines gives a role's baselines, newest first.
	Baselines(ctx context.Context, account, roleID string) ([]role.Baseline, error)
	// AddBaseline adds a baseline. The same digest again renews it in place.
	AddBaseline(ctx context.Context, b role.Baseline) error
	// SetCandidate records the document of a role that may become a baseline, one
	// per role. A newer Since replaces an older one; an older one changes nothing
	// and is no error.
	SetCandidate(ctx context.Context, b role.Baseline) error
	// GiveWord records a person's word on a document of a role, one per role. An
	// older one changes nothing and is no error.
	GiveWord(ctx context.Context, w Word) error
	// Lease takes a role for a holder until a time; ErrLeased when another
	// holder has it and its time has not passed. The same holder may renew. The
	// case of the role's name does not matter.
	Lease(ctx context.Context, r role.Ref, holder string, now, until time.Time) error
	// Release gives a lease back; a lease that is not held is no error.
	Release(ctx context.Context, r role.Ref, holder string) error
	// Spend adds one to every counter, or to none when one has reached its
	// limit, which is a *LimitError. Once per token: a repeated token is not
	// counted again, one that was refused may be. A counter that is given twice
	// counts once, under the lower limit.
	//
	// A counter that trips does so in the step that reaches its limit, or that
	// finds it reached. While the breaker of a counter's name is tripped every
	// Spend on that name is a *TrippedError and counts nothing, whatever the
	// window; only a token that was counted before is let through again.
	Spend(ctx context.Context, token string, at time.Time, counters []Counter) error
	// Breakers gives all that are tripped, in the order of their scopes.
	Breakers(ctx context.Context) ([]Breaker, error)
	// Reset takes a tripped breaker back on a person's word, by is needed, and
	// empties the counters of its name; ErrNotTripped when it is not tripped.
	Reset(ctx context.Context, scope, by, reason string, at time.Time) error
	// Switch reads the kill switch; a missing record means WritesAllowed.
	Switch(ctx context.Context) (decision.Switch, error)
	// Setting tells who turned the kill switch last, when and why; ok is false
	// when nobody ever did. It is for people: what counts is Switch.
	Setting(ctx context.Context) (s Setting, ok bool, err error)
	// SetSwitch sets it to stopped or allowed, on a person's word: by is needed.
	SetSwitch(ctx context.Context, s decision.Switch, by, reason string, at time.Time) error
	// Identify tells whom a unique id stood for; ok is false when it was never seen.
	Identify(ctx context.Context, id string) (p finding.Principal, ok bool, err error)
	// Identities gives the ids that an ARN has had, with when each was seen
	// under it last, newest first.
	Identities(ctx context.Context, arn string) ([]Identity, error)
	// Record remembers identities without an event.
	Record(ctx context.Context, ids []Identity) error
	// Deleted records the end of a principal: every id known for it that is
	// not yet marked as deleted, seen before the deletion, is marked. It gives
	// those that this deletion marked, now or when it was told before. Seen
	// within a deletion's whole second is seen before it (Until). Of a name whose
	// user lives on under another only the end is recorded, and nobody is marked.
	Deleted(ctx context.Context, d Deletion) ([]finding.Principal, error)
	// Ends gives the last deletion that was told of each of some principals, in
	// their order, and nothing of those of whom none was; it is remembered also of
	// a name that no id was known for. Whether the name lives again it does not say.
	Ends(ctx context.Context, principals []PrincipalKey) ([]Deletion, error)
	// Renamed records that a user's name changed while its id stayed: the ids
	// that had the name before, and are not deleted, bear the new ARN, and the
	// states recorded before name the new name.
	Renamed(ctx context.Context, from PrincipalKey, to PrincipalKey, newARN string, at time.Time) error
	// Trusting gives the roles whose remembered document names a principal,
	// ignoring the name's case, in the order of account and RoleId.
	Trusting(ctx context.Context, p PrincipalKey) ([]RoleState, error)
	// SeeRules records the first sight of a version of the rules file, and gives
	// what is known of it.
	SeeRules(ctx context.Context, hash string, at time.Time) (RulesSeen, error)
	// ConfirmRules records that a person stands for a version of the rules file,
	// by is needed; it need not have been seen yet. The last word counts.
	ConfirmRules(ctx context.Context, hash, by, reason string, at time.Time) error
	// BeginSweep records a sweep; of several beginnings of one exactly one is
	// First, and the others change nothing.
	BeginSweep(ctx context.Context, s Sweep) (Firstness, error)
	// Sweeping gives a sweep and how far it got, in the order of accounts; ok is
	// false when it was never begun.
	Sweeping(ctx context.Context, id string) (s Sweep, accounts []SweptAccount, ok bool, err error)
	// Swept gives how far a sweep got in one account; ok is false when nothing was
	// saved of it.
	Swept(ctx context.Context, sweep, account string) (a SweptAccount, ok bool, err error)
	// SaveSwept records how far a sweep got in an account, the last one stays. Once
	// an account has ended, one without an end changes nothing and is no error.
	SaveSwept(ctx context.Context, a SweptAccount) error
}
