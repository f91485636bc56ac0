package remediate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Restored is what a baseline has become today.
type Restored struct {
	// Document is the trust policy to write; empty when the baseline may not
	// be restored.
	Document string
	// Dropped are the principals left out since they no longer are whom they were.
	Dropped []string
	// Reason says why the baseline may not be restored; empty when it may.
	Reason string
}

// Restore gives the trust policy by which a role goes back to a baseline.
//
// IAM binds an ARN in a trust policy to the unique id of whoever owns it when
// the policy is saved (IAM User Guide, reference_policies_elements_principal).
// Saved again, an old document would let in whoever took an old name. So every
// user and role that the document names must have the id it had: ids are those
// recorded in the baseline, now are those of today, by ARN; an ARN that is
// missing in now is gone. accepted are ARNs that may stand without a recorded
// id. Account, service and federated principals have no id and need none.
//
// Who no longer is whom it was, is left out of Allow statements; a statement
// without principals goes; a document without statements becomes a quarantine.
// A Deny is never edited: if it would have to be, the baseline is refused. The
// result is proven to allow nothing that the baseline did not. The error is
// for baselines whose document cannot be read.
func Restore(b role.Baseline, now map[string]string, accepted []string) (Restored, error) {
	old, err := policy.Parse([]byte(b.Document))
	if err != nil {
		return Restored{}, fmt.Errorf("reading the baseline of role %s in account %s: %w", b.RoleID, b.Account, err)
	}
	p := people{recorded: b.Principals, now: now, accepted: accepted}
	return leftOut(b, old, p.standing), nil
}

// Without gives a document that is to be written without some principals that
// IAM refuses, though everybody whom it names was just looked up: an account that
// was closed, a partner's role that is gone. They are left out as Restore leaves
// out who is gone: of an Allow only, and the rest is proven to let in nobody more.
func Without(r role.Ref, document string, refused []string) (Restored, error) {
	old, err := policy.Parse([]byte(document))
	if err != nil {
		return Restored{}, fmt.Errorf("reading the document to write to role %s: %w", r, err)
	}
	return leftOut(role.Baseline{Account: r.Account, Document: document}, old, func(one policy.Principal) standing {
		if one.Kind != policy.Anyone && slices.ContainsFunc(refused, func(name string) bool { return names(name, one) }) {
			return changed
		}
		return same
	}), nil
}

// names says whether IAM means a principal by a name in its refusal: as written,
// or an account in its other spelling.
func names(refused string, one policy.Principal) bool {
	if refused == one.Value {
		return true
	}
	p, err := policy.ParsePrincipal("AWS", refused)
	return err == nil && p.Kind == policy.Account && one.Kind == policy.Account && p.Account == one.Account
}

// leftOut leaves out of a document who is not whom it was, or says why it cannot.
func leftOut(b role.Baseline, old policy.Document, of func(policy.Principal) standing) Restored {
	restored, dropped, reason := without(old, of)
	if reason != "" {
		return Restored{Reason: reason}
	}
	if len(dropped) == 0 {
		return Restored{Document: b.Document}
	}
	if len(restored.Statements) == 0 {
		return Restored{Document: Quarantine(""), Dropped: dropped}
	}
	if reason := wider(b, old, restored); reason != "" {
		return Restored{Reason: reason}
	}
	return Restored{Document: string(restored.Print()), Dropped: dropped}
}

// people knows who principals were and are.
type people struct {
	recorded map[string]string
	now      map[string]string
	accepted []string
}

// standing is what has become of a principal. The zero value lets nothing be restored.
type standing uint8

const (
	unknown standing = iota
	same
	changed
)

func (p people) standing(one policy.Principal) standing {
	switch one.Kind {
	case policy.Anyone, policy.Account, policy.Service, policy.SAMLProvider, policy.OIDCProvider, policy.AnyFederated, policy.AnyService:
		return same
	case policy.UniqueID:
		// IAM shows an id in place of an ARN when its owner is gone, and does
		// not save it again.
		return changed
	case policy.User, policy.Role, policy.RoleSession, policy.FederatedUser:
		id := p.recorded[one.Value]
		switch {
		case id == "" && slices.Contains(p.accepted, one.Value):
			return same
		case id == "":
			return unknown
		case p.now[one.Value] == id:
			return same
		default:
			return changed
		}
	case policy.CanonicalUser, policy.UnknownPrincipal:
		return unknown
	default:
		return unknown
	}
}

// without gives the document without the principals that are no longer whom
// they were, their names, and a reason when it cannot be had.
func without(old policy.Document, of func(policy.Principal) standing) (policy.Document, []string, string) {
	out := policy.Document{Version: old.Version, ID: old.ID}
	var dropped []string
	for i, s := range old.Statements {
		if s.NotPrincipal.Present() {
			return out, nil, fmt.Sprintf("Statement[%d] of the baseline has a NotPrincipal, which IAM does not settle for trust policies and rolewarden never edits. Write the trust policy anew, naming who is let in.", i)
		}
		kept := make([]policy.Principal, 0, len(s.Principal.List))
		for _, one := range s.Principal.List {
			switch of(one) {
			case same:
				kept = append(kept, one)
			case changed:
				if s.Effect != policy.Allow {
					return out, nil, fmt.Sprintf("Statement[%d] of the baseline denies %s, which no longer is whom it was, and rolewarden never edits a Deny. Write the trust policy anew, and deny whom you mean.", i, one.Value)
				}
				dropped = append(dropped, one.Value)
			case unknown:
				return out, nil, fmt.Sprintf("Statement[%d] of the baseline names %s, and it is not known whom that stood for, so whoever has the name today might be let in. List the ARN under the partner's accepted principals in the rules file if that is fine, or write the trust policy anew.", i, one.Value)
			}
		}
		if s.Effect == policy.Allow && len(kept) == 0 && !s.Principal.Star {
			continue
		}
		s.Principal.List = kept
		out.Statements = append(out.Statements, s)
	}
	slices.Sort(dropped)
	return out, slices.Compact(dropped), ""
}

// wider says why the restored document might allow what the old one did not;
// empty when it is proven, in two ways, that it does not: statement by
// statement, and over all requests, whatever the world and the time.
func wider(b role.Baseline, old, restored policy.Document) string {
	if !subset(old, restored) {
		return "The baseline without the principals that are gone is no part of the baseline. Write the trust policy anew."
	}
	return refusal(proof.Compare(old, restored, proof.World{Partition: partition(old), Own: b.Account}).New)
}

// refusal says why an answer about what is newly allowed forbids restoring:
// anything but the proof that there is nothing does.
func refusal(a proof.Answer) string {
	switch a.Outcome {
	case proof.None:
		return ""
	case proof.Found:
		return "The baseline without the principals that are gone lets in more than the baseline did: " + a.Witness.Sentence() + ". Write the trust policy anew."
	case proof.Unknown:
		return "Whether the baseline without the principals that are gone lets in no more than the baseline did could not be settled (" + strings.Join(a.Undecided, "; ") + "). Write the trust policy anew."
	default:
		return "Whether the baseline without the principals that are gone lets in no more than the baseline did is not known. Write the trust policy anew."
	}
}

// partition is that of the ARNs that a document names; "" means aws.
func partition(d policy.Document) string {
	for _, s := range d.Statements {
		for _, p := range s.Principal.List {
			if p.Partition != "" {
				return p.Partition
			}
		}
	}
	return ""
}

// subset says whether every statement of new is one of old, in order, with the
// same or fewer principals in an Allow, and no Deny is missing.
func subset(old, new policy.Document) bool {
	next := 0
	for _, s := range old.Statements {
		if next < len(new.Statements) && narrowed(s, new.Statements[next]) {
			next++
		} else if s.Effect != policy.Allow {
			return false
		}
	}
	return next == len(new.Statements) && old.Version == new.Version
}

func narrowed(old, new policy.Statement) bool {
	for _, p := range new.Principal.List {
		if !slices.Contains(old.Principal.List, p) {
			return false
		}
	}
	fewer := len(new.Principal.List) < len(old.Principal.List)
	if fewer && old.Effect != policy.Allow {
		return false
	}
	a, b := old, new
	a.Principal.List, b.Principal.List = nil, nil
	one, other := policy.Document{Statements: []policy.Statement{a}}, policy.Document{Statements: []policy.Statement{b}}
	return strings.Compare(string(one.Print()), string(other.Print())) == 0
}
