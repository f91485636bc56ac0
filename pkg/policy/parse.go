package policy

import (
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Parse reads the JSON text of a trust policy. Its error is always a
// *SyntaxError; it never panics, and it reads only what IAM could have stored:
// exact-case element names, each name once, valid UTF-8, nothing after the end.
// NotPrincipal, Resource and unknown condition operators are read and kept.
func Parse(text []byte) (Document, error) {
	r, err := newReader(text)
	if err != nil {
		return Document{}, err
	}
	tok, err := r.next()
	if err != nil {
		return Document{}, err
	}
	if tok.Kind() != '{' {
		return Document{}, r.fail("a policy is a JSON object, not "+kindName(tok), "", `write {"Version":"2012-10-17","Statement":[...]}`)
	}
	var d Document
	if err := r.object(func(name string) error { return r.documentElement(&d, name) }); err != nil {
		return Document{}, err
	}
	if err := r.end(); err != nil {
		return Document{}, err
	}
	if len(d.Statements) == 0 {
		return Document{}, r.fail("the policy has no statement", "", "write at least one Statement")
	}
	return d, nil
}

func (r *reader) documentElement(d *Document, name string) error {
	switch name {
	case "Version":
		return r.version(d)
	case "Id":
		return r.stringElement(&d.ID)
	case "Statement":
		return r.statements(d)
	default:
		return r.unknownName("element", name, "Version", "Id", "Statement")
	}
}

// unknownName refuses a name that is none of the known ones.
func (r *reader) unknownName(what, name string, known ...string) error {
	remedy := "write one of " + strings.Join(known, ", ")
	for _, k := range known {
		if strings.EqualFold(k, name) {
			remedy = "write " + k + "; these names are case-sensitive"
		}
	}
	return r.fail("unknown "+what, show(name), remedy)
}

func (r *reader) version(d *Document) error {
	if err := r.stringElement(&d.Version); err != nil {
		return err
	}
	if d.Version != "2012-10-17" && d.Version != "2008-10-17" {
		return r.fail("unknown policy version", show(d.Version), "write 2012-10-17")
	}
	return nil
}

func (r *reader) stringElement(to *string) error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	*to, err = r.str(tok)
	return err
}

// statements reads one statement or an array of them (T24).
func (r *reader) statements(d *Document) error {
	array, err := r.oneOrMany(func(tok jsontext.Token) error {
		if len(d.Statements) == MaxStatements {
			return r.fail("the policy has more than 512 statements", "", "no trust policy within IAM's quota has so many")
		}
		if tok.Kind() != '{' {
			return r.fail("a statement is an object, not "+kindName(tok), tokenText(tok), `write {"Effect":...,"Principal":...,"Action":...}`)
		}
		if r.path[len(r.path)-1].name != "" {
			// A single statement outside an array is statement 0 all the same.
			r.enter(step{index: 0})
			defer r.leave()
		}
		s, err := r.statement()
		if err != nil {
			return err
		}
		d.Statements = append(d.Statements, s)
		return nil
	})
	if err == nil && array && len(d.Statements) == 0 {
		return r.fail("the list of statements is empty", "", "write at least one statement")
	}
	return err
}

func (r *reader) statement() (Statement, error) {
	var s Statement
	start := r.start
	if err := r.object(func(name string) error { return r.statementElement(&s, name) }); err != nil {
		return s, err
	}
	r.start = start
	return s, r.complete(s)
}

func (r *reader) statementElement(s *Statement, name string) error {
	switch name {
	case "Sid":
		return r.stringElement(&s.Sid)
	case "Effect":
		return r.effect(&s.Effect)
	case "Principal":
		return r.principals(&s.Principal)
	case "NotPrincipal":
		return r.principals(&s.NotPrincipal)
	case "Action":
		return r.names(&s.Actions, "action")
	case "NotAction":
		return r.names(&s.NotActions, "action")
	case "Resource":
		return r.names(&s.Resources, "resource")
	case "NotResource":
		return r.names(&s.NotResources, "resource")
	case "Condition":
		return r.conditions(&s.Conditions)
	default:
		return r.unknownName("element", name, "Sid", "Effect", "Principal", "NotPrincipal",
			"Action", "NotAction", "Resource", "NotResource", "Condition")
	}
}

// complete refuses a statement that lacks what every statement has, or has it
// twice over.
func (r *reader) complete(s Statement) error {
	switch {
	case s.Effect == NoEffect:
		return r.fail("the statement has no Effect", "", `write "Effect":"Allow" or "Effect":"Deny"`)
	case !s.Principal.Present() && !s.NotPrincipal.Present():
		return r.fail("the statement has no Principal", "", `write "Principal":{"AWS":...}`)
	case s.Principal.Present() && s.NotPrincipal.Present():
		return r.fail("the statement has both Principal and NotPrincipal", "", "keep Principal")
	case len(s.Actions) == 0 && len(s.NotActions) == 0:
		return r.fail("the statement has no Action", "", `write "Action":"sts:AssumeRole"`)
	case len(s.Actions) > 0 && len(s.NotActions) > 0:
		return r.fail("the statement has both Action and NotAction", "", "keep Action")
	case len(s.Resources) > 0 && len(s.NotResources) > 0:
		return r.fail("the statement has both Resource and NotResource", "", "remove both; a trust policy names no resource")
	default:
		return nil
	}
}

func (r *reader) effect(to *Effect) error {
	var s string
	if err := r.stringElement(&s); err != nil {
		return err
	}
	switch s {
	case "Allow":
		*to = Allow
	case "Deny":
		*to = Deny
	default:
		return r.fail("unknown effect", show(s), "write Allow or Deny; these words are case-sensitive")
	}
	return nil
}

// names reads one or many actions or resources.
func (r *reader) names(to *[]string, what string) error {
	_, err := r.oneOrMany(func(tok jsontext.Token) error {
		s, err := r.str(tok)
		if err != nil {
			return err
		}
		if s == "" {
			return r.fail("the "+what+" is empty", `""`, "name the "+what)
		}
		*to = append(*to, s)
		return nil
	})
	if err == nil && len(*to) == 0 {
		return r.fail("the list is empty", "", "name at least one "+what)
	}
	return err
}

func (r *reader) principals(to *Principals) error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	switch {
	case tok.Kind() == '"' && tok.String() == "*":
		to.Star = true
		return nil
	case tok.Kind() != '{':
		return r.fail(`a principal is an object or "*", not`, tokenText(tok), `write {"AWS":...}, {"Service":...} or {"Federated":...}`)
	}
	err = r.object(func(name string) error { return r.principalMember(to, name) })
	if err == nil && len(to.List) == 0 {
		return r.fail("no principal is named", "", "name at least one")
	}
	return err
}

func (r *reader) principalMember(to *Principals, typ string) error {
	switch typ {
	case "AWS", "Service", "Federated", "CanonicalUser":
	default:
		return r.unknownName("type of principal", typ, "AWS", "Service", "Federated", "CanonicalUser")
	}
	before := len(to.List)
	_, err := r.oneOrMany(func(tok jsontext.Token) error {
		if tok.Kind() == '0' {
			// A reader that takes numbers may print 1.1e+11, or lose a leading zero (T23).
			return r.fail("a principal is a string, not the number", tokenText(tok), "put the account id in quotation marks")
		}
		value, err := r.str(tok)
		if err != nil {
			return err
		}
		p, err := ParsePrincipal(typ, value)
		if err != nil {
			return r.placed(err)
		}
		if r.named++; r.named > MaxPrincipals {
			return r.fail("the policy has more than "+strconv.Itoa(MaxPrincipals)+" principals", "", "name an account in the place of many of its users and roles")
		}
		to.List = append(to.List, p)
		return nil
	})
	if err == nil && len(to.List) == before {
		return r.fail("the list of principals is empty", "", "name at least one principal or remove "+typ)
	}
	return err
}

// placed fills in the place of an error that was made without one.
func (r *reader) placed(err error) error {
	var e *SyntaxError
	if errors.As(err, &e) {
		e.Place, e.Offset = r.place(), r.start
	}
	return err
}

// conditions reads the Condition element: operators, keys, values.
func (r *reader) conditions(to *[]Condition) error {
	if err := r.open("a Condition", `write {"StringEquals":{"KEY":"VALUE"}}`); err != nil {
		return err
	}
	*to = []Condition{}
	return r.object(func(operator string) error {
		if err := r.open("a condition operator's value", `write {"KEY":"VALUE"}`); err != nil {
			return err
		}
		before := len(*to)
		err := r.object(func(key string) error {
			values, err := r.conditionValues()
			if err != nil {
				return err
			}
			*to = append(*to, Condition{Operator: operator, Key: key, Values: values})
			return nil
		})
		if err == nil && len(*to) == before {
			*to = append(*to, Condition{Operator: operator})
		}
		return err
	})
}

// open reads the opening brace of an object.
func (r *reader) open(what, remedy string) error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return r.fail(what+" is an object, not "+kindName(tok), tokenText(tok), remedy)
	}
	return nil
}

// conditionValues reads one or many values. Numbers and booleans need no
// quotation marks (IAM User Guide, reference_policies_grammar) and keep their
// spelling.
func (r *reader) conditionValues() ([]string, error) {
	var values []string
	_, err := r.oneOrMany(func(tok jsontext.Token) error {
		switch tok.Kind() {
		case '0', 't', 'f':
			values = append(values, tok.String())
			return nil
		case '"':
			s, err := r.str(tok)
			values = append(values, s)
			return err
		default:
			return r.fail("a condition value is a string, a number or a boolean, not "+kindName(tok), "", "write a string")
		}
	})
	return values, err
}
