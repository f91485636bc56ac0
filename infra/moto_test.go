package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cftypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// moto is started by the first test that asks for it, and stopped by TestMain.
var moto mototest.Server

// account is a session in one account and Region of moto's.
type account struct {
	aws.Config
	key string
}

// enter opens a session in the account that a template is for; moto keeps
// accounts apart by the role that was assumed.
func enter(t *testing.T, p placed) account {
	t.Helper()
	visit(t)
	config := moto.AWS(t)
	config.Region = p.region
	got, err := sts.NewFromConfig(config).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + p.account + ":role/deployer"), RoleSessionName: aws.String("alice"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := got.Credentials
	config.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return account{config, *c.AccessKeyId}
}

// wire makes a call for which this module has no client. Moto looks at who
// signed, not at the signature.
func (a account) wire(t *testing.T, service, method, path, target, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, moto.URL(t)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+a.key+"/20261101/"+a.Region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	req.Header.Set("X-Amz-Target", target)
	if service == "s3" {
		req.Host = "s3.amazonaws.com"
	}
	if target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode > 299 {
		t.Fatalf("%s %s %s: %s %s %v", service, method, path, answer.Status, text, err)
	}
	return string(text)
}

// bootstrap puts into the account what cdk bootstrap and cdk deploy do before
// CloudFormation: the bucket with the code.
func (a account) bootstrap(t *testing.T, p placed) {
	t.Helper()
	buckets := map[any]bool{}
	for _, r := range p.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		bucket, key := at(r.Properties, "Code", "S3Bucket"), at(r.Properties, "Code", "S3Key")
		if !buckets[bucket] {
			a.wire(t, "s3", http.MethodPut, fmt.Sprintf("/%s", bucket), "", "")
		}
		buckets[bucket] = true
		a.wire(t, "s3", http.MethodPut, fmt.Sprintf("/%s/%s", bucket, key), "", "code")
	}
}

// forMoto is the template with names in place of references to a bus, which
// moto's rules do not follow, without the mappings from queues to functions,
// for moto would run them in containers, and without the target of the schedule,
// to which moto would send every event. What is kept but for a failed creation is
// kept: moto knows the older word alone.
func (p placed) forMoto(t *testing.T) string {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal([]byte(p.text), &whole); err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for id, r := range p.Resources {
		switch r.Type {
		case "AWS::KMS::Key":
			whole["Resources"].(map[string]any)[id].(map[string]any)["DeletionPolicy"] = "Retain"
		case "AWS::Lambda::EventSourceMapping":
			delete(whole["Resources"].(map[string]any), id)
		case "AWS::Events::Rule":
			rule := whole["Resources"].(map[string]any)[id].(map[string]any)
			if bus := at(r.Properties, "EventBusName", "Ref"); bus != nil {
				rule["DependsOn"] = bus
			}
			if r.Properties["ScheduleExpression"] != nil {
				delete(rule["Properties"].(map[string]any), "Targets")
			}
		case "AWS::Events::EventBus":
			arn, err := p.attribute(id, "Arn")
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, `{"Ref":"`+id+`"}`, `"`+deployment.Bus+`"`, `{"Fn::GetAtt":["`+id+`","Arn"]}`, `"`+arn+`"`)
		}
	}
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(names...).Replace(string(text))
}

// deploy creates the stack and gives the types of resources that moto passed over.
func (a account) deploy(t *testing.T, p placed) map[string]bool {
	t.Helper()
	a.bootstrap(t, p)
	cf := cloudformation.NewFromConfig(a.Config)
	in := &cloudformation.CreateStackInput{
		StackName: aws.String(p.stack), TemplateBody: aws.String(p.forMoto(t)), Capabilities: []cftypes.Capability{cftypes.CapabilityCapabilityNamedIam},
	}
	if p.Parameters[deployment.ExternalIDParameter] != nil {
		in.Parameters = []cftypes.Parameter{{ParameterKey: aws.String(deployment.ExternalIDParameter), ParameterValue: aws.String(sampleExternalID)}}
	}
	if _, err := cf.CreateStack(t.Context(), in); err != nil {
		t.Fatalf("%s: %v", p.stack, err)
	}
	stacks, err := cf.DescribeStacks(t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(p.stack)})
	if err != nil || stacks.Stacks[0].StackStatus != cftypes.StackStatusCreateComplete {
		t.Fatalf("%s: %+v, %v", p.stack, stacks, err)
	}
	made, err := cf.DescribeStackResources(t.Context(), &cloudformation.DescribeStackResourcesInput{StackName: aws.String(p.stack)})
	if err != nil {
		t.Fatal(err)
	}
	there, lacks := map[string]bool{}, map[string]bool{}
	for _, r := range made.StackResources {
		there[aws.ToString(r.LogicalResourceId)] = true
	}
	for id, r := range p.Resources {
		if !there[id] && r.Type != "AWS::Lambda::EventSourceMapping" {
			lacks[r.Type] = true
		}
	}
	return lacks
}

// The templates are deployed into moto's CloudFormation, each in its account,
// as far as moto knows their resources; what it does not is listed. What is
// then there is what the templates say: roles with the trust policies that were
// judged, and rules that bring changes of roles, and nothing else, from the
// account and Region where they happen to the hub's intake queue.
func TestTheTemplatesDeployAndBringEventsToTheHub(t *testing.T) {
	t.Parallel()
	lacks, hub := map[string]bool{}, account{}
	for _, p := range everywhere(t) {
		a := enter(t, p)
		for kind := range a.deploy(t, p) {
			lacks[kind] = true
		}
		a.hasRoles(t, p)
		switch p.stack {
		case deployment.HubStack:
			hub = a
			a.sends(t, deployment.Bus, hub, iamCalls)
		case deployment.SingleStack:
			a.sends(t, "default", a, iamCalls)
		case deployment.MemberStackSet, deployment.ManagementStack:
			a.sends(t, "default", hub, iamCalls)
		case deployment.RegionalStackSet:
			a.sends(t, "default", hub, stsCalls)
		}
	}
	if diff := cmp.Diff(sortedKeys(motoLacks), sortedKeys(lacks)); diff != "" {
		t.Errorf("what moto passes over (-expected +now):\n%s", diff)
	}
	page := filepath.Join("testdata", "moto.md")
	if *update {
		if err := os.WriteFile(page, []byte(motoPage()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(page); err != nil || string(text) != motoPage() {
		t.Errorf("%s is old: run go test ./infra -update: %v", page, err)
	}
}

// hasRoles reads every role of the template and compares its trust policy.
func (a account) hasRoles(t *testing.T, p placed) {
	t.Helper()
	roles := iam.NewFromConfig(a.Config)
	for id, r := range p.Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		name := r.Properties["RoleName"].(string)
		got, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(name)})
		if err != nil {
			t.Errorf("%s: %s: %v", p.stack, name, err)
			continue
		}
		text, err := url.PathUnescape(*got.Role.AssumeRolePolicyDocument)
		if err != nil {
			t.Fatal(err)
		}
		want, err := p.resolve(r.Properties["AssumeRolePolicyDocument"])
		if err != nil {
			t.Fatal(err)
		}
		wanted, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if *got.Role.Path != r.Properties["Path"] || digest(t, []byte(text)) != digest(t, wanted) {
			t.Errorf("%s: the role %s of %s is\n%s %s\nand should be\n%s %s", p.stack, name, id, *got.Role.Path, text, r.Properties["Path"], wanted)
		}
	}
}

func digest(t *testing.T, text []byte) string {
	t.Helper()
	d, err := policy.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Digest("aws")
}

// call is an event that is put on a bus.
type call struct{ source, service, name, arrives string }

var (
	iamCalls = []call{
		{"aws.iam", "iam.amazonaws.com", "UpdateAssumeRolePolicy", "arrives"},
		{"acme.iam", "iam.amazonaws.com", "AcquireRole", ""},
		{"aws.iam", "iam.amazonaws.com", "PutRolePolicy", ""},
		{"aws.iam", "ec2.amazonaws.com", "DeleteRole", ""},
		{"aws.iam", "iam.amazonaws.com", "CreateRole", "arrives"},
	}
	stsCalls = []call{
		{"aws.iam", "iam.amazonaws.com", "UpdateAssumeRolePolicy", ""},
		{"aws.sts", "sts.amazonaws.com", "GetSessionToken", ""},
		{"aws.sts", "sts.amazonaws.com", "AssumeRole", "arrives"},
	}
)

// sends puts events on a bus and finds on the intake queue of an account those
// that it should.
func (a account) sends(t *testing.T, bus string, to account, calls []call) {
	t.Helper()
	var entries []ebtypes.PutEventsRequestEntry
	want := map[string]bool{}
	for _, c := range calls {
		if c.arrives != "" {
			want[c.name] = true
		}
		entries = append(entries, ebtypes.PutEventsRequestEntry{
			EventBusName: aws.String(bus), Source: aws.String(c.source), DetailType: aws.String("AWS API Call via CloudTrail"),
			Detail: aws.String(`{"eventSource":"` + c.service + `","eventName":"` + c.name + `","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/payroll-admin"}}`),
		})
	}
	sent, err := eventbridge.NewFromConfig(a.Config).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: entries})
	if err != nil || sent.FailedEntryCount > 0 {
		t.Fatalf("%+v, %v", sent, err)
	}
	queues := sqs.NewFromConfig(to.Config)
	queue, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(deployment.IntakeQueue)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, MaxNumberOfMessages: 10})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, m := range got.Messages {
		var e struct{ Detail struct{ EventName string } }
		if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
			t.Fatal(err)
		}
		names[e.Detail.EventName] = true
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("from the bus %s in %s arrive (-want +got):\n%s", bus, a.Region, diff)
	}
}
