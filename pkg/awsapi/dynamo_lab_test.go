package awsapi_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/ledger/ledgertest"
)

// labTable gives a ledger on an empty table of a lab of its own.
func labTable(t *testing.T) (*awsapi.Dynamo, *world) {
	t.Helper()
	w := labWorld(t)
	_, err := w.lab.SeedTable(hub, lab.SeedTable{Name: "ledger", Expires: "expires"})
	must(t, err)
	cfg := w.hub.Copy()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	d, err := awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: "ledger"})
	must(t, err)
	return d, w
}

// The contract holds on the lab's DynamoDB as it does on moto's; and here many
// workers write at once, which moto cannot bear.
func TestDynamoKeepsTheContractInTheLab(t *testing.T) {
	ledgertest.Conformance(t, func(t *testing.T) ledger.Ledger {
		d, _ := labTable(t)
		return d
	})
}
