package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

func tableOperations() map[string]operation {
	name := func(req *request) string {
		if req.table == nil {
			return ""
		}
		return req.table.Table()
	}
	out := map[string]operation{}
	for _, action := range table.Actions() {
		out[action] = operation{run: (*Lab).callTable, name: name}
	}
	return out
}

// tablesOf are an account's tables in a Region.
func (l *Lab) tablesOf(acct *account, region string) *table.Tables {
	found, ok := acct.tables[region]
	if !ok {
		found = table.New(table.Config{
			Now: l.now, NewID: l.uuid,
			ARN: func(name string) string {
				if name == "*" {
					return name
				}
				return l.partition.arn("dynamodb", region, acct.ID, "table/"+name)
			},
		})
		acct.tables[region] = found
	}
	return found
}

// callTable does one call of DynamoDB.
func (l *Lab) callTable(req *request) (*answer, error) {
	if req.tableErr != nil {
		return nil, tableProblem(req.tableErr)
	}
	tables := l.tablesOf(req.caller.account, req.region)
	if err := l.authorizeTable(req, tables.Needs(req.table)); err != nil {
		return nil, err
	}
	view := table.Fresh
	switch {
	case req.stale:
		view = table.Stale
	case req.part:
		view = table.Part
	}
	out, err := tables.Do(req.table, view)
	if err != nil {
		return nil, tableProblem(err)
	}
	return &answer{json: out}, nil
}

func tableProblem(err error) error {
	var p *table.Problem
	if !errors.As(err, &p) {
		return err
	}
	return &problem{status: p.Status, code: p.Code, message: p.Message, table: p}
}

// authorizeTable asks for each permission that a call needs. Tables have no
// policies of their own here, so that another account's are out of reach.
func (l *Lab) authorizeTable(req *request, needs []table.Need) error {
	basic := l.context(req)
	for _, need := range needs {
		ctx := maps.Clone(basic)
		if need.LeadingKeys != nil {
			ctx.SetMany("dynamodb:LeadingKeys", need.LeadingKeys)
		}
		if need.Action != req.action {
			ctx.Set("dynamodb:EnclosingOperation", req.action)
		}
		v := l.opinion(req.caller, judge.Request{
			Action: "dynamodb:" + need.Action, Resource: need.Table, Caller: req.caller.judged(), Context: ctx,
		}).verdict()
		because := v.because("dynamodb:" + need.Action)
		if parts := strings.Split(need.Table, ":"); v == granted && len(parts) > 4 && parts[4] != req.caller.account.ID {
			v, because = noIdentityPolicy, " because no resource-based policy allows the dynamodb:"+need.Action+" action"
		}
		if v != granted {
			return accessDenied("User: %s is not authorized to perform: dynamodb:%s on resource: %s%s", req.caller.arn(), need.Action, need.Table, because)
		}
	}
	return nil
}

// SeedTable describes a DynamoDB table that is put into the lab without a
// call. Its keys are texts.
type SeedTable struct {
	Name string
	// PartitionKey defaults to "pk", SortKey to "sk".
	PartitionKey, SortKey string
	// Expires is the time-to-live attribute; empty for none. Nothing is removed
	// before ExpireItems is called.
	Expires string
}

// SeedTable makes a table in the partition's home Region and gives its ARN.
func (l *Lab) SeedTable(account string, seed SeedTable) (arn string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return "", fmt.Errorf("seeding table %s: %w", seed.Name, err)
	}
	if seed.PartitionKey == "" {
		seed.PartitionKey = "pk"
	}
	if seed.SortKey == "" {
		seed.SortKey = "sk"
	}
	type object = map[string]any
	tables := l.tablesOf(acct, l.partition.home())
	calls := []struct {
		action string
		body   object
	}{{"CreateTable", object{
		"TableName": seed.Name, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []object{{"AttributeName": seed.PartitionKey, "AttributeType": "S"}, {"AttributeName": seed.SortKey, "AttributeType": "S"}},
		"KeySchema":            []object{{"AttributeName": seed.PartitionKey, "KeyType": "HASH"}, {"AttributeName": seed.SortKey, "KeyType": "RANGE"}},
	}}}
	if seed.Expires != "" {
		calls = append(calls, struct {
			action string
			body   object
		}{"UpdateTimeToLive", object{
			"TableName": seed.Name, "TimeToLiveSpecification": object{"AttributeName": seed.Expires, "Enabled": true},
		}})
	}
	for _, c := range calls {
		if err := call(tables, c.action, c.body); err != nil {
			return "", fmt.Errorf("seeding table %s/%s: %w", account, seed.Name, err)
		}
	}
	return l.partition.arn("dynamodb", l.partition.home(), acct.ID, "table/"+seed.Name), nil
}

func call(tables *table.Tables, action string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c, err := table.Parse(action, text)
	if err != nil {
		return err
	}
	_, err = tables.Do(c, table.Fresh)
	return err
}

// ExpireItems removes the items of an account's tables whose time to live has
// passed on the lab's clock, as DynamoDB does within days, and tells how many
// they were.
func (l *Lab) ExpireItems(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	removed := 0
	if acct, ok := l.accounts[account]; ok {
		for _, region := range sortedKeys(acct.tables) {
			removed += acct.tables[region].Expire()
		}
	}
	return removed
}
