package org

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// customDemands reads what must be met, and what must not.
func (r *reader) customDemands(c strict.Object) (require [][]policy.Condition, forbid []policy.Condition) {
	for _, field := range []string{"require", "forbid"} {
		items := c.Items(field)
		if n := c.Field(field); n != nil && n.Kind == yaml.SequenceNode && (len(items) == 0 || len(items) > mostDemands) {
			r.Fail(n, c.At(field), fmt.Sprintf("%d conditions", len(items)), fmt.Sprintf("write 1 to %d, or leave it out", mostDemands))
			continue
		}
		for i, n := range items {
			path := strict.Item(c.At(field), i)
			if field == "forbid" {
				if one, ok := r.condition(n, path); ok {
					forbid = append(forbid, one)
				}
				continue
			}
			if one := r.alternatives(n, path); len(one) > 0 {
				require = append(require, one)
			}
		}
	}
	return require, forbid
}

// alternatives reads one condition, or several of which one suffices.
func (r *reader) alternatives(n *yaml.Node, path string) []policy.Condition {
	if n.Kind != yaml.MappingNode || !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return c.Value == "anyOf" }) {
		one, ok := r.condition(n, path)
		if !ok {
			return nil
		}
		return []policy.Condition{one}
	}
	o := r.Object(n, path, "anyOf")
	items := o.Items("anyOf")
	if len(items) < 2 || len(items) > mostAlternatives {
		r.Fail(n, o.At("anyOf"), fmt.Sprintf("%d alternatives", len(items)), fmt.Sprintf("write 2 to %d; one alone needs no anyOf", mostAlternatives))
		return nil
	}
	var out []policy.Condition
	for i, n := range items {
		if one, ok := r.condition(n, strict.Item(o.At("anyOf"), i)); ok {
			out = append(out, one)
		}
	}
	return out
}

// condition reads one condition. It must be one whose meaning is settled: what
// a rule asks for is not to hinge on a reading.
func (r *reader) condition(n *yaml.Node, path string) (policy.Condition, bool) {
	o := r.Object(n, path, "operator", "key", "values")
	o.Require("operator", "key", "values")
	name, hasOperator := o.Text("operator", operatorWord)
	key, hasKey := o.Text("key", conditionKey)
	if !hasOperator || !hasKey {
		return policy.Condition{}, false
	}
	operator, _ := policy.ParseOperator(name)
	if problem, remedy := misfit(operator, key); problem != "" {
		r.Fail(o.Field("operator"), o.At("operator"), problem, remedy)
		return policy.Condition{}, false
	}
	values, ok := r.conditionValues(o, operator, key)
	return policy.Condition{Operator: name, Key: key, Values: values}, ok
}

// misfit says what is wrong with an operator for a key. Of keys with several
// values only ForAnyValue and ForAllValues mean something, and of the others
// they mean a trap: ForAllValues is met where the key is absent (IAM User
// Guide, reference_policies_condition-single-vs-multi-valued-context-keys).
func misfit(operator policy.Operator, key string) (problem, remedy string) {
	several := slices.ContainsFunc([]string{"aws:PrincipalOrgPaths", "aws:TagKeys", "aws:SourceOrgPaths", "aws:ResourceOrgPaths", "aws:CalledVia", "aws:PrincipalServiceNamesList", "sts:TransitiveTagKeys"}, func(k string) bool { return strings.EqualFold(k, key) })
	single := !several && (hasPrefixFold(key, "aws:") || hasPrefixFold(key, "sts:"))
	switch {
	case several && operator.Set == policy.NoSet && operator.Base != policy.Null:
		return key + " has several values", "write ForAnyValue: or ForAllValues: before the operator"
	case single && operator.Set != policy.NoSet:
		return key + " has one value", "write the operator without " + operator.Set.String() + ":"
	default:
		return "", ""
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// conditionValues reads the values of a condition. Those of secret keys are in
// no message.
func (r *reader) conditionValues(o strict.Object, operator policy.Operator, key string) ([]string, bool) {
	if n := o.Field("values"); n != nil && n.Kind != yaml.SequenceNode && policy.SecretKey(key) {
		r.Fail(n, o.At("values"), "no list", "write a list")
		return nil, false
	}
	items := o.Items("values")
	if n := o.Field("values"); n == nil || n.Kind != yaml.SequenceNode {
		return nil, false
	} else if len(items) == 0 || len(items) > mostValues {
		r.Fail(n, o.At("values"), fmt.Sprintf("%d values", len(items)), fmt.Sprintf("write 1 to %d", mostValues))
		return nil, false
	}
	var out []string
	for i, n := range items {
		path := strict.Item(o.At("values"), i)
		if policy.SecretKey(key) {
			if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || n.Value == "" || slices.Contains(out, n.Value) {
				r.Fail(n, path, "a value that is no text, or comes twice", "write each value once, in quotes")
				continue
			}
			out = append(out, n.Value)
			continue
		}
		v, ok := r.Text(n, path, valueForm(operator.Base))
		if ok && slices.Contains(out, v) {
			r.Fail(n, path, strict.Quote(v)+" a second time", "keep one of the two")
			continue
		}
		if ok {
			out = append(out, v)
		}
	}
	return out, len(out) == len(items)
}

// valueForm gives the form of the values of an operator.
func valueForm(base policy.Base) strict.Form {
	switch base {
	case policy.NumericEquals, policy.NumericLessThan, policy.NumericLessThanEquals, policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		return decimal
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan, policy.DateGreaterThanEquals:
		return strict.Form{Name: "date", Remedy: "write a date and time such as 2027-01-31T00:00:00Z, in quotes", OK: func(s string) bool {
			_, err := time.Parse(time.RFC3339, s)
			return err == nil
		}}
	case policy.Bool, policy.Null:
		return strict.OneOf("truth", "true", "false")
	case policy.IP:
		return strict.Form{Name: "address", Remedy: "write an address or a range such as 203.0.113.0/24", OK: func(s string) bool {
			_, rangeErr := netip.ParsePrefix(s)
			_, err := netip.ParseAddr(s)
			return rangeErr == nil || err == nil
		}}
	case policy.ARN:
		return strict.Form{Name: "ARN", Remedy: "write six parts joined by colons, where * and ? are wildcards", OK: func(s string) bool {
			return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5
		}}
	default:
		return strict.Form{Name: "text", Remedy: "write some text", OK: func(s string) bool { return s != "" }}
	}
}
