package table

import (
	"slices"
	"strconv"
	"strings"
)

// Item is a row: its attributes by name.
type Item map[string]Value

// Value is one attribute value. It is never changed in place.
type Value struct {
	kind kind
	// text is a text, a number in its plain spelling, or bytes.
	text string
	yes  bool
	// list holds a list's or a set's members; a set's are in order.
	list []Value
	tree Item
}

// kind is a type of DynamoDB, by its descriptor.
type kind string

const (
	isText    kind = "S"
	isNumber  kind = "N"
	isBytes   kind = "B"
	isBool    kind = "BOOL"
	isNull    kind = "NULL"
	isList    kind = "L"
	isMap     kind = "M"
	isTexts   kind = "SS"
	isNumbers kind = "NS"
	isBlobs   kind = "BS"
)

// kinds are all of them, in the order in which DynamoDB lists them.
var kinds = []kind{isBytes, isNull, isTexts, isBool, isList, isBlobs, isNumber, isNumbers, isText, isMap}

// member is the kind of a set's members; empty for what is no set.
func (k kind) member() kind {
	switch k {
	case isTexts:
		return isText
	case isNumbers:
		return isNumber
	case isBlobs:
		return isBytes
	default:
		return ""
	}
}

// ordered says whether values of the kind can be less than one another.
func (k kind) ordered() bool { return k == isText || k == isNumber || k == isBytes }

func textValue(s string) Value    { return Value{kind: isText, text: s} }
func numeric(n number) Value      { return Value{kind: isNumber, text: n.text()} }
func countValue(n int) Value      { return numeric(countOf(n)) }
func listValue(l []Value) Value   { return Value{kind: isList, list: l} }
func mapValue(members Item) Value { return Value{kind: isMap, tree: members} }

// number reads a number value, which was checked when it came in.
func (v Value) number() number {
	n, _ := readNumber(v.text)
	return n
}

func (v Value) equal(o Value) bool {
	if v.kind != o.kind || v.text != o.text || v.yes != o.yes || len(v.list) != len(o.list) || len(v.tree) != len(o.tree) {
		return false
	}
	for i := range v.list {
		if !v.list[i].equal(o.list[i]) {
			return false
		}
	}
	for name, member := range v.tree {
		if other, ok := o.tree[name]; !ok || !member.equal(other) {
			return false
		}
	}
	return true
}

// compare orders two values of one ordered kind: texts and bytes by their
// bytes, numbers by their value.
func (v Value) compare(o Value) int {
	if v.kind == isNumber {
		return v.number().compare(o.number())
	}
	return strings.Compare(v.text, o.text)
}

// setOf makes a set; members must be of one kind. Doubles are dropped.
func setOf(k kind, members []Value) Value {
	members = slices.Clone(members)
	slices.SortFunc(members, Value.compare)
	return Value{kind: k, list: slices.CompactFunc(members, Value.equal)}
}

func (v Value) has(member Value) bool {
	return slices.ContainsFunc(v.list, member.equal)
}

// Sizes. Amazon DynamoDB Developer Guide, CapacityUnitCalculations.
const (
	maxItem  = 400 * 1024
	maxPage  = 1 << 20
	maxDepth = 32
)

func (v Value) size() int {
	n := 0
	switch v.kind {
	case isText, isBytes:
		return len(v.text)
	case isNumber:
		return v.number().size()
	case isBool, isNull:
		return 1
	case isList:
		n = 3 + len(v.list)
	case isMap:
		n = 3 + len(v.tree) + v.tree.size()
	case isTexts, isNumbers, isBlobs:
	}
	for _, member := range v.list {
		n += member.size()
	}
	return n
}

func (n number) size() int {
	size := (len(n.digits)+1)/2 + 1
	if n.negative {
		size++
	}
	return size
}

func (i Item) size() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.size()
	}
	return n
}

// depth counts the levels of lists and maps within a value.
func (v Value) depth() int {
	deepest := 0
	for _, member := range v.list {
		deepest = max(deepest, member.depth())
	}
	for _, member := range v.tree {
		deepest = max(deepest, member.depth())
	}
	if v.kind == isList || v.kind == isMap {
		return deepest + 1
	}
	return deepest
}

// checkItem refuses what is too large or too deep to be kept.
func checkItem(i Item, tooLarge string) error {
	if i.size() > maxItem {
		return invalid("%s", tooLarge)
	}
	for _, v := range i {
		if v.depth() > maxDepth {
			return invalid("Nesting Levels have exceeded supported limits")
		}
	}
	return nil
}

func countOf(n int) number {
	out, _ := readNumber(strconv.Itoa(n))
	return out
}
