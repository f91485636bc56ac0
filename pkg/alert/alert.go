// Package alert holds what is told: Alert, its published schema, its
// fingerprint and its words.
//
// It takes what was seen, decided and done, as values, and gives an Alert that
// programs can read and text that people can act on. Nothing secret is in it:
// values of external ids are masked before they get here and again here. It
// sends nothing: that is the room notify.
package alert

import "time"

// Version is the version of the published schema.
const Version = 1

// State is the life of an alert. The zero value is Opened.
type State uint8

// The states of an alert.
const (
	Opened State = iota
	Updated
	Resolved
)

// Alert is one message about one role, as published on SNS. Its JSON form is
// described by alert.schema.json.
type Alert struct {
	Version int `json:"version"`
	// Notice says what the alert is about where that is no change of a role.
	Notice Notice `json:"notice,omitempty"`
	// ID names the thread: opened, updated and resolved have the same one.
	ID string `json:"id"`
	// Fingerprint is the same for alerts that say the same about the same role.
	Fingerprint string    `json:"fingerprint"`
	State       State     `json:"state"`
	Time        time.Time `json:"time"`
	Account     string    `json:"account"`
	Role        Role      `json:"role"`
	Verdict     string    `json:"verdict"`
	// Findings are the open ones first, the worst of them first.
	Findings []Finding `json:"findings"`
	// Omitted counts findings that had no room in this message.
	Omitted int `json:"omittedFindings,omitempty"`
	// Reasons say what was left undecided.
	Reasons  []string `json:"reasons,omitempty"`
	Change   *Change  `json:"change,omitempty"`
	Decision Decision `json:"decision"`
	Outcome  Outcome  `json:"outcome"`
	// Resolves are the findings that a resolved alert takes back.
	Resolves []TakenBack `json:"resolves,omitempty"`
	// LostUpdate is there when somebody else's change may have been overwritten.
	LostUpdate *LostUpdate `json:"lostUpdate,omitempty"`
	// Undo and Mend say how to take back what was done, and how to mend the policy.
	Undo string `json:"undo,omitempty"`
	Mend string `json:"mend,omitempty"`
}

// Role names the role.
type Role struct {
	ARN string `json:"arn"`
	ID  string `json:"id,omitempty"`
}

// Finding is a finding as told; its evidence is a sentence, and the witness as data.
type Finding struct {
	Rule      string   `json:"rule"`
	Severity  string   `json:"severity"`
	Where     string   `json:"where"`
	Message   string   `json:"message"`
	Fix       string   `json:"fix,omitempty"`
	Evidence  Evidence `json:"evidence"`
	Exemption string   `json:"exemption,omitempty"`
}

// Change tells who changed what, from where.
type Change struct {
	Actor    string `json:"actor"`
	SourceIP string `json:"sourceIp,omitempty"`
	Event    string `json:"event"`
	EventID  string `json:"eventId"`
	Tool     string `json:"tool,omitempty"`
	// Diff is a unified diff of the two trust policies, secrets masked.
	Diff string `json:"diff,omitempty"`
	// NewlyAllowed says in a sentence what the new policy lets in that the old did not.
	NewlyAllowed string `json:"newlyAllowed,omitempty"`
}

// Decision is what was decided, and why.
type Decision struct {
	ID      string   `json:"id,omitempty"`
	Action  string   `json:"action"`
	Reasons []string `json:"reasons,omitempty"`
}

// Outcome is what was done.
type Outcome struct {
	Done     string   `json:"done"`
	Verified bool     `json:"verified"`
	Dropped  []string `json:"dropped,omitempty"`
	Problem  string   `json:"problem,omitempty"`
	// Contained is there where the rules file asks that sessions already issued
	// are shut out as well.
	Contained *Contained `json:"contained,omitempty"`
}

// TakenBack is a finding that was told before and is not open any more.
type TakenBack struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
}
