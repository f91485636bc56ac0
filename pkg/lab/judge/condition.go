package judge

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Context holds the request's condition keys. Make it with NewContext: names
// ignore case.
type Context map[string]Value

// Value is what a key holds. Many marks a key that AWS documents as
// multivalued, however many items there are.
type Value struct {
	Many  bool
	Items []string
}

// NewContext makes an empty context.
func NewContext() Context { return Context{} }

// Set gives a key its one value.
func (c Context) Set(key, value string) { c[strings.ToLower(key)] = Value{Items: []string{value}} }

// SetMany gives a multivalued key its values.
func (c Context) SetMany(key string, values []string) {
	c[strings.ToLower(key)] = Value{Many: true, Items: values}
}

func (c Context) get(key string) (Value, bool) {
	v, ok := c[strings.ToLower(key)]
	return v, ok
}

// holds decides one operator, key and values against the context.
func (c Condition) holds(ctx Context, variables variableUse) bool {
	value, present := ctx.get(c.Key)
	if c.Operator.Base == "Null" {
		return c.null(value, present)
	}
	if !present {
		return c.missing()
	}
	m := matcher{base: c.Operator.Base}
	for _, v := range c.Values {
		m.add(v, ctx, variables == expandVariables && c.Operator.takesVariables())
	}
	one := func(item string) bool { return m.any(item) != c.Operator.Negated }
	switch c.Operator.Quantifier {
	case ForAllValues:
		return all(value.Items, one)
	case ForAnyValue:
		return some(value.Items, one)
	case Plain:
		return !value.Many && len(value.Items) == 1 && one(value.Items[0])
	default:
		return false
	}
}

// missing decides a key that the request does not carry.
func (c Condition) missing() bool {
	switch c.Operator.Quantifier {
	case ForAllValues:
		return true
	case ForAnyValue:
		return false
	case Plain:
		return c.Operator.IfExists || c.Operator.Negated
	default:
		return false
	}
}

// null: "true" asks that the key is absent, "false" that it is there and not
// empty.
func (c Condition) null(value Value, present bool) bool {
	isNull := !present || len(value.Items) == 0
	for _, v := range c.Values {
		if strings.EqualFold(v, strconv.FormatBool(isNull)) {
			return true
		}
	}
	return false
}

// all is ForAllValues: true also for an empty set and for a lone empty string,
// which AWS reads as a null data set.
func all(items []string, one func(string) bool) bool {
	if len(items) == 1 && items[0] == "" {
		return true
	}
	for _, item := range items {
		if !one(item) {
			return false
		}
	}
	return true
}

func some(items []string, one func(string) bool) bool {
	for _, item := range items {
		if one(item) {
			return true
		}
	}
	return false
}

type variableUse int

const (
	literalVariables variableUse = iota
	expandVariables
)

// matcher holds one condition's values, ready to be compared.
type matcher struct {
	base     string
	patterns []pattern
}

func (m *matcher) add(value string, ctx Context, variables bool) {
	if !variables {
		m.patterns = append(m.patterns, wild(value))
		return
	}
	if p, ok := expand(value, ctx); ok {
		m.patterns = append(m.patterns, p)
	}
}

func (m *matcher) any(item string) bool {
	for _, p := range m.patterns {
		if compare(m.base, p, item) {
			return true
		}
	}
	return false
}

// compare is one policy value against one request value.
func compare(base string, p pattern, item string) bool {
	want := p.plain()
	switch base {
	case "StringEquals", "BinaryEquals":
		return want == item
	case "StringEqualsIgnoreCase", "Bool":
		return strings.EqualFold(want, item)
	case "StringLike":
		return p.matches(item)
	case "ArnLike":
		return p.matchesARN(item)
	case "IpAddress":
		return inNetwork(want, item)
	}
	if rest, ok := strings.CutPrefix(base, "Numeric"); ok {
		return compareNumbers(rest, want, item)
	}
	if rest, ok := strings.CutPrefix(base, "Date"); ok {
		return compareDates(rest, want, item)
	}
	return false
}

func compareNumbers(relation, want, item string) bool {
	w, ok1 := new(big.Rat).SetString(want)
	v, ok2 := new(big.Rat).SetString(item)
	return ok1 && ok2 && related(relation, v.Cmp(w))
}

func compareDates(relation, want, item string) bool {
	w, ok1 := date(want)
	v, ok2 := date(item)
	return ok1 && ok2 && related(relation, v.Compare(w))
}

func related(relation string, order int) bool {
	switch relation {
	case "Equals":
		return order == 0
	case "LessThan":
		return order < 0
	case "LessThanEquals":
		return order <= 0
	case "GreaterThan":
		return order > 0
	case "GreaterThanEquals":
		return order >= 0
	default:
		return false
	}
}

// date reads the W3C forms of ISO 8601, or seconds since 1970.
func date(s string) (time.Time, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) > 4 {
		return time.Unix(n, 0), true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func inNetwork(want, item string) bool {
	addr, err := netip.ParseAddr(item)
	if err != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(want); err == nil {
		return prefix.Contains(addr)
	}
	one, err := netip.ParseAddr(want)
	return err == nil && one == addr
}
