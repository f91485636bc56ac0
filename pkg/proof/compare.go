package proof

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Comparison is what a change of a document lets in and shuts out.
type Comparison struct {
	// New is a request that the new document allows and the old one does not.
	New Answer
	// Lost is a request that the old document allows and the new one does not.
	Lost Answer
}

// Compare compares what two documents of one role allow, over all callers and
// the three assume actions.
func Compare(older, newer policy.Document, w World) Comparison {
	return Compile(older, w.Partition).Compare(Compile(newer, w.Partition), w)
}

// Compare compares what this document allows with what a newer one of the same role allows.
func (c *Compiled) Compare(newer *Compiled, w World) Comparison {
	return Comparison{New: newer.Beyond(c, w), Lost: c.Beyond(newer, w)}
}

// Beyond looks for a request that this document allows and the other does not.
func (c *Compiled) Beyond(other *Compiled, w World) Answer {
	f := finder{world: &w, partition: c.partition, documents: []*Compiled{c, other}, search: (*solver).model}
	f.callers = []Callers{{Kind: Users}, {Kind: RoleSessions}, {Kind: OIDCIdentities}, {Kind: SAMLIdentities}, {Kind: Services}}
	var all names
	all.add(c.keys...)
	all.add(other.keys...)
	f.keys = c.carried(all.list, "")
	f.build = func(s *solver) bool { return s.assertBeyond(c, other, f.keys) }
	f.confirm = func(s *solver) (Answer, string) {
		a, problem := s.witness([]string{s.variant.assumeAction()}, c)
		if problem != "" {
			return a, problem
		}
		if r := access.Evaluate(other.document, *a.Witness); r.Decision != access.Denied {
			return Answer{}, disagreement(*a.Witness, r)
		}
		return a, ""
	}
	a := f.run()
	if a.Outcome == Unknown && c.document.Equal(other.document, c.partition) {
		return Answer{Outcome: None}
	}
	return a
}

// carried adds the keys that show what a request may carry beside its action,
// though nobody speaks of them: it asks for more actions, which may be refused.
// What a projected key shows is left out.
func (c *Compiled) carried(keys []string, projected string) []string {
	for _, e := range extras {
		if !c.allows(e.action) || projected != "" && slices.Contains(e.keys, projected) {
			continue
		}
		for _, k := range e.keys {
			if !strings.HasSuffix(k, "/") {
				keys = appendNew(keys, k)
			}
		}
	}
	return keys
}

func (c *Compiled) allows(action string) bool {
	bit := actionBit(action)
	return slices.ContainsFunc(c.statements, func(st statement) bool { return !st.deny && st.actions&bit != 0 })
}

// assumeAction is the action that this kind of caller makes.
func (v *variant) assumeAction() string {
	switch v.kind {
	case SAMLIdentities:
		return "sts:AssumeRoleWithSAML"
	case OIDCIdentities:
		return "sts:AssumeRoleWithWebIdentity"
	case Users, RoleSessions, Services, NoCaller:
		return "sts:AssumeRole"
	default:
		return "sts:AssumeRole"
	}
}

// assertBeyond asserts that c allows a request, with all that it carries, and
// that other refuses one of its actions.
func (s *solver) assertBeyond(c, other *Compiled, keys []string) bool {
	action := s.variant.assumeAction()
	if !s.assert(s.where(nil)) || !s.assertRegion(c, []string{action}, keys) {
		return false
	}
	base := len(s.stack)
	s.stack = append(s.stack, s.refused(other, action))
	for _, e := range extras {
		if !s.mayCarry(e.keys, keys) {
			continue
		}
		carried := s.carriesSome(e.keys, keys)
		s.stack = append(s.stack, s.and(carried, s.refused(other, e.action)))
	}
	return s.assert(s.join(opOr, base))
}
