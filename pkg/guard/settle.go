package guard

import (
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// showing says how a live document relates to the one that an event carried.
type showing uint8

const (
	// anotherDocument: the reading lags behind the event, or somebody changed
	// the role since.
	anotherDocument showing = iota
	// rewrittenDocument: the same but for principals that IAM may have
	// rewritten between ARN and unique id.
	rewrittenDocument
	// nothingToCompare: the event carries no document that can be read, or the
	// live one cannot be.
	nothingToCompare
	// laterDocument: the role was changed by an event that came later and has
	// been handled, or was deleted and made again since.
	laterDocument
	// sameDocument: the event's document is what stands.
	sameDocument
)

// shows compares a live document with an event. IAM shows a user or role that
// was deleted as a unique id, and a live unique id as its ARN (IAM User Guide,
// reference_policies_elements_principal).
func shows(c trail.Change, live role.Role, doc policy.Document) showing {
	if c.RoleID != "" && c.RoleID != live.ID {
		if !live.Created.IsZero() && !live.Created.Before(c.Time) {
			return laterDocument
		}
		return anotherDocument
	}
	if c.Document == "" || c.Truncated {
		return nothingToCompare
	}
	s, err := policy.Parse([]byte(c.Document))
	switch {
	case err != nil:
		return nothingToCompare
	case s.Equal(doc, live.Partition):
		return sameDocument
	case len(s.Statements) == len(doc.Statements) && rewritten(s, doc).Equal(rewritten(doc, s), live.Partition):
		return rewrittenDocument
	case c.Unfinished != "":
		// AWS did not finish the call: most likely nothing came of it.
		return nothingToCompare
	default:
		return anotherDocument
	}
}

// When a reading is believed. IAM settles within seconds, rarely within a
// minute (IAM User Guide, troubleshoot_general).
const (
	// afterSeconds is the attempt by which 35 seconds have passed.
	afterSeconds = 2
	// afterMinutes is the attempt by which more than two minutes have.
	afterMinutes = 3
)

// waitFor says why the role has to be read again before anything is done;
// empty when it need not be. A breach that has stood for minutes is acted on,
// whatever the events say: otherwise whoever changes a role often enough would
// never be stopped.
func (j job) waitFor(v judged) string {
	const why = "the role does not show what the event says yet; it is read again later"
	breach := v.report.Verdict == finding.Noncompliant
	switch v.shows {
	case sameDocument, laterDocument:
		return ""
	case nothingToCompare:
		if breach && !j.asBefore(v) || j.attempt >= afterSeconds {
			return ""
		}
		return "the event does not carry the document, so the role is read again before it passes"
	case rewrittenDocument:
		if j.attempt >= afterSeconds {
			return ""
		}
		return why
	case anotherDocument:
		if breach && j.attempt >= afterMinutes {
			return ""
		}
		return why
	default:
		return why
	}
}

// asBefore says whether a role shows what was known of it before the event: so
// does a reading that lags, which would hide what the event changed.
func (j job) asBefore(v judged) bool {
	s := v.known.State
	return s != nil && s.Digest == v.digest && !sameEvent(s.Event, j.key)
}

// rewritten is a document without the principals that IAM may have rewritten
// into others of the second one.
func rewritten(d, other policy.Document) policy.Document {
	out := d
	out.Statements = append([]policy.Statement(nil), d.Statements...)
	for i := range out.Statements {
		x, y := &out.Statements[i], other.Statements[i]
		x.Principal = foldRewritten(x.Principal, y.Principal)
		x.NotPrincipal = foldRewritten(x.NotPrincipal, y.NotPrincipal)
	}
	return out
}

// foldRewritten takes out of a list what IAM may have rewritten into members
// of the other: as many ARNs on one side as unique ids on the other.
func foldRewritten(one, other policy.Principals) policy.Principals {
	onlyOne, onlyOther := lacking(one, other), lacking(other, one)
	if len(onlyOne) != len(onlyOther) || !rewrites(onlyOne, onlyOther) {
		return one
	}
	return without(one, onlyOne)
}

// rewrites reports whether each side's ids can stand for the other's ARNs.
func rewrites(sent, live []policy.Principal) bool {
	count := func(list []policy.Principal) (arns, ids int) {
		for _, p := range list {
			switch p.Kind {
			case policy.User, policy.Role:
				arns++
			case policy.UniqueID:
				ids++
			default:
				return -1, -1
			}
		}
		return arns, ids
	}
	sentARNs, sentIDs := count(sent)
	liveARNs, liveIDs := count(live)
	return sentARNs >= 0 && liveARNs >= 0 && sentARNs == liveIDs && sentIDs == liveARNs
}

func lacking(a, b policy.Principals) []policy.Principal {
	var out []policy.Principal
	for _, p := range a.List {
		if !holds(b.List, p) {
			out = append(out, p)
		}
	}
	return out
}

func without(a policy.Principals, gone []policy.Principal) policy.Principals {
	out := policy.Principals{Star: a.Star}
	for _, p := range a.List {
		if !holds(gone, p) {
			out.List = append(out.List, p)
		}
	}
	return out
}

// holds compares as IAM does: an account id is the same as its root ARN.
func holds(list []policy.Principal, p policy.Principal) bool {
	for _, q := range list {
		if q.Type == p.Type && (q.Value == p.Value || q.Kind == policy.Account && p.Kind == policy.Account && q.Account == p.Account) {
			return true
		}
	}
	return false
}
