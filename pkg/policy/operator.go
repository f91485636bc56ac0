package policy

import "strings"

// Operator is a condition operator taken apart (IAM User Guide,
// reference_policies_elements_condition_operators).
type Operator struct {
	Set      SetQualifier
	Base     Base
	Negated  bool
	IfExists bool
}

// SetQualifier is the part before the colon, for multi-valued keys.
type SetQualifier uint8

// The set qualifiers (IAM User Guide, reference_policies_multi-value-conditions).
const (
	NoSet SetQualifier = iota
	ForAllValues
	ForAnyValue
)

// String gives the qualifier as policies write it, without the colon.
func (q SetQualifier) String() string {
	switch q {
	case NoSet:
		return ""
	case ForAllValues:
		return "ForAllValues"
	case ForAnyValue:
		return "ForAnyValue"
	default:
		return "SetQualifier?"
	}
}

// Base is the comparison an operator makes, negation apart.
type Base uint8

// The comparisons. ARN is both ArnEquals and ArnLike, which behave identically.
const (
	NoBase Base = iota
	String
	StringIgnoreCase
	StringLike
	NumericEquals
	NumericLessThan
	NumericLessThanEquals
	NumericGreaterThan
	NumericGreaterThanEquals
	DateEquals
	DateLessThan
	DateLessThanEquals
	DateGreaterThan
	DateGreaterThanEquals
	Bool
	Binary
	IP
	ARN
	Null
)

// baseName gives the operator's name, plain and negated; a comparison that has
// no negated operator has none here.
func baseName(b Base) (plain, negated string) {
	switch b {
	case NoBase:
		return "", ""
	case String:
		return "StringEquals", "StringNotEquals"
	case StringIgnoreCase:
		return "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"
	case StringLike:
		return "StringLike", "StringNotLike"
	case NumericEquals:
		return "NumericEquals", "NumericNotEquals"
	case NumericLessThan:
		return "NumericLessThan", ""
	case NumericLessThanEquals:
		return "NumericLessThanEquals", ""
	case NumericGreaterThan:
		return "NumericGreaterThan", ""
	case NumericGreaterThanEquals:
		return "NumericGreaterThanEquals", ""
	case DateEquals:
		return "DateEquals", "DateNotEquals"
	case DateLessThan:
		return "DateLessThan", ""
	case DateLessThanEquals:
		return "DateLessThanEquals", ""
	case DateGreaterThan:
		return "DateGreaterThan", ""
	case DateGreaterThanEquals:
		return "DateGreaterThanEquals", ""
	case Bool:
		return "Bool", ""
	case Binary:
		return "BinaryEquals", ""
	case IP:
		return "IpAddress", "NotIpAddress"
	case ARN:
		return "ArnLike", "ArnNotLike"
	case Null:
		return "Null", ""
	default:
		return "Base?", ""
	}
}

// String gives the name of the plain operator, such as "StringEquals".
func (b Base) String() string {
	name, _ := baseName(b)
	return name
}

// String gives the operator's name as policies write it; ArnEquals reads ArnLike.
func (o Operator) String() string {
	name, negated := baseName(o.Base)
	if o.Negated {
		name = negated
	}
	if o.Set != NoSet {
		name = o.Set.String() + ":" + name
	}
	if o.IfExists {
		name += "IfExists"
	}
	return name
}

// ParseOperator takes apart an operator's name. It is false for a name that
// AWS does not document, in exactly that case; NullIfExists and a set qualifier
// on Null are among them.
func ParseOperator(name string) (Operator, bool) {
	var o Operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		o.Set, name = ForAllValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		o.Set, name = ForAnyValue, rest
	}
	name, o.IfExists = strings.CutSuffix(name, "IfExists")
	switch name {
	case "":
		return Operator{}, false
	case "ArnEquals":
		o.Base = ARN
		return o, true
	case "ArnNotEquals":
		o.Base, o.Negated = ARN, true
		return o, true
	}
	for b := String; b <= Null; b++ {
		plain, negated := baseName(b)
		if name != plain && name != negated {
			continue
		}
		if b == Null && (o.IfExists || o.Set != NoSet) {
			return Operator{}, false
		}
		o.Base, o.Negated = b, name == negated
		return o, true
	}
	return Operator{}, false
}
