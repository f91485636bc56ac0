package table

import (
	"sort"
	"strings"
)

// reading is what Query and Scan share.
type reading struct {
	TableName            string
	ConsistentRead       bool
	FilterExpression     *string
	ProjectionExpression *string
	Limit                *int
	ExclusiveStartKey    Item
	Select               string
	IndexName            *string
	Names
	Ignored

	filter condition
	paths  []path
}

func (in *reading) checkWith(more ...expression) error {
	if err := checkName(in.TableName); err != nil {
		return err
	}
	switch {
	case in.IndexName != nil:
		return invalid("The table does not have the specified index: %s", *in.IndexName)
	case in.Limit != nil && *in.Limit < 1:
		return constraint(*in.Limit, "limit", "Member must have value greater than or equal to 1")
	}
	switch in.Select {
	case "", "ALL_ATTRIBUTES", "COUNT":
		if in.ProjectionExpression != nil && in.Select != "" {
			return invalid("Cannot specify the ProjectionExpression when choosing to get %s", in.Select)
		}
	case "SPECIFIC_ATTRIBUTES":
		if in.ProjectionExpression == nil {
			return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
		}
	case "ALL_PROJECTED_ATTRIBUTES":
		return wrong("Select type ALL_PROJECTED_ATTRIBUTES is supported only when querying an index")
	default:
		return constraint(in.Select, "select", "Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]")
	}
	return in.readAll(append([]expression{
		{"FilterExpression", in.FilterExpression, asCondition(&in.filter)},
		{"ProjectionExpression", in.ProjectionExpression, asPaths(&in.paths)},
	}, more...)...)
}

func (in *reading) names() []string { return []string{in.TableName} }

// page is one answer of Query or Scan as it grows.
type page struct {
	in           *reading
	items        []Item
	seen, bytes  int
	last         Item
	full         bool
	limit, found int
}

func (in *reading) page(view View) *page {
	p := &page{in: in, limit: -1, items: []Item{}}
	if in.Limit != nil {
		p.limit = *in.Limit
	}
	if view == Part {
		p.limit = 1
	}
	return p
}

// take adds a row and says whether there is room for more: at most so many as
// Limit says are looked at, and 1 MB before the filter.
func (p *page) take(r row) bool {
	if p.seen == p.limit || p.seen > 0 && p.bytes+r.size > maxPage {
		p.full = true
		return false
	}
	p.seen++
	p.bytes += r.size
	p.last = r.item
	if p.in.filter != nil && !p.in.filter.holds(r.item) {
		return true
	}
	p.found++
	if p.in.Select != "COUNT" {
		p.items = append(p.items, projected(r.item, p.in.paths))
	}
	return true
}

// answer is the page on the wire. A page that Limit ended names where to go on
// even where nothing follows (Amazon DynamoDB Developer Guide,
// Query.Pagination).
func (p *page) answer(t *table) Answer {
	out := Answer{"Count": p.found, "ScannedCount": p.seen}
	if p.in.Select != "COUNT" {
		out["Items"] = p.items
	}
	if p.full || p.seen == p.limit {
		out["LastEvaluatedKey"] = t.keyItem(p.last)
	}
	return out
}

// queryInput is Query.
type queryInput struct {
	reading
	KeyConditionExpression *string
	ScanIndexForward       *bool

	key condition
}

func (in *queryInput) check() error {
	if in.KeyConditionExpression == nil {
		return invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	return in.checkWith(expression{"KeyConditionExpression", in.KeyConditionExpression, asCondition(&in.key)})
}

func (in *queryInput) needs(t *Tables) []Need {
	need := Need{Table: in.TableName}
	if found, err := t.find(in.TableName); err == nil {
		if key, err := found.keyCondition(in.key); err == nil {
			need.LeadingKeys = []string{key.hash.spelled()}
		}
	}
	return []Need{need}
}

func (in *queryInput) run(t *Tables, view View) (Answer, error) {
	from, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	key, err := from.keyCondition(in.key)
	if err != nil {
		return nil, err
	}
	if err := from.checkFilter(in.filter); err != nil {
		return nil, err
	}
	out := in.page(view)
	var rows []row
	if part, ok := from.parts[key.hash.text]; ok {
		if in.ConsistentRead {
			view = Fresh
		}
		rows = part.seen(view)
	}
	low := sort.Search(len(rows), func(i int) bool { return !key.below(rows[i].sort) })
	high := sort.Search(len(rows), func(i int) bool { return key.above(rows[i].sort) })
	backward := in.ScanIndexForward != nil && !*in.ScanIndexForward
	if in.ExclusiveStartKey != nil {
		start, err := in.start(from, key)
		if err != nil {
			return nil, err
		}
		at, found := find(rows, start.sort)
		switch {
		case backward:
			high = min(high, at)
		case found:
			low = max(low, at+1)
		default:
			low = max(low, at)
		}
	}
	for i := low; i < high; i++ {
		next := rows[i]
		if backward {
			next = rows[high-1-(i-low)]
		}
		if !out.take(next) {
			break
		}
	}
	return out.answer(from), nil
}

// start reads where the page before ended.
func (in *queryInput) start(from *table, key keyCondition) (rowKey, error) {
	start, err := from.key(in.ExclusiveStartKey)
	switch {
	case err != nil:
		return start, invalid("The provided starting key is invalid: %s", strings.TrimPrefix(err.Error(), "ValidationException: "))
	case start.part != key.hash.text || key.below(start.sort) || key.above(start.sort):
		return start, invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	return start, nil
}

// checkFilter refuses a filter of a query that speaks of the key.
func (t *table) checkFilter(filter condition) error {
	if filter == nil {
		return nil
	}
	for _, p := range attributes(filter) {
		if t.isKey(p) {
			return invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", p[0].name)
		}
	}
	return nil
}

// scanInput is Scan.
type scanInput struct {
	reading
	Segment, TotalSegments *int
}

func (in *scanInput) check() error {
	switch {
	case in.TotalSegments == nil && in.Segment != nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.TotalSegments != nil && in.Segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case in.TotalSegments != nil && (*in.Segment < 0 || *in.Segment >= *in.TotalSegments):
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments)
	}
	return in.checkWith()
}

func (in *scanInput) needs(*Tables) []Need { return []Need{{Table: in.TableName}} }

func (in *scanInput) run(t *Tables, view View) (Answer, error) {
	from, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	out, order, start := in.page(view), from.scanOrder(), rowKey{}
	if in.ConsistentRead {
		view = Fresh
	}
	first := 0
	if in.ExclusiveStartKey != nil {
		if start, err = from.key(in.ExclusiveStartKey); err != nil {
			return nil, invalid("The provided starting key is invalid")
		}
		first = sort.Search(len(order), func(i int) bool { return inScan(order[i], start.part) >= 0 })
	}
	for _, name := range order[first:] {
		if in.TotalSegments != nil && scattered(name)%uint64(*in.TotalSegments) != uint64(*in.Segment) {
			continue
		}
		rows := from.parts[name].seen(view)
		if name == start.part && in.ExclusiveStartKey != nil {
			at, found := find(rows, start.sort)
			if found {
				at++
			}
			rows = rows[at:]
		}
		for _, r := range rows {
			if !out.take(r) {
				return out.answer(from), nil
			}
		}
	}
	return out.answer(from), nil
}
