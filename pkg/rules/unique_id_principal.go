package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

//go:embed unique_id_principal.md
var uniqueIDPrincipalPage string

// UniqueIDPrincipal is the id of the rule about unique ids.
const UniqueIDPrincipal = "unique-id-principal"

const uniqueIDPrincipalID = UniqueIDPrincipal

func uniqueIDPrincipal() Rule {
	return Rule{
		ID: uniqueIDPrincipalID, Title: "No principal may be a unique ID, whose user or role is gone",
		Severity: finding.Low, Reach: TagOnly, Page: uniqueIDPrincipalPage, Check: checkUniqueIDPrincipal,
		Mend: mendUniqueID, homeless: true,
	}
}

// checkUniqueIDPrincipal tells of each unique ID what is known of it. IAM keeps
// users and roles by ID and shows the ID once it has no ARN for it any more
// (IAM User Guide, reference_policies_elements_principal).
func checkUniqueIDPrincipal(in Input) Judgement {
	var j Judgement
	for i, st := range in.Document.Statements {
		for k, p := range st.Principal.List {
			if p.OrphanLike() {
				role := allowed
				if st.Effect == policy.Deny {
					role = denied
				}
				f := orphan(in, role, principalAt(i, "Principal", st.Principal, k), p)
				if len(st.Principal.List) == 1 && st.Effect == policy.Allow && asserts(f.Evidence.Principal.Standing) {
					f.Fix = "remove " + at(i) + ", which lets nobody in; if somebody took over, name that user or role by its own ARN, after asking who it is"
				}
				j.Findings = append(j.Findings, f)
			}
		}
		for k, p := range st.NotPrincipal.List {
			if p.OrphanLike() {
				j.Findings = append(j.Findings, orphan(in, spares, principalAt(i, "NotPrincipal", st.NotPrincipal, k), p))
			}
		}
	}
	return j
}

// part is what an ID was for in its statement.
type part uint8

const (
	allowed part = iota
	denied
	// spares is for those whom a Deny names in NotPrincipal.
	spares
)

// asserts says whether an ID is spoken of as one whose owner is gone.
func asserts(s finding.Standing) bool {
	switch s {
	case finding.NotAsked, finding.Orphan, finding.Stranger:
		return true
	case finding.Unconfirmed, finding.Living, finding.Unproven:
		return false
	default:
		return false
	}
}

// orphan tells of one ID. In a Deny it costs no one access and lets no one in:
// what is lost is the intent to keep somebody out, or to spare somebody, so
// that is advice. So is an ID whose owner lives: IAM shows it so for a while.
func orphan(in Input, role part, place string, p policy.Principal) finding.Finding {
	id := p.Value
	past, known := in.History[id]
	past.ID = id
	f := finding.Finding{
		Rule: uniqueIDPrincipalID, Severity: finding.Low, Where: place,
		Evidence: finding.Evidence{Kind: finding.Fact, Principal: &past, Sentence: biography(past, known)},
	}
	if !asserts(past.Standing) {
		return notYet(f, role, past)
	}
	namesake, now := "does not regain access", "nobody gets in by it"
	f.Fix = "remove " + quoted(id) + " from " + place + "; if somebody took over, name that user or role by its own ARN, after asking who it is"
	switch role {
	case denied:
		f.Severity = finding.Advice
		namesake, now = "does not fall under it", "this Deny keeps nobody out any more"
		f.Fix = "name whom the Deny is meant for by an ARN that exists, or remove " + quoted(id) + " from " + place
	case spares:
		f.Severity = finding.Advice
		namesake, now = "is not spared", "this Deny spares nobody by it any more"
		f.Fix = "name whom the Deny is to spare by an ARN that exists, or remove " + quoted(id) + " from " + place
	case allowed:
		if p.Kind == policy.UnknownPrincipal {
			now = "it has no form of ID that AWS documents, so whom it lets in is not settled"
		}
	}
	again := ""
	if past.LivesAgainAs != "" {
		again = fmt.Sprintf("; what has that name now is another (%s) and %s", word(past.LivesAgainAs), namesake)
	}
	f.Message = fmt.Sprintf("%s: %s%s; %s, and IAM will not save the policy again while the ID is in it", quoted(id), biography(past, known), again, now)
	return f
}

// notYet tells of an ID of which it is not known that its owner is gone.
func notYet(f finding.Finding, role part, past finding.Principal) finding.Finding {
	who := "something that nobody here remembers"
	switch {
	case past.ARN != "":
		who = word(past.ARN)
	case kindOfID(past.ID) != "something":
		who = kindOfID(past.ID) + " that nobody here remembers"
	}
	switch past.Standing {
	case finding.Living:
		f.Severity = finding.Advice
		f.Evidence.Sentence = "it is " + who + ", who lives"
		f.Message = fmt.Sprintf("%s: it is %s, who lives; IAM shows a living user or role by its ID now and then, and by its ARN again later", quoted(past.ID), who)
		f.Fix = "wait until IAM shows the ARN; nothing needs to be changed"
	case finding.Unproven:
		f.Evidence.Sentence = "it was seen as " + who + ", and whether that one lives could not be settled"
		f.Message = fmt.Sprintf("%s: it was seen as %s, and nobody could settle whether that one lives, though IAM has shown the ID for ten minutes and more", quoted(past.ID), who)
		f.Fix = "look in its account whether it lives; if it is gone, remove " + quoted(past.ID) + " from " + f.Where
	default:
		f.Evidence.Sentence = "IAM shows the ID of " + who + " in the place of an ARN"
		f.Message = fmt.Sprintf("%s: IAM shows the ID of %s in the place of an ARN; that may pass, so it is read again after ten minutes before it is called an orphan", quoted(past.ID), who)
		f.Fix = "wait for the second look; if the ID stays, its owner is gone, and it can be removed from " + f.Where
	}
	if role != allowed {
		f.Severity = finding.Advice
	}
	return f
}

// biography says what is known of an ID: who it was, who deleted it and when.
func biography(p finding.Principal, known bool) string {
	what := kindOfID(p.ID)
	switch {
	case (!known || p.ARN == "") && p.Standing == finding.Stranger:
		return "the ID of " + what + " that was never seen here, so nobody can say who it was: it was deleted before anyone looked, or is of an account that cannot be read"
	case !known || p.ARN == "":
		return "the ID of " + what + " that nobody here remembers: it was deleted before anyone looked, or is of an account that cannot be read"
	}
	words, did := "it was "+word(p.ARN), "deleted"
	if p.RenamedTo != "" {
		words, did = words+", who is "+word(p.RenamedTo)+" now", "renamed"
	}
	switch {
	case p.DeletedBy != "" && !p.DeletedAt.IsZero():
		words += ", " + did + " by " + quoted(p.DeletedBy) + " on " + p.DeletedAt.UTC().Format("2006-01-02 15:04 MST")
	case !p.DeletedAt.IsZero():
		words += ", " + did + " on " + p.DeletedAt.UTC().Format("2006-01-02 15:04 MST")
	default:
		words += ", and nobody saw who " + did + " it"
	}
	if p.DeletedEvent != "" {
		words += " (event " + word(p.DeletedEvent) + ")"
	}
	return words
}

// kindOfID reads the prefix; AWS gives no guarantee that the list is whole
// (IAM User Guide, reference_identifiers).
func kindOfID(id string) string {
	switch {
	case strings.HasPrefix(id, "AIDA"):
		return "a user"
	case strings.HasPrefix(id, "AROA"):
		return "a role"
	default:
		return "something"
	}
}

// mendUniqueID takes an ID out of an Allow, and the statement with it that would
// be left without a principal. IAM refuses to save a policy with the ID in it,
// and nobody gets in by it. A Deny is left: somebody was meant to be kept out.
func mendUniqueID(in Input, f finding.Finding) []policy.Document {
	i, ok := statementOf(in.Document, f)
	if !ok || in.Document.Statements[i].Effect != policy.Allow {
		return nil
	}
	if p := f.Evidence.Principal; p != nil && !asserts(p.Standing) {
		return nil // its owner may live
	}
	st := in.Document.Statements[i]
	for k := range st.Principal.List {
		if principalAt(i, "Principal", st.Principal, k) != f.Where {
			continue
		}
		if len(st.Principal.List) > 1 {
			st.Principal.List = slices.Delete(slices.Clone(st.Principal.List), k, k+1)
			return []policy.Document{replaced(in.Document, i, st)}
		}
		if len(in.Document.Statements) > 1 {
			return []policy.Document{replaced(in.Document, i)}
		}
	}
	return nil
}
