// Package rules is the catalogue: what an organization asks of its trust
// policies. A rule is one .go, one .md and one .txtar file, and a line in All.
//
// It takes a document with what is known around it, all as values, and gives a
// Report with a verdict and findings, each with evidence. Most rules declare a
// region of forbidden requests and let proof look for one that the document
// allows. It reads nothing, writes nothing and decides no action.
package rules

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Input is everything a rule may look at.
type Input struct {
	// Role is the role; Role.Account is empty when nobody said whose it is
	// (the command line without --role-arn).
	Role     role.Role
	Document policy.Document
	// Change is what led here; nil when nothing did (a sweep, the command line).
	Change *trail.Change
	// Org is the rules file; nil is an empty organization.
	Org *org.Rules
	// History tells of unique ids that the document shows, by id.
	History map[string]finding.Principal
	Now     time.Time
}

// Reach is the most that a rule's findings may ever lead to, whatever the mode.
// The zero value is TellOnly.
type Reach uint8

// The reaches.
const (
	// TellOnly: people are told, nothing is written.
	TellOnly Reach = iota
	// TagOnly: the role may be tagged.
	TagOnly
	// MayWrite: the trust policy may be reverted or replaced.
	MayWrite
)
