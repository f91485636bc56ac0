package access

import "github.com/rolewarden/rolewarden/pkg/policy"

// Reasons why a condition is not settled.
const (
	whyOperator = "AWS documents no such operator"
	whyPlain    = "the key is multi-valued and the operator has no set qualifier"
	whyEmpty    = "the meaning of an empty list of values is not documented"
	whyValue    = "the documentation does not say how these two values compare"
	whyVariable = "what the variable stands for is not documented"
	whyNothing  = "the key is present without a value"
)

// condition decides one condition; why says what leaves it Unsettled.
func condition(c *policy.Condition, version string, r *Request) (result Tri, why string) {
	op, known := operator(c.Operator)
	if !known {
		return Unsettled, whyOperator
	}
	value, present := r.Get(c.Key)
	unknown := !present && r.hasUnknown(c.Key)
	if op.Base == policy.Null {
		if unknown {
			value, present = One("?"), true
		}
		return null(c.Values, value, present)
	}
	if unknown {
		return Unsettled, whyID
	}
	if !present {
		if t, ok := absent(op, c.Values); ok {
			return t, ""
		}
	}
	if len(c.Values) == 0 {
		return Unsettled, whyEmpty
	}
	t := tester{op: op, values: c.Values, r: r}
	t.variables = version == "2012-10-17" && takesVariables(op.Base)
	t.perhaps = version == "2012-10-17" && op.Base == policy.Bool
	switch op.Set {
	case policy.ForAllValues:
		return t.all(value.Values)
	case policy.ForAnyValue:
		return t.any(value.Values)
	case policy.NoSet:
		if value.Many || len(value.Values) > 1 {
			return Unsettled, whyPlain
		}
		return t.one(value.Values[0])
	default:
		return Unsettled, whyOperator
	}
}

// operator is policy.ParseOperator with the operators that trust policies use
// most at hand.
func operator(name string) (policy.Operator, bool) {
	switch name {
	case "StringEquals":
		return policy.Operator{Base: policy.String}, true
	case "StringNotEquals":
		return policy.Operator{Base: policy.String, Negated: true}, true
	case "StringLike":
		return policy.Operator{Base: policy.StringLike}, true
	case "StringNotLike":
		return policy.Operator{Base: policy.StringLike, Negated: true}, true
	case "ArnEquals", "ArnLike":
		return policy.Operator{Base: policy.ARN}, true
	case "ArnNotEquals", "ArnNotLike":
		return policy.Operator{Base: policy.ARN, Negated: true}, true
	case "Bool":
		return policy.Operator{Base: policy.Bool}, true
	case "BoolIfExists":
		return policy.Operator{Base: policy.Bool, IfExists: true}, true
	case "Null":
		return policy.Operator{Base: policy.Null}, true
	default:
		return policy.ParseOperator(name)
	}
}

// absent decides a condition whose key is not in the request (IAM User Guide,
// reference_policies_elements_condition_operators and
// reference_policies_multi-value-conditions). It is false for an empty list of
// values under a plain operator, which is never settled.
func absent(op policy.Operator, values []string) (Tri, bool) {
	switch {
	case op.Set == policy.ForAllValues:
		return Yes, true
	case op.Set == policy.ForAnyValue:
		// Also with IfExists.
		return No, true
	case op.IfExists:
		return Yes, true
	case len(values) == 0:
		return Unsettled, false
	default:
		return settled(op.Negated), true
	}
}

// null decides the Null operator: "true" asks for the key to be absent.
func null(values []string, value Value, present bool) (Tri, string) {
	switch {
	case len(values) == 0:
		return Unsettled, whyEmpty
	case present && len(value.Values) == 0:
		return Unsettled, whyNothing
	}
	result := No
	for _, v := range values {
		switch v {
		case "true":
			result = result.Or(settled(!present))
		case "false":
			result = result.Or(settled(present))
		default:
			result = result.Or(Unsettled)
		}
	}
	return result, whyValue
}

// takesVariables reports whether an operator's values may hold variables (IAM
// User Guide, reference_policies_variables, "Where you can use policy variables").
func takesVariables(b policy.Base) bool {
	switch b {
	case policy.String, policy.StringIgnoreCase, policy.StringLike, policy.ARN:
		return true
	default:
		return false
	}
}

// tester compares values of the request with the values of a condition.
type tester struct {
	op        policy.Operator
	values    []string
	r         *Request
	variables bool
	// perhaps says that the guide both allows and forbids variables: under Bool
	// they work on the page of the operators (Conditions_Boolean), and do not on
	// that of the variables ("Where you can use policy variables").
	perhaps bool
}

// one decides a single value: it must match one of the policy's values, or
// none of them where the operator is negated.
func (t *tester) one(value string) (Tri, string) {
	result, why := No, ""
	for _, v := range t.values {
		m, w := t.compare(v, value)
		result = result.Or(m)
		if result == Yes {
			break
		}
		if m == Unsettled {
			why = w
		}
	}
	if t.op.Negated {
		result = result.Not()
	}
	return result, why
}

// compare matches one value against one policy value.
func (t *tester) compare(policyValue, value string) (Tri, string) {
	if !t.variables && !t.perhaps || !HasVariable(policyValue) {
		return Match(t.op, policyValue, value), whyValue
	}
	x := expand(policyValue, t.r)
	if t.perhaps {
		if x.state == noValue || x.state == expanded && MatchPattern(t.op, x.literal, value) == No {
			return No, ""
		}
		return Unsettled, whyVariable
	}
	switch x.state {
	case noValue:
		if _, ok := arnParts(value); !ok && t.op.Base == policy.ARN && t.op.Negated {
			return Unsettled, whyValue
		}
		return No, ""
	case unclear:
		return Unsettled, whyVariable
	case expanded:
		m := MatchPattern(t.op, x.literal, value)
		if x.differ && m != MatchPattern(t.op, x.wild, value) {
			// Whether a wildcard inside a variable's value counts is not documented.
			return Unsettled, whyVariable
		}
		return m, whyValue
	default:
		return Unsettled, whyVariable
	}
}

// empty reports whether the values are what the guide calls a null data set.
func empty(values []string) bool {
	return len(values) == 0 || len(values) == 1 && values[0] == ""
}

// all decides ForAllValues, which an empty set satisfies.
func (t *tester) all(values []string) (Tri, string) {
	if empty(values) {
		return Yes, ""
	}
	result, why := Yes, ""
	for _, v := range values {
		one, w := t.one(v)
		result = result.And(one)
		if one == Unsettled {
			why = w
		}
	}
	return result, why
}

// any decides ForAnyValue, which an empty set does not satisfy.
func (t *tester) any(values []string) (Tri, string) {
	result, why := No, ""
	for _, v := range values {
		one, w := t.one(v)
		result = result.Or(one)
		if one == Unsettled {
			why = w
		}
	}
	if result == Yes && empty(values) {
		return Unsettled, whyNothing
	}
	return result, why
}
