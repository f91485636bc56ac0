// Package finding holds the words in which a judgement is told: Verdict,
// Severity, Evidence, Finding and Report. It takes and gives values only, and
// it judges nothing.
//
// The JSON of these values is what `rolewarden check --format json` prints and
// what alerts carry; its field names and words are a public contract.
package finding

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// Verdict is what is known of a trust policy. Its zero value is Undecided.
type Verdict uint8

// The verdicts.
const (
	Undecided Verdict = iota
	Compliant
	Noncompliant
)

// Severity says what a finding lets happen. Its zero value is Advice.
type Severity uint8

// The severities, from harmless to worst.
const (
	Advice Severity = iota
	Low
	Medium
	High
	Critical
)

// EvidenceKind says how a reader can check a finding.
type EvidenceKind uint8

// The kinds of evidence.
const (
	// NoEvidence is the zero value; a finding that leaves the catalogue never has it.
	NoEvidence EvidenceKind = iota
	// Allowed is a request that the policy allows and the rule forbids.
	Allowed
	// Refused is a request that must be allowed and is not.
	Refused
	// Pair is two documents or roles that clash.
	Pair
	// Place is an element without effect or meaning.
	Place
	// Fact is something that happened: a unique id's history, an AssumeRole event.
	Fact
)

// Evidence is what a reader can check by eye.
type Evidence struct {
	Kind EvidenceKind `json:"kind"`
	// Request is the witness of Allowed and Refused.
	Request *access.Request `json:"request,omitempty"`
	// Sentence says the evidence in words ("user mallory of account … may assume the role under the session name bob").
	Sentence string `json:"sentence,omitempty"`
	// Principal is the history of a unique id, for Fact.
	Principal *Principal `json:"principal,omitempty"`
	// Others names the other roles or documents of a Pair.
	Others []string `json:"others,omitempty"`
}

// Principal is the history of a unique id, as far as the ledger knows it.
type Principal struct {
	// ID is the unique id as IAM shows it.
	ID string `json:"id"`
	// ARN is who it was; empty when unknown.
	ARN string `json:"arn,omitempty"`
	// DeletedBy is the ARN of who deleted it; empty when unknown.
	DeletedBy string `json:"deletedBy,omitempty"`
	// DeletedAt is when; zero when unknown.
	DeletedAt time.Time `json:"deletedAt,omitzero"`
	// DeletedEvent is the CloudTrail event id of the deletion.
	DeletedEvent string `json:"deletedEvent,omitempty"`
	// LivesAgainAs is the unique id of a principal that has the same ARN now; empty when none is known.
	LivesAgainAs string `json:"livesAgainAs,omitempty"`
	// RenamedTo is the ARN that a user got when the name was given up, for a name
	// that is free though its user lives; DeletedBy, DeletedAt and DeletedEvent
	// then tell of the renaming.
	RenamedTo string `json:"renamedTo,omitempty"`
	// Standing says how sure it is that the id is nobody's any more.
	Standing Standing `json:"standing,omitzero"`
}

// Finding is one breach of one rule.
type Finding struct {
	// Rule is the id of the rule, in kebab-case.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Where is the place in the document, such as Statement[1].Principal.AWS[0].
	Where string `json:"where"`
	// Message says what is wrong and what it lets happen.
	Message string `json:"message"`
	// Fix says what to write instead.
	Fix      string   `json:"fix"`
	Evidence Evidence `json:"evidence"`
	// Exemption is the ticket of the exemption that covers this finding; empty
	// when it is open. An exempted finding is shown, and asks for no action.
	Exemption string `json:"exemption,omitempty"`
}

// Report is the judgement of one document.
type Report struct {
	Verdict Verdict `json:"verdict"`
	// Reasons say why the verdict is Undecided, or what was left undecided
	// beside a finding; each names an element.
	Reasons  []string  `json:"reasons"`
	Findings []Finding `json:"findings"`
}
