package access_test

import (
	"slices"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// difference is a construct that the outside judge is known to read otherwise
// than access does. It gives the judge's reading of exactly that construct, and
// nothing else can be explained by it: a disagreement counts as explained only
// where access itself, told to read these constructs as the judge does, comes
// to the judge's decision.
type difference struct {
	name string
	// page and says are the page and the sentence of AWS that decide.
	page, says string
	side       side
	// One of these gives the judge's reading; ok is false for anything but the
	// construct.
	comparison func(c *comparison) (matches, ok bool)
	// version gives the Version under which the judge reads a comparison.
	version   func(c *comparison) (version string, ok bool)
	set       func(op policy.Operator, v access.Value) (holds, ok bool)
	principal func(p *policy.Principal, r *access.Request) (covers, ok bool)
	action    func(pattern string) (covers, ok bool)
}

// side says whom AWS's documentation bears out.
type side uint8

const (
	// unsaid is where the documentation decides for neither.
	unsaid side = iota
	// ours is where it bears out access.
	ours
)

func (s side) String() string {
	switch s {
	case ours:
		return "AWS documents access's reading"
	case unsaid:
		return "AWS documents neither reading"
	default:
		return "side?"
	}
}

// comparison is one value of a policy put against one value of a request.
type comparison struct {
	version       string
	op            policy.Operator
	policy, value string
	request       *access.Request
}

// explain says which differences make the judge decide as it does. It is false
// where reading their constructs as the judge does leads elsewhere.
func explain(d policy.Document, r access.Request, judge access.Decision) (names []string, ok bool) {
	met := slices.Clone(differences)
	// All at once: the judge has all of them.
	if !decides(d, r, met, judge) {
		return nil, false
	}
	// Those without which it would not come to its decision.
	for i := 0; i < len(met); {
		if less := slices.Delete(slices.Clone(met), i, i+1); len(less) > 0 && decides(d, r, less, judge) {
			met = less
		} else {
			i++
		}
	}
	return nameAll(met), len(met) > 0
}

func nameAll(of []difference) []string {
	var names []string
	for _, one := range of {
		names = append(names, one.name)
	}
	return names
}

// decides reports whether access with the judge's readings decides as the
// judge. What AWS leaves open may be anything.
func decides(d policy.Document, r access.Request, as []difference, judge access.Decision) bool {
	got := access.Evaluate(readAs(d, r, as), r).Decision
	return got == judge || got == access.Undecided
}

// readAs gives the document in which what the differences concern stands for
// what the judge takes it for, as to this request.
func readAs(d policy.Document, r access.Request, as []difference) policy.Document {
	out := d
	out.Statements = slices.Clone(d.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Principal = principalsAs(s.Principal, &r, as)
		s.Actions, s.NotActions = actionsAs(s.Actions, as), actionsAs(s.NotActions, as)
		s.Conditions = slices.Clone(s.Conditions)
		for j := range s.Conditions {
			s.Conditions[j] = conditionAs(d.Version, s.Conditions[j], r, as)
		}
	}
	return out
}

func principalsAs(ps policy.Principals, r *access.Request, as []difference) policy.Principals {
	ps.List = slices.Clone(ps.List)
	for i := range ps.List {
		for _, one := range as {
			if one.principal == nil {
				continue
			}
			if covers, ok := one.principal(&ps.List[i], r); ok {
				ps.List[i] = constantPrincipal(r, covers)
				break
			}
		}
	}
	return ps
}

// constantPrincipal covers the caller of the request, or nobody who calls.
func constantPrincipal(r *access.Request, covers bool) policy.Principal {
	typ, value := "AWS", "000000000000"
	switch {
	case !covers:
	case r.Caller.AWS != "":
		value = "*"
	case r.Caller.Service != "":
		typ, value = "Service", r.Caller.Service
	default:
		typ, value = "Federated", r.Caller.Federated
	}
	p, err := policy.ParsePrincipal(typ, value)
	if err != nil {
		panic(err)
	}
	return p
}

func actionsAs(patterns []string, as []difference) []string {
	patterns = slices.Clone(patterns)
	for i := range patterns {
		for _, one := range as {
			if one.action == nil {
				continue
			}
			if covers, ok := one.action(patterns[i]); ok {
				patterns[i] = map[bool]string{true: "*", false: "none:none"}[covers]
				break
			}
		}
	}
	return patterns
}

// conditionAs gives the condition, or a constant where the judge reads it
// otherwise.
func conditionAs(version string, c policy.Condition, r access.Request, as []difference) policy.Condition {
	op, known := policy.ParseOperator(c.Operator)
	v, present := r.Get(c.Key)
	if !known || op.Base == policy.Null || !present || len(c.Values) == 0 || op.Set == policy.NoSet && v.Many {
		return c
	}
	reading := reader{version: version, op: op, values: c.Values, request: &r, as: as}
	holds := reading.condition(v)
	if !reading.met {
		return c
	}
	return constantCondition(holds)
}

// constantCondition is a condition that is decided whatever the request is.
func constantCondition(holds access.Tri) policy.Condition {
	c := policy.Condition{Operator: "Null", Key: "no:such-key", Values: []string{"true"}}
	switch holds {
	case access.No:
		c.Values = []string{"false"}
	case access.Unsettled:
		c.Operator = "NoSuchOperator"
	case access.Yes:
	}
	return c
}

// reader reads a condition as the judge does.
type reader struct {
	version string
	op      policy.Operator
	values  []string
	request *access.Request
	as      []difference
	// met says that a difference was met.
	met bool
}

func (x *reader) condition(v access.Value) access.Tri {
	for _, one := range x.as {
		if one.set == nil {
			continue
		}
		if holds, ok := one.set(x.op, v); ok {
			x.met = true
			if !holds {
				return access.No
			}
			return x.members(v.Values)
		}
	}
	if x.op.Set != policy.NoSet && (len(v.Values) == 0 || slices.Equal(v.Values, []string{""})) {
		// What the guide calls a null data set.
		return fromBool(x.op.Set == policy.ForAllValues)
	}
	return x.members(v.Values)
}

// members puts together what holds of each value of the request.
func (x *reader) members(values []string) access.Tri {
	all, some := access.Yes, access.No
	for _, value := range values {
		one := x.one(value)
		all, some = all.And(one), some.Or(one)
	}
	if x.op.Set == policy.ForAnyValue {
		return some
	}
	return all
}

func (x *reader) one(value string) access.Tri {
	result := access.No
	for _, p := range x.values {
		result = result.Or(x.compare(p, value))
	}
	if x.op.Negated {
		return result.Not()
	}
	return result
}

func (x *reader) compare(policyValue, value string) access.Tri {
	c := comparison{version: x.version, op: x.op, policy: policyValue, value: value, request: x.request}
	for _, one := range x.as {
		if one.version == nil {
			continue
		}
		if version, ok := one.version(&c); ok {
			c.version, x.met = version, true
		}
	}
	for _, one := range x.as {
		if one.comparison == nil {
			continue
		}
		if matches, ok := one.comparison(&c); ok {
			x.met = true
			return fromBool(matches)
		}
	}
	return c.access()
}

// access is what access itself makes of a comparison: it is asked for a
// document that holds nothing else.
func (c *comparison) access() access.Tri {
	op := c.op
	op.Set, op.IfExists = policy.NoSet, false
	r := access.Request{Actions: []string{"sts:AssumeRole"}, Caller: access.Caller{Service: "s.example.com"}, Context: map[string]access.Value{}}
	for key, v := range c.request.Context {
		r.Context[key] = v
	}
	const probe = "the:probe"
	r.Context[probe] = access.One(c.value)
	d := policy.Document{Version: c.version, Statements: []policy.Statement{{
		Effect: policy.Allow, Actions: []string{"*"},
		Principal:  policy.Principals{List: []policy.Principal{constantPrincipal(&r, true)}},
		Conditions: []policy.Condition{{Operator: op.String(), Key: probe, Values: []string{c.policy}}},
	}}}
	holds := map[access.Decision]access.Tri{access.Allowed: access.Yes, access.Denied: access.No}[access.Evaluate(d, r).Decision]
	if op.Negated {
		return holds.Not()
	}
	return holds
}

func fromBool(b bool) access.Tri {
	if b {
		return access.Yes
	}
	return access.No
}
