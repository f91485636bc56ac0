package table

import (
	"slices"
	"strings"
)

// condition reads a whole condition expression.
func (n *names) condition(text string) (condition, error) {
	r, err := n.read(text)
	if err != nil {
		return nil, err
	}
	c, err := r.or()
	if err != nil {
		return nil, err
	}
	return c, r.done()
}

// or and its sisters follow the order of precedence: comparisons, NOT, AND, OR
// (Amazon DynamoDB Developer Guide, Expressions.OperatorsAndFunctions).
func (r *reader) or() (condition, error) {
	return r.join("OR", r.and)
}

func (r *reader) and() (condition, error) {
	return r.join("AND", r.not)
}

func (r *reader) join(word string, read func() (condition, error)) (condition, error) {
	left, err := read()
	for err == nil && r.skip(word) {
		if err = r.operator(); err != nil {
			break
		}
		var right condition
		right, err = read()
		left = joined{or: word == "OR", left: left, right: right}
	}
	return left, err
}

func (r *reader) not() (condition, error) {
	if !r.skip("NOT") {
		return r.simple()
	}
	if err := r.operator(); err != nil {
		return nil, err
	}
	c, err := r.not()
	return not{c}, err
}

// simple reads a comparison, a function or a condition in parentheses.
func (r *reader) simple() (condition, error) {
	if r.skip("(") {
		c, err := r.or()
		if err != nil {
			return nil, err
		}
		if _, twice := c.(grouped); twice {
			return nil, bad("The expression has redundant parentheses;")
		}
		return grouped{c}, r.want(")")
	}
	if r.function() && r.peek().text != "size" {
		return r.call()
	}
	return r.comparison()
}

// functions are those that are conditions, with the number of their operands.
var functions = map[string]int{
	"attribute_exists": 1, "attribute_not_exists": 1, "attribute_type": 2, "begins_with": 2, "contains": 2,
}

func (r *reader) call() (condition, error) {
	name := r.next().text
	count, known := functions[name]
	if !known {
		return nil, unknownFunction(name)
	}
	args, err := r.arguments(name, count)
	if err != nil {
		return nil, err
	}
	return call{name, args}, checkCall(name, args)
}

func unknownFunction(name string) error {
	if name == "if_not_exists" || name == "list_append" {
		return misplaced(name)
	}
	return bad("Invalid function name; function: %s", name)
}

func misplaced(name string) error {
	return bad("The function is not allowed to be used this way in an expression; function: %s", name)
}

// arguments reads what stands in a function's parentheses.
func (r *reader) arguments(name string, count int) ([]operand, error) {
	if err := r.operator(); err != nil {
		return nil, err
	}
	if err := r.want("("); err != nil {
		return nil, err
	}
	args, err := r.list()
	if err == nil && len(args) != count {
		err = bad("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", name, len(args))
	}
	return args, err
}

// list reads operands to the closing parenthesis.
func (r *reader) list() ([]operand, error) {
	var out []operand
	for {
		o, err := r.operand()
		if err != nil {
			return nil, err
		}
		out = append(out, o)
		if !r.skip(",") {
			return out, r.want(")")
		}
	}
}

func (r *reader) operand() (operand, error) {
	switch {
	case r.peek().kind == valueToken:
		v, err := r.value()
		return constant{v}, err
	case !r.function():
		p, err := r.path()
		return p, err
	case r.peek().text != "size":
		if _, known := functions[r.peek().text]; known {
			return nil, misplaced(r.peek().text)
		}
		return nil, unknownFunction(r.peek().text)
	}
	r.next()
	args, err := r.arguments("size", 1)
	if err != nil {
		return nil, err
	}
	if c, ok := args[0].(constant); ok && (c.v.kind == isNumber || c.v.kind == isBool || c.v.kind == isNull) {
		return nil, wrongOperand("size", c.v.kind)
	}
	if _, ok := args[0].(sizeOf); ok {
		return nil, misplaced("size")
	}
	return sizeOf{args[0]}, nil
}

func wrongOperand(name string, k kind) error {
	return bad("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", name, k)
}

var signs = []string{"=", "<>", "<", "<=", ">", ">="}

func (r *reader) comparison() (condition, error) {
	left, err := r.operand()
	if err != nil {
		return nil, err
	}
	if err := r.operator(); err != nil {
		return nil, err
	}
	switch t := r.peek(); {
	case t.kind == signToken && slices.Contains(signs, t.text):
		r.next()
		right, err := r.operand()
		if err != nil {
			return nil, err
		}
		return comparison{t.text, left, right}, checkComparison(t.text, left, right)
	case r.skip("BETWEEN"):
		return r.between(left)
	case r.skip("IN"):
		return r.among(left)
	default:
		return nil, r.wrong()
	}
}

func (r *reader) between(what operand) (condition, error) {
	low, err := r.operand()
	if err != nil {
		return nil, err
	}
	if err := r.want("AND"); err != nil {
		return nil, err
	}
	high, err := r.operand()
	if err != nil {
		return nil, err
	}
	if err := checkComparison("BETWEEN", what, low, high); err != nil {
		return nil, err
	}
	return between{what, low, high}, checkBounds(low, high)
}

// checkBounds refuses two values of which the first is not the lower.
func checkBounds(low, high operand) error {
	l, ok1 := low.(constant)
	h, ok2 := high.(constant)
	switch {
	case !ok1 || !ok2:
		return nil
	case l.v.kind != h.v.kind:
		return bad("The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", shown(l.v), shown(h.v))
	case l.v.compare(h.v) > 0:
		return bad("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s", shown(l.v), shown(h.v))
	}
	return nil
}

func shown(v Value) string { return "{" + string(v.kind) + ":" + v.spelled() + "}" }

func (r *reader) among(what operand) (condition, error) {
	if err := r.want("("); err != nil {
		return nil, err
	}
	list, err := r.list()
	if err != nil {
		return nil, err
	}
	if len(list) > maxOperands {
		return nil, bad("The IN operator is provided with too many operands; number of operands: %d", len(list))
	}
	return among{what, list}, distinct("IN", append([]operand{what}, list...))
}

func checkComparison(sign string, operands ...operand) error {
	if sign != "=" && sign != "<>" {
		for _, o := range operands {
			if c, ok := o.(constant); ok && !c.v.kind.ordered() {
				return wrongOperand(sign, c.v.kind)
			}
		}
	}
	return distinct(sign, operands)
}

// distinct refuses a path that is compared with itself.
func distinct(sign string, operands []operand) error {
	first, ok := operands[0].(path)
	if !ok {
		return nil
	}
	for _, o := range operands[1:] {
		if p, ok := o.(path); ok && slices.Equal(first, p) {
			return bad("The first operand must be distinct from the remaining operands for this operator or function; operator: %s, first operand: %s", sign, first)
		}
	}
	return nil
}

func checkCall(name string, args []operand) error {
	if _, ok := args[0].(path); !ok && (name == "attribute_exists" || name == "attribute_not_exists") {
		return bad("Operator or function requires a document path; operator or function: %s", name)
	}
	for i, arg := range args {
		if err := checkArgument(name, i, arg); err != nil {
			return err
		}
	}
	return distinct(name, args)
}

func checkArgument(name string, i int, arg operand) error {
	c, ok := arg.(constant)
	switch {
	case name == "attribute_type" && i == 1:
		return checkTypeName(c, ok)
	case !ok:
		return nil
	case name == "begins_with" && c.v.kind != isText && c.v.kind != isBytes:
		return wrongOperand(name, c.v.kind)
	case name == "contains" && i == 0 && (c.v.kind == isNumber || c.v.kind == isBool || c.v.kind == isNull || c.v.kind == isMap):
		return wrongOperand(name, c.v.kind)
	default:
		return nil
	}
}

func checkTypeName(c constant, ok bool) error {
	switch {
	case !ok:
		return bad("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: path")
	case c.v.kind != isText:
		return wrongOperand("attribute_type", c.v.kind)
	case !slices.Contains(kinds, kind(c.v.text)):
		var all []string
		for _, k := range kinds {
			all = append(all, string(k))
		}
		return bad("Invalid attribute type name found; type: %s, valid types: {%s}", c.v.text, strings.Join(all, ","))
	default:
		return nil
	}
}
