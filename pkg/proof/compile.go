package proof

import (
	"slices"
	"strings"
	"sync"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Compiled is a document made ready for many questions. It does not change
// and may be shared.
type Compiled struct {
	document   policy.Document
	partition  string
	statements []statement
	// keys are the condition keys and variables mentioned, lower-cased, each once.
	keys []string
	// services and providers are those named as principals.
	services  []string
	providers []string
	// reach holds, by kind of caller, the usual actions that some Allow might
	// let such a caller make.
	reach [OIDCIdentities + 1]actionSet
	// cost is what making it ready has cost, in steps.
	cost int
	// largestPart names the part that takes the most, once somebody looked.
	looked      sync.Once
	largestPart string
	// solvers keeps the space of searches for the next one.
	solvers sync.Pool
}

// statement is a policy statement made ready.
type statement struct {
	index   int
	deny    bool
	actions actionSet
	// written are the statement's own patterns, for actions outside the usual ones.
	source     *policy.Statement
	principals principalSet
	conditions []condition
	// doubts are elements whose presence leaves the whole statement in doubt.
	doubts []string
}

// actionSet is a set of the usual actions.
type actionSet uint8

const (
	assumeRole actionSet = 1 << iota
	assumeRoleWithSAML
	assumeRoleWithWebIdentity
	setSourceIdentity
	tagSession
	setContext
)

// usualActions are the actions of trust policies, in the order of the bits.
var usualActions = [...]string{
	"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
	"sts:SetSourceIdentity", "sts:TagSession", "sts:SetContext",
}

func actionBit(action string) actionSet {
	for i, a := range usualActions {
		if strings.EqualFold(a, action) {
			return 1 << i
		}
	}
	return 0
}

// principalSet is a Principal element, sorted by the kinds of caller it can match.
type principalSet struct {
	// users and roles are sets of callers' ARNs, accounts included; nil matches none.
	users, roles *test
	sessions     []policy.Principal
	anyone       bool
	services     []string
	providers    []string
	// awsDoubts, serviceDoubts and federatedDoubts may match callers of a kind.
	awsDoubts, serviceDoubts, federatedDoubts []string
}

// Compile makes a document ready for many questions about one role. The
// partition is the role's; bare account ids mean accounts in it.
func Compile(d policy.Document, partition string) *Compiled {
	if partition == "" {
		partition = "aws"
	}
	c := &Compiled{document: d, partition: partition}
	if c.cost = readyCost(d); c.cost > readyLimit {
		return c
	}
	var keys, services, providers names
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect == policy.NoEffect {
			continue
		}
		st := statement{index: i, deny: s.Effect == policy.Deny, source: s}
		for bit, a := range usualActions {
			if covers(s, a) {
				st.actions |= 1 << bit
			}
		}
		st.principals = c.compilePrincipals(s)
		services.add(st.principals.services...)
		providers.add(st.principals.providers...)
		if s.NotPrincipal.Present() || !s.Principal.Present() {
			st.doubts = append(st.doubts, place(i, "NotPrincipal"))
		}
		if len(s.Resources) > 0 {
			st.doubts = append(st.doubts, place(i, "Resource"))
		}
		if len(s.NotResources) > 0 {
			st.doubts = append(st.doubts, place(i, "NotResource"))
		}
		for j := range s.Conditions {
			pc := &s.Conditions[j]
			cond := compileCondition(pc, d.Version == "2012-10-17")
			cond.place = place(i, conditionName(pc))
			st.conditions = append(st.conditions, cond)
			cond.mention(&keys)
		}
		c.statements = append(c.statements, st)
		if !st.deny {
			c.reaches(&st)
		}
	}
	c.keys, c.services, c.providers = keys.list, services.list, providers.list
	return c
}

func (c *Compiled) reaches(st *statement) {
	p := &st.principals
	any := len(st.doubts) > 0
	may := [...]bool{
		Users:          any || p.anyone || p.users != nil || len(p.awsDoubts) > 0,
		RoleSessions:   any || p.anyone || p.roles != nil || len(p.sessions) > 0 || len(p.awsDoubts) > 0,
		Services:       any || len(p.services) > 0 || len(p.serviceDoubts) > 0,
		SAMLIdentities: any || len(p.providers) > 0 || len(p.federatedDoubts) > 0,
		OIDCIdentities: any || len(p.providers) > 0 || len(p.federatedDoubts) > 0,
	}
	for kind, ok := range may {
		if ok {
			c.reach[kind] |= st.actions
		}
	}
}

// unreachable reports whether no Allow can let this kind of caller make one of the actions.
func (c *Compiled) unreachable(kind CallerKind, actions []string) bool {
	for _, a := range actions {
		if bit := actionBit(a); bit != 0 && c.reach[kind]&bit == 0 {
			return true
		}
	}
	return false
}

// mention adds the condition's key, and those of its variables, to a list.
func (c *condition) mention(keys *names) {
	keys.add(c.key)
	for _, p := range c.tied {
		for _, x := range p.pieces {
			if x.kind == variablePiece {
				keys.add(x.key)
			}
		}
	}
}

// covers reports whether a statement is about an action, as access reads it.
func covers(s *policy.Statement, action string) bool {
	for _, a := range s.Actions {
		if access.MatchAction(a, action) {
			return true
		}
	}
	if len(s.NotActions) == 0 {
		return false
	}
	for _, a := range s.NotActions {
		if access.MatchAction(a, action) {
			return false
		}
	}
	return true
}

func (st *statement) covers(action string, bit actionSet) bool {
	if bit != 0 {
		return st.actions&bit != 0
	}
	return covers(st.source, action)
}

func (c *Compiled) compilePrincipals(s *policy.Statement) principalSet {
	out := principalSet{anyone: s.Principal.Star}
	users, roles := &test{}, &test{}
	var services, providers names
	for i := range s.Principal.List {
		p := &s.Principal.List[i]
		switch p.Kind {
		case policy.Anyone:
			out.anyone = true
		case policy.Account:
			if p.Partition == "" || p.Partition == c.partition {
				users.accounts = append(users.accounts, p.Account)
				roles.accounts = append(roles.accounts, p.Account)
			}
		case policy.User:
			if p.Partition == c.partition {
				users.exact = append(users.exact, p.Value)
			}
		case policy.Role:
			if p.Partition == c.partition {
				roles.exact = append(roles.exact, p.Value)
			}
		case policy.RoleSession:
			if p.Partition == c.partition {
				out.sessions = append(out.sessions, *p)
			}
		case policy.FederatedUser, policy.UniqueID:
			// STS refuses GetFederationToken sessions; a unique id that IAM
			// shows belongs to nobody alive.
		case policy.Service:
			services.add(p.Name)
		case policy.SAMLProvider, policy.OIDCProvider:
			providers.add(p.Value)
		case policy.AnyFederated:
			out.federatedDoubts = append(out.federatedDoubts, `Principal Federated "*"`)
		case policy.AnyService:
			out.serviceDoubts = append(out.serviceDoubts, `Principal Service "*"`)
		case policy.CanonicalUser:
			out.awsDoubts = append(out.awsDoubts, "Principal CanonicalUser")
		case policy.UnknownPrincipal:
			out.addUnknown(p)
		}
	}
	if out.anyone {
		const element = `Principal AWS "*" for callers that are no AWS principals`
		out.serviceDoubts = append(out.serviceDoubts, element)
		out.federatedDoubts = append(out.federatedDoubts, element)
	}
	out.users, out.roles = users.sealSet(c.partition), roles.sealSet(c.partition)
	out.services, out.providers = services.list, providers.list
	return out
}

func (out *principalSet) addUnknown(p *policy.Principal) {
	element := "Principal " + printable(p.Type) + " " + printable(p.Value)
	if p.Type != "Service" && p.Type != "Federated" {
		out.awsDoubts = append(out.awsDoubts, element)
	}
	if p.Type != "AWS" && p.Type != "Federated" {
		out.serviceDoubts = append(out.serviceDoubts, element)
	}
	if p.Type != "AWS" && p.Type != "Service" {
		out.federatedDoubts = append(out.federatedDoubts, element)
	}
}

// sealSet makes a set of callers, single ones and whole accounts, ready.
func (t *test) sealSet(partition string) *test {
	if len(t.exact) == 0 && len(t.accounts) == 0 {
		return nil
	}
	if t.partition = partition; len(t.accounts) > indexAbove {
		slices.Sort(t.accounts)
		t.accounts = slices.Compact(t.accounts)
	}
	t.owners = append(t.owners, t.accounts...)
	for _, arn := range t.exact {
		t.owners = append(t.owners, arnAccount(arn))
	}
	return t.seal()
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}

// set is a list made ready for looking things up in it.
type set struct {
	list []string
	seen map[string]struct{}
}

func setOf(list []string) set {
	s := set{list: list}
	if len(list) > indexAbove {
		s.seen = make(map[string]struct{}, len(list))
		for _, one := range list {
			s.seen[one] = struct{}{}
		}
	}
	return s
}

func (s set) has(one string) bool {
	if s.seen == nil {
		return slices.Contains(s.list, one)
	}
	_, ok := s.seen[one]
	return ok
}

// names is a list of texts, each once.
type names struct {
	list []string
	seen map[string]struct{}
}

func (n *names) add(list ...string) {
	for _, s := range list {
		if n.seen == nil && len(n.list) <= indexAbove {
			n.list = appendNew(n.list, s)
			continue
		}
		if n.seen == nil {
			n.seen = make(map[string]struct{}, 4*len(n.list))
			for _, have := range n.list {
				n.seen[have] = struct{}{}
			}
		}
		if _, had := n.seen[s]; !had {
			n.seen[s] = struct{}{}
			n.list = append(n.list, s)
		}
	}
}
