package table

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// Config is what a Tables needs.
type Config struct {
	// Now is the clock of tokens and of expiry.
	Now func() time.Time
	// ARN gives a table's ARN.
	ARN func(name string) string
	// NewID makes a table's ID.
	NewID func() string
}

// Tables are the tables of one account in one Region.
type Tables struct {
	config Config
	tables map[string]*table
	tokens tokens
	// write numbers the writes.
	write uint64
}

// New makes an account without tables.
func New(config Config) *Tables {
	return &Tables{config: config, tables: map[string]*table{}, tokens: tokens{seen: map[string]spent{}}}
}

// View says how a call sees the tables. The zero value is what is there.
type View int

// The views. Stale shows an eventually consistent read what was before the
// last write of its partition; Part lets a page or a batch end after its first
// entry, where it has more.
const (
	Fresh View = iota
	Stale
	Part
)

// String gives the view's name.
func (v View) String() string {
	switch v {
	case Fresh:
		return "Fresh"
	case Stale:
		return "Stale"
	case Part:
		return "Part"
	default:
		return fmt.Sprintf("View(%d)", int(v))
	}
}

// Answer is an answer's members. It shares what it holds with the tables, and
// nobody may change it.
type Answer map[string]any

// Need is a permission that a call asks for.
type Need struct {
	// Action is without "dynamodb:".
	Action string
	// Table is the ARN.
	Table string
	// LeadingKeys are the partition keys that the call is about. It is nil for a
	// call that is about none.
	LeadingKeys []string
}

// Call is one API call, read.
type Call struct {
	Action string
	input  input
}

// input is the body of one kind of call.
type input interface {
	// check reads the expressions and refuses what needs no table to be refused.
	check() error
	// names are the tables' names, in the order of the request.
	names() []string
	needs(t *Tables) []Need
	run(t *Tables, view View) (Answer, error)
}

// inputs are the calls that are known.
func inputs() map[string]func() input {
	return map[string]func() input{
		"GetItem":            func() input { return &getInput{} },
		"BatchGetItem":       func() input { return &batchGetInput{} },
		"TransactGetItems":   func() input { return &transactGetInput{} },
		"Query":              func() input { return &queryInput{} },
		"Scan":               func() input { return &scanInput{} },
		"PutItem":            func() input { return &writeInput{kind: putting} },
		"UpdateItem":         func() input { return &writeInput{kind: updating} },
		"DeleteItem":         func() input { return &writeInput{kind: deleting} },
		"BatchWriteItem":     func() input { return &batchWriteInput{} },
		"TransactWriteItems": func() input { return &transactInput{} },
		"CreateTable":        func() input { return &createInput{} },
		"DescribeTable":      func() input { return &describeInput{} },
		"DeleteTable":        func() input { return &deleteInput{} },
		"ListTables":         func() input { return &listInput{} },
		"UpdateTimeToLive":   func() input { return &setExpiryInput{} },
		"DescribeTimeToLive": func() input { return &expiryInput{} },
	}
}

// Actions are the names of the calls that are known, in order.
func Actions() []string { return slices.Sorted(maps.Keys(inputs())) }

// Parse reads a call. It needs no tables and may run beside other calls.
func Parse(action string, body []byte) (*Call, error) {
	fresh, ok := inputs()[action]
	if !ok {
		return nil, failed("UnknownOperationException", "The lab does not know the action %s of DynamoDB.", action)
	}
	c := &Call{Action: action, input: fresh()}
	if err := decode(body, c.input); err != nil {
		return nil, err
	}
	return c, c.input.check()
}

// Table is the name of the first table that the call is about.
func (c *Call) Table() string {
	if names := c.input.names(); len(names) > 0 {
		return shortName(names[0])
	}
	return ""
}

// Needs are the permissions that the call asks for. A transaction asks for
// those of its steps (Amazon DynamoDB Developer Guide, transaction-apis-iam).
func (t *Tables) Needs(c *Call) []Need {
	out := c.input.needs(t)
	for i := range out {
		if out[i].Action == "" {
			out[i].Action = c.Action
		}
		out[i].Table = t.arn(out[i].Table)
	}
	return out
}

// Do does the call.
func (t *Tables) Do(c *Call, view View) (Answer, error) { return c.input.run(t, view) }

// arn is the ARN that stands for a name or an ARN.
func (t *Tables) arn(name string) string {
	if shortName(name) != name {
		return name
	}
	return t.config.ARN(name)
}

// find takes a table's name, or its ARN.
func (t *Tables) find(name string) (*table, error) {
	found, ok := t.tables[shortName(name)]
	if !ok || t.arn(name) != found.arn {
		return nil, noTable(shortName(name))
	}
	return found, nil
}

// leading gives the partition keys of keys or items, where the table is there.
func (t *Tables) leading(name string, items ...Item) []string {
	found, err := t.find(name)
	if err != nil {
		return nil
	}
	var out []string
	for _, i := range items {
		if v, ok := i[found.hash.name]; ok && !slices.Contains(out, v.spelled()) {
			out = append(out, v.spelled())
		}
	}
	return out
}

// digest is the same for bodies that say the same.
func digest(in any) ([]byte, error) {
	return json.Marshal(in, json.Deterministic(true))
}

// Ignored are parameters that ask for figures which are not told.
type Ignored struct {
	ReturnConsumedCapacity, ReturnItemCollectionMetrics string
}
