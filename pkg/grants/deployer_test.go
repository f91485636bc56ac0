package grants_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// forMembers are the types that only the stacks for the members have.
func forMembers() []string {
	return []string{"AWS::CloudFormation::StackSet", "AWS::Organizations::Policy"}
}

// CloudFormation may do what the types of resources ask for, each on some
// resource, and nothing else: what is needed and nowhere allowed would end a
// deployment in its midst.
func TestTheDeployerMayMakeEveryResourceAndNoMore(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		var want []string
		for resourceType, needs := range grants.DeployerTable() {
			if w.Organization == "" && slices.Contains(forMembers(), resourceType) {
				continue
			}
			want = append(want, needs...)
			one := slices.Clone(needs)
			slices.Sort(one)
			if diff := cmp.Diff(slices.Compact(one), allowed(grants.Deployer(w, resourceType))); diff != "" {
				t.Errorf("%s in %s (-needed +allowed):\n%s", resourceType, name, diff)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(slices.Compact(want), allowed(grants.Deployer(w))); diff != "" {
			t.Errorf("%s (-needed +allowed):\n%s", name, diff)
		}
	}
}

func TestAnUnknownTypeGetsNothing(t *testing.T) {
	t.Parallel()
	if d := grants.Deployer(commercial(t), "AWS::EC2::Instance"); len(d.Statement) > 0 {
		t.Error(d.JSON())
	}
}

// What deploys the hub fits a managed policy, which `cdk bootstrap` takes as
// CloudFormation's execution policy; so does what deploys the members.
func TestTheDeployersDocumentFitsAManagedPolicy(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		w.Organization = "o-" + strings.Repeat("a", 32)
		hub := slices.DeleteFunc(slices.Collect(maps.Keys(grants.DeployerTable())), func(s string) bool { return slices.Contains(forMembers(), s) })
		for _, types := range [][]string{hub, append(forMembers(), "AWS::IAM::Role", "AWS::Events::Rule")} {
			if n := grants.Deployer(w, types...).Size(); n > grants.MaxManaged {
				t.Errorf("%s: %d characters for %v; a managed policy has %d at most", name, n, types, grants.MaxManaged)
			}
		}
	}
}

// T75: whoever deploys rolewarden reaches no other role, no other key's content
// and no other function, queue, table or rule by it. That is no bound on the
// deployer: the roles it makes may do what it writes into them, which the
// operator's page says.
func TestTheDeployerReachesRolewardensOwnOnly(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	w.Account = hub
	d := judged(t, grants.Deployer(w))
	arn := func(service, region, resource string) string {
		return "arn:aws:" + service + ":" + region + ":" + hub + ":" + resource
	}
	via := func(v string) map[string]string {
		return map[string]string{"kms:ViaService": v + ".us-east-1.amazonaws.com"}
	}
	to := func(v string) map[string]string {
		return map[string]string{"iam:PassedToService": v + ".amazonaws.com"}
	}
	for _, tt := range []struct {
		action, resource string
		context          map[string]string
		want             judge.Effect
	}{
		{"iam:CreateRole", arn("iam", "", "role/rolewarden/rolewarden-guard-fn"), nil, judge.Allow},
		{"iam:CreateRole", arn("iam", "", "role/rolewarden-canary/rolewarden-canary-target"), nil, judge.Allow},
		{"iam:CreateRole", arn("iam", "", "role/app"), nil, judge.Neither},
		{"iam:AttachRolePolicy", arn("iam", "", "role/rolewarden/rolewarden-guard-fn"), nil, judge.Neither},
		{"iam:DeleteRolePermissionsBoundary", arn("iam", "", "role/rolewarden/rolewarden-guard-fn"), nil, judge.Neither},
		{"iam:PutRolePolicy", arn("iam", "", "role/rolewarden-x"), nil, judge.Neither},
		{"iam:PassRole", arn("iam", "", "role/rolewarden/rolewarden-guard-fn"), to("lambda"), judge.Allow},
		{"iam:PassRole", arn("iam", "", "role/rolewarden/rolewarden-guard-fn"), to("ec2"), judge.Neither},
		{"iam:PassRole", arn("iam", "", "role/Admin"), to("lambda"), judge.Neither},
		{"kms:Decrypt", arn("kms", "us-east-1", "key/1"), via("dynamodb"), judge.Allow},
		{"kms:Decrypt", arn("kms", "us-east-1", "key/1"), nil, judge.Neither},
		{"kms:CreateGrant", arn("kms", "us-east-1", "key/1"), via("ec2"), judge.Neither},
		{"kms:PutKeyPolicy", arn("kms", "us-east-1", "key/1"), nil, judge.Allow},
		{"lambda:CreateFunction", arn("lambda", "us-east-1", "function:rolewarden-guard"), nil, judge.Allow},
		{"lambda:UpdateFunctionCode", arn("lambda", "us-east-1", "function:payroll"), nil, judge.Neither},
		{"events:PutRule", arn("events", "us-east-1", "rule/rolewarden/rolewarden-intake"), nil, judge.Allow},
		{"events:PutRule", arn("events", "eu-west-1", "rule/rolewarden-assume-role-1"), nil, judge.Allow},
		{"events:PutRule", arn("events", "us-east-1", "rule/payroll"), nil, judge.Neither},
		{"sqs:CreateQueue", arn("sqs", "us-east-1", "rolewarden-intake"), nil, judge.Allow},
		{"sqs:SetQueueAttributes", arn("sqs", "us-east-1", "payroll"), nil, judge.Neither},
		{"sqs:ReceiveMessage", arn("sqs", "us-east-1", "rolewarden-intake"), nil, judge.Neither},
		{"dynamodb:CreateTable", arn("dynamodb", "us-east-1", "table/rolewarden-ledger"), nil, judge.Allow},
		{"dynamodb:GetItem", arn("dynamodb", "us-east-1", "table/rolewarden-ledger"), nil, judge.Neither},
		{"logs:CreateLogGroup", arn("logs", "us-east-1", "log-group:/aws/lambda/rolewarden-guard"), nil, judge.Allow},
		{"logs:DeleteLogGroup", arn("logs", "us-east-1", "log-group:/aws/lambda/payroll"), nil, judge.Neither},
		{"secretsmanager:GetSecretValue", arn("secretsmanager", "us-east-1", "secret:rolewarden/slack-webhook-AbCdEf"), nil, judge.Allow},
		{"secretsmanager:GetSecretValue", arn("secretsmanager", "us-east-1", "secret:payroll-AbCdEf"), nil, judge.Neither},
		{"cloudformation:CreateStackInstances", "arn:aws:cloudformation:us-east-1:999999999999:stackset/rolewarden-member:1234", nil, judge.Allow},
		{"cloudformation:CreateStackInstances", "arn:aws:cloudformation:us-east-1:999999999999:stackset/payroll:1234", nil, judge.Neither},
		{"organizations:AttachPolicy", "arn:aws:organizations::999999999999:ou/o-exampleorgid/ou-abcd-11111111", nil, judge.Allow},
		{"organizations:AttachPolicy", "arn:aws:organizations::999999999999:ou/o-stranger00/ou-abcd-11111111", nil, judge.Neither},
	} {
		if got := d.Identity(judge.Request{Action: tt.action, Resource: tt.resource, Context: context(tt.context)}).Effect; got != tt.want {
			t.Errorf("%s on %s with %v: %s, want %s", tt.action, tt.resource, tt.context, got, tt.want)
		}
	}
}

// Whoever deploys takes up the CDK's roles of their account, and makes, changes,
// brings back and removes rolewarden's stacks there; no other role and no other
// stack is theirs by it, and what a stack holds is not either.
func TestTheOperatorDeploysRolewardensStacksAndNoOthers(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		d := judged(t, grants.Operator(w))
		role := func(account, name string) string { return roleARN(w, account, name) }
		stack := func(account, name string) string {
			return "arn:" + w.Partition + ":cloudformation:" + w.Region + ":" + account + ":stack/" + name + "/5f3c9a2e"
		}
		parameter := "arn:" + w.Partition + ":ssm:" + w.Region + ":" + w.Account + ":parameter"
		type asked struct {
			action, resource string
			want             judge.Effect
		}
		asks := []asked{
			{"sts:AssumeRole", role(w.Account, "cdk-hnb659fds-deploy-role-"+w.Account+"-"+w.Region), judge.Allow},
			{"sts:AssumeRole", role(w.Account, "cdk-hnb659fds-file-publishing-role-"+w.Account+"-"+w.Region), judge.Allow},
			{"sts:AssumeRole", role(w.Account, "cdk-hnb659fds-lookup-role-"+w.Account+"-"+w.Region), judge.Allow},
			{"sts:AssumeRole", role(w.Account, "Admin"), judge.Neither},
			{"sts:AssumeRole", role(w.Account, "rolewarden/"+deployment.GuardRole), judge.Neither},
			{"sts:AssumeRole", role(acme, "cdk-hnb659fds-deploy-role-"+acme+"-"+w.Region), judge.Neither},
			{"ssm:GetParameter", parameter + "/cdk-bootstrap/hnb659fds/version", judge.Allow},
			{"ssm:GetParameter", parameter + "/payroll/password", judge.Neither},
			{"cloudformation:GetTemplateSummary", "*", judge.Allow},
			{"iam:CreateRole", role(w.Account, "rolewarden/"+deployment.GuardRole), judge.Neither},
		}
		for _, call := range []string{"CreateChangeSet", "DescribeChangeSet", "ExecuteChangeSet", "DeleteChangeSet", "DescribeStacks", "DescribeStackEvents", "GetTemplate", "DeleteStack", "UpdateTerminationProtection", "ContinueUpdateRollback"} {
			for _, name := range []string{deployment.SingleStack, deployment.HubStack, deployment.MembersStack, deployment.ManagementStack, deployment.ManagementStack + "-eu-west-1"} {
				asks = append(asks, asked{"cloudformation:" + call, stack(w.Account, name), judge.Allow})
			}
			asks = append(asks, asked{"cloudformation:" + call, stack(w.Account, "payroll"), judge.Neither}, asked{"cloudformation:" + call, stack(acme, deployment.HubStack), judge.Neither})
		}
		for _, a := range asks {
			if got := d.Identity(judge.Request{Action: a.action, Resource: a.resource, Context: context(nil)}).Effect; got != a.want {
				t.Errorf("%s: %s on %s: %s, want %s", world, a.action, a.resource, got, a.want)
			}
		}
	}
}

// judged reads a document with the lab's own evaluator.
func judged(t testing.TB, d grants.Document) *judge.Policy {
	t.Helper()
	p, err := judge.Parse([]byte(d.JSON()))
	if err != nil {
		t.Fatalf("%v: %s", err, d.JSON())
	}
	return p
}

func context(keys map[string]string) judge.Context {
	c := judge.NewContext()
	for k, v := range keys {
		c.Set(k, v)
	}
	return c
}
