package judge

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

// Effect is what a statement, or a whole policy, says about a request.
type Effect int

// The effects. Neither means that no statement matched.
const (
	Neither Effect = iota
	Allow
	Deny
)

// String gives the effect's name.
func (e Effect) String() string {
	switch e {
	case Neither:
		return "Neither"
	case Allow:
		return "Allow"
	case Deny:
		return "Deny"
	default:
		return fmt.Sprintf("Effect(%d)", int(e))
	}
}

// Policy is a parsed IAM policy of any kind.
type Policy struct {
	Version    string
	ID         string
	Statements []Statement
}

// Statement is one statement. A nil list means that the element is absent.
type Statement struct {
	Sid          string
	Effect       Effect
	Principal    *Principals
	NotPrincipal *Principals
	Action       []string
	NotAction    []string
	Resource     []string
	NotResource  []string
	Conditions   []Condition
}

// Principals is a Principal or NotPrincipal element. Everyone is the bare "*".
type Principals struct {
	Everyone  bool
	AWS       []string
	Service   []string
	Federated []string
	Canonical []string
}

// Condition is one operator, key and list of values.
type Condition struct {
	Operator Operator
	Key      string
	Values   []string
}

// Parse reads a policy document. Element names are matched exactly, as the
// policy grammar says, and unknown ones are errors.
func Parse(text []byte) (*Policy, error) {
	root, err := ordered.Parse(text)
	if err != nil {
		return nil, err
	}
	return FromTree(root)
}

// FromTree reads a policy from JSON that was parsed before.
func FromTree(root *ordered.Node) (*Policy, error) {
	if root.Kind != ordered.Object {
		return nil, fmt.Errorf("a policy must be a JSON object, not %s", root.Kind)
	}
	policy := &Policy{}
	for _, m := range root.Members {
		var err error
		switch m.Name {
		case "Version":
			policy.Version, err = text(m.Value)
		case "Id":
			policy.ID, err = text(m.Value)
		case "Statement":
			policy.Statements, err = statements(m.Value)
		default:
			err = errors.New("unknown element")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	switch policy.Version {
	case "", "2008-10-17", "2012-10-17":
	default:
		return nil, fmt.Errorf("the Version %q is not 2008-10-17 or 2012-10-17", policy.Version)
	}
	if policy.Statements == nil {
		return nil, errors.New("the policy has no Statement")
	}
	return policy, nil
}

func statements(node *ordered.Node) ([]Statement, error) {
	list := []Statement{}
	for i, item := range node.Each() {
		st, err := statement(item)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		list = append(list, st)
	}
	return list, nil
}

func statement(node *ordered.Node) (Statement, error) {
	st := Statement{}
	if node.Kind != ordered.Object {
		return st, fmt.Errorf("a statement must be a JSON object, not %s", node.Kind)
	}
	for _, m := range node.Members {
		if err := st.element(m.Name, m.Value); err != nil {
			return st, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	if st.Effect == Neither {
		return st, errors.New("the statement has no Effect")
	}
	if st.Action == nil && st.NotAction == nil {
		return st, errors.New("the statement has neither Action nor NotAction")
	}
	return st, nil
}

func (st *Statement) element(name string, value *ordered.Node) (err error) {
	switch name {
	case "Sid":
		st.Sid, err = text(value)
	case "Effect":
		st.Effect, err = effect(value)
	case "Principal":
		st.Principal, err = principals(value)
	case "NotPrincipal":
		st.NotPrincipal, err = principals(value)
	case "Action":
		st.Action, err = texts(value)
	case "NotAction":
		st.NotAction, err = texts(value)
	case "Resource":
		st.Resource, err = texts(value)
	case "NotResource":
		st.NotResource, err = texts(value)
	case "Condition":
		st.Conditions, err = conditions(value)
	default:
		err = errors.New("unknown element")
	}
	return err
}

func effect(node *ordered.Node) (Effect, error) {
	switch s, err := text(node); {
	case err != nil:
		return Neither, err
	case s == "Allow":
		return Allow, nil
	case s == "Deny":
		return Deny, nil
	default:
		return Neither, fmt.Errorf("%q is neither Allow nor Deny", s)
	}
}

func principals(node *ordered.Node) (*Principals, error) {
	p := &Principals{}
	if node.Kind == ordered.String {
		if node.Text != "*" {
			return nil, fmt.Errorf("%q is no principal: the only bare form is \"*\"", node.Text)
		}
		p.Everyone = true
		return p, nil
	}
	if node.Kind != ordered.Object {
		return nil, fmt.Errorf("a principal must be \"*\" or a JSON object, not %s", node.Kind)
	}
	for _, m := range node.Members {
		list, err := texts(m.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		switch m.Name {
		case "AWS":
			p.AWS = list
		case "Service":
			p.Service = list
		case "Federated":
			p.Federated = list
		case "CanonicalUser":
			p.Canonical = list
		default:
			return nil, fmt.Errorf("%s is no kind of principal", m.Name)
		}
	}
	return p, nil
}

func conditions(node *ordered.Node) ([]Condition, error) {
	if node.Kind != ordered.Object {
		return nil, fmt.Errorf("a Condition must be a JSON object, not %s", node.Kind)
	}
	var list []Condition
	for _, op := range node.Members {
		operator, err := ParseOperator(op.Name)
		if err != nil {
			return nil, err
		}
		if op.Value.Kind != ordered.Object {
			return nil, fmt.Errorf("%s must hold a JSON object, not %s", op.Name, op.Value.Kind)
		}
		for _, key := range op.Value.Members {
			values, err := texts(key.Value)
			if err != nil {
				return nil, fmt.Errorf("%s.%s: %w", op.Name, key.Name, err)
			}
			list = append(list, Condition{Operator: operator, Key: key.Name, Values: values})
		}
	}
	return list, sameKeyTwice(list)
}

// sameKeyTwice refuses keys of one operator that differ only in case: what
// AWS does with them is not documented.
func sameKeyTwice(list []Condition) error {
	seen := map[string]string{}
	for _, c := range list {
		id := c.Operator.Name + " " + strings.ToLower(c.Key)
		if before, ok := seen[id]; ok && before != c.Key {
			return fmt.Errorf("the keys %s and %s differ only in case", before, c.Key)
		}
		seen[id] = c.Key
	}
	return nil
}

func text(node *ordered.Node) (string, error) {
	if node.Kind != ordered.String {
		return "", fmt.Errorf("must be a string, not %s", node.Kind)
	}
	return node.Text, nil
}

// texts reads one value or a list. The grammar lets numbers and booleans
// stand without quotes.
func texts(node *ordered.Node) ([]string, error) {
	list := []string{}
	for _, item := range node.Each() {
		if item.Kind != ordered.String && item.Kind != ordered.Literal {
			return nil, fmt.Errorf("must be a string or a list of strings, not %s", item.Kind)
		}
		list = append(list, item.Text)
	}
	return list, nil
}
