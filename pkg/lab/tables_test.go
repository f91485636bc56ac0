package lab_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func num(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

func at(pk, sk string) item { return item{"pk": str(pk), "sk": str(sk)} }

// ledger makes a table and gives the administrator's client.
func (w *world) ledger() *dynamodb.Client {
	w.t.Helper()
	_, err := w.SeedTable(prod, lab.SeedTable{Name: "ledger", Expires: "expires"})
	w.must(err)
	return dynamodb.NewFromConfig(w.adminConfig(prod))
}

// The SDK's client makes, fills, reads and removes a table.
func TestTablesThroughTheSDK(t *testing.T) {
	w := newWorld(t)
	client := dynamodb.NewFromConfig(w.adminConfig(prod))
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("ledger"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		SSESpecification:     &types.SSESpecification{Enabled: aws.Bool(true)}, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	w.must(err)
	w.must(dynamodb.NewTableExistsWaiter(client).Wait(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("ledger")}, time.Minute))
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("ledger"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)},
	})
	w.must(err)
	put, err := client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("ledger"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		Item: item{"pk": str("a"), "n": num("1"), "b": &types.AttributeValueMemberB{Value: []byte{0, 255}}, "l": &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberBOOL{Value: true}}}},
	})
	w.must(err)
	if put.Attributes != nil {
		t.Errorf("%v", put.Attributes)
	}
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: item{"pk": str("a")}})
	w.must(err)
	if b, ok := got.Item["b"].(*types.AttributeValueMemberB); !ok || string(b.Value) != "\x00\xff" || len(got.Item) != 4 {
		t.Errorf("%v", got.Item)
	}
	none, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: item{"pk": str("b")}})
	w.must(err)
	if none.Item != nil {
		t.Errorf("of nothing: %v", none.Item)
	}
	_, err = client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String("ledger")})
	w.must(err)
	_, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: item{"pk": str("b")}})
	var gone *types.ResourceNotFoundException
	if !errors.As(err, &gone) {
		t.Errorf("got %v", err)
	}
}

// The SDK reads what a failed condition and a canceled transaction tell.
func TestFailedWritesThroughTheSDK(t *testing.T) {
	w := newWorld(t)
	client := w.ledger()
	put := &dynamodb.PutItemInput{
		TableName: aws.String("ledger"), Item: at("a", "1"), ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	_, err := client.PutItem(ctx, put)
	w.must(err)
	_, err = client.PutItem(ctx, put)
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != 2 || failed.ErrorMessage() != "The conditional request failed" {
		t.Errorf("got %v", err)
	}
	_, err = client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: aws.String("ledger"), Item: at("b", "1")}},
		{ConditionCheck: &types.ConditionCheck{TableName: aws.String("ledger"), Key: at("a", "1"), ConditionExpression: aws.String("attribute_not_exists(pk)"), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
	}})
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || len(canceled.CancellationReasons) != 2 || *canceled.CancellationReasons[0].Code != "None" ||
		*canceled.CancellationReasons[1].Code != "ConditionalCheckFailed" || len(canceled.CancellationReasons[1].Item) != 2 {
		t.Errorf("got %v", err)
	}
	_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: aws.String("ledger"), Key: at("a", "1"), UpdateExpression: aws.String("SET name = :v"), ExpressionAttributeValues: item{":v": str("x")}})
	w.refused(err, "ValidationException")
	if !strings.Contains(err.Error(), "reserved keyword: name") {
		t.Errorf("got %v", err)
	}
	if n := w.ExpireItems(prod); n != 0 {
		t.Errorf("%d items expired", n)
	}
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: item{"pk": str("c"), "sk": str("1"), "expires": num("1793000000")}})
	w.must(err)
	if n := w.ExpireItems(prod); n != 1 {
		t.Errorf("%d items expired", n)
	}
}

// A caller needs the permission of each step of a transaction, on the table;
// one that may touch one partition only touches no other; another account's
// table is out of reach, and so is another Region's.
func TestWhoMayUseATable(t *testing.T) {
	w := newWorld(t)
	w.ledger()
	may := func(name, statement string) *dynamodb.Client {
		return dynamodb.NewFromConfig(w.config(w.user(prod, name, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",`+statement+`}]}`)))
	}
	const table = `"Resource":"arn:aws:dynamodb:us-east-1:111122223333:table/ledger"`
	put := func(c *dynamodb.Client, name, pk string) error {
		_, err := c.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: at(pk, "1")})
		return err
	}
	both := func(c *dynamodb.Client) error {
		_, err := c.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("ledger"), Item: at("a", "1")}}, {Delete: &types.Delete{TableName: aws.String("ledger"), Key: at("b", "1")}},
		}})
		return err
	}
	putter := may("putter", `"Action":"dynamodb:PutItem",`+table)
	w.must(put(putter, "ledger", "a"))
	w.must(put(putter, "arn:aws:dynamodb:us-east-1:111122223333:table/ledger", "a"))
	w.refused(put(putter, "other", "a"), "AccessDeniedException")
	w.refused(both(putter), "AccessDeniedException")
	w.must(both(may("both", `"Action":["dynamodb:PutItem","dynamodb:DeleteItem"],`+table)))
	w.refused(both(may("named", `"Action":"dynamodb:TransactWriteItems",`+table)), "AccessDeniedException")

	one := may("one", `"Action":"dynamodb:*",`+table+`,"Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["SWITCH"]},"Null":{"dynamodb:LeadingKeys":"false"}}`)
	w.must(put(one, "ledger", "SWITCH"))
	w.refused(put(one, "ledger", "EVENT"), "AccessDeniedException")
	w.refused(both(one), "AccessDeniedException")
	_, err := one.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("ledger"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("SWITCH")}})
	w.must(err)
	_, err = one.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"ledger": {Keys: []map[string]types.AttributeValue{at("SWITCH", "1"), at("EVENT", "1")}}}})
	w.refused(err, "AccessDeniedException")
	_, err = one.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("ledger")})
	w.refused(err, "AccessDeniedException")

	foreign := dynamodb.NewFromConfig(w.adminConfig(dev))
	w.refused(put(foreign, "arn:aws:dynamodb:us-east-1:111122223333:table/ledger", "a"), "AccessDeniedException")
	w.refused(put(foreign, "ledger", "a"), "ResourceNotFoundException")
	far := w.adminConfig(prod)
	far.Region = "eu-west-1"
	w.refused(put(dynamodb.NewFromConfig(far), "ledger", "a"), "ResourceNotFoundException")
}

// T69: a contained session reaches no table.
func TestContainmentReachesTables(t *testing.T) {
	w := newWorld(t)
	w.ledger()
	caller := w.user(prod, "caller", "")
	w.must(w.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: trusting(arn(prod, "user/caller"))}))
	w.allow(prod, "app", allowAll)
	session, err := w.assume(caller, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("s1")})
	w.must(err)
	client := dynamodb.NewFromConfig(w.config(session))
	read := func() error {
		_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: at("a", "1")})
		return err
	}
	w.must(read())
	w.bound(prod, "app", denyAll)
	w.refused(read(), "AccessDeniedException")
}

// Each fault shows as DynamoDB shows it, and takes effect or not as it says.
func TestFaultsOfTables(t *testing.T) {
	const put, transact = "PutItem", "TransactWriteItems"
	for _, c := range []struct {
		action string
		fault  lab.Fault
		code   string // "" for a call that fails without an API error
		wrote  bool
	}{
		{put, lab.Fault{Kind: lab.Throttle}, "ProvisionedThroughputExceededException", false},
		{put, lab.Fault{Kind: lab.ServerError}, "InternalServerError", false},
		{put, lab.Fault{Kind: lab.ServerError, When: lab.AfterEffect}, "InternalServerError", true},
		{put, lab.Fault{Kind: lab.AccessDenied}, "AccessDeniedException", false},
		{put, lab.Fault{Kind: lab.NotFound}, "ResourceNotFoundException", false},
		{put, lab.Fault{Kind: lab.LimitExceeded}, "RequestLimitExceeded", false},
		{put, lab.Fault{Kind: lab.ConcurrentModification}, "TransactionConflictException", false},
		{put, lab.Fault{Kind: lab.TimeoutBefore}, "", false},
		{put, lab.Fault{Kind: lab.TimeoutAfter}, "", true},
		{put, lab.Fault{Kind: lab.Malformed}, "", true},
		{transact, lab.Fault{Kind: lab.Throttle}, "TransactionCanceledException", false},
		{transact, lab.Fault{Kind: lab.ConcurrentModification}, "TransactionCanceledException", false},
		{transact, lab.Fault{Kind: lab.ServerError, When: lab.AfterEffect}, "InternalServerError", true},
		{transact, lab.Fault{Kind: lab.TimeoutAfter}, "", true},
	} {
		t.Run(c.action+" "+c.fault.Kind.String()+" "+c.fault.When.String(), func(t *testing.T) {
			w := newWorld(t)
			client := w.ledger()
			c.fault.Service, c.fault.Action, c.fault.Resource, c.fault.Times = "dynamodb", c.action, "ledger", 1
			w.Inject(c.fault)
			write := func() (err error) {
				if c.action == put {
					_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: at("a", "1")})
					return err
				}
				_, err = client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: aws.String("ledger"), Item: at("a", "1")}}}})
				return err
			}
			err := write()
			var api smithy.APIError
			switch {
			case err == nil:
				t.Fatal("the call succeeded")
			case c.code != "":
				w.refused(err, c.code)
			case errors.As(err, &api) && c.fault.Kind != lab.Malformed:
				t.Errorf("got the API error %v, want a dropped connection", err)
			}
			var canceled *types.TransactionCanceledException
			if errors.As(err, &canceled) && (len(canceled.CancellationReasons) != 1 || *canceled.CancellationReasons[0].Code == "None") {
				t.Errorf("the reasons are %v", canceled.CancellationReasons)
			}
			got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: at("a", "1")})
			w.must(err)
			if wrote := got.Item != nil; wrote != c.wrote {
				t.Errorf("written: %v", wrote)
			}
			w.must(write())
		})
	}
}

// A stale read shows what was; one that asks for consistency never does. A
// partial one gives the first of many and where to go on.
func TestReadsOfTablesThatLag(t *testing.T) {
	w := newWorld(t)
	client := w.ledger()
	for _, n := range []string{"1", "2"} {
		for _, sk := range []string{"a", "b"} {
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("ledger"), Item: item{"pk": str("p"), "sk": str(sk), "n": num(n)}})
			w.must(err)
		}
	}
	w.Inject(lab.Fault{Service: "dynamodb", Action: "GetItem", Kind: lab.StaleRead})
	for consistent, want := range map[bool]string{false: "1", true: "2"} {
		got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: at("p", "b"), ConsistentRead: &consistent})
		w.must(err)
		if n := got.Item["n"].(*types.AttributeValueMemberN).Value; n != want {
			t.Errorf("consistent %v: %s", consistent, n)
		}
	}
	w.Inject(lab.Fault{Service: "dynamodb", Action: "Query", Kind: lab.PartialAnswer, Times: 1})
	pages := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{TableName: aws.String("ledger"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}})
	var sizes []int
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		w.must(err)
		sizes = append(sizes, len(page.Items))
	}
	if len(sizes) != 2 || sizes[0] != 1 || sizes[1] != 1 {
		t.Errorf("pages of %v", sizes)
	}
}

// Many workers at once lose no update: writes and transactions are atomic.
func TestManyWorkersAtOnce(t *testing.T) {
	w := newWorld(t)
	client := w.ledger()
	done := make(chan error)
	const workers, each = 8, 25
	for range workers {
		go func() {
			var err error
			for range each {
				_, e := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: aws.String("ledger"), Key: at("count", "1"), UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: item{":one": num("1")},
				})
				err = errors.Join(err, e)
			}
			done <- err
		}()
	}
	for range workers {
		w.must(<-done)
	}
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("ledger"), Key: at("count", "1")})
	w.must(err)
	if n := got.Item["n"].(*types.AttributeValueMemberN).Value; n != "200" {
		t.Errorf("the count is %s", n)
	}
}
