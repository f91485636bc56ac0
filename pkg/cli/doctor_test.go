package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	organizationstypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// webhook is a secret that must be nowhere in the output.
const webhook = "https://hooks.slack.com/services/T0EXAMPLE/B0EXAMPLE/notforanyone"

// patientFile is a deployment file with its rules file, and an account in moto.
type patientFile struct {
	path  string
	rules *org.Rules
	aws   aws.Config
	id    string
}

// admit writes the two files, and gives the command the account's credentials.
func admit(t *testing.T, cfg aws.Config, account, rules, more string) patientFile {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("rules.yaml", rules)
	p := patientFile{aws: cfg, id: account}
	p.path = write("deployment.yaml", "version: 1\naccount: \""+account+"\"\nrules: rules.yaml\nslack: present\n"+more)
	p.enter(t)
	var err error
	p.rules, err = org.Parse("rules.yaml", []byte(rules), time.Now())
	fine(t, err)
	return p
}

// enter gives the command the account's credentials, and nothing of whoever
// runs the test.
func (p patientFile) enter(t *testing.T) {
	t.Helper()
	keys, err := p.aws.Credentials.Retrieve(t.Context())
	fine(t, err)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": *p.aws.BaseEndpoint, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN": keys.SessionToken, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_PROFILE": "",
	} {
		t.Setenv(name, value)
	}
}

// states runs the doctor and gives each check's state.
func (p patientFile) states(t *testing.T, args ...string) (states map[string]string, status int) {
	t.Helper()
	out, errs, status := run("", append([]string{"doctor", "--deployment", p.path, "--format", "json"}, args...)...)
	if errs != "" {
		t.Errorf("on standard error: %s", errs)
	}
	schema, err := compiled("doctor")
	fine(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(out))
	fine(t, err)
	if err := schema.Validate(value); err != nil {
		t.Errorf("the output does not obey its schema: %v\n%s", err, out)
	}
	if strings.Contains(out, "notforanyone") {
		t.Errorf("the webhook is shown: %s", out)
	}
	var result struct {
		Checks []struct {
			Check, State string
			Found        []string
		}
	}
	fine(t, json.Unmarshal([]byte(out), &result))
	states = map[string]string{}
	for _, c := range result.Checks {
		states[c.Check] = c.State
		if c.State != "ok" && c.State != "skipped" {
			t.Logf("%s %s: %q", c.State, c.Check, c.Found)
		}
	}
	return states, status
}

// reset empties moto, which is one for all tests.
func reset(t *testing.T) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, motoServer.URL(t)+"/moto-api/reset", nil)
	fine(t, err)
	answer, err := http.DefaultClient.Do(r)
	fine(t, err)
	fine(t, answer.Body.Close())
}

func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The command tells a new user what to do before the first deployment, and is
// content with what it finds after it; as far as moto goes, which knows neither
// Lambda's quotas nor how the SDK speaks with CloudWatch.
func TestDoctorOfOneAccount(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, "123456789012", "version: 1\n", "way: single\n")
	organizationOnly := []string{"accounts", "bus-policy", "coverage", "delegated-administrator", "forward-rule", "guardrails", "management-account", "organization", "policy-types", "stack-instances", "stackset", "targets", "trusted-access"}
	want := map[string]string{"identity": "ok", "region": "ok", "rules-file": "ok", "cdk-bootstrap": "problem", "trail": "problem", "trail-reads": "skipped", "stack": "ok", "leftovers": "ok", "lambda-concurrency": "unknown"}
	for _, id := range append(organizationOnly, "rules-hash", "intake-rule", "assume-role-rules", "schedules", "alarms", "sweep", "subscriptions", "dead-letters", "slack-secret", "kill-switch") {
		want[id] = "skipped"
	}
	text, errs, _ := run("", "doctor", "--deployment", p.path, "--when", "before")
	for _, words := range []string{
		"skipped  10 checks: It is looked at after the deployment.\n         rules-hash, intake-rule,", "skipped  13 checks: It does not concern the way single.\n         organization,",
		"\nskipped  trail-reads ", ", 24 skipped",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the text lacks %q:\n%s", words, text)
		}
	}
	if n := strings.Count(text, "\nskipped "); n != 3 || errs != "" {
		t.Errorf("what is skipped takes %d lines, on standard error %q:\n%s", n, errs, text)
	}
	states, status := p.states(t, "--when", "before")
	if d := cmp.Diff(want, states); d != "" || status != 1 {
		t.Errorf("before, with status %d (-want +got):\n%s", status, d)
	}

	p.prepare(t)
	want["cdk-bootstrap"], want["trail"] = "ok", "ok"
	states, status = p.states(t, "--when", "before")
	if d := cmp.Diff(want, states); d != "" || status != 2 {
		t.Errorf("prepared, with status %d (-want +got):\n%s", status, d)
	}

	p.deploy(t, deployment.SingleStack, "default", trail.Patterns(trail.PatternOptions{})[0])
	for _, id := range []string{"rules-hash", "intake-rule", "schedules", "subscriptions", "dead-letters", "slack-secret", "kill-switch"} {
		want[id] = "ok"
	}
	want["leftovers"], want["lambda-concurrency"], want["alarms"], want["sweep"] = "skipped", "skipped", "unknown", "unknown"
	states, status = p.states(t)
	if d := cmp.Diff(want, states); d != "" || status != 2 {
		t.Errorf("after, with status %d (-want +got):\n%s", status, d)
	}

	text, errs, status = run("", "doctor", "--deployment", p.path)
	for _, words := range []string{"way single, account 123456789012, us-east-1; after the deployment", "unknown  alarms", "looked at: the alarms", "ok       trail", "0 problem, 2 unknown, 0 warning"} {
		if !strings.Contains(text, words) {
			t.Errorf("the text lacks %q:\n%s", words, text)
		}
	}
	if errs != "" || status != 2 || strings.Contains(text, "notforanyone") || strings.Contains(text, "\x1b") {
		t.Errorf("status %d, on standard error %q; the text is\n%s", status, errs, text)
	}
}

// prepare does what has to be there before: a trail, and the CDK's own stack.
func (p patientFile) prepare(t *testing.T) {
	t.Helper()
	bucket, err := http.NewRequestWithContext(t.Context(), http.MethodPut, *p.aws.BaseEndpoint+"/trail-of-"+p.id, nil)
	fine(t, err)
	bucket.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261120/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x")
	answer, err := http.DefaultClient.Do(bucket)
	fine(t, err)
	fine(t, answer.Body.Close())
	trails := cloudtrail.NewFromConfig(p.aws)
	_, err = trails.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{
		Name: aws.String("all-of-it"), S3BucketName: aws.String("trail-of-" + p.id), IsMultiRegionTrail: aws.Bool(true), IsOrganizationTrail: aws.Bool(true),
	})
	fine(t, err)
	_, err = trails.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: aws.String("all-of-it")})
	fine(t, err)
	p.stack(t, "CDKToolkit", "BootstrapVersion", "25")
}

// schedules are those that a file without words on them asks for.
func (p patientFile) schedules() []deployment.Schedule {
	return (&deployment.Deployment{CanaryEvery: deployment.DefaultCanaryMinutes * time.Minute, SweepEvery: deployment.DefaultSweepHours * time.Hour}).Schedules()
}

// stack makes a stack with one output.
func (p patientFile) stack(t *testing.T, name, output, value string) {
	t.Helper()
	template := fmt.Sprintf(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"of-stack-%s"}}},"Outputs":{%q:{"Value":%q}}}`, name, output, value)
	_, err := cloudformation.NewFromConfig(p.aws).CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(template)})
	fine(t, err)
}

// deploy makes what the doctor looks at, as the stack of the functions does.
func (p patientFile) deploy(t *testing.T, stack, bus, pattern string) {
	t.Helper()
	p.stack(t, stack, doctor.RulesHashOutput, p.rules.Hash)
	arn := func(service, name string) string { return "arn:aws:" + service + ":us-east-1:" + p.id + ":" + name }
	events := eventbridge.NewFromConfig(p.aws)
	_, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(deployment.IntakeRule), EventBusName: aws.String(bus), EventPattern: aws.String(pattern)})
	fine(t, err)
	_, err = events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(deployment.IntakeRule), EventBusName: aws.String(bus), Targets: []eventbridgetypes.Target{{
		Id: aws.String("intake"), Arn: aws.String(arn("sqs", deployment.IntakeQueue)), DeadLetterConfig: &eventbridgetypes.DeadLetterConfig{Arn: aws.String(arn("sqs", deployment.RuleDLQ))},
	}}})
	fine(t, err)
	for _, s := range p.schedules() {
		_, err := events.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String(s.Rule), ScheduleExpression: aws.String(s.Expression())})
		fine(t, err)
		to := eventbridgetypes.Target{Id: aws.String("f"), Arn: aws.String(arn("lambda", "function:"+s.Function)), DeadLetterConfig: &eventbridgetypes.DeadLetterConfig{Arn: aws.String(arn("sqs", deployment.RuleDLQ))}}
		if s.Input != "" {
			to.Input = aws.String(s.Input)
		}
		_, err = events.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String(s.Rule), Targets: []eventbridgetypes.Target{to}})
		fine(t, err)
	}
	for _, name := range []string{deployment.RuleDLQ, deployment.IntakeQueue + deployment.DLQ, deployment.LaterQueue + deployment.DLQ, deployment.AlertQueue + deployment.DLQ, deployment.SweepQueue, deployment.SweepQueue + deployment.DLQ} {
		_, err := sqs.NewFromConfig(p.aws).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(name)})
		fine(t, err)
	}
	for _, name := range []string{deployment.AlertTopic, deployment.AlarmTopic} {
		topics := sns.NewFromConfig(p.aws)
		topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String(name)})
		fine(t, err)
		_, err = topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("email"), Endpoint: aws.String("security@acme.example")})
		fine(t, err)
	}
	_, err = secretsmanager.NewFromConfig(p.aws).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String(deployment.SlackSecret), SecretString: aws.String(webhook)})
	fine(t, err)
	_, err = dynamodb.NewFromConfig(p.aws).CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(deployment.Table), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: "HASH"}, {AttributeName: aws.String("sk"), KeyType: "RANGE"}},
	})
	fine(t, err)
}

// The command looks at an organization. In moto only the management account
// sees it, so that is the hub here, which the command says is wrong. Nor does
// moto know delegated administrators of StackSets, automatic deployment, and how
// the SDK speaks with CloudWatch.
func TestDoctorOfAnOrganization(t *testing.T) {
	const hub = "123456789012"
	root := motoServer.AWS(t)
	reset(t)
	boss := organizations.NewFromConfig(root)
	made, err := boss.CreateOrganization(t.Context(), &organizations.CreateOrganizationInput{FeatureSet: organizationstypes.OrganizationFeatureSetAll})
	fine(t, err)
	prod := member(t, boss, "prod")
	roots, err := boss.ListRoots(t.Context(), &organizations.ListRootsInput{})
	fine(t, err)
	rules := fmt.Sprintf("version: 1\norganization:\n  id: %s\n  management: %q\n  accounts:\n    - id: %q\n      name: security\n", *made.Organization.Id, prod, hub)
	p := admit(t, root, hub, rules, "way: hub\nmembers:\n  targets: ["+*roots.Roots[0].Id+"]\n")
	expect := func(status int, want map[string]string, args ...string) {
		t.Helper()
		states, got := p.states(t, args...)
		for id, state := range want {
			if states[id] != state {
				t.Errorf("%s is %s, want %s", id, states[id], state)
			}
		}
		if got != status {
			t.Errorf("the status is %d, want %d", got, status)
		}
	}
	expect(1, map[string]string{
		"identity": "ok", "organization": "problem", "accounts": "ok", "targets": "ok", "trusted-access": "problem",
		"delegated-administrator": "unknown", "stack": "ok", "leftovers": "ok", "bus-policy": "skipped",
	}, "--when", "before")
	// Each account has its own moto, as it were: the member's is empty.
	p.aws = as(t, root, prod)
	p.enter(t)
	expect(1, map[string]string{"identity": "ok", "trail": "problem", "forward-rule": "problem", "stack": "skipped", "alarms": "skipped"}, "--at", "member")

	p.aws = root
	p.enter(t)
	_, err = boss.EnableAWSServiceAccess(t.Context(), &organizations.EnableAWSServiceAccessInput{ServicePrincipal: aws.String("member.org.stacksets.cloudformation.amazonaws.com")})
	fine(t, err)
	p.hub(t, *made.Organization.Id)
	expect(1, map[string]string{
		"trusted-access": "ok", "stack": "ok", "rules-hash": "ok", "bus-policy": "ok", "intake-rule": "ok", "dead-letters": "ok",
		"stackset": "problem", "stack-instances": "ok", "coverage": "problem", "management-account": "warning", "alarms": "unknown", "forward-rule": "skipped",
	})
}

// hub deploys what the hub has in an organization, with one of two accounts covered.
func (p patientFile) hub(t *testing.T, organization string) {
	t.Helper()
	events := eventbridge.NewFromConfig(p.aws)
	_, err := events.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: aws.String(deployment.Bus)})
	fine(t, err)
	policy := grants.Bus(grants.World{Partition: "aws", Region: "us-east-1", Hub: p.id, Organization: organization})
	_, err = events.PutPermission(t.Context(), &eventbridge.PutPermissionInput{EventBusName: aws.String(deployment.Bus), Policy: aws.String(policy.JSON())})
	fine(t, err)
	p.deploy(t, deployment.HubStack, deployment.Bus, trail.Patterns(trail.PatternOptions{})[0])
	p.stack(t, deployment.MembersStack, "None", "none")
	sets := cloudformation.NewFromConfig(p.aws)
	for _, name := range []string{deployment.MemberStackSet, deployment.CanaryStackSet} {
		template := fmt.Sprintf(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":"of-set-%s"}}}}`, name)
		_, err = sets.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String(name), TemplateBody: aws.String(template)})
		fine(t, err)
		_, err = sets.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String(name), Accounts: []string{p.id}, Regions: []string{"us-east-1"}})
		fine(t, err)
	}
}

// member adds an account to moto's organization.
func member(t *testing.T, boss *organizations.Client, name string) string {
	t.Helper()
	made, err := boss.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String(name), Email: aws.String(name + "@acme.example")})
	fine(t, err)
	return *made.CreateAccountStatus.AccountId
}

// as gives the credentials of another account in moto.
func as(t *testing.T, root aws.Config, account string) aws.Config {
	t.Helper()
	out, err := sts.NewFromConfig(root).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/admin"), RoleSessionName: aws.String("alice")})
	fine(t, err)
	cfg := root.Copy()
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken}, nil
	})
	return cfg
}

// In the lab, which knows neither CloudTrail nor CloudFormation, what cannot be
// looked at is unknown and never fine, with the status that says so.
func TestDoctorInTheLabIsSureOfNothingItCannotSee(t *testing.T) {
	const hub, boss = "111122223333", "999999999999"
	l, err := lab.New(lab.Config{
		OrganizationID: "o-exampleorgid", ManagementAccount: boss, DelegatedAdministrators: []string{hub},
		Accounts: []lab.Account{{ID: hub, Name: "security"}, {ID: boss, Name: "root"}},
	})
	fine(t, err)
	server, err := l.Start("127.0.0.1:0")
	fine(t, err)
	t.Cleanup(func() { fine(t, server.Close()) })
	c, err := l.Admin(hub)
	fine(t, err)
	l.Secret(hub, deployment.SlackSecret, webhook)
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}, nil
	})}
	p := admit(t, cfg, hub, "version: 1\norganization:\n  id: o-exampleorgid\n  management: \""+boss+"\"\n  accounts:\n    - id: \""+hub+"\"\n      name: security\n", "way: hub\nmembers:\n  targets: [r-abcd]\n")
	states, status := p.states(t)
	want := map[string]string{"identity": "ok", "region": "ok", "rules-file": "ok", "organization": "ok", "accounts": "ok", "slack-secret": "ok", "dead-letters": "problem"}
	for id, state := range states {
		switch {
		case want[id] != "" && state != want[id]:
			t.Errorf("%s is %s, want %s", id, state, want[id])
		case want[id] == "" && state == "ok":
			t.Errorf("%s is ok, which the lab cannot know", id)
		}
	}
	if status != 1 {
		t.Errorf("the status is %d", status)
	}
}

// Whoever has no credentials is told so in one line, with what to do, and
// without what the SDK tried on its way there.
func TestWithoutCredentialsOneIsToldWhatToDo(t *testing.T) {
	nothing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(nothing.Close)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		fine(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	write("rules.yaml", "version: 1\n")
	file := write("deployment.yaml", "version: 1\nway: single\naccount: \"123456789012\"\nrules: rules.yaml\n")
	sso := write("sso", "[profile signed-out]\nsso_start_url=https://acme.awsapps.com/start\nsso_region=us-east-1\nsso_account_id=111122223333\nsso_role_name=x\n")
	for _, c := range []struct{ profile, config, retries, want string }{
		{"", "none", "", "no AWS credentials were found: set AWS_PROFILE to a profile that has some, or sign in"},
		{"nope", "none", "", `there is no AWS profile "nope": set AWS_PROFILE to one that aws configure list-profiles shows`},
		{"signed-out", sso, "", "using the AWS credentials that were found: "},
		{"", "none", "never", "reading your AWS settings: "},
	} {
		for name, value := range map[string]string{
			"HOME": dir, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": c.profile, "AWS_CONFIG_FILE": c.config, "AWS_SHARED_CREDENTIALS_FILE": "none",
			"AWS_RETRY_MODE": c.retries, "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": nothing.URL,
		} {
			t.Setenv(name, value)
		}
		for _, args := range [][]string{{"doctor"}, {"writes", "show"}} {
			var out, errs string
			var status int
			sdk := standardError(t, func() { out, errs, status = run("", append(args, "--deployment", file)...) })
			if status != 3 || out != "" || sdk != "" || !strings.HasPrefix(errs, "rolewarden: "+c.want) || strings.Count(errs, "\n") != 1 {
				t.Errorf("%v with the profile %q: status %d, on standard output %q, on standard error %q, and past it %q; want %q", args, c.profile, status, out, errs, sdk, c.want)
			}
		}
	}
}

// standardError gives what is written to the process's own standard error,
// where the SDK's log goes.
func standardError(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	fine(t, err)
	before := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = before }()
	f()
	fine(t, file.Close())
	text, err := os.ReadFile(file.Name())
	fine(t, err)
	return string(text)
}
