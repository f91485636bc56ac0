package table

import (
	"strings"
)

// update is an update expression.
type update struct {
	sets    []assignment
	removes []path
	// adds and deletes take a value of the request each.
	adds, deletes []change
	// paths are all that is written, in the order of the expression.
	paths []path
}

type assignment struct {
	path path
	to   source
}

type change struct {
	path path
	by   Value
}

// update reads a whole update expression.
func (n *names) update(text string) (*update, error) {
	r, err := n.read(text)
	if err != nil {
		return nil, err
	}
	u, seen := &update{}, map[string]bool{}
	for {
		section := strings.ToUpper(r.peek().text)
		read, ok := map[string]func(*update) error{
			"SET": r.assignments, "REMOVE": r.removals, "ADD": r.additions, "DELETE": r.deletions,
		}[section]
		if !ok {
			return nil, r.wrong()
		}
		if seen[section] {
			return nil, bad(`The "%s" section can only be used once in an update expression;`, section)
		}
		seen[section] = true
		r.next()
		if err := read(u); err != nil {
			return nil, err
		}
		if r.peek().kind == endToken {
			return u, apart(u.paths)
		}
	}
}

func (r *reader) assignments(u *update) error {
	for {
		p, err := r.path()
		if err != nil {
			return err
		}
		if err := r.want("="); err != nil {
			return err
		}
		to, err := r.sum()
		if err != nil {
			return err
		}
		u.sets, u.paths = append(u.sets, assignment{p, to}), append(u.paths, p)
		if !r.skip(",") {
			return nil
		}
	}
}

// sum reads an operand, or two with + or - between them.
func (r *reader) sum() (source, error) {
	left, err := r.source()
	if err != nil {
		return nil, err
	}
	sign := r.peek().text
	if !r.skip("+") && !r.skip("-") {
		return left, nil
	}
	if err := r.operator(); err != nil {
		return nil, err
	}
	right, err := r.source()
	if err != nil {
		return nil, err
	}
	for _, o := range []source{left, right} {
		if c, ok := o.(constant); ok && c.v.kind != isNumber {
			return nil, wrongOperand(sign, c.v.kind)
		}
	}
	return sum{minus: sign == "-", left: left, right: right}, nil
}

func (r *reader) source() (source, error) {
	switch {
	case r.peek().kind == valueToken:
		v, err := r.value()
		return constant{v}, err
	case r.function():
		return r.sourceFunction()
	case r.skip("("):
		s, err := r.sum()
		if err != nil {
			return nil, err
		}
		return s, r.want(")")
	default:
		p, err := r.path()
		return p, err
	}
}

func (r *reader) sourceFunction() (source, error) {
	name := r.next().text
	if _, condition := functions[name]; condition || name == "size" {
		return nil, misplaced(name)
	}
	if name != "if_not_exists" && name != "list_append" {
		return nil, unknownFunction(name)
	}
	if err := r.operator(); err != nil {
		return nil, err
	}
	if err := r.want("("); err != nil {
		return nil, err
	}
	var args []source
	for {
		s, err := r.source()
		if err != nil {
			return nil, err
		}
		args = append(args, s)
		if !r.skip(",") {
			break
		}
	}
	if len(args) != 2 {
		return nil, bad("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(args))
	}
	if err := r.want(")"); err != nil {
		return nil, err
	}
	if name == "if_not_exists" {
		p, ok := args[0].(path)
		if !ok {
			return nil, bad("Operator or function requires a document path; operator or function: %s", name)
		}
		return fallback{p, args[1]}, nil
	}
	for _, arg := range args {
		if c, ok := arg.(constant); ok && c.v.kind != isList {
			return nil, wrongOperand(name, c.v.kind)
		}
	}
	return joinedLists{args[0], args[1]}, nil
}

func (r *reader) removals(u *update) error {
	paths, err := r.paths()
	u.removes, u.paths = paths, append(u.paths, paths...)
	return err
}

func (r *reader) additions(u *update) error {
	changes, err := r.changes(u, "ADD", func(k kind) bool { return k == isNumber || k.member() != "" })
	u.adds = changes
	return err
}

func (r *reader) deletions(u *update) error {
	changes, err := r.changes(u, "DELETE", func(k kind) bool { return k.member() != "" })
	u.deletes = changes
	return err
}

// changes reads paths with a value each.
func (r *reader) changes(u *update, section string, takes func(kind) bool) ([]change, error) {
	var out []change
	for {
		p, err := r.path()
		if err != nil {
			return nil, err
		}
		if r.peek().kind != valueToken {
			return nil, r.wrong()
		}
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		if !takes(v.kind) {
			return nil, bad("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND", section, longName(v.kind), section)
		}
		out, u.paths = append(out, change{p, v}), append(u.paths, p)
		if !r.skip(",") {
			return out, nil
		}
	}
}

// longName is how update expressions' errors call a kind.
func longName(k kind) string {
	switch k {
	case isText:
		return "STRING"
	case isNumber:
		return "NUMBER"
	case isBytes:
		return "BINARY"
	case isBool:
		return "BOOLEAN"
	case isNull:
		return "NULL"
	case isList:
		return "LIST"
	case isMap:
		return "MAP"
	case isTexts:
		return "STRING_SET"
	case isNumbers:
		return "NUMBER_SET"
	case isBlobs:
		return "BINARY_SET"
	default:
		return string(k)
	}
}
