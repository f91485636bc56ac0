package invariant

import (
	"strings"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// History is what happened, in order.
type History struct {
	Entries []Entry
	// Judge judges documents; nil for one that this history alone uses. Give one
	// Judge to many histories that speak of the same documents.
	Judge *Judge
	// Channels are where alerts must be told.
	Channels []string
	// Secrets must be in no output.
	Secrets []string
	// MaxCalls is the most entries that one handling may make; zero means 1,000.
	MaxCalls int

	mu    sync.Mutex
	ended map[ledger.Key]bool
}

// Entry is one fact, when it happened and in which handling. Handlings are
// numbered from 1; what the world does is in none, which is 0.
type Entry struct {
	At   time.Time
	Run  int
	Fact Fact
}

// Fact is what an entry says.
type Fact interface{ fact() }

// The facts of the world.
type (
	// Ruled says: handlings that begin from now on go by this rules file.
	Ruled struct{ Rules *org.Rules }
	// Joined says: an account that the rules file need not list is a member of the
	// organization from now on.
	Joined struct{ Account string }
	// Principal says: from now on an ARN stands for a unique id, or for nobody.
	Principal struct{ ARN, ID string }
	// Arrived says: an event was put on the intake queue. The document is the one
	// that it says its role has; empty where it says none.
	Arrived struct {
		Key      ledger.Key
		Document string
	}
	// Lost says: an event never arrives.
	Lost struct{ Key ledger.Key }
	// Turned says: the kill switch was turned.
	Turned struct{ Switch decision.Switch }
	// Reset says: a person took a tripped breaker back.
	Reset struct{ Scope string }
	// Gave says: a person's word on a document was recorded.
	Gave struct{ Word ledger.Word }
	// Ticked says: the schedule asked for a sweep.
	Ticked struct{}
	// Healed says: no fault and no foreign writer from now on.
	Healed struct{}
	// Left says: at the end, a message about an event is still on a queue.
	Left struct {
		Key   ledger.Key
		Place Place
	}
	// Stands says: at the end, a role as it really is.
	Stands struct {
		Role role.Role
		// Unseen says that nobody told rolewarden of it: its last event was lost,
		// and nothing has read it since.
		Unseen Knowledge
		// Rules are those it goes by at the end.
		Rules *org.Rules
	}
	// Over says: the history is complete, and every queue that Left does not speak of
	// is empty.
	Over struct{}
)

// The facts of a handling; Wrote is also what others do to a role, in no handling.
type (
	// Began says: a handling of a message begins. The key is empty where the message
	// has none.
	Began struct {
		Key  ledger.Key
		What string
	}
	// Ended says: the handling has ended.
	Ended struct {
		How Ending
		// Note says why: the error, or what the event asked for.
		Note string
	}
	// Asked says: the handling is a person's command that takes a decision back.
	Asked struct{ Undoing guard.Undoing }
	// Weighed says: the handling was told how the kill switch stands.
	Weighed struct{ Switch decision.Switch }
	// Troubled says: a call of the handling failed, or was its last. Whether it took
	// effect the handling did not learn.
	Troubled struct{ Call string }
	// Read says: the handling was shown a role.
	Read struct{ Role role.Role }
	// Listed says: the handling was shown roles among all of an account.
	Listed struct{ RoleIDs []string }
	// Looked says: the handling was told whom an ARN stands for; nobody if ID is empty.
	Looked struct{ ARN, ID string }
	// Took says: the handling took an event.
	Took struct{ Key ledger.Key }
	// Intended says: an intent was recorded.
	Intended struct{ Intent ledger.Intent }
	// Spent says: the limits were asked.
	Spent struct {
		Token    string
		Counters []ledger.Counter
		Answer   Answer
	}
	// Concluded says: an event ended, for the first time.
	Concluded struct{ Conclusion ledger.Conclusion }
	// Baselined says: a document became a baseline.
	Baselined struct{ Baseline role.Baseline }
	// Wrote says: a write took effect on a role.
	Wrote struct {
		// Role is the role as it really was before.
		Role role.Role
		Call Call
		// Document is what UpdateTrust wrote.
		Document string
		// By says who, where it was no handling, and Event is the id under which
		// CloudTrail tells of it.
		By, Event string
		// Resent says that it is the same call, sent again since nothing was heard of it.
		Resent bool
	}
	// Told says: an alert reached a channel.
	Told struct {
		Channel string
		Alert   alert.Alert
		// Answer says whether the sender knows.
		Answer Answer
	}
	// Delivered says: it was recorded that a letter was told.
	Delivered struct{ Letter string }
	// Unrecorded says: it could not be recorded that a letter was told.
	Unrecorded struct{}
	// Alarmed says: something was logged under an alarm's word.
	Alarmed struct {
		Word string
		Key  string
	}
	// Said says: something that people or logs see holds a secret. Record it with Say.
	Said struct{ Where, Text string }
	// Panicked says: the code is wrong.
	Panicked struct{ Value string }
)

// Call is a call that changes a role.
type Call string

// The calls.
const (
	UpdateTrust Call = "UpdateAssumeRolePolicy"
	TagRole     Call = "TagRole"
	UntagRole   Call = "UntagRole"
	Bound       Call = "PutRolePermissionsBoundary"
	DeleteRole  Call = "DeleteRole"
)

// Ending is how a handling ended. The zero value is Crashed.
type Ending uint8

// The endings.
const (
	// Crashed says: it vanished in the midst of its work.
	Crashed Ending = iota
	// Failed says: it gave an error, so the message comes again.
	Failed
	// Done says: the message is done with.
	Done
	// Ignoring says: the message asked for nothing, and is done with.
	Ignoring
)

// Answer is what a caller learned of a call that took effect. The zero value is NoAnswer.
type Answer uint8

// The answers.
const (
	NoAnswer Answer = iota
	Yes
	// No says: the call was refused, and took no effect.
	No
)

// Place is where a message lies.
type Place uint8

// The places.
const (
	InQueue Place = iota
	InDeadLetters
)

// Knowledge says whether something could be known.
type Knowledge uint8

// Whether something could be known.
const (
	Seen Knowledge = iota
	Unseen
)

func (Ruled) fact()      {}
func (Joined) fact()     {}
func (Principal) fact()  {}
func (Arrived) fact()    {}
func (Lost) fact()       {}
func (Turned) fact()     {}
func (Reset) fact()      {}
func (Gave) fact()       {}
func (Ticked) fact()     {}
func (Healed) fact()     {}
func (Left) fact()       {}
func (Stands) fact()     {}
func (Over) fact()       {}
func (Began) fact()      {}
func (Ended) fact()      {}
func (Asked) fact()      {}
func (Weighed) fact()    {}
func (Troubled) fact()   {}
func (Read) fact()       {}
func (Listed) fact()     {}
func (Looked) fact()     {}
func (Took) fact()       {}
func (Intended) fact()   {}
func (Spent) fact()      {}
func (Concluded) fact()  {}
func (Baselined) fact()  {}
func (Wrote) fact()      {}
func (Told) fact()       {}
func (Delivered) fact()  {}
func (Unrecorded) fact() {}
func (Alarmed) fact()    {}
func (Said) fact()       {}
func (Panicked) fact()   {}

// Add records a fact.
func (h *History) Add(at time.Time, run int, f Fact) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.Entries = append(h.Entries, Entry{At: at, Run: run, Fact: f})
}

// first says whether an event ends for the first time.
func (h *History) first(k ledger.Key) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended[k] {
		return false
	}
	if h.ended == nil {
		h.ended = map[ledger.Key]bool{}
	}
	h.ended[k] = true
	return true
}

// Say looks for secrets in an output, and records it when it holds one.
func (h *History) Say(at time.Time, run int, where, text string) {
	for _, s := range h.Secrets {
		if strings.Contains(text, s) {
			h.Add(at, run, Said{Where: where, Text: text})
			return
		}
	}
}
