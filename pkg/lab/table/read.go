package table

import (
	"maps"
	"slices"
)

// getInput is GetItem.
type getInput struct {
	TableName                string
	Key                      Item
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
	Ignored
	paths []path
}

func (in *getInput) check() error {
	if err := checkName(in.TableName); err != nil {
		return err
	}
	if in.Key == nil {
		return invalid("1 validation error detected: Value null at 'key' failed to satisfy constraint: Member must not be null")
	}
	return Names{ExpressionAttributeNames: in.ExpressionAttributeNames}.readAll(expression{"ProjectionExpression", in.ProjectionExpression, asPaths(&in.paths)})
}

func (in *getInput) names() []string { return []string{in.TableName} }

func (in *getInput) needs(t *Tables) []Need {
	return []Need{{Table: in.TableName, LeadingKeys: t.leading(in.TableName, in.Key)}}
}

func (in *getInput) run(t *Tables, view View) (Answer, error) {
	found, err := in.find(t, view)
	if err != nil || found == nil {
		return Answer{}, err
	}
	return Answer{"Item": found}, nil
}

// find gives the item as it is asked for; nil when there is none.
func (in *getInput) find(t *Tables, view View) (Item, error) {
	from, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	k, err := from.key(in.Key)
	if err != nil {
		return nil, err
	}
	if in.ConsistentRead {
		view = Fresh
	}
	return projected(from.get(k, view), in.paths), nil
}

func projected(i Item, paths []path) Item {
	if i == nil || paths == nil {
		return i
	}
	return i.project(paths)
}

// The most entries of one call. Amazon DynamoDB API Reference.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxSteps      = 100
	maxBatchBytes = 16 << 20
	maxStepBytes  = 4 << 20
)

// batchGetInput is BatchGetItem.
type batchGetInput struct {
	RequestItems map[string]*keysOf
	Ignored
}

// keysOf are the keys of one table.
type keysOf struct {
	Keys                     []Item            `json:"Keys"`
	ConsistentRead           bool              `json:"ConsistentRead,omitzero"`
	ProjectionExpression     *string           `json:"ProjectionExpression,omitempty"`
	ExpressionAttributeNames map[string]string `json:"ExpressionAttributeNames,omitempty"`
	paths                    []path
}

func (in *batchGetInput) check() error {
	count := 0
	for _, name := range in.names() {
		asked := in.RequestItems[name]
		if err := checkName(name); err != nil {
			return err
		}
		if asked == nil || len(asked.Keys) == 0 {
			return constraint("[]", "requestItems."+name+".member.keys", "Member must have length greater than or equal to 1")
		}
		count += len(asked.Keys)
		n := Names{ExpressionAttributeNames: asked.ExpressionAttributeNames}
		if err := n.readAll(expression{"ProjectionExpression", asked.ProjectionExpression, asPaths(&asked.paths)}); err != nil {
			return err
		}
	}
	switch {
	case count == 0:
		return constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	case count > maxBatchGet:
		return invalid("Too many items requested for the BatchGetItem call")
	}
	return nil
}

func (in *batchGetInput) names() []string { return slices.Sorted(maps.Keys(in.RequestItems)) }

func (in *batchGetInput) needs(t *Tables) []Need {
	var out []Need
	for _, name := range in.names() {
		out = append(out, Need{Table: name, LeadingKeys: t.leading(name, in.RequestItems[name].Keys...)})
	}
	return out
}

func (in *batchGetInput) run(t *Tables, view View) (Answer, error) {
	responses, left := map[string][]Item{}, map[string]*keysOf{}
	count, bytes := 0, 0
	for _, name := range in.names() {
		asked := in.RequestItems[name]
		if err := in.distinct(t, name); err != nil {
			return nil, err
		}
		responses[name] = []Item{}
		for _, key := range asked.Keys {
			one := getInput{TableName: name, Key: key, ConsistentRead: asked.ConsistentRead}
			found, err := one.find(t, view)
			if err != nil {
				return nil, err
			}
			count++
			if bytes += found.size(); bytes > maxBatchBytes && count > 1 || view == Part && count > 1 {
				rest := *asked
				if left[name] != nil {
					rest.Keys = left[name].Keys
				} else {
					rest.Keys = nil
				}
				rest.Keys = append(rest.Keys, key)
				left[name] = &rest
				continue
			}
			if found != nil {
				responses[name] = append(responses[name], projected(found, asked.paths))
			}
		}
	}
	return Answer{"Responses": responses, "UnprocessedKeys": left}, nil
}

func (in *batchGetInput) distinct(t *Tables, name string) error {
	from, err := t.find(name)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, key := range in.RequestItems[name].Keys {
		k, err := from.key(key)
		if err != nil {
			return err
		}
		if seen[k.id()] {
			return invalid("Provided list of item keys contains duplicates")
		}
		seen[k.id()] = true
	}
	return nil
}

// transactGetInput is TransactGetItems.
type transactGetInput struct {
	TransactItems []struct{ Get *getInput }
	Ignored
}

func (in *transactGetInput) check() error {
	if n := len(in.TransactItems); n == 0 || n > maxSteps {
		return constraint(n, "transactItems", "Member must have length less than or equal to 100 and greater than or equal to 1")
	}
	for _, one := range in.TransactItems {
		if one.Get == nil {
			return invalid("1 validation error detected: Value null at 'transactItems.1.member.get' failed to satisfy constraint: Member must not be null")
		}
		if err := one.Get.check(); err != nil {
			return err
		}
	}
	return nil
}

func (in *transactGetInput) names() []string {
	var out []string
	for _, one := range in.TransactItems {
		out = append(out, one.Get.TableName)
	}
	return out
}

func (in *transactGetInput) needs(t *Tables) []Need {
	var out []Need
	for _, one := range in.TransactItems {
		out = append(out, Need{Action: "GetItem", Table: one.Get.TableName, LeadingKeys: t.leading(one.Get.TableName, one.Get.Key)})
	}
	return out
}

func (in *transactGetInput) run(t *Tables, _ View) (Answer, error) {
	out := []Answer{}
	for _, one := range in.TransactItems {
		found, err := one.Get.find(t, Fresh)
		if err != nil {
			return nil, err
		}
		if found == nil {
			out = append(out, Answer{})
			continue
		}
		out = append(out, Answer{"Item": found})
	}
	return Answer{"Responses": out}, nil
}
