// Package org reads the rules file: the organization, its partners and identity
// providers, which rules act in which mode, exemptions and limits.
//
// It takes YAML and gives Rules, or errors with file, line, value and remedy.
// It is strict: an unknown field, a wrong type, a bad ARN, an expired or
// ownerless exemption is an error, and no default weakens anything. It judges
// no policy.
package org

import "time"

// Rules is the rules file. The zero value is an empty organization in which
// every rule only observes.
type Rules struct {
	// Hash is "sha256:" and the hex digest of the file's bytes; it is in every decision.
	Hash         string
	Organization Organization
	Partners     []Partner
	// IdentityProviders that roles may trust, by ARN pattern or issuer.
	IdentityProviders []string
	// Protected are ARN patterns of roles that are never written, beside the built-in ones.
	Protected []string
	// Default is the mode where nothing more special is said.
	Default Mode
	// Settings are what the file says of each rule, by rule id.
	Settings map[string]Setting
	// Custom are the organization's own rules, in the order of the file.
	Custom []CustomRule
	// Units and AccountModes narrow the mode for organizational units and accounts.
	Units        map[string]Mode
	AccountModes map[string]Mode
	Exemptions   []Exemption
	// Expired are exemptions that had ended when a deployed file was read; they
	// exempt nothing.
	Expired []Exemption
	Limits  Limits
	// Baselines, RuleChanges, Quarantine, Containment and Pruning say how rolewarden acts.
	Baselines   Baselines
	RuleChanges RuleChanges
	Quarantine  Quarantine
	Containment Containment
	Pruning     Pruning
}

// Organization is the AWS Organization.
type Organization struct {
	ID         string
	Partition  string
	Management string
	Accounts   []Account
	// Accounts lists all accounts (true) or may lack some; the default is that it may lack some.
	Complete bool
}

// Account is a member account.
type Account struct {
	ID   string
	Name string
	// Unit is the path of its organizational unit, such as "workloads/prod";
	// "/" is the root, and empty means that it is not known.
	Unit string
}

// Partner is a third party that may be trusted.
type Partner struct {
	Name     string
	Accounts []string
	// ExternalID says what its roles must ask for.
	ExternalID ExternalIDDemand
	// Roles, when not empty, are the only roles (ARN patterns of ours) it may be trusted by.
	Roles []string
	// AcceptedPrincipals are ARNs of the partner whose unique id we cannot
	// read and which a baseline may name all the same.
	AcceptedPrincipals []string
}

// ExternalIDDemand says whether a partner must give an external id.
type ExternalIDDemand uint8

// The demands. The zero value is the strict one.
const (
	ExternalIDRequired ExternalIDDemand = iota
	// RolePrincipalSuffices: a specific role principal may stand in its place.
	RolePrincipalSuffices
)

// Mode says how far a rule may go. The zero value is Observe.
type Mode uint8

// The modes, from telling to acting.
const (
	Observe Mode = iota
	Tag
	Enforce
)

// Setting is what the file says of one rule.
type Setting struct {
	// Mode and ModeSet: the rule's own mode, where the file gives one.
	Mode    Mode
	ModeSet bool
	// Off takes the rule out of the catalogue for everybody; only a person can write it.
	Off bool
	// SessionName is the value that session-name demands; default "${aws:username}".
	SessionName string
	// Callers are the classes that source-identity and set-source-identity
	// speak of: "users", "roles", "saml", "oidc"; empty means the rule's default.
	Callers []string
	// Values are the permitted source identities (patterns with * and ?); empty means any legal one.
	Values []string
	// MinLength is the shortest external id that external-id accepts; default 8.
	MinLength int
	// Roles are ARN patterns of the roles a rule speaks of: session-policy's
	// sensitive roles; for the other rules empty means all.
	Roles []string
	// Line and Column are where the file speaks of the rule.
	Line, Column int
}

// Exemption sets findings of some rules on one role aside, for a time.
type Exemption struct {
	Rules  []string
	Role   string // anchored ARN, no wildcard
	RoleID string // optional
	Digest string // optional: only while the document is this one
	Owner  string
	Reason string
	Ticket string
	// Expires is when it ends: the first moment, in UTC, of the day that the file names.
	Expires time.Time
	// Line and Column are where the file writes it.
	Line, Column int
}

// Limits bound the writes; past them rolewarden only tells.
type Limits struct {
	PerRolePerDay     int // default 3
	PerAccountPerHour int // default 5
	PerHour           int // default 25
	PerRulePerHour    int // default 25
	TagsPerHour       int // default 200
}

// Baselines says which trust policies become something to go back to.
type Baselines struct {
	// Age is how long a document must have stood before it becomes a baseline;
	// default 24 hours, never less than one.
	Age time.Duration
	// FirstSightings are the account ids and role ARNs whose documents may be gone
	// back to although rolewarden found them there and no event told who made
	// them. A person who lists one has looked at what stands.
	FirstSightings []string
}

// RuleChanges says how a change of the rules file takes effect.
type RuleChanges struct {
	// ObserveFor is how long roles that were good under the former rules, and have
	// not changed since, are only told of; default 24 hours.
	ObserveFor time.Duration
}

// Quarantine says how new roles are shut. The zero value shuts them at once.
type Quarantine struct {
	// Grace is how long after its making a role is only tagged and told of, so that
	// whoever makes it in several steps can finish; default none.
	Grace time.Duration
}

// Containment says when sessions already issued are stopped as well, by a
// permissions boundary that denies everything. The zero value contains nothing.
type Containment struct {
	// Rules are those whose breach leads to it, where they are enforced.
	Rules []string
	// Places are where the file names them, for who knows which rules there are.
	Places []Located
}

// Pruning says whether principals that were deleted are taken out of trust
// policies. The zero value is PruningOff.
type Pruning uint8

// Whether orphans are pruned.
const (
	PruningOff Pruning = iota
	PruningOn
)
