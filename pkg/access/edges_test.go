package access_test

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// edges draws documents and requests about them, the same for the same seed
// and number.
type edges struct {
	rng *rand.Rand
	// keys are those that the document speaks of.
	keys []edgeKey
	// callers are those that the document is most about.
	callers []access.Caller
}

type edgeKey struct {
	name   string
	sort   sort
	values []string
}

func newEdges(seed, number uint64) *edges { return &edges{rng: rand.New(rand.NewPCG(seed, number))} }

func pick[T any](e *edges, from []T) T { return from[e.rng.IntN(len(from))] }

// one in n.
func (e *edges) one(n int) bool { return e.rng.IntN(n) == 0 }

func (e *edges) document() policy.Document {
	d := policy.Document{Version: "2012-10-17"}
	for range 2 {
		e.callers = append(e.callers, pick(e, edgeCallers))
	}
	switch e.rng.IntN(10) {
	case 0:
		d.Version = ""
	case 1:
		d.Version = "2008-10-17"
	}
	for range 1 + e.rng.IntN(4)*e.rng.IntN(2) {
		d.Statements = append(d.Statements, e.statement(len(d.Statements) == 0))
	}
	return d
}

func (e *edges) statement(first bool) policy.Statement {
	s := policy.Statement{Effect: policy.Allow}
	if !first && e.one(2) || e.one(12) {
		s.Effect = policy.Deny
	}
	if e.one(7) {
		s.NotActions = e.some(edgeActionPatterns, 2)
	} else {
		s.Actions = e.some(edgeActionPatterns, 3)
	}
	e.principals(&s)
	switch e.rng.IntN(60) {
	case 0:
		s.NotPrincipal, s.Principal = s.Principal, policy.Principals{}
	case 1:
		s.Resources = []string{"*"}
	}
	for n := e.rng.IntN(3); n > 0; n-- {
		c := e.condition()
		if !slices.ContainsFunc(s.Conditions, func(o policy.Condition) bool {
			return o.Operator == c.Operator && strings.EqualFold(o.Key, c.Key)
		}) {
			s.Conditions = append(s.Conditions, c)
		}
	}
	slices.SortStableFunc(s.Conditions, func(a, b policy.Condition) int { return strings.Compare(a.Operator, b.Operator) })
	return s
}

func (e *edges) principals(s *policy.Statement) {
	if e.one(20) {
		s.Principal.Star = true
		return
	}
	if e.one(2) {
		s.Principal.List = append(s.Principal.List, e.near(pick(e, e.callers)))
	}
	for n := e.rng.IntN(4); n > 0 || len(s.Principal.List) == 0; n-- {
		drawn := pick(e, edgePrincipals)
		p, err := policy.ParsePrincipal(drawn.typ, drawn.value)
		if err != nil {
			panic(err)
		}
		s.Principal.List = append(s.Principal.List, p)
	}
	slices.SortStableFunc(s.Principal.List, func(a, b policy.Principal) int { return strings.Compare(a.Type, b.Type) })
}

// near gives a principal that covers a caller, or nearly.
func (e *edges) near(c access.Caller) policy.Principal {
	typ, value := "AWS", c.AWS
	switch {
	case c.Service != "":
		typ, value = "Service", c.Service
	case c.Federated != "":
		typ, value = "Federated", c.Federated
	case c.Issuer != "" && e.one(3):
		value = c.Issuer
	case c.ID != "" && e.one(3):
		value, _, _ = strings.Cut(c.ID, ":")
	case e.one(3):
		value = strings.Split(c.AWS, ":")[4]
	}
	p, err := policy.ParsePrincipal(typ, value)
	if err != nil {
		panic(err)
	}
	return p
}

// some draws one to most of the words.
func (e *edges) some(from []string, most int) []string {
	out := make([]string, 1+e.rng.IntN(most))
	for i := range out {
		out[i] = pick(e, from)
	}
	return out
}

func (e *edges) condition() policy.Condition {
	of := sort(e.rng.IntN(int(sorts)))
	if e.one(2) {
		of = texts
	}
	c := policy.Condition{Operator: pick(e, edgeOperators[of]), Key: pick(e, edgeKeys[of]), Values: e.some(edgePolicyValues[of], 3)}
	if e.one(25) {
		c.Values = e.some(edgePolicyValues[e.rng.IntN(int(sorts))], 2)
	}
	switch e.rng.IntN(20) {
	case 0, 1, 2:
		c.Operator = "ForAllValues:" + c.Operator
	case 3, 4, 5:
		c.Operator = "ForAnyValue:" + c.Operator
	case 6, 7:
		c.Operator, c.Values = "Null", []string{pick(e, []string{"true", "false"})}
	case 8:
		c.Operator, c.Values = "Null", []string{"true", "false"}
	}
	if c.Operator != "Null" && e.one(6) {
		c.Operator += "IfExists"
	}
	switch {
	case e.one(150):
		c.Values = nil
	case e.one(150):
		c.Operator = "StringMatches"
	case e.one(8):
		c.Key = strings.ToUpper(c.Key)
	}
	e.keys = append(e.keys, edgeKey{name: c.Key, sort: of, values: c.Values})
	return c
}

// request draws a request that concerns the document drawn last.
func (e *edges) request() access.Request {
	r := access.Request{Caller: pick(e, e.callers), Actions: []string{edgeActions[0]}, Context: map[string]access.Value{}}
	if e.one(4) {
		r.Caller = pick(e, edgeCallers)
	}
	switch {
	case e.one(4):
		r.Actions = []string{pick(e, edgeActions)}
	case e.one(4):
		r.Actions = append(r.Actions, edgeActions[1+e.rng.IntN(2)])
	}
	switch e.rng.IntN(12) {
	case 0:
		r.Role = theRole
	case 1:
		r.Role = "arn:aws-cn:iam::111122223333:role/app"
	}
	for _, k := range e.keys {
		e.fill(&r, k)
	}
	if e.one(2) {
		e.fill(&r, edgeKey{name: pick(e, edgeKeys[texts]), sort: texts})
	}
	if !e.one(4) {
		r = r.Complete(nil)
	}
	return r
}

// fill gives a key a value, most often one that is near to the policy's.
func (e *edges) fill(r *access.Request, k edgeKey) {
	if e.one(4) {
		return
	}
	name := k.name
	switch e.rng.IntN(10) {
	case 0:
		name = strings.ToLower(name)
	case 1:
		name = strings.ToUpper(name)
	}
	for other := range r.Context {
		if strings.EqualFold(other, name) {
			return
		}
	}
	many := strings.EqualFold(name, "aws:TagKeys") || strings.EqualFold(name, "aws:PrincipalOrgPaths")
	if e.one(20) {
		many = !many
	}
	if !many {
		r.Context[name] = access.One(e.value(k))
		return
	}
	v := access.Many()
	for range e.rng.IntN(4) {
		v.Values = append(v.Values, e.value(k))
	}
	if e.one(10) {
		v = access.Many("")
	}
	r.Context[name] = v
}

func (e *edges) value(k edgeKey) string {
	if len(k.values) == 0 || e.one(3) {
		return pick(e, edgeRequestValues[k.sort])
	}
	filling := pick(e, []string{"", "a", "bob", "x:y", "-1"})
	return strings.NewReplacer("${*}", "*", "${?}", "?", "${$}", "$", "*", filling, "?", "b", "${aws:username}", "bob",
		"${AWS:UserName}", "bob", "${aws:PrincipalAccount}", "111122223333").Replace(pick(e, k.values))
}
