package table

import (
	"regexp"
	"strings"
	"time"
)

// table is one table.
type table struct {
	name, arn, id string
	created       time.Time
	// hash and sort are the key's attributes; sort has no name in a table
	// without one.
	hash, sort attribute
	billing    string
	protected  bool
	// expires is the time-to-live attribute; empty for none.
	expires string
	parts   map[string]*partition
	// order is the order of scans, nil when it has to be made anew.
	order []string
}

type attribute struct {
	name string
	kind kind
}

// The longest keys. Amazon DynamoDB Developer Guide, Constraints.
const (
	maxHash = 2048
	maxSort = 1024
)

// rowKey is where an item stands.
type rowKey struct {
	part string
	sort Value
}

// id is one text for the key within its table.
func (k rowKey) id() string { return string(k.sort.kind) + ":" + k.sort.text + "\x00" + k.part }

func mismatch() *Problem { return invalid("The provided key element does not match the schema") }

// key reads a request's Key.
func (t *table) key(key Item) (rowKey, error) {
	want := 1
	if t.sort.name != "" {
		want = 2
	}
	if len(key) != want || key[t.hash.name].kind != t.hash.kind || want == 2 && key[t.sort.name].kind != t.sort.kind {
		return rowKey{}, mismatch()
	}
	return t.keyOf(key)
}

// keyOf finds the key within an item.
func (t *table) keyOf(i Item) (rowKey, error) {
	hash, err := t.hash.in(i)
	if err != nil {
		return rowKey{}, err
	}
	if len(hash.text) > maxHash {
		return rowKey{}, wrong("Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	if t.sort.name == "" {
		return rowKey{part: hash.text}, nil
	}
	sort, err := t.sort.in(i)
	if err != nil {
		return rowKey{}, err
	}
	if len(sort.text) > maxSort {
		return rowKey{}, wrong("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return rowKey{part: hash.text, sort: sort}, nil
}

func (a attribute) in(i Item) (Value, error) {
	v, ok := i[a.name]
	switch {
	case !ok:
		return v, wrong("Missing the key %s in the item", a.name)
	case v.kind != a.kind:
		return v, wrong("Type mismatch for key %s expected: %s actual: %s", a.name, a.kind, v.kind)
	case v.text == "":
		return v, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", map[kind]string{isText: "string", isBytes: "binary"}[a.kind], a.name)
	}
	return v, nil
}

// keyItem is the key alone, as LastEvaluatedKey shows it.
func (t *table) keyItem(i Item) Item {
	out := Item{t.hash.name: i[t.hash.name]}
	if t.sort.name != "" {
		out[t.sort.name] = i[t.sort.name]
	}
	return out
}

// isKey says whether a path leads to a key attribute.
func (t *table) isKey(p path) bool {
	return p[0].name == t.hash.name || p[0].name == t.sort.name
}

var tableName = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)

// checkName refuses what cannot be a table's name.
func checkName(name string) error {
	short := shortName(name)
	switch {
	case name == "":
		return invalid("1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null")
	case !tableName.MatchString(short):
		return constraint(name, "tableName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
	case len(short) < 3 || len(short) > 255:
		return invalid("TableName must be at least 3 characters long and at most 255 characters long")
	}
	return nil
}

// shortName takes the name out of a table's ARN, which a call may give in its
// place.
func shortName(name string) string {
	if i := strings.Index(name, ":table/"); i >= 0 && strings.HasPrefix(name, "arn:") {
		return name[i+len(":table/"):]
	}
	return name
}
