package rules

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/org/vendor"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Document is one trust policy among several that are looked at together.
type Document struct {
	// Where names it to a reader: a file, or a role's ARN.
	Where string
	Input Input
}

// SharedExternalIDs looks for external IDs that partners of different names
// give, in one document or in several: such an ID binds a role to neither. It
// gives the findings of each document, in the order of the documents. One ID in
// all documents of one partner is normal and says nothing.
//
// IDs are compared by HMAC-SHA256 under the key, so that nothing that outlives
// the call holds one; case is ignored. That a partner is let in under an ID is
// decided by proof. An account that nobody lists as a partner's and no vendor
// publishes stands for itself, and is left out where it is not known whose the
// role is, since it may be the role's own.
func SharedExternalIDs(key []byte, docs []Document) [][]finding.Finding {
	found := make([][]finding.Finding, len(docs))
	users := map[[sha256.Size]byte][]idUser{}
	for i, d := range docs {
		for _, u := range idUsers(key, d.Input) {
			u.document = i
			users[u.id] = append(users[u.id], u)
		}
	}
	for _, same := range users {
		for _, u := range same {
			others := slices.DeleteFunc(slices.Clone(same), func(o idUser) bool { return o.partner == u.partner })
			if len(others) > 0 {
				found[u.document] = append(found[u.document], sharedFinding(docs, u, others))
			}
		}
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b finding.Finding) int {
			return strings.Compare(a.Where+a.Message, b.Where+b.Message)
		})
	}
	return found
}

// Add puts findings that concern several documents into the report of one.
func Add(in Input, r finding.Report, more []finding.Finding) finding.Report {
	in = in.settled()
	more = slices.Clone(more)
	exempt(in, more)
	all := slices.Concat(r.Findings, more)
	slices.SortStableFunc(all, func(a, b finding.Finding) int { return int(b.Severity) - int(a.Severity) })
	return report(all, r.Reasons)
}

// idUser is a partner who is let in under an external ID.
type idUser struct {
	id       [sha256.Size]byte
	document int
	where    string
	// partner tells partners apart; who says it to a reader.
	partner, who string
}

// idUsers gives who is let in by a document under which of the IDs it writes.
func idUsers(key []byte, in Input) []idUser {
	in = in.settled()
	if !asksForIDs(in) {
		return nil
	}
	s, known := newSaid(in), in.Role.Account != ""
	if !known {
		in.Role.Account = s.unsaidAccount(in)
	}
	in.compiled, in.budget = proof.Compile(in.Document, in.Role.Partition), &proof.Budget{}
	var out []idUser
	for _, w := range writtenIDs(in.Document) {
		for _, account := range without(s.accounts, in.insiders()) {
			name, named := partnerName(in, account)
			if !named && !known {
				continue
			}
			where := [][]proof.Requirement{must(demand(proof.Holds, "StringEquals", externalIDKey, w.id))}
			if a := in.find(in.query(assume, where, awsCallers(proof.Accounts{Only: []string{account}}, nil)...)); a.Outcome == proof.Found {
				out = append(out, idUser{id: keyed(key, w.id), where: w.where, partner: name, who: in.whose(s, account)})
			}
		}
	}
	return out
}

// asksForIDs says whether the rule external-id is asked of a role.
func asksForIDs(in Input) bool {
	set := in.Org.Setting(externalIDID)
	asked := len(set.Roles) == 0 || slices.ContainsFunc(set.Roles, func(p string) bool { return role.MatchARN(p, in.Role.ARN) })
	return asked && !set.Off
}

// IDUse is a partner who is let in by a document under an external ID.
type IDUse struct {
	// ID is the ID's HMAC-SHA256 under the key.
	ID [sha256.Size]byte
	// Where is the place in the document.
	Where string
	// Partner tells partners apart, Who says it to a reader.
	Partner, Who string
}

// ExternalIDs gives who is let in by one document under which external IDs, for
// whoever looks for shared ones in more documents than can be held at once: an
// ID under which partners of different names are let in binds a role to neither.
// SharedExternalIDs says how IDs are compared, and whom it leaves out.
func ExternalIDs(key []byte, in Input) []IDUse {
	var out []IDUse
	for _, u := range idUsers(key, in) {
		out = append(out, IDUse{ID: u.id, Where: u.where, Partner: u.partner, Who: u.who})
	}
	return out
}

type writtenID struct{ id, where string }

// writtenIDs gives every external ID that a document asks for, and where.
func writtenIDs(d policy.Document) []writtenID {
	var out []writtenID
	for i, st := range d.Statements {
		for _, c := range st.Conditions {
			o, ok := policy.ParseOperator(c.Operator)
			text := o.Base == policy.String || o.Base == policy.StringLike || o.Base == policy.StringIgnoreCase
			// A Deny asks for the values that it spares.
			asks := (st.Effect == policy.Deny) == o.Negated
			if !ok || !text || !asks || !strings.EqualFold(c.Key, externalIDKey) {
				continue
			}
			for _, v := range c.Values {
				if !strings.ContainsAny(v, "*?$") {
					out = append(out, writtenID{v, conditionAt(i, c)})
				}
			}
		}
	}
	return out
}

// partnerName gives the name under which an account's owner is compared with
// others, and whether anybody gave it one.
func partnerName(in Input, account string) (name string, named bool) {
	if p, ok := in.Org.Partner(account); ok {
		return lettersOf(p.Name), true
	}
	if name, ok := vendor.Name(account); ok {
		return lettersOf(name), true
	}
	return account, false
}

func keyed(key []byte, id string) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(strings.ToLower(id)))
	copy(sum[:], h.Sum(nil))
	return sum
}

func sharedFinding(docs []Document, u idUser, others []idUser) finding.Finding {
	var who, where []string
	for _, o := range others {
		who = appendMissing(who, []string{o.who})
		if o.document != u.document {
			where = appendMissing(where, []string{docs[o.document].Where})
		}
	}
	place := "here too"
	if len(where) > 0 {
		place = "in " + strings.Join(where, ", ")
	}
	return finding.Finding{
		Rule: externalIDID, Severity: finding.Low, Where: u.where,
		Message: fmt.Sprintf("the external ID that %s gives is also what %s gives %s: each knows what the other is asked for; agree on an ID of its own with each", u.who, strings.Join(who, " and "), place),
		Fix:     "ask each of the partners for an ID that it gives to no other customer, and write that",
		Evidence: finding.Evidence{
			Kind: finding.Pair, Others: where,
			Sentence: fmt.Sprintf("%s and %s are let in under one external ID", u.who, strings.Join(who, " and ")),
		},
	}
}
