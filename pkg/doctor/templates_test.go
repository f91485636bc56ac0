package doctor_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// templates are those that the CDK app renders, as its own tests keep them.
const templates = "../../infra/testdata/"

// rendered is a template with what the doctor looks at in it.
type rendered struct {
	Outputs   map[string]struct{ Value any }
	Resources map[string]struct {
		Type       string
		Properties map[string]any
	}
}

func template(t *testing.T, name string) rendered {
	t.Helper()
	text, err := os.ReadFile(templates + name + ".template.json")
	if err != nil {
		t.Fatal(err)
	}
	var out rendered
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// arn says which ARN a value of a template stands for.
func (r rendered) arn(t *testing.T, v any, who string) string {
	t.Helper()
	switch v := v.(type) {
	case string:
		// The sample for one account is for another one than the tests' hub.
		return strings.Replace(v, ":"+prod+":", ":"+hub+":", 1)
	case map[string]any:
		if parts, ok := v["Fn::Join"].([]any); ok {
			var b strings.Builder
			for _, part := range parts[1].([]any) {
				b.WriteString(r.arn(t, part, who))
			}
			return b.String()
		}
		id, ok := v["Ref"].(string)
		if !ok {
			id = v["Fn::GetAtt"].([]any)[0].(string)
		}
		if id == "AWS::AccountId" {
			return who
		}
		for kind, at := range map[string]string{"AWS::SQS::Queue": "sqs QueueName", "AWS::SNS::Topic": "sns TopicName", "AWS::Lambda::Function": "lambda FunctionName"} {
			if service, name, _ := strings.Cut(at, " "); r.Resources[id].Type == kind {
				of := r.Resources[id].Properties[name].(string)
				if service == "lambda" {
					of = "function:" + of
				}
				return here(service, of)
			}
		}
	}
	t.Fatalf("%v stands for nothing known", v)
	return ""
}

// deploy puts what a template makes into an account, in place of what the tests
// think it makes.
func (a *account) deploy(t *testing.T, r rendered, region string) {
	t.Helper()
	text := func(p map[string]any, name string) string { s, _ := p[name].(string); return s }
	for _, one := range r.Resources {
		p := one.Properties
		switch one.Type {
		case "AWS::CloudWatch::Alarm":
			m := p
			if several, ok := p["Metrics"].([]any); ok {
				m = several[0].(map[string]any)["MetricStat"].(map[string]any)["Metric"].(map[string]any)
			}
			alarm := doctor.Alarm{Name: text(p, "AlarmName"), State: "OK", Metric: text(m, "Namespace") + " " + text(m, "MetricName")}
			for _, action := range p["AlarmActions"].([]any) {
				alarm.Actions = append(alarm.Actions, r.arn(t, action, hub))
			}
			a.alarms = append(a.alarms, alarm)
		case "AWS::SQS::Queue":
			a.queues[text(p, "QueueName")] = 0
		case "AWS::Events::EventBusPolicy":
			policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{p["Statement"]}})
			if err != nil {
				t.Fatal(err)
			}
			a.buses[region+"/rolewarden"] = doctor.Bus{Name: "rolewarden", Policy: string(policy)}
		case "AWS::Events::Rule":
			a.rule(t, r, p, region)
		case "AWS::CloudFormation::StackSet":
			a.stackSet(p)
		}
	}
}

func (a *account) rule(t *testing.T, r rendered, p map[string]any, region string) {
	t.Helper()
	bus := "default"
	if p["EventBusName"] != nil {
		bus = "rolewarden"
	}
	pattern, err := json.Marshal(p["EventPattern"])
	if err != nil {
		t.Fatal(err)
	}
	one := doctor.Rule{Name: p["Name"].(string), State: p["State"].(string), Pattern: string(pattern)}
	one.Schedule, _ = p["ScheduleExpression"].(string)
	for _, target := range p["Targets"].([]any) {
		target := target.(map[string]any)
		to := doctor.Target{ARN: r.arn(t, target["Arn"], a.caller.Account)}
		if target["Input"] != nil {
			to.Input = doctor.Transformed
		}
		if target["RoleArn"] != nil {
			to.Role = r.arn(t, target["RoleArn"], a.caller.Account)
		}
		if dead, ok := target["DeadLetterConfig"].(map[string]any); ok {
			to.DeadLetters = r.arn(t, dead["Arn"], a.caller.Account)
		}
		one.Targets = append(one.Targets, to)
	}
	a.rules[region+"/"+bus+"/"+one.Name] = one
}

func (a *account) stackSet(p map[string]any) {
	name := p["StackSetName"].(string)
	set := doctor.StackSet{Name: name, Status: "ACTIVE", Permission: p["PermissionModel"].(string), AutoDeploy: "disabled", Drift: "IN_SYNC", DriftAt: today()}
	if p["AutoDeployment"].(map[string]any)["Enabled"] == true {
		set.AutoDeploy = "enabled"
	}
	group := p["StackInstancesGroup"].([]any)[0].(map[string]any)
	for _, target := range group["DeploymentTargets"].(map[string]any)["OrganizationalUnitIds"].([]any) {
		set.Targets = append(set.Targets, target.(string))
	}
	a.sets[name] = set
	for _, region := range group["Regions"].([]any) {
		for _, id := range []string{hub, prod, test} {
			a.instances[name] = append(a.instances[name], doctor.Instance{Account: id, Region: region.(string), Status: "CURRENT"})
		}
	}
}

// What the CDK app renders is what the doctor asks for: names, patterns, bus
// policy, targets, alarms, StackSets and outputs.
func TestWhatTheAppDeploysIsWhatTheDoctorLooksFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, way string
		seat      doctor.Seat
		who       string
		regions   map[string][]string // the templates of each Region
	}{
		{"single.yaml", "single", doctor.Hub, hub, map[string][]string{usEast: {"single/rolewarden"}, "eu-west-1": {"single/rolewarden-eu-west-1"}}},
		{"organization.yaml", "hub", doctor.Hub, hub, map[string][]string{usEast: {"hub/rolewarden-hub", "members/rolewarden-members"}}},
		{"organization.yaml", "members", doctor.Management, boss, map[string][]string{usEast: {"members/rolewarden-management"}, "eu-west-1": {"members/rolewarden-management-eu-west-1"}}},
		{"organization.yaml", "members", doctor.Member, prod, map[string][]string{usEast: {"members/rolewarden-member"}, "eu-west-1": {"members/rolewarden-member-regional"}}},
	} {
		d, err := deployment.Load(templates+"deployments/"+c.file, deployment.Override{Way: c.way}, today())
		if err != nil {
			t.Fatal(err)
		}
		d.Account = hub
		a := well(d, c.who)
		a.stacks["rolewarden-eu-west-1"] = doctor.Stack{Name: "rolewarden-eu-west-1", Status: "CREATE_COMPLETE"}
		a.units["ou-abcd-22222222"] = "more"
		a.attached["r-abcd/RESOURCE_CONTROL_POLICY"] = []string{"rolewarden-rcp"}
		a.alarms, a.queues = nil, map[string]int{}
		clear(a.rules)
		clear(a.buses)
		clear(a.sets)
		clear(a.instances)
		for region, names := range c.regions {
			for _, name := range names {
				r := template(t, name)
				a.deploy(t, r, region)
				if c.seat == doctor.Hub && strings.HasPrefix(name, "hub/") && r.Outputs[doctor.RulesHashOutput].Value == nil {
					t.Errorf("the output %s is missing in %s", doctor.RulesHashOutput, name)
				}
			}
		}
		for id, r := range examine(t, d, a, doctor.After, c.seat) {
			if r.State == doctor.OK || r.State == doctor.Skipped || id == "accounts" {
				continue
			}
			t.Errorf("%s, %s: %s is %s: %q", c.way, c.seat, id, r.State, r.Found)
		}
	}
}
