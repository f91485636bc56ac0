package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// schemas reads from the schemas of CloudFormation's types, which cfn-lint brings
// along as AWS publishes them, what each handler asks for. Handlers that list are
// for other uses than deploying.
const schemas = `
import glob, json, os, cfnlint
found = {}
for path in glob.glob(os.path.join(os.path.dirname(cfnlint.__file__), "data", "schemas", "resources", "*.json")):
    with open(path) as f:
        schema = json.load(f)
    needs = set()
    for name, handler in schema.get("handlers", {}).items():
        if name != "list":
            needs.update(handler.get("permissions", []))
    found[schema.get("typeName", path)] = {"Needs": sorted(needs), "Properties": schema.get("properties")}
print(json.dumps(found))
`

// schema is what is read of a type's.
type schema struct {
	Needs      []string
	Properties map[string]any
}

// schemasOf gives the schemas by the names of their types.
func schemasOf(t *testing.T) map[string]schema {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), toolstest.Program(t, "python"), "-c", schemas).Output()
	var out map[string]schema
	if err == nil {
		err = json.Unmarshal(said, &out)
	}
	if err != nil || len(out) < 500 {
		t.Fatalf("%d types have a schema, %v", len(out), err)
	}
	return out
}

// spared are permissions that a type's handlers list and that the deployer does
// not get, each for a property that no template sets, or for a reason.
var spared = []struct {
	kind, property, reason string
	actions                string
}{
	{"AWS::CloudFormation::StackSet", "AdministrationRoleARN", "", "iam:PassRole"},
	{"AWS::DynamoDB::Table", "", "the ledger has no replica: these are for tables that are copied to other Regions", "dynamodb:AssociateTableReplica dynamodb:BatchWriteItem dynamodb:CreateTableReplica dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:Scan dynamodb:UpdateItem iam:CreateServiceLinkedRole"},
	{"AWS::DynamoDB::Table", "", "the ledger keeps the key that it was made with", "kms:RevokeGrant"},
	{"AWS::DynamoDB::Table", "ImportSourceSpecification", "", "dynamodb:DescribeImport dynamodb:ImportTable logs:CreateLogGroup logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents logs:PutRetentionPolicy s3:GetObject s3:GetObjectMetadata s3:ListBucket"},
	{"AWS::DynamoDB::Table", "ResourcePolicy", "", "dynamodb:DeleteResourcePolicy dynamodb:PutResourcePolicy"},
	{"AWS::DynamoDB::Table", "KinesisStreamSpecification", "", "dynamodb:DisableKinesisStreamingDestination dynamodb:EnableKinesisStreamingDestination dynamodb:UpdateKinesisStreamingDestination kinesis:DescribeStream kinesis:PutRecords"},
	{"AWS::DynamoDB::Table", "ContributorInsightsSpecification", "", "dynamodb:UpdateContributorInsights"},
	{"AWS::Events::EventBus", "KmsKeyIdentifier", "", "kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncrypt kms:ReEncryptFrom kms:ReEncryptTo"},
	{"AWS::IAM::Role", "ManagedPolicyArns", "", "iam:AttachRolePolicy iam:DetachRolePolicy"},
	{"AWS::IAM::Role", "PermissionsBoundary", "", "iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary"},
	{"AWS::Lambda::EventSourceMapping", "KmsKeyArn", "", "kms:Decrypt kms:DescribeKey kms:GenerateDataKey"},
	{"AWS::Lambda::Function", "VpcConfig", "", "ec2:DescribeNetworkInterfaces ec2:DescribeSecurityGroups ec2:DescribeSubnets ec2:DescribeVpcs"},
	{"AWS::Lambda::Function", "FileSystemConfigs", "", "elasticfilesystem:DescribeMountTargets s3files:ListMountTargets"},
	{"AWS::Lambda::Function", "CodeSigningConfigArn", "", "lambda:DeleteFunctionCodeSigningConfig lambda:GetCodeSigningConfig lambda:PutFunctionCodeSigningConfig"},
	{"AWS::Lambda::Function", "Layers", "", "lambda:GetLayerVersion"},
	{"AWS::Lambda::Function", "CapacityProviderConfig", "", "lambda:PassCapacityProvider"},
	{"AWS::Lambda::Function", "PublishToLatestPublished", "", "lambda:PublishVersion"},
	{"AWS::Lambda::Function", "FunctionScalingConfig", "", "lambda:PutFunctionScalingConfig"},
	{"AWS::Lambda::Function", "RuntimeManagementConfig", "", "lambda:AssociateRuntimeAlias lambda:PutRuntimeManagementConfig"},
	{"AWS::Logs::LogGroup", "DataProtectionPolicy", "", "firehose:TagDeliveryStream logs:CreateLogDelivery logs:PutDataProtectionPolicy s3:REST.PUT.OBJECT"},
	{"AWS::Logs::LogGroup", "FieldIndexPolicies", "", "logs:DeleteIndexPolicy logs:PutIndexPolicy"},
	{"AWS::Logs::LogGroup", "ResourcePolicyDocument", "", "logs:DeleteResourcePolicy logs:PutResourcePolicy"},
	{"AWS::Logs::LogGroup", "BearerTokenAuthenticationEnabled", "", "logs:PutBearerTokenAuthentication"},
	{"AWS::Logs::LogGroup", "DeletionProtectionEnabled", "", "logs:PutLogGroupDeletionProtection"},
	{"AWS::SNS::Subscription", "SubscriptionRoleArn", "", "iam:GetRole iam:PassRole"},
	{"AWS::SNS::Topic", "DeliveryStatusLogging", "", "iam:GetRole iam:PassRole"},
	{"AWS::SNS::Topic", "DataProtectionPolicy", "", "sns:PutDataProtectionPolicy"},
	{"AWS::SNS::Topic", "Subscription", "", "sns:Subscribe sns:Unsubscribe"},
	{"AWS::SecretsManager::Secret", "GenerateSecretString", "", "secretsmanager:GetRandomPassword"},
	{"AWS::SecretsManager::Secret", "ReplicaRegions", "", "secretsmanager:RemoveRegionsFromReplication secretsmanager:ReplicateSecretToRegions"},
}

// added are permissions that the deployer gets and no handler lists, with a reason.
var added = map[string]string{
	"AWS::CloudFormation::StackSet organizations:ListDelegatedAdministrators": "a StackSet that a delegated administrator makes is asked for with it",
	"AWS::SecretsManager::Secret kms:Decrypt":                                 "a secret under a key of one's own is written with the caller's right to the key",
	"AWS::SecretsManager::Secret kms:GenerateDataKey":                         "a secret under a key of one's own is written with the caller's right to the key",
}

// What the deployer may do for a type is what CloudFormation's own schema of the
// type says that it takes, but for properties that no template sets: an action
// too few, and a deployment ends half way; one too many, and somebody else uses it.
func TestTheDeployersTableIsWhatTheTypesAskFor(t *testing.T) {
	t.Parallel()
	types, table := schemasOf(t), grants.DeployerTable()
	left, excess := map[string]bool{}, map[string]bool{}
	for kind, needs := range table {
		asked := types[kind].Needs
		if len(asked) == 0 {
			t.Errorf("%s has no schema, or one that asks for nothing", kind)
		}
		for _, action := range asked {
			if !slices.Contains(needs, action) {
				left[kind+" "+action] = true
			}
		}
		for _, action := range needs {
			if !slices.Contains(asked, action) {
				excess[kind+" "+action] = true
			}
		}
	}
	for _, s := range spared {
		for _, action := range strings.Fields(s.actions) {
			if !left[s.kind+" "+action] {
				t.Errorf("%s: %s is spared, and is not asked for or is given", s.kind, action)
			}
			delete(left, s.kind+" "+action)
		}
		if (s.property == "") == (s.reason == "") {
			t.Errorf("%s: %s is spared for a property or for a reason", s.kind, s.actions)
		}
		if s.property != "" && types[s.kind].Properties[s.property] == nil {
			t.Errorf("%s has no property %s", s.kind, s.property)
		}
		for _, p := range everywhere(t) {
			for id, r := range p.Resources {
				if r.Type == s.kind && s.property != "" && r.Properties[s.property] != nil {
					t.Errorf("%s: %s sets %s, and the deployer lacks %s", p.stack, id, s.property, s.actions)
				}
			}
		}
	}
	for _, one := range sortedKeys(left) {
		t.Errorf("%s is asked for, and the deployer may not", one)
	}
	for what := range added {
		if !excess[what] {
			t.Errorf("%s is added, and is asked for or is not given", what)
		}
		delete(excess, what)
	}
	for _, one := range sortedKeys(excess) {
		t.Errorf("%s is given, and the type does not ask for it", one)
	}
}
