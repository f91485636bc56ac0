package judge

import (
	"fmt"
	"strings"
)

// Quantifier is the set prefix of a condition operator.
type Quantifier int

// The quantifiers. Plain means none.
const (
	Plain Quantifier = iota
	ForAllValues
	ForAnyValue
)

// String gives the quantifier as a policy spells it.
func (q Quantifier) String() string {
	switch q {
	case Plain:
		return ""
	case ForAllValues:
		return "ForAllValues:"
	case ForAnyValue:
		return "ForAnyValue:"
	default:
		return fmt.Sprintf("Quantifier(%d)", int(q))
	}
}

// Operator is a condition operator taken apart: Name is as the policy spells
// it, Base is the positive form that compares one value with one.
type Operator struct {
	Name       string
	Quantifier Quantifier
	Base       string
	Negated    bool
	IfExists   bool
}

// bases gives each operator's positive form and whether it negates it. IAM
// User Guide, reference_policies_elements_condition_operators.
func bases(name string) (base string, negated, ok bool) {
	switch name {
	case "StringEquals", "StringEqualsIgnoreCase", "StringLike", "NumericEquals", "NumericLessThan",
		"NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateLessThan",
		"DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress", "Null":
		return name, false, true
	case "ArnEquals", "ArnLike":
		return "ArnLike", false, true
	case "ArnNotEquals", "ArnNotLike":
		return "ArnLike", true, true
	case "StringNotEquals":
		return "StringEquals", true, true
	case "StringNotEqualsIgnoreCase":
		return "StringEqualsIgnoreCase", true, true
	case "StringNotLike":
		return "StringLike", true, true
	case "NumericNotEquals":
		return "NumericEquals", true, true
	case "DateNotEquals":
		return "DateEquals", true, true
	case "NotIpAddress":
		return "IpAddress", true, true
	default:
		return "", false, false
	}
}

// UnknownOperatorError names an operator that IAM does not have.
type UnknownOperatorError string

// Error says which operator it is.
func (e UnknownOperatorError) Error() string {
	return fmt.Sprintf("%q is no condition operator", string(e))
}

// ParseOperator takes an operator's name apart.
func ParseOperator(name string) (Operator, error) {
	op := Operator{Name: name}
	rest := name
	if after, ok := strings.CutPrefix(rest, ForAllValues.String()); ok {
		op.Quantifier, rest = ForAllValues, after
	} else if after, ok := strings.CutPrefix(rest, ForAnyValue.String()); ok {
		op.Quantifier, rest = ForAnyValue, after
	}
	rest, op.IfExists = strings.CutSuffix(rest, "IfExists")
	var known bool
	op.Base, op.Negated, known = bases(rest)
	if !known {
		return op, UnknownOperatorError(name)
	}
	if op.Base == "Null" && (op.IfExists || op.Quantifier != Plain) {
		return op, UnknownOperatorError(name)
	}
	return op, nil
}

// takesVariables says whether ${...} has a meaning in the operator's values:
// only in the string and ARN families.
func (op Operator) takesVariables() bool {
	return strings.HasPrefix(op.Base, "String") || op.Base == "ArnLike"
}
