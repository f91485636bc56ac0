package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// PrincipalKey is how a deletion event names a principal: account, kind
// ("user" or "role"; OwnName for the role whose state it is; "user name" and "role
// name" for one that is let in by its name and not as a principal; "id" for one
// that is let in by its unique id, without an account) and lower-case name.
type PrincipalKey struct {
	Account string
	Kind    string
	Name    string
}

// OwnName is the kind of the key by which a role is found by its own name, which
// events give without its RoleId. A role that once was to be found so stays so,
// also where its state does not ask for it any more.
const OwnName = "self"

// RoleState is what is remembered of a role, by account and RoleId.
type RoleState struct {
	Account string
	RoleID  string
	Name    string
	ARN     string
	// Document is the live document at the last handling, Digest its digest.
	Document string
	Digest   string
	// Since is the time of the event under which this document was handled first,
	// with no other handled in between.
	Since time.Time
	// Event is the event that was handled last, EventTime its time.
	Event     Key
	EventTime time.Time
	Actor     string
	Verdict   finding.Verdict
	// OpenRules are the rules of the open findings, Findings all that was noted.
	OpenRules []string
	Findings  []Noted
	RulesHash string
	// LeftUnder is the hash of the rules file under which this very document was
	// left as it is, nothing being due; empty when it never was.
	LeftUnder string
	// Changers are those who last changed the role to what the rules forbid, the
	// newest first, each with the tool that they used.
	Changers []string
	// Action is what was done last, Decided what had been decided, and Decision its id.
	Action   decision.Action
	Decided  decision.Action
	Decision string
	// AlertID is the thread of the open alert; empty when none is open. Told is the
	// event that told of it last.
	AlertID string
	Told    Key
	// Untold says that this document was left to the summary of a sweep, so that
	// the open alert speaks of a former one.
	Untold bool
	// Trusts are the users and roles that the document names, for Trusting, and
	// Principals the unique ids of the ARNs it names, where they are known.
	Trusts     []PrincipalKey
	Principals map[string]string
	// Shown are the unique ids that the document shows in place of ARNs, and
	// since when each was seen to stand there.
	Shown     map[string]time.Time
	UpdatedAt time.Time
}

// Noted is a finding as it is remembered: enough to say what changed.
type Noted struct {
	Rule string
	// Place is where in the document it is.
	Place    string
	Problem  string
	Severity finding.Severity
}

// Written is the last write of a trust policy that was intended for a role. By it a change that
// somebody else made between our reading and our writing is found.
type Written struct {
	Decision string
	Event    Key
	// EventTime is the time of the change that it answers: what was read before the
	// write comes from there, or from later.
	EventTime time.Time
	// ReadAt is when the role was read, At when the write was intended, WrittenAt
	// when IAM had taken it; zero where nobody said that it had.
	ReadAt, At, WrittenAt     time.Time
	BeforeDigest, AfterDigest string
}

// Word is a person's word that a document of a role stays until a time, though
// it breaks rules. Taking a decision back leaves one.
type Word struct {
	Account, RoleID string
	// Digest is that of the document which stays.
	Digest string
	// By is who gave it, and Reason why.
	By, Reason string
	// Decision is the one that was taken back; empty when none was.
	Decision  string
	At, Until time.Time
}

// Recalled is all that is remembered of one role.
type Recalled struct {
	// State is nil when the role was never handled.
	State *RoleState
	// Candidate is the document that may become a baseline; nil when there is none.
	Candidate *role.Baseline
	// Baselines are the sealed ones, newest first.
	Baselines []role.Baseline
	// Word is the last that a person gave; its time may have passed. Nil when none did.
	Word *Word
	// Written is nil when no write was ever intended.
	Written *Written
	// Writes are those of the last thirty days of which something may have come,
	// newest first.
	Writes []Written
}

// Identity is a unique id and whom it stood for at some time.
type Identity struct {
	ID     string
	ARN    string
	SeenAt time.Time
}

// Deletion is the end of a principal, or of a user's name.
type Deletion struct {
	Principal PrincipalKey
	By        string
	At        time.Time
	Event     Key
	// RenamedTo is the ARN that the user has now, for the end of a name whose
	// user lives on; empty for a deletion.
	RenamedTo string
}

// Standing gives those writes of which something may have come, newest first.
func Standing(all []Written) []Written {
	var out []Written
	for _, w := range all {
		if w.AfterDigest != "" {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b Written) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Decision, b.Decision))
	})
	return out
}
