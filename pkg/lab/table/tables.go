package table

import (
	"maps"
	"slices"
	"time"
)

// createInput is CreateTable.
type createInput struct {
	TableName            string
	AttributeDefinitions []struct {
		AttributeName string
		AttributeType kind
	}
	KeySchema []struct {
		AttributeName, KeyType string
	}
	BillingMode               string
	ProvisionedThroughput     map[string]any
	DeletionProtectionEnabled bool
	// What encrypts a table, names its class and marks it changes nothing here.
	SSESpecification    map[string]any
	StreamSpecification map[string]any
	TableClass          string
	Tags                []map[string]string

	hash, sort attribute
}

func (in *createInput) check() error {
	if err := checkName(in.TableName); err != nil {
		return err
	}
	switch in.BillingMode {
	case "PAY_PER_REQUEST":
		if in.ProvisionedThroughput != nil {
			return wrong("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
	case "", "PROVISIONED":
		if in.ProvisionedThroughput == nil {
			return wrong("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
		}
	default:
		return constraint(in.BillingMode, "billingMode", "Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]")
	}
	if enabled, _ := in.StreamSpecification["StreamEnabled"].(bool); enabled {
		return invalid("The lab does not know streams.")
	}
	return in.checkKeys()
}

func (in *createInput) checkKeys() error {
	defined := map[string]kind{}
	for _, a := range in.AttributeDefinitions {
		if !a.AttributeType.ordered() {
			return constraint(a.AttributeType, "attributeDefinitions.1.member.attributeType", "Member must satisfy enum value set: [B, N, S]")
		}
		defined[a.AttributeName] = a.AttributeType
	}
	for i, k := range in.KeySchema {
		into := map[string]*attribute{"HASH": &in.hash, "RANGE": &in.sort}[k.KeyType]
		switch {
		case into == nil || i > 1:
			return constraint(k.KeyType, "keySchema", "Member must be HASH, and then RANGE")
		case (i == 0) != (k.KeyType == "HASH"):
			return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
		case defined[k.AttributeName] == "":
			return wrong("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: %v", k.AttributeName, slices.Sorted(maps.Keys(defined)))
		}
		*into = attribute{name: k.AttributeName, kind: defined[k.AttributeName]}
	}
	switch {
	case in.hash.name == "":
		return constraint("[]", "keySchema", "Member must have length greater than or equal to 1")
	case in.hash.name == in.sort.name:
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case len(defined) != len(in.KeySchema):
		return wrong("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return nil
}

func (in *createInput) names() []string { return []string{in.TableName} }

func (in *createInput) needs(*Tables) []Need { return []Need{{Table: in.TableName}} }

// run makes a table that can be used at once, where AWS takes some seconds.
func (in *createInput) run(t *Tables, _ View) (Answer, error) {
	name := shortName(in.TableName)
	if _, taken := t.tables[name]; taken {
		return nil, failed("ResourceInUseException", "Table already exists: %s", name)
	}
	made := &table{
		name: name, arn: t.config.ARN(name), id: t.config.NewID(), created: t.config.Now(), hash: in.hash, sort: in.sort,
		billing: "PROVISIONED", protected: in.DeletionProtectionEnabled, parts: map[string]*partition{},
	}
	if in.BillingMode != "" {
		made.billing = in.BillingMode
	}
	t.tables[name] = made
	return Answer{"TableDescription": made.describe("ACTIVE")}, nil
}

func (t *table) describe(status string) Answer {
	count, bytes := 0, 0
	for _, p := range t.parts {
		count += len(p.rows)
		for _, r := range p.rows {
			bytes += r.size
		}
	}
	definitions := []Answer{{"AttributeName": t.hash.name, "AttributeType": t.hash.kind}}
	schema := []Answer{{"AttributeName": t.hash.name, "KeyType": "HASH"}}
	if t.sort.name != "" {
		definitions = append(definitions, Answer{"AttributeName": t.sort.name, "AttributeType": t.sort.kind})
		schema = append(schema, Answer{"AttributeName": t.sort.name, "KeyType": "RANGE"})
	}
	return Answer{
		"TableName": t.name, "TableArn": t.arn, "TableId": t.id, "TableStatus": status, "CreationDateTime": t.created.Unix(),
		"AttributeDefinitions": definitions, "KeySchema": schema, "ItemCount": count, "TableSizeBytes": bytes,
		"BillingModeSummary": Answer{"BillingMode": t.billing}, "DeletionProtectionEnabled": t.protected,
		"ProvisionedThroughput": Answer{"ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0},
	}
}

// nameInput is a call that names a table and no more.
type nameInput struct{ TableName string }

func (in *nameInput) check() error         { return checkName(in.TableName) }
func (in *nameInput) names() []string      { return []string{in.TableName} }
func (in *nameInput) needs(*Tables) []Need { return []Need{{Table: in.TableName}} }

type describeInput struct{ nameInput }

func (in *describeInput) run(t *Tables, _ View) (Answer, error) {
	found, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	return Answer{"Table": found.describe("ACTIVE")}, nil
}

type deleteInput struct{ nameInput }

func (in *deleteInput) run(t *Tables, _ View) (Answer, error) {
	found, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	if found.protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	delete(t.tables, found.name)
	return Answer{"TableDescription": found.describe("DELETING")}, nil
}

// listInput is ListTables, in one page.
type listInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

func (in *listInput) check() error {
	if in.Limit != nil && (*in.Limit < 1 || *in.Limit > 100) {
		return constraint(*in.Limit, "limit", "Member must have value between 1 and 100")
	}
	return nil
}
func (in *listInput) names() []string      { return nil }
func (in *listInput) needs(*Tables) []Need { return []Need{{Table: "*"}} }

func (in *listInput) run(t *Tables, _ View) (Answer, error) {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(t.tables)), func(name string) bool { return name <= in.ExclusiveStartTableName })
	most := 100
	if in.Limit != nil {
		most = *in.Limit
	}
	if len(names) <= most {
		return Answer{"TableNames": append([]string{}, names...)}, nil
	}
	return Answer{"TableNames": names[:most], "LastEvaluatedTableName": names[most-1]}, nil
}

// setExpiryInput is UpdateTimeToLive.
type setExpiryInput struct {
	nameInput
	TimeToLiveSpecification struct {
		AttributeName string
		Enabled       bool
	}
}

func (in *setExpiryInput) run(t *Tables, _ View) (Answer, error) {
	found, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	asked := in.TimeToLiveSpecification
	switch {
	case asked.AttributeName == "":
		return nil, wrong("The value of attribute AttributeName is null")
	case asked.Enabled && found.expires != "":
		return nil, invalid("TimeToLive is already enabled")
	case !asked.Enabled && found.expires == "":
		return nil, invalid("TimeToLive is already disabled")
	case !asked.Enabled && found.expires != asked.AttributeName:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", found.expires)
	}
	found.expires = ""
	if asked.Enabled {
		found.expires = asked.AttributeName
	}
	return Answer{"TimeToLiveSpecification": Answer{"AttributeName": asked.AttributeName, "Enabled": asked.Enabled}}, nil
}

type expiryInput struct{ nameInput }

func (in *expiryInput) run(t *Tables, _ View) (Answer, error) {
	found, err := t.find(in.TableName)
	if err != nil {
		return nil, err
	}
	about := Answer{"TimeToLiveStatus": "DISABLED"}
	if found.expires != "" {
		about = Answer{"TimeToLiveStatus": "ENABLED", "AttributeName": found.expires}
	}
	return Answer{"TimeToLiveDescription": about}, nil
}

// oldest is how far back an expiry may lie to be believed: what expired longer
// ago than five years is kept (Amazon DynamoDB Developer Guide, TTL).
const oldest = 5 * 365 * 24 * time.Hour

// Expire removes what has expired from all tables, as AWS does within days,
// and tells how many items that were.
func (t *Tables) Expire() int {
	now, removed := t.config.Now(), 0
	for _, each := range t.tables {
		for name, p := range each.parts {
			for _, r := range slices.Clone(p.rows) {
				at, ok := r.item[each.expires]
				if !ok || at.kind != isNumber {
					continue
				}
				when := at.number()
				if when.compare(countOf(int(now.Unix()))) < 0 && when.compare(countOf(int(now.Add(-oldest).Unix()))) > 0 {
					t.write++
					each.store(rowKey{part: name, sort: r.sort}, nil, t.write)
					removed++
				}
			}
		}
	}
	return removed
}
