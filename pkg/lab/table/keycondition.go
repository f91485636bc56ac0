package table

import (
	"slices"
	"strings"
)

// keyCondition is what a query asks of the key: one partition, and a stretch
// of its sort keys.
type keyCondition struct {
	hash  Value
	below func(Value) bool // before the stretch
	above func(Value) bool // behind it
}

// terms takes a key condition apart. Each speaks of one key attribute.
func terms(c condition) ([]condition, error) {
	switch c := c.(type) {
	case joined:
		if c.or {
			return nil, misused("OR")
		}
		left, err := terms(c.left)
		if err != nil {
			return nil, err
		}
		right, err := terms(c.right)
		return append(left, right...), err
	case grouped:
		return terms(c.condition)
	case not:
		return nil, misused("NOT")
	case among:
		return nil, misused("IN")
	case comparison:
		if c.sign == "<>" {
			return nil, misused("<>")
		}
	case call:
		if c.name != "begins_with" {
			return nil, misused(c.name)
		}
	}
	return []condition{c}, nil
}

func misused(operator string) error {
	return in("KeyConditionExpression", bad("Invalid operator used in KeyConditionExpression: %s", operator))
}

func noQuery() error { return invalid("Query key condition not supported") }

// about gives the attribute that a term speaks of and the values that it
// compares it with.
func about(c condition) (attribute string, values []Value, err error) {
	for i, o := range c.operands() {
		switch o := o.(type) {
		case sizeOf:
			return "", nil, misused("size")
		case path:
			if len(o) > 1 {
				return "", nil, in("KeyConditionExpression", bad("KeyConditionExpressions cannot have conditions on nested attributes"))
			}
			if attribute != "" || i > 0 && !turned(c) {
				return "", nil, noQuery()
			}
			attribute = o[0].name
		case constant:
			values = append(values, o.v)
		}
	}
	return attribute, values, nil
}

// turned says whether a term may have its attribute on the right.
func turned(c condition) bool {
	_, ok := c.(comparison)
	return ok
}

// keyCondition fits a condition to the table's key.
func (t *table) keyCondition(c condition) (keyCondition, error) {
	all, err := terms(c)
	if err != nil {
		return keyCondition{}, err
	}
	found := map[string]condition{}
	for _, term := range all {
		name, values, err := about(term)
		if err != nil {
			return keyCondition{}, err
		}
		if name != t.hash.name && (name != t.sort.name || name == "") {
			return keyCondition{}, t.missed(all)
		}
		if found[name] != nil {
			return keyCondition{}, in("KeyConditionExpression", bad("KeyConditionExpressions must only contain one condition per key"))
		}
		found[name] = term
		want := t.hash.kind
		if name == t.sort.name {
			want = t.sort.kind
		}
		for _, v := range values {
			switch {
			case v.kind != want:
				return keyCondition{}, wrong("Condition parameter type does not match schema type")
			case v.text == "":
				return keyCondition{}, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", name)
			}
		}
	}
	hash, ok := found[t.hash.name]
	if !ok {
		return keyCondition{}, invalid("Query condition missed key schema element: %s", t.hash.name)
	}
	equals, ok := hash.(comparison)
	if !ok || equals.sign != "=" {
		return keyCondition{}, noQuery()
	}
	out := keyCondition{below: never, above: never}
	_, values, _ := about(hash)
	out.hash = values[0]
	if term := found[t.sort.name]; term != nil && t.sort.name != "" {
		out.stretch(term)
	}
	return out, nil
}

func never(Value) bool { return false }

// missed names the key attribute that the terms leave out.
func (t *table) missed(all []condition) error {
	for _, key := range []string{t.hash.name, t.sort.name} {
		if !slices.ContainsFunc(all, func(c condition) bool {
			name, _, _ := about(c)
			return name == key
		}) {
			return invalid("Query condition missed key schema element: %s", key)
		}
	}
	return noQuery()
}

// stretch bounds the sort keys.
func (k *keyCondition) stretch(term condition) {
	_, values, _ := about(term)
	first := values[0]
	switch c := term.(type) {
	case between:
		k.below = func(v Value) bool { return v.compare(first) < 0 }
		k.above = func(v Value) bool { return v.compare(values[1]) > 0 }
	case call:
		k.below = func(v Value) bool { return v.compare(first) < 0 }
		k.above = func(v Value) bool { return v.compare(first) > 0 && !strings.HasPrefix(v.text, first.text) }
	case comparison:
		sign := c.sign
		if _, left := c.left.(constant); left {
			sign = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[sign]
		}
		if sign == "=" || sign == ">" || sign == ">=" {
			k.below = func(v Value) bool { return v.compare(first) < 0 || sign == ">" && v.equal(first) }
		}
		if sign == "=" || sign == "<" || sign == "<=" {
			k.above = func(v Value) bool { return v.compare(first) > 0 || sign == "<" && v.equal(first) }
		}
	}
}
