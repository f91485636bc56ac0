package judge

import "strings"

// Request is one action on one resource by one caller.
type Request struct {
	Action   string
	Resource string
	Caller   Caller
	Context  Context
}

// Result is what a policy says about a request. Statement is the index of the
// statement that decided, -1 when none did.
type Result struct {
	Effect    Effect
	Strength  Strength
	Statement int
}

// Identity decides a policy that has no principals: an identity policy, a
// permissions boundary or a session policy.
func (p *Policy) Identity(req Request) Result {
	return p.decide(req, func(st Statement) Strength {
		if !st.coversResource(req, p.variables()) {
			return NotNamed
		}
		return NamedExactly
	})
}

// Trust decides a role's trust policy, whose resource is always the role.
func (p *Policy) Trust(req Request) Result {
	return p.decide(req, func(st Statement) Strength {
		switch {
		case st.Principal != nil:
			return st.Principal.Match(req.Caller)
		case st.NotPrincipal != nil && st.NotPrincipal.Match(req.Caller) == NotNamed:
			return NamedEveryone
		default:
			return NotNamed
		}
	})
}

// decide reads every statement: an explicit Deny wins over any Allow. Of
// several Allows the strongest counts.
func (p *Policy) decide(req Request, strength func(Statement) Strength) Result {
	result := Result{Statement: -1}
	for i, st := range p.Statements {
		// Most statements are about other calls, and that is seen fastest.
		if !st.coversAction(req.Action) {
			continue
		}
		s := strength(st)
		if s == NotNamed || !st.conditionsHold(req.Context, p.variables()) {
			continue
		}
		if st.Effect == Deny {
			return Result{Effect: Deny, Strength: s, Statement: i}
		}
		if result.Effect == Neither || s > result.Strength {
			result = Result{Effect: Allow, Strength: s, Statement: i}
		}
	}
	return result
}

// variables: only Version 2012-10-17 gives ${...} a meaning.
func (p *Policy) variables() variableUse {
	if p.Version == "2012-10-17" {
		return expandVariables
	}
	return literalVariables
}

func (st Statement) coversAction(action string) bool {
	action = strings.ToLower(action)
	matches := func(list []string) bool {
		for _, a := range list {
			a = strings.ToLower(a)
			if a == action || strings.ContainsAny(a, "*?") && wild(a).matches(action) {
				return true
			}
		}
		return false
	}
	if st.NotAction != nil {
		return !matches(st.NotAction)
	}
	return matches(st.Action)
}

func (st Statement) coversResource(req Request, variables variableUse) bool {
	matches := func(list []string) bool {
		for _, r := range list {
			if resourceMatches(r, req, variables) {
				return true
			}
		}
		return false
	}
	if st.NotResource != nil {
		return !matches(st.NotResource)
	}
	return matches(st.Resource)
}

func resourceMatches(resource string, req Request, variables variableUse) bool {
	if resource == "*" {
		return true
	}
	p := wild(resource)
	if variables == expandVariables {
		var ok bool
		if p, ok = expand(resource, req.Context); !ok {
			return false
		}
	}
	return p.matchesARN(req.Resource)
}

func (st Statement) conditionsHold(ctx Context, variables variableUse) bool {
	for _, c := range st.Conditions {
		if !c.holds(ctx, variables) {
			return false
		}
	}
	return true
}
