// Package rules is the catalogue: what an organization asks of its trust
// policies. A rule is one .go, one .md and one .txtar file, and a line in All.
//
// It takes a document with what is known around it, all as values, and gives a
// Report with a verdict and findings, each with evidence. Most rules declare a
// region of forbidden requests and let proof look for one that the document
// allows; the text of the document is looked at for words in messages and for
// the names to ask about, never for a verdict. It reads nothing, writes nothing
// and decides no action.
//
// A finding of severity Advice is told and changes no verdict: nobody gets in
// through it, and what it says may well be meant.
package rules

import (
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
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
	// Gone are users and roles that are known not to exist any more, by ARN in
	// lower case: IAM keeps names unique whatever their case.
	Gone map[string]finding.Principal
	Now  time.Time

	// compiled is Document made ready for proof, once for all rules.
	compiled *proof.Compiled
	// stand are the members that proof is told of, chosen once with compiled.
	stand []string
	// said is what Document names, read once for all rules.
	said *said
	// rolls are the lists of accounts that many questions give.
	rolls *rolls
	// budget bounds what the catalogue, or one rule of the organization's own, makes
	// proof do.
	budget *proof.Budget
}

// Rule is one requirement of the organization: a stateless value.
type Rule struct {
	// ID is in kebab-case; the rule's files are named after it, with underscores.
	ID string
	// Title says in one line what the rule asks.
	Title string
	// Severity is what its gravest finding has; the page argues it.
	Severity finding.Severity
	// Reach is the most that its findings may lead to.
	Reach Reach
	// Page is the rule's page, in Markdown.
	Page string
	// Check judges one role. Role.Account is always given to it: Judge, which
	// callers should use, asks once for every reading of an unknown one.
	Check func(Input) Judgement
	// Mend: optional. Candidates, best first, of the mended document for one
	// finding of this rule; nil where the intent is unknown. They only remove or
	// narrow: an Allow's principals or conditions; they never add an Allow for
	// anybody whom it is not cut from, and never touch a Deny. Propose proves them.
	Mend func(in Input, f finding.Finding) []policy.Document
	// page writes Page for a rule of the organization's own, when it is asked for.
	page func() string
	// homeless: the rule judges the same whoever's role it is.
	homeless bool
}

// Judgement is what one rule found: its findings, and the elements that left
// something undecided, each named in words.
type Judgement struct {
	Findings  []finding.Finding
	Undecided []string
}

// All gives the catalogue, in the order of the pages.
func All() []Rule {
	return []Rule{
		publicPrincipal(),
		externalAccount(),
		externalID(),
		sessionName(),
		sourceIdentity(),
		setSourceIdentity(),
		uniqueIDPrincipal(),
		sessionPolicy(),
		webIdentitySubject(),
		samlAudience(),
		serviceConfusedDeputy(),
		accountWideTrust(),
		mfa(),
		danglingPrincipalCondition(),
		noEffect(),
		unsupported(),
	}
}

// Under gives the rules of a rules file: the catalogue, and after it the
// organization's own, in the order of the file.
func Under(o *org.Rules) []Rule { return append(All(), customRules(o)...) }

// Find gives the rule of the catalogue of an id.
func Find(id string) (Rule, bool) { return find(All(), id) }

// FindUnder gives the rule of an id, of the catalogue or the organization's own.
func FindUnder(o *org.Rules, id string) (Rule, bool) {
	r, ok := find(Under(o), id)
	if r.page != nil {
		r.Page = r.page()
	}
	return r, ok
}

func find(rules []Rule, id string) (Rule, bool) {
	for _, r := range rules {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// IDs gives the ids of the catalogue, in the order of All.
func IDs() []string { return idsOf(All()) }

// IDsUnder gives the ids of the catalogue and of the organization's own rules.
func IDsUnder(o *org.Rules) []string { return idsOf(Under(o)) }

func idsOf(rules []Rule) []string {
	var ids []string
	for _, r := range rules {
		ids = append(ids, r.ID)
	}
	return ids
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

// String gives "tell", "tag" or "write".
func (r Reach) String() string {
	switch r {
	case TellOnly:
		return "tell"
	case TagOnly:
		return "tag"
	case MayWrite:
		return "write"
	default:
		return "reach?"
	}
}

// limit lowers a mode to what the reach permits.
func (r Reach) limit(m org.Mode) org.Mode {
	switch r {
	case MayWrite:
		return m
	case TagOnly:
		return min(m, org.Tag)
	case TellOnly:
		return org.Observe
	default:
		return org.Observe
	}
}
