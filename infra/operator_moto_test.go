package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// elsewhere are the accounts that the operator of these tests has in moto, in
// place of those of the templates, in which other tests deploy.
var elsewhere = strings.NewReplacer(
	"555555555555", "222222222222", "999999999999", "888888888888", "111122223333", "333333333333", "444455556666", "777788889999",
)

// operated gives the templates of an organization and of a single account, in
// the accounts of the operator of these tests, by the names of their stacks.
func operated(t *testing.T) map[string]placed {
	t.Helper()
	management := load1(t, "organization.yaml", "hub").Rules.Organization.Management
	out := map[string]placed{}
	for _, p := range everywhere(t) {
		if strings.HasPrefix(p.stack, deployment.ManagementStack) {
			p.account = management
		}
		p.text, p.account, p.stackTemplate = elsewhere.Replace(p.text), elsewhere.Replace(p.account), stackTemplate{}
		if err := json.Unmarshal([]byte(p.text), &p.stackTemplate); err != nil {
			t.Fatal(err)
		}
		out[p.stack] = p
	}
	return out
}

// removal is the order in which the page has the stacks removed. The instances of
// a StackSet go with it.
func removal() []string {
	const abroad = "-eu-west-1"
	return []string{
		deployment.MembersStack, deployment.RegionalStackSet, deployment.CanaryStackSet, deployment.MemberStackSet,
		deployment.ManagementStack + abroad, deployment.ManagementStack,
		deployment.HubStack,
		deployment.SingleStack + abroad, deployment.SingleStack,
	}
}

// Step 10: when the stacks are removed in the order of the page, no account has
// a role or a rule of rolewarden's left, in any Region, nor anything else: what
// stays is what the page says, the ledger's table and the keys. Moto knows no
// StackSets in templates; their instances are stacks of their own here.
func TestTheOperatorRemovesEverythingButTheLedgerAndItsKeys(t *testing.T) {
	t.Parallel()
	all := operated(t)
	if diff := cmp.Diff(sortedKeys(all), slices.Sorted(slices.Values(removal()))); diff != "" {
		t.Fatalf("the stacks that there are, and those that are removed:\n%s", diff)
	}
	seats, there := map[string]account{}, 0
	for _, name := range slices.Backward(removal()) {
		p := all[name]
		a := enter(t, p)
		a.deploy(t, p)
		seats[p.account+" "+p.region] = a
		there += len(a.holds(t))
	}
	if there < 20 {
		t.Fatalf("only %d things were there to be removed", there)
	}
	for _, name := range removal() {
		a := seats[all[name].account+" "+all[name].region]
		if _, err := cloudformation.NewFromConfig(a.Config).DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String(name)}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	keeps := []string{all[deployment.HubStack].account + " us-east-1", all[deployment.SingleStack].account + " us-east-1"}
	for place, a := range seats {
		var want []string
		if slices.Contains(keeps, place) {
			want = []string{"key", "key", "table " + deployment.Table}
		}
		if diff := cmp.Diff(want, a.holds(t)); diff != "" {
			t.Errorf("in %s there is left (-want +got):\n%s", place, diff)
		}
	}
	hub := all[deployment.HubStack]
	seats[hub.account+" "+hub.region].cleans(t, hub)
}

// cleans does in the hub what the page says of the table and the keys: while the
// table is there the stack cannot be made again, and it goes only when its
// protection is taken off.
func (a account) cleans(t *testing.T, hub placed) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	stacks := cloudformation.NewFromConfig(a.Config)
	again := func() error {
		_, err := stacks.CreateStack(t.Context(), &cloudformation.CreateStackInput{
			StackName: aws.String(hub.stack), TemplateBody: aws.String(hub.forMoto(t)), Capabilities: []cftypes.Capability{cftypes.CapabilityCapabilityNamedIam},
			Parameters: []cftypes.Parameter{{ParameterKey: aws.String(deployment.ExternalIDParameter), ParameterValue: aws.String(sampleExternalID)}},
		})
		return err
	}
	if again() == nil {
		t.Error("the hub was deployed anew beside the table of before")
	}
	_, err := stacks.DeleteStack(t.Context(), &cloudformation.DeleteStackInput{StackName: aws.String(hub.stack)})
	must(err)
	tables, table := dynamodb.NewFromConfig(a.Config), aws.String(deployment.Table)
	if _, err := tables.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table}); err == nil {
		t.Error("the table is not protected")
	}
	_, err = tables.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(false)})
	must(err)
	_, err = tables.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table})
	must(err)
	for _, key := range a.lists(t, "kms", http.MethodPost, "/", "TrentService.ListKeys", "Keys", "KeyId") {
		a.wire(t, "kms", http.MethodPost, "/", "TrentService.ScheduleKeyDeletion", `{"KeyId":"`+key+`","PendingWindowInDays":7}`)
	}
	must(again())
}

// holds lists what there is of rolewarden's in an account and Region.
func (a account) holds(t *testing.T) []string {
	t.Helper()
	var out []string
	add := func(kind string, names ...string) {
		for _, name := range names {
			out = append(out, strings.TrimSpace(kind+" "+name))
		}
	}
	for _, path := range []string{deployment.Path, deployment.CanaryPath} {
		roles, err := iam.NewFromConfig(a.Config).ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: aws.String(path)})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range roles.Roles {
			add("role", *r.RoleName)
		}
	}
	events := eventbridge.NewFromConfig(a.Config)
	buses, err := events.ListEventBuses(t.Context(), &eventbridge.ListEventBusesInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bus := range buses.EventBuses {
		if *bus.Name != "default" {
			add("bus", *bus.Name)
		}
		rules, err := events.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: bus.Name})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules.Rules {
			add("rule", *r.Name)
		}
	}
	for _, one := range []struct{ kind, service, target, list, name string }{
		{"table", "dynamodb", "DynamoDB_20120810.ListTables", "TableNames", ""},
		{"log group", "logs", "Logs_20140328.DescribeLogGroups", "logGroups", "logGroupName"},
		{"queue", "sqs", "AmazonSQS.ListQueues", "QueueUrls", ""},
		{"key", "kms", "TrentService.ListKeys", "Keys", "-"},
	} {
		add(one.kind, a.lists(t, one.service, http.MethodPost, "/", one.target, one.list, one.name)...)
	}
	topics, err := sns.NewFromConfig(a.Config).ListTopics(t.Context(), &sns.ListTopicsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range topics.Topics {
		add("topic", *one.TopicArn)
	}
	add("function", a.lists(t, "lambda", http.MethodGet, "/2015-03-31/functions/", "", "Functions", "FunctionName")...)
	slices.Sort(out)
	return out
}

// lists gives the names in a list that a service answers with.
func (a account) lists(t *testing.T, service, method, path, target, list, name string) []string {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = "{}"
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(a.wire(t, service, method, path, target, body)), &answer); err != nil {
		t.Fatal(err)
	}
	found, _ := answer[list].([]any)
	var out []string
	for _, one := range found {
		text, _ := one.(string)
		if name != "" {
			text, _ = at(one, name).(string)
		}
		out = append(out, text)
	}
	return out
}
