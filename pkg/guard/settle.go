package guard

import "github.com/rolewarden/rolewarden/pkg/policy"

// settled reports whether a live document is the one that an event carried,
// as far as IAM lets one see. IAM shows a user or role that was deleted as a
// unique id, and a live unique id as its ARN (IAM User Guide,
// reference_policies_elements_principal); every other difference means that
// the reading lags behind the event, or that somebody changed the role since.
// A document that cannot be read settles nothing, and hides nothing: the live
// one is judged.
func settled(sent string, live policy.Document, partition string) bool {
	if sent == "" {
		return true
	}
	s, err := policy.Parse([]byte(sent))
	if err != nil {
		return true
	}
	if s.Equal(live, partition) {
		return true
	}
	if len(s.Statements) != len(live.Statements) {
		return false
	}
	a, b := s, live
	a.Statements = append([]policy.Statement(nil), s.Statements...)
	b.Statements = append([]policy.Statement(nil), live.Statements...)
	for i := range a.Statements {
		x, y := &a.Statements[i], &b.Statements[i]
		x.Principal, y.Principal = foldRewritten(x.Principal, y.Principal)
		x.NotPrincipal, y.NotPrincipal = foldRewritten(x.NotPrincipal, y.NotPrincipal)
	}
	return a.Equal(b, partition)
}

// foldRewritten takes out of two lists what IAM may have rewritten into one
// another: as many ARNs on one side as unique ids on the other.
func foldRewritten(sent, live policy.Principals) (policy.Principals, policy.Principals) {
	onlySent, onlyLive := lacking(sent, live), lacking(live, sent)
	if len(onlySent) != len(onlyLive) || !rewrites(onlySent, onlyLive) {
		return sent, live
	}
	return without(sent, onlySent), without(live, onlyLive)
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
