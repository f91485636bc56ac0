package table

import (
	"maps"
	"slices"
)

// writeKind is what a write does.
type writeKind int

const (
	putting writeKind = iota
	updating
	deleting
	checking
)

// writeInput is PutItem, UpdateItem, DeleteItem, or a step of a transaction.
type writeInput struct {
	TableName                           string
	Item                                Item    `json:"Item,omitempty"`
	Key                                 Item    `json:"Key,omitempty"`
	UpdateExpression                    *string `json:"UpdateExpression,omitempty"`
	ConditionExpression                 *string `json:"ConditionExpression,omitempty"`
	ReturnValues                        string  `json:"ReturnValues,omitempty"`
	ReturnValuesOnConditionCheckFailure string  `json:"ReturnValuesOnConditionCheckFailure,omitempty"`
	Names
	Ignored

	kind      writeKind
	condition condition
	update    *update
}

func (in *writeInput) check() error {
	if err := checkName(in.TableName); err != nil {
		return err
	}
	if err := in.checkParameters(); err != nil {
		return err
	}
	all := []expression{{"ConditionExpression", in.ConditionExpression, asCondition(&in.condition)}}
	if in.kind == updating {
		all = append([]expression{{"UpdateExpression", in.UpdateExpression, in.readUpdate}}, all...)
	}
	return in.readAll(all...)
}

func (in *writeInput) readUpdate(n *names, text string) (err error) {
	in.update, err = n.update(text)
	return err
}

func (in *writeInput) checkParameters() error {
	missing := func(field string) error {
		return invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", field)
	}
	unknown := func(parameter string) error {
		return invalid("The lab does not know the parameter %s of this call.", parameter)
	}
	switch {
	case in.kind == putting && in.Item == nil:
		return missing("item")
	case in.kind != putting && in.Key == nil:
		return missing("key")
	case in.kind == checking && in.ConditionExpression == nil:
		return missing("conditionExpression")
	case in.kind == putting && in.Key != nil:
		return unknown("Key")
	case in.kind != putting && in.Item != nil:
		return unknown("Item")
	case in.kind != updating && in.UpdateExpression != nil:
		return unknown("UpdateExpression")
	}
	if !slices.Contains([]string{"", "NONE", "ALL_OLD"}, in.ReturnValuesOnConditionCheckFailure) {
		return constraint(in.ReturnValuesOnConditionCheckFailure, "returnValuesOnConditionCheckFailure", "Member must satisfy enum value set: [ALL_OLD, NONE]")
	}
	if !slices.Contains([]string{"", "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"}, in.ReturnValues) {
		return constraint(in.ReturnValues, "returnValues", "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]")
	}
	if in.kind != updating && !slices.Contains([]string{"", "NONE", "ALL_OLD"}, in.ReturnValues) {
		return invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

func (in *writeInput) names() []string { return []string{in.TableName} }

// action is the permission that the write asks for.
func (in *writeInput) action() string {
	switch in.kind {
	case putting:
		return "PutItem"
	case updating:
		return "UpdateItem"
	case deleting:
		return "DeleteItem"
	case checking:
		return "ConditionCheckItem"
	default:
		return ""
	}
}

func (in *writeInput) needs(t *Tables) []Need {
	at := in.Key
	if in.kind == putting {
		at = in.Item
	}
	return []Need{{Action: in.action(), Table: in.TableName, LeadingKeys: t.leading(in.TableName, at)}}
}

// effect is what a write would do.
type effect struct {
	table         *table
	key           rowKey
	before, after Item
	writes        bool
}

func (e effect) do(write uint64) {
	if e.writes {
		e.table.store(e.key, e.after, write)
	}
}

// place finds the item that the write is about.
func (in *writeInput) place(t *Tables) (effect, error) {
	e := effect{writes: in.kind != checking}
	var err error
	if e.table, err = t.find(in.TableName); err != nil {
		return e, err
	}
	if in.kind == putting {
		e.key, err = e.table.keyOf(in.Item)
	} else {
		e.key, err = e.table.key(in.Key)
	}
	if err != nil {
		return e, err
	}
	if in.update != nil {
		for _, p := range in.update.paths {
			if e.table.isKey(p) {
				return e, wrong("Cannot update attribute %s. This attribute is part of the key", p[0].name)
			}
		}
	}
	e.before = e.table.get(e.key, Fresh)
	return e, nil
}

// plan says what the write would do, and whether its condition holds.
func (in *writeInput) plan(t *Tables) (effect, error) {
	e, err := in.place(t)
	if err != nil {
		return e, err
	}
	if in.condition != nil && !in.condition.holds(e.before) {
		shown := Item(nil)
		if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
			shown = e.before
		}
		return e, conditionFailed(shown)
	}
	switch in.kind {
	case putting:
		e.after = in.Item
		return e, checkItem(e.after, "Item size has exceeded the maximum allowed size")
	case updating:
		return in.updated(e)
	case deleting, checking:
		return e, nil
	default:
		return e, nil
	}
}

func (in *writeInput) updated(e effect) (effect, error) {
	base := e.before
	if base == nil {
		base = in.Key
	}
	e.after = maps.Clone(base)
	if in.update != nil {
		var err error
		if e.after, err = in.update.apply(base); err != nil {
			return e, err
		}
	}
	return e, checkItem(e.after, "Item size to update has exceeded the maximum allowed size")
}

func (in *writeInput) run(t *Tables, _ View) (Answer, error) {
	e, err := in.plan(t)
	if err != nil {
		return nil, err
	}
	t.write++
	e.do(t.write)
	out := Answer{}
	if shown := in.returned(e); shown != nil {
		out["Attributes"] = shown
	}
	return out, nil
}

// returned is what ReturnValues asks for; nil for nothing.
func (in *writeInput) returned(e effect) Item {
	switch in.ReturnValues {
	case "ALL_OLD":
		return e.before
	case "ALL_NEW":
		return e.after
	case "UPDATED_OLD":
		return in.touched(e.before)
	case "UPDATED_NEW":
		return in.touched(e.after)
	default:
		return nil
	}
}

// touched is the part of an item that the update speaks of.
func (in *writeInput) touched(i Item) Item {
	if i == nil || in.update == nil {
		return nil
	}
	if part := i.project(in.update.paths); len(part) > 0 {
		return part
	}
	return nil
}

// batchWriteInput is BatchWriteItem.
type batchWriteInput struct {
	RequestItems map[string][]batchWrite
	Ignored
}

type batchWrite struct {
	PutRequest    *struct{ Item Item } `json:"PutRequest,omitempty"`
	DeleteRequest *struct{ Key Item }  `json:"DeleteRequest,omitempty"`
}

// as gives the write of its own that an entry stands for.
func (b batchWrite) as(name string) *writeInput {
	if b.PutRequest != nil {
		return &writeInput{kind: putting, TableName: name, Item: b.PutRequest.Item}
	}
	return &writeInput{kind: deleting, TableName: name, Key: b.DeleteRequest.Key}
}

func (in *batchWriteInput) check() error {
	count := 0
	for _, name := range in.names() {
		for _, one := range in.RequestItems[name] {
			if (one.PutRequest == nil) == (one.DeleteRequest == nil) {
				return invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of PutRequest and DeleteRequest")
			}
			if err := one.as(name).check(); err != nil {
				return err
			}
			count++
		}
	}
	switch {
	case count == 0:
		return constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	case count > maxBatchWrite:
		return invalid("Too many items requested for the BatchWriteItem call")
	}
	return nil
}

func (in *batchWriteInput) names() []string { return slices.Sorted(maps.Keys(in.RequestItems)) }

func (in *batchWriteInput) needs(t *Tables) []Need {
	var out []Need
	for _, name := range in.names() {
		need := Need{Table: name}
		for _, one := range in.RequestItems[name] {
			need.LeadingKeys = append(need.LeadingKeys, one.as(name).needs(t)[0].LeadingKeys...)
		}
		out = append(out, need)
	}
	return out
}

func (in *batchWriteInput) run(t *Tables, view View) (Answer, error) {
	var effects []effect
	left, seen := map[string][]batchWrite{}, map[string]bool{}
	for _, name := range in.names() {
		for _, one := range in.RequestItems[name] {
			e, err := one.as(name).plan(t)
			if err != nil {
				return nil, err
			}
			if id := e.table.name + "\x00" + e.key.id(); !seen[id] {
				seen[id] = true
			} else {
				return nil, invalid("Provided list of item keys contains duplicates")
			}
			if view == Part && len(effects) > 0 {
				left[name] = append(left[name], one)
				continue
			}
			effects = append(effects, e)
		}
	}
	for _, e := range effects {
		t.write++
		e.do(t.write)
	}
	return Answer{"UnprocessedItems": left}, nil
}
