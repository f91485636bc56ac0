package proof

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// allowed makes the formula of one action: some Allow applies and no Deny does.
func (s *solver) allowed(c *Compiled, action string) nodeID {
	base := len(s.stack)
	s.stack = append(s.stack, s.someAllow(c, action))
	if s.stack[base] == falseNode {
		return s.join(opAnd, base)
	}
	bit := actionBit(action)
	for i := range c.statements {
		if st := &c.statements[i]; st.deny && st.covers(action, bit) {
			s.stack = append(s.stack, s.statement(st, false))
		}
	}
	return s.join(opAnd, base)
}

func (s *solver) someAllow(c *Compiled, action string) nodeID {
	bit := actionBit(action)
	base := len(s.stack)
	for i := range c.statements {
		if st := &c.statements[i]; !st.deny && st.covers(action, bit) {
			s.stack = append(s.stack, s.statement(st, true))
		}
	}
	return s.join(opOr, base)
}

// refused makes the formula of an action that is not allowed.
func (s *solver) refused(c *Compiled, action string) nodeID {
	bit := actionBit(action)
	base := len(s.stack)
	for i := range c.statements {
		if st := &c.statements[i]; st.deny && st.covers(action, bit) {
			s.stack = append(s.stack, s.statement(st, true))
		}
	}
	inner := len(s.stack)
	for i := range c.statements {
		if st := &c.statements[i]; !st.deny && st.covers(action, bit) {
			s.stack = append(s.stack, s.statement(st, false))
		}
	}
	s.stack = append(s.stack[:inner], s.join(opAnd, inner))
	return s.join(opOr, base)
}

// built remembers the formula of a statement, which several actions may share.
type built struct {
	st   *statement
	want bool
	node nodeID
}

// statement gives the formula of a statement that applies, or does not.
func (s *solver) statement(st *statement, want bool) nodeID {
	for i := range s.built {
		if b := &s.built[i]; b.st == st && b.want == want {
			return b.node
		}
	}
	n := s.buildStatement(st, want)
	s.built = append(s.built, built{st, want, n})
	return n
}

func (s *solver) buildStatement(st *statement, want bool) nodeID {
	if !s.pay(1 + len(st.conditions)) {
		if s.ended == "" {
			s.ended = "the meaning of Statement[" + strconv.Itoa(st.index) + "]"
		}
		return falseNode
	}
	op, zero := opOr, trueNode
	if want {
		op, zero = opAnd, falseNode
	}
	base := len(s.stack)
	for _, d := range st.doubts {
		s.stack = append(s.stack, s.doubtLeaf(d, d, want))
	}
	if len(st.doubts) == 0 || st.source.Principal.Present() {
		p := s.principals(&st.principals, want)
		s.stack = append(s.stack, p)
		if p == zero {
			return s.join(op, base)
		}
	}
	for i := range st.conditions {
		n := s.condition(&st.conditions[i], want)
		s.stack = append(s.stack, n)
		if n == zero {
			break
		}
	}
	return s.join(op, base)
}

// principals makes the formula of a caller who is among the principals, or is not.
func (s *solver) principals(p *principalSet, want bool) nodeID {
	op := opAnd
	if want {
		op = opOr
	}
	base := len(s.stack)
	var doubts []string
	if !s.pay(p.cost(s.variant.kind)) {
		return falseNode
	}
	switch s.variant.kind {
	case Users, RoleSessions:
		if p.anyone {
			return truth(want)
		}
		set := p.users
		if s.variant.kind == RoleSessions {
			set = p.roles
			for i := range p.sessions {
				s.stack = append(s.stack, s.session(&p.sessions[i], want))
			}
		}
		if set != nil {
			s.stack = append(s.stack, s.literal(lit{v: callerVar, t: set, neg: !want}))
		}
		doubts = p.awsDoubts
	case Services:
		s.stack = append(s.stack, truth(slices.Contains(p.services, s.variant.name) == want))
		doubts = p.serviceDoubts
	case SAMLIdentities, OIDCIdentities:
		s.stack = append(s.stack, truth(slices.Contains(p.providers, s.variant.name) == want))
		doubts = p.federatedDoubts
	case NoCaller:
	}
	for _, d := range doubts {
		s.stack = append(s.stack, s.doubtLeaf(d, d, want))
	}
	return s.join(op, base)
}

// cost is what it takes to look a caller up, in steps.
func (p *principalSet) cost(kind CallerKind) int {
	switch kind {
	case RoleSessions:
		return 1 + 12*len(p.sessions)
	case Services:
		return 1 + len(p.services)/16
	case SAMLIdentities, OIDCIdentities:
		return 1 + len(p.providers)/16
	case Users, NoCaller:
		return 1
	default:
		return 1
	}
}

// session makes the formula of one role session: role, account and session name.
func (s *solver) session(p *policy.Principal, want bool) nodeID {
	pieces := []piece{{kind: starPiece}, {kind: literalPiece, text: ":" + p.Session}}
	name := &test{}
	name.add(pieces, compareGlob)
	lits := [...]lit{
		{v: callerVar, win: accountWindow, t: &test{exact: []string{p.Account}}},
		{v: callerVar, win: nameWindow, t: &test{exact: []string{p.Name}}},
		{v: useridVar, t: name},
	}
	base := len(s.stack)
	op := opAnd
	for _, l := range lits {
		if !want {
			op, l = opOr, l.not()
			l.absentOK = false
		}
		s.stack = append(s.stack, s.literal(l))
	}
	return s.join(op, base)
}

// mentions reports whether a key, or one of a family, is spoken of.
func mentions(keys []string, prefix string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, prefix) })
}

// extras lists what a request may carry that needs an action beside the assume
// action: the action, and the keys that show it.
var extras = [...]struct {
	action string
	keys   []string
}{
	{"sts:SetSourceIdentity", []string{"sts:sourceidentity"}},
	{"sts:TagSession", []string{"aws:requesttag/", "aws:tagkeys", "sts:transitivetagkeys"}},
	{"sts:SetContext", []string{"sts:requestcontext/", "sts:requestcontextproviders"}},
}

// carriedKeys gives the variables of an extra's keys that are spoken of.
func (s *solver) carriedKeys(prefixes, keys []string) []int16 {
	var out []int16
	for _, k := range keys {
		if slices.ContainsFunc(prefixes, func(p string) bool { return k == p || strings.HasSuffix(p, "/") && strings.HasPrefix(k, p) }) {
			v, _ := s.bind(k)
			out = append(out, v)
		}
	}
	if s.variant.chained && prefixes[0] == "sts:sourceidentity" {
		v, _ := s.bind("sts:sourceidentity")
		out = append(out, v)
	}
	return out
}

// carriesNone makes the formula of a request that carries nothing of an extra.
func (s *solver) carriesNone(prefixes, keys []string) nodeID {
	base := len(s.stack)
	for _, v := range s.carriedKeys(prefixes, keys) {
		s.stack = append(s.stack, s.absent(v))
	}
	return s.join(opAnd, base)
}

// carriesSome makes the formula of a request that carries something of an extra.
func (s *solver) carriesSome(prefixes, keys []string) nodeID {
	base := len(s.stack)
	for _, v := range s.carriedKeys(prefixes, keys) {
		s.stack = append(s.stack, s.present(v))
	}
	return s.join(opOr, base)
}
