package table

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Names are the part of a request that its expressions speak through.
type Names struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]Value
}

var (
	nameKey  = regexp.MustCompile(`^#[0-9A-Za-z_]+$`)
	valueKey = regexp.MustCompile(`^:[0-9A-Za-z_]+$`)
)

// expression is one of a request's expressions, by its parameter's name; text
// is nil when the request has none.
type expression struct {
	parameter string
	text      *string
	read      func(n *names, text string) error
}

// readAll reads a request's expressions, and refuses names and values that
// none of them uses.
func (n Names) readAll(all ...expression) error {
	var absent []string
	given := false
	for _, e := range all {
		if e.text == nil {
			absent = append(absent, e.parameter)
			continue
		}
		given = true
	}
	if err := n.check(given, absent); err != nil {
		return err
	}
	if !given {
		return nil
	}
	own := &names{names: n.ExpressionAttributeNames, values: n.ExpressionAttributeValues, usedNames: map[string]bool{}, usedValues: map[string]bool{}}
	for _, e := range all {
		if e.text == nil {
			continue
		}
		if err := e.read(own, *e.text); err != nil {
			return in(e.parameter, err)
		}
	}
	return own.unused()
}

// in says which expression an error is about.
func in(parameter string, err error) error {
	var p *Problem
	if !errors.As(err, &p) || strings.HasPrefix(p.Message, "Query ") {
		return err
	}
	out := *p
	out.Message = "Invalid " + parameter + ": " + p.Message
	return &out
}

func (n Names) check(given bool, absent []string) error {
	for _, parameter := range []struct {
		name   string
		length int
		there  bool
	}{
		{"ExpressionAttributeNames", len(n.ExpressionAttributeNames), n.ExpressionAttributeNames != nil},
		{"ExpressionAttributeValues", len(n.ExpressionAttributeValues), n.ExpressionAttributeValues != nil},
	} {
		switch {
		case parameter.there && !given && len(absent) == 1:
			return invalid("%s can only be specified when using expressions: %s is null", parameter.name, absent[0])
		case parameter.there && !given:
			return invalid("%s can only be specified when using expressions: %s are null", parameter.name, strings.Join(absent, " and "))
		case parameter.there && parameter.length == 0:
			return invalid("%s must not be empty", parameter.name)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(n.ExpressionAttributeNames)) {
		if !nameKey.MatchString(key) {
			return invalid(`ExpressionAttributeNames contains invalid key: Syntax error; key: "%s"`, key)
		}
		if n.ExpressionAttributeNames[key] == "" {
			return invalid("ExpressionAttributeNames contains invalid value: Empty attribute name for key %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(n.ExpressionAttributeValues)) {
		if !valueKey.MatchString(key) {
			return invalid(`ExpressionAttributeValues contains invalid key: Syntax error; key: "%s"`, key)
		}
	}
	return nil
}

func (n *names) unused() error {
	if err := unused("ExpressionAttributeNames", n.names, n.usedNames); err != nil {
		return err
	}
	return unused("ExpressionAttributeValues", n.values, n.usedValues)
}

func unused[V any](parameter string, given map[string]V, used map[string]bool) error {
	var left []string
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !used[key] {
			left = append(left, key)
		}
	}
	if left == nil {
		return nil
	}
	return invalid("Value provided in %s unused in expressions: keys: {%s}", parameter, strings.Join(left, ", "))
}

// asCondition reads a condition into a place.
func asCondition(into *condition) func(*names, string) error {
	return func(n *names, text string) (err error) {
		*into, err = n.condition(text)
		return err
	}
}

// asPaths reads a projection into a place.
func asPaths(into *[]path) func(*names, string) error {
	return func(n *names, text string) error {
		r, err := n.read(text)
		if err != nil {
			return err
		}
		if *into, err = r.paths(); err != nil {
			return err
		}
		if err := r.done(); err != nil {
			return err
		}
		return apart(*into)
	}
}
