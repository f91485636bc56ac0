package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// makeLedger makes the table as it is deployed.
func makeLedger(t *testing.T, cfg aws.Config) *awsapi.Dynamo {
	t.Helper()
	key := func(name string) (types.AttributeDefinition, types.KeySchemaElement) {
		kind := types.KeyTypeHash
		if name == "sk" {
			kind = types.KeyTypeRange
		}
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS},
			types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
	}
	pk, hash := key("pk")
	sk, sort := key("sk")
	_, err := dynamodb.NewFromConfig(cfg).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(deployment.Table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{pk, sk}, KeySchema: []types.KeySchemaElement{hash, sort},
	})
	fine(t, err)
	table, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: deployment.Table})
	fine(t, err)
	return table
}

// A person stops every write with one command; guard, which reads the same
// item, holds its hand; and whoever looks is told who did it and why.
func TestAPersonStopsAllWrites(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, "123456789012", "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	says := func(want string, status int, args ...string) {
		t.Helper()
		out, errs, got := run("", append([]string{"writes"}, append(args, "--deployment", p.path)...)...)
		if got != status || !strings.Contains(out+errs, want) {
			t.Errorf("%v: status %d, want %d; it says %q, want %q", args, got, status, out+errs, want)
		}
	}
	stands := func(want decision.Switch) {
		t.Helper()
		if got, err := table.Switch(t.Context()); err != nil || got != want {
			t.Errorf("guard reads %s, %v, want %s", got, err, want)
		}
	}
	says("writes are allowed", 0, "show")
	stands(decision.WritesAllowed)
	says("turning the switch needs a reason", 3, "stop")
	stands(decision.WritesAllowed)
	says("writes are stopped, by arn:aws:sts::123456789012:user/moto", 0, "stop", "--reason", "incident 4711")
	stands(decision.WritesStopped)
	says("incident 4711", 1, "show")
	says("writes are allowed, by", 0, "allow", "--reason", "it is over")
	stands(decision.WritesAllowed)

	out, _, _ := run("", "writes", "show", "--format", "json", "--deployment", p.path)
	var shown struct{ Writes, By, Reason, At string }
	fine(t, json.Unmarshal([]byte(out), &shown))
	if at, err := time.Parse(time.RFC3339, shown.At); err != nil || time.Since(at) > time.Hour || shown.Reason != "it is over" {
		t.Errorf("%+v", shown)
	}
	schema, err := compiled("writes")
	fine(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	fine(t, err)
	if err := schema.Validate(value); err != nil {
		t.Error(err)
	}
}

// Credentials of another account turn nothing: there is another table there,
// and the person would believe that the writes are stopped.
func TestTheSwitchIsNotTurnedInAnotherAccount(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, "111122223333", "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	out, errs, status := run("", "writes", "stop", "--reason", "incident", "--deployment", p.path)
	if status != 3 || out != "" || !strings.Contains(errs, "111122223333") || !strings.Contains(errs, "AWS_PROFILE") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
	if got, err := table.Switch(t.Context()); err != nil || got != decision.WritesAllowed {
		t.Errorf("it was turned all the same: %s, %v", got, err)
	}
}
