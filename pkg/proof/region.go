package proof

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// requirement is a Requirement made ready.
type requirement struct {
	condition
	want bool
}

func compileWhere(where [][]Requirement) [][]requirement {
	if len(where) == 0 {
		return nil
	}
	out := make([][]requirement, len(where))
	for i, group := range where {
		out[i] = make([]requirement, len(group))
		for j := range group {
			out[i][j] = requirement{compileCondition(&group[j].Condition, true), group[j].Sense == Holds}
			out[i][j].place = regionPlace(&group[j].Condition)
		}
	}
	return out
}

// regionPlace is how a condition of a region is named.
func regionPlace(pc *policy.Condition) string {
	return "the region's condition " + printable(pc.Operator) + " on " + printable(pc.Key)
}

// whereKeys gives the keys of the document and of the region together.
func whereKeys(keys []string, where [][]requirement) []string {
	var more names
	for i := range where {
		for j := range where[i] {
			where[i][j].mention(&more)
		}
	}
	out := keys[:len(keys):len(keys)]
	if len(more.list) <= indexAbove {
		for _, k := range more.list {
			out = appendNew(out, k)
		}
		return out
	}
	have := setOf(keys)
	for _, k := range more.list {
		if !have.has(k) {
			out = append(out, k)
		}
	}
	return out
}

// where makes the formula of a region's requirements.
func (s *solver) where(where [][]requirement) nodeID {
	base := len(s.stack)
	if len(s.vars) == 0 {
		s.bindCaller()
	}
	s.stack = append(s.stack, s.callerNode())
	for _, group := range where {
		inner := len(s.stack)
		for i := range group {
			s.stack = append(s.stack, s.condition(&group[i].condition, group[i].want))
		}
		s.stack = append(s.stack[:inner], s.join(opOr, inner))
	}
	return s.join(opAnd, base)
}

// assertRegion asserts that the document allows a request with the actions,
// and with those that what it carries asks for.
func (s *solver) assertRegion(c *Compiled, actions, keys []string) bool {
	for _, a := range actions {
		if !s.assert(s.allowed(c, a)) {
			return false
		}
		if strings.EqualFold(a, "sts:SetSourceIdentity") {
			// A request has this action because it carries a source identity.
			v, _ := s.bind("sts:sourceidentity")
			if !s.assert(s.present(v)) {
				return false
			}
		}
	}
	return s.assertExtras(c, actions, "", keys) && s.assertKeyTies(keys)
}

// assertExtras asserts that the document allows what the request carries beside
// its actions; the extra that a projected key shows is left out.
func (s *solver) assertExtras(c *Compiled, actions []string, projected string, keys []string) bool {
	for i := range extras {
		if !s.assert(s.extra(i, c, actions, projected, keys)) {
			return false
		}
	}
	return true
}

// extra makes the formula of a request that carries nothing of an extra, or may.
func (s *solver) extra(i int, c *Compiled, actions []string, projected string, keys []string) nodeID {
	e := &extras[i]
	if containsFold(actions, e.action) || projected != "" && slices.Contains(e.keys, projected) || !s.mayCarry(e.keys, keys) {
		return trueNode
	}
	none := s.carriesNone(e.keys, keys)
	if none == trueNode {
		return trueNode
	}
	return s.or(none, s.allowed(c, e.action))
}

// mayCarry reports whether any key of an extra is spoken of, or follows from
// the variant.
func (s *solver) mayCarry(prefixes, keys []string) bool {
	if s.variant.chained && prefixes[0] == "sts:sourceidentity" {
		return true
	}
	for _, p := range prefixes {
		if mentions(keys, p) {
			return true
		}
	}
	return false
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// assertKeyTies asserts what AWS itself ties between keys: tag keys are those
// of the request's tags; a request comes from an address or through an
// endpoint; an organization's id comes with the caller's place in it; the age of
// an MFA sign-in needs one.
func (s *solver) assertKeyTies(keys []string) bool {
	if slices.Contains(keys, "aws:tagkeys") {
		for _, k := range keys {
			if tag, ok := strings.CutPrefix(k, "aws:requesttag/"); ok && !s.assertTag(k, tag) {
				return false
			}
		}
	}
	if slices.Contains(keys, "aws:sourceip") && !s.assertOrigin(keys) {
		return false
	}
	if slices.Contains(keys, "aws:principalorgpaths") && s.variant.aws() {
		// A caller in an organization has both keys, any other has none.
		id, _ := s.bind("aws:principalorgid")
		paths, _ := s.bind("aws:principalorgpaths")
		if !s.assert(s.or(s.and(s.absent(id), s.absent(paths)), s.and(s.present(id), s.present(paths)))) {
			return false
		}
	}
	if slices.Contains(keys, "aws:tokenissuetime") && s.variant.kind == Users {
		// A user's temporary credentials show both keys, long-term ones none.
		issued, _ := s.bind("aws:tokenissuetime")
		used, _ := s.bind("aws:multifactorauthpresent")
		if !s.assert(s.or(s.and(s.absent(issued), s.absent(used)), s.and(s.present(issued), s.present(used)))) {
			return false
		}
	}
	if slices.Contains(keys, "aws:multifactorauthage") {
		age, _ := s.bind("aws:multifactorauthage")
		used, _ := s.bind("aws:multifactorauthpresent")
		yes := s.literal(lit{v: used, t: &test{exact: []string{"true"}}})
		if !s.assert(s.or(s.absent(age), yes)) {
			return false
		}
	}
	return true
}

func (s *solver) assertTag(key, tag string) bool {
	tags, _ := s.bind("aws:tagkeys")
	value, _ := s.bind(key)
	t := &test{}
	t.add([]piece{{kind: literalPiece, text: tag}}, compareFold)
	with := s.and(s.present(value), s.literal(lit{v: tags, quant: some, t: t}))
	without := s.and(s.absent(value), s.literal(lit{v: tags, quant: every, neg: true, t: t}))
	return s.assert(s.or(without, with))
}

// assertOrigin asserts that a request comes from an address or through an
// endpoint, and not both (IAM User Guide, reference_policies_condition-keys,
// aws:SourceIp and aws:SourceVpc). What AWS shows of a call that one of its
// services makes is not documented.
func (s *solver) assertOrigin(keys []string) bool {
	address, _ := s.bind("aws:sourceip")
	some := []nodeID{s.present(address)}
	for _, k := range [...]string{"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip"} {
		if !slices.Contains(keys, k) {
			continue
		}
		v, _ := s.bind(k)
		if !s.assert(s.or(s.absent(address), s.absent(v))) {
			return false
		}
		some = append(some, s.present(v))
	}
	return len(some) == 1 || s.variant.kind == Services || s.assert(s.or(some...))
}
