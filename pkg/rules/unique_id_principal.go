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

const uniqueIDPrincipalID = "unique-id-principal"

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
			if p.Kind == policy.UniqueID {
				role := allowed
				if st.Effect == policy.Deny {
					role = denied
				}
				f := orphan(in, role, principalAt(i, "Principal", st.Principal, k), p.Value)
				if len(st.Principal.List) == 1 && st.Effect == policy.Allow {
					f.Fix = "remove " + at(i) + ", which lets nobody in; if somebody took over, name that user or role by its own ARN, after asking who it is"
				}
				j.Findings = append(j.Findings, f)
			}
		}
		for k, p := range st.NotPrincipal.List {
			if p.Kind == policy.UniqueID {
				j.Findings = append(j.Findings, orphan(in, spares, principalAt(i, "NotPrincipal", st.NotPrincipal, k), p.Value))
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

// orphan tells of one ID. In a Deny it costs no one access and lets no one in:
// what is lost is the intent to keep somebody out, or to spare somebody, so
// that is advice.
func orphan(in Input, role part, place, id string) finding.Finding {
	past, known := in.History[id]
	past.ID = id
	f := finding.Finding{
		Rule: uniqueIDPrincipalID, Severity: finding.Low, Where: place,
		Evidence: finding.Evidence{Kind: finding.Fact, Principal: &past, Sentence: biography(past, known)},
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
	}
	again := ""
	if past.LivesAgainAs != "" {
		again = fmt.Sprintf("; what has that name now is another (%s) and %s", word(past.LivesAgainAs), namesake)
	}
	f.Message = fmt.Sprintf("%s: %s%s; %s, and IAM will not save the policy again while the ID is in it", quoted(id), biography(past, known), again, now)
	return f
}

// biography says what is known of an ID: who it was, who deleted it and when.
func biography(p finding.Principal, known bool) string {
	what := kindOfID(p.ID)
	if !known || p.ARN == "" {
		return "the ID of " + what + " that nobody here remembers: it was deleted before anyone looked, or is of an account that cannot be read"
	}
	words := "it was " + word(p.ARN)
	switch {
	case p.DeletedBy != "" && !p.DeletedAt.IsZero():
		words += ", deleted by " + quoted(p.DeletedBy) + " on " + p.DeletedAt.UTC().Format("2006-01-02 15:04 MST")
	case !p.DeletedAt.IsZero():
		words += ", deleted on " + p.DeletedAt.UTC().Format("2006-01-02 15:04 MST")
	default:
		words += ", and nobody saw who deleted it"
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
