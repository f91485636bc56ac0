package remediate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Pruned is a role's trust policy without the unique ids of those who are gone.
type Pruned struct {
	// Document is the trust policy to write; empty when there is none.
	Document string
	// Dropped are the ids that are left out.
	Dropped []string
	// Reason says why nothing can be pruned; empty when something can.
	Reason string
}

// Prune gives the trust policy of a role without some orphans: unique ids of
// users and roles that are known to be gone.
//
// IAM does not save a policy that holds the id of somebody who is gone (IAM User
// Guide, reference_policies_elements_principal), so all ids go at once or none
// does. They are left out of Allow statements only; an Allow of which nobody is
// left goes; a Deny, a NotPrincipal and a condition are never edited, and no id
// is ever replaced by a name. A policy without an Allow is not made: what to
// write then is for people to say. The result is proven to let in the same
// callers, no more and no fewer. The error is for a policy that cannot be read,
// and for an orphan that is no unique id.
func Prune(r role.Role, orphans []string) (Pruned, error) {
	old, err := policy.Parse([]byte(r.TrustPolicy))
	if err != nil {
		return Pruned{}, fmt.Errorf("pruning the trust policy of role %s: %w", r.Ref(), err)
	}
	for _, id := range orphans {
		if p, err := policy.ParsePrincipal("AWS", id); err != nil || !p.OrphanLike() {
			return Pruned{}, fmt.Errorf("pruning the trust policy of role %s: %q is no unique id", r.Ref(), id)
		}
	}
	pruned, dropped, reason := withoutOrphans(old, orphans)
	switch {
	case reason != "":
		return Pruned{Reason: reason}, nil
	case len(dropped) == 0:
		return Pruned{Reason: "The trust policy names none of those who are gone any more."}, nil
	case !slices.ContainsFunc(pruned.Statements, allows):
		return Pruned{Reason: "Nobody would be left whom the trust policy lets in. Delete the role, or write who may assume it."}, nil
	case !prunes(r.TrustPolicy, pruned):
		return Pruned{Reason: "The trust policy without those who are gone is no part of the trust policy. Write it anew."}, nil
	}
	c := proof.Compare(old, pruned, proof.World{Partition: r.Partition, Own: r.Account})
	if c.New.Outcome != proof.None || c.Lost.Outcome != proof.None {
		return Pruned{Reason: "That the trust policy without those who are gone lets in the same callers is not proven" + undecided(c) + ". Write it anew."}, nil
	}
	return Pruned{Document: string(pruned.Print()), Dropped: dropped}, nil
}

func allows(s policy.Statement) bool { return s.Effect == policy.Allow }

// undecided names the elements that left a comparison open.
func undecided(c proof.Comparison) string {
	open := append(slices.Clone(c.New.Undecided), c.Lost.Undecided...)
	if len(open) == 0 {
		return ""
	}
	slices.Sort(open)
	return " (" + strings.Join(slices.Compact(open), "; ") + ")"
}

// withoutOrphans gives the document without the orphans, which ids went, and a
// reason when it cannot be had.
func withoutOrphans(old policy.Document, orphans []string) (policy.Document, []string, string) {
	out := policy.Document{Version: old.Version, ID: old.ID}
	var dropped []string
	for i, s := range old.Statements {
		if reason := stuck(i, s, orphans); reason != "" {
			return out, nil, reason
		}
		if s.Effect == policy.Allow {
			kept := make([]policy.Principal, 0, len(s.Principal.List))
			for _, p := range s.Principal.List {
				if p.OrphanLike() {
					dropped = append(dropped, p.Value)
					continue
				}
				kept = append(kept, p)
			}
			if len(kept) == 0 && len(s.Principal.List) > 0 && !s.Principal.Star {
				continue
			}
			s.Principal.List = kept
		}
		out.Statements = append(out.Statements, s)
	}
	slices.Sort(dropped)
	return out, slices.Compact(dropped), ""
}

// stuck says why a statement keeps the policy from being saved whatever is
// pruned elsewhere; empty when it does not.
func stuck(i int, s policy.Statement, orphans []string) string {
	for _, p := range s.NotPrincipal.List {
		if p.OrphanLike() {
			return fmt.Sprintf("Statement[%d] names %s in NotPrincipal, which rolewarden never edits, and IAM does not save the policy while it is there. Write the trust policy anew.", i, p.Value)
		}
	}
	for _, p := range s.Principal.List {
		switch {
		case !p.OrphanLike():
		case s.Effect != policy.Allow:
			return fmt.Sprintf("Statement[%d] denies %s, rolewarden never edits a Deny, and IAM does not save the policy while it is there. Write the trust policy anew, and deny whom you mean.", i, p.Value)
		case !slices.Contains(orphans, p.Value):
			return fmt.Sprintf("Statement[%d] names %s, of whom it is not known that it is gone, and IAM does not save the policy while it is there. Find out who it is, and write the trust policy anew.", i, p.Value)
		}
	}
	return ""
}

// prunes says whether a document is the judged one with nothing but unique ids
// left out of its Allow statements.
func prunes(judged string, pruned policy.Document) bool {
	old, err := policy.Parse([]byte(judged))
	if err != nil || !subset(old, pruned) || !slices.ContainsFunc(pruned.Statements, allows) {
		return false
	}
	return slices.Equal(lasting(old), lasting(pruned))
}

// lasting are the principals of a document that are no unique ids, in order.
func lasting(d policy.Document) []policy.Principal {
	var out []policy.Principal
	for _, s := range d.Statements {
		for _, p := range s.Principal.List {
			if !p.OrphanLike() {
				out = append(out, p)
			}
		}
	}
	return out
}
