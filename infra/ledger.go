package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newLedger adds the table of the ledger (pkg/ledger). It holds every baseline
// and what was decided, so it cannot be deleted by accident, outlives its
// stack, and can be put back to any second of the last 35 days.
//
// A protected table cannot be deleted by CloudFormation either (Amazon DynamoDB
// Developer Guide, WorkingWithTables.Basics, deletion protection), so rolling back
// a first deployment that failed would fail too were it told to. The table stays
// then, and is in the way of the next: that is why it is made after all that is
// known to fail (function.ledger).
func newLedger(scope constructs.Construct, key string) awsdynamodb.CfnTable {
	attribute := func(name string) any {
		return &awsdynamodb.CfnTable_AttributeDefinitionProperty{AttributeName: str(name), AttributeType: str("S")}
	}
	part := func(name, kind string) any {
		return &awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: str(name), KeyType: str(kind)}
	}
	table := awsdynamodb.NewCfnTable(scope, str("Ledger"), &awsdynamodb.CfnTableProps{
		TableName:               str(deployment.Table),
		AttributeDefinitions:    []any{attribute("pk"), attribute("sk")},
		KeySchema:               []any{part("pk", "HASH"), part("sk", "RANGE")},
		BillingMode:             str("PAY_PER_REQUEST"),
		TimeToLiveSpecification: &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{AttributeName: str("expires"), Enabled: yes()},
		SseSpecification:        &awsdynamodb.CfnTable_SSESpecificationProperty{SseEnabled: yes(), SseType: str("KMS"), KmsMasterKeyId: str(key)},
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{
			PointInTimeRecoveryEnabled: yes(),
		},
		DeletionProtectionEnabled: yes(),
	})
	table.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, &awscdk.RemovalPolicyOptions{ApplyToUpdateReplacePolicy: yes()})
	return table
}
