package grants

import (
	"maps"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Deployer is what CloudFormation needs to deploy the given types of resources
// of rolewarden's in an account (World.Account), as the execution role of its
// stacks, on rolewarden's own names wherever the service lets names be told.
// It is not a small permission: it makes roles under rolewarden's paths and
// writes their policies, so whoever holds it can become administrator of the
// account, and who may change a StackSet, of every account it goes to.
// Without types it is for all of them; a type that is not in DeployerTable
// gets nothing.
func Deployer(w World, types ...string) Document {
	table := DeployerTable()
	if len(types) == 0 {
		types = slices.DeleteFunc(slices.Sorted(maps.Keys(table)), func(t string) bool {
			return w.Organization == "" && (t == "AWS::CloudFormation::StackSet" || t == "AWS::Organizations::Policy")
		})
	}
	var needs []string
	for _, t := range types {
		needs = append(needs, table[t]...)
	}
	slices.Sort(needs)
	needs = slices.Compact(needs)
	var out []Statement
	for _, p := range w.places() {
		p.statement.Effect, p.statement.Action = allow, pick(needs, p.takes)
		needs = without(needs, p.takes)
		if len(p.statement.Action) > 0 {
			out = append(out, p.statement)
		}
	}
	return document(out...)
}

// places gives where CloudFormation works, the narrowest first. The last takes
// what has no resource to name.
func (w World) places() []group {
	here := func(service, resource string) string {
		return "arn:" + w.Partition + ":" + service + ":" + w.Region + ":" + w.Account + ":" + resource
	}
	roles := []string{w.iam(w.Account, "role"+deployment.Path+"*"), w.iam(w.Account, "role"+deployment.CanaryPath+"*")}
	// Both on the default bus and on rolewarden's, which has its name in the ARN.
	rules := "arn:" + w.Partition + ":events:*:" + w.Account + ":rule/rolewarden*"
	out := []group{
		{unnamed(), Statement{Sid: "NoNames", Resource: []string{everything}}},
		{[]string{"iam:PassRole"}, Statement{Sid: "Pass", Resource: roles[:1], Condition: all(equals("iam:PassedToService", "events.amazonaws.com", "lambda.amazonaws.com"))}},
		// What lies under the key is reached through its service, never here.
		{[]string{"kms:CreateGrant", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}, Statement{
			Sid: "KeysThroughServices", Resource: []string{here("kms", "key/*")}, Condition: all(w.via("dynamodb", "lambda", "secretsmanager")),
		}},
		{[]string{"cloudwatch:"}, Statement{Sid: "Alarms", Resource: []string{
			here("cloudwatch", "alarm:"+deployment.AlarmPrefix+"*"), "arn:" + w.Partition + ":cloudwatch::" + w.Account + ":dashboard/" + deployment.Dashboard,
		}}},
		{[]string{"dynamodb:"}, Statement{Sid: "Ledger", Resource: []string{here("dynamodb", "table/"+deployment.Table)}}},
		{[]string{"events:"}, Statement{Sid: "Events", Resource: []string{here("events", "event-bus/"+deployment.Bus), rules}}},
		{[]string{"iam:"}, Statement{Sid: "Roles", Resource: roles}},
		{[]string{"kms:"}, Statement{Sid: "Keys", Resource: []string{here("kms", "alias/rolewarden-*"), here("kms", "key/*")}}},
		{[]string{"lambda:"}, Statement{Sid: "Functions", Resource: []string{here("lambda", "event-source-mapping:*"), here("lambda", "function:rolewarden-*")}}},
		{[]string{"logs:"}, Statement{Sid: "Logs", Resource: []string{here("logs", "log-group:"+deployment.LogPrefix+"rolewarden-*")}}},
		{[]string{"s3:"}, Statement{Sid: "Code", Resource: []string{"arn:" + w.Partition + ":s3:::cdk-*-assets-" + w.Account + "-" + w.Region + "/*"}}},
		{[]string{"secretsmanager:"}, Statement{Sid: "Secret", Resource: []string{here("secretsmanager", "secret:"+deployment.SlackSecret+"-*")}}},
		{[]string{"sns:"}, Statement{Sid: "Topics", Resource: []string{here("sns", "rolewarden-*")}}},
		{[]string{"sqs:"}, Statement{Sid: "Queues", Resource: []string{here("sqs", "rolewarden-*")}}},
	}
	// A StackSet with service-managed permissions is the management account's,
	// also where a delegated administrator makes it (AWS CloudFormation User
	// Guide, stacksets-orgs-delegated-admin).
	sets := "arn:" + w.Partition + ":cloudformation:*:*:"
	out = append(out,
		group{[]string{"cloudformation:"}, Statement{Sid: "StackSets", Resource: []string{
			sets + "stackset-target/rolewarden-*", sets + "stackset/rolewarden-*", "arn:" + w.Partition + ":cloudformation:*::type/resource/*",
		}}},
		group{[]string{"organizations:"}, Statement{Sid: "Policies", Resource: []string{
			w.organizations("account/" + w.Organization + "/*"), w.organizations("ou/" + w.Organization + "/*"),
			w.organizations("policy/" + w.Organization + "/*"), w.organizations("root/" + w.Organization + "/*"),
		}}},
	)
	return out
}

// unnamed lists the calls that have no resource to name (Service Authorization
// Reference).
func unnamed() []string {
	return []string{
		"cloudformation:CreateStackSet", "cloudformation:GetTemplateSummary", "events:PutPermission", "events:RemovePermission", "kms:CreateKey",
		"kms:ListAliases", "lambda:CreateEventSourceMapping", "logs:DeleteQueryDefinition", "logs:DescribeIndexPolicies", "logs:DescribeLogGroups",
		"logs:DescribeQueryDefinitions", "logs:DescribeResourcePolicies", "logs:PutQueryDefinition", "organizations:CreatePolicy",
		"organizations:ListDelegatedAdministrators", "organizations:ListPolicies", "sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe",
	}
}

// Operator is what a person needs, or a pipeline, to run `cdk deploy` in an
// account: to take up the roles that `cdk bootstrap` made, and to deploy the
// stacks that do without them, bring back one that got stuck, and remove them. There CloudFormation works with the caller's own
// permissions, so they need Deployer too.
func Operator(w World) Document {
	stacks := []string{"arn:" + w.Partition + ":cloudformation:*:" + w.Account + ":stack/rolewarden*"}
	return document(
		Statement{Sid: "Bootstrapped", Effect: allow, Action: []string{"sts:AssumeRole"}, Resource: []string{w.iam(w.Account, "role/cdk-*")}},
		Statement{Sid: "Stacks", Effect: allow, Resource: stacks, Action: []string{
			"cloudformation:ContinueUpdateRollback", "cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "cloudformation:DeleteStack",
			"cloudformation:DescribeChangeSet", "cloudformation:DescribeEvents", "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources",
			"cloudformation:DescribeStacks", "cloudformation:ExecuteChangeSet", "cloudformation:GetTemplate", "cloudformation:RollbackStack",
			"cloudformation:UpdateTerminationProtection",
		}},
		Statement{Sid: "NoNames", Effect: allow, Action: []string{"cloudformation:GetTemplateSummary"}, Resource: []string{everything}},
		Statement{
			Sid: "BootstrapVersion", Effect: allow, Action: []string{"ssm:GetParameter"},
			Resource: []string{"arn:" + w.Partition + ":ssm:" + w.Region + ":" + w.Account + ":parameter/cdk-bootstrap/*"},
		},
	)
}

// without drops what pick would take.
func without(list, takes []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return len(pick([]string{s}, takes)) > 0 })
}
