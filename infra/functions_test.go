package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

func TestEveryFunctionHasItsOwnRoleAndLogGroup(t *testing.T) {
	for stack, tpl := range cores(t) {
		roles, logs := map[string]string{}, map[string]string{}
		for id, f := range of(t, tpl, "AWS::Lambda::Function") {
			name := shown(f.Properties["FunctionName"])
			role := referred(f.Properties["Role"])
			if other, taken := roles[role]; taken {
				t.Errorf("%s: %s and %s share the role %s", stack, id, other, role)
			}
			roles[role] = id
			group := referred(at(f.Properties, "LoggingConfig", "LogGroup"))
			if other, taken := logs[group]; taken {
				t.Errorf("%s: %s and %s share the log group %s", stack, id, other, group)
			}
			logs[group] = id
			g := tpl.Resources[group]
			if g.Properties["LogGroupName"] != "/aws/lambda/"+name || referred(g.Properties["KmsKeyId"]) != "DataKey" || number(t, g.Properties["RetentionInDays"]) < 1 {
				t.Errorf("%s: the log group of %s is %v", stack, id, g.Properties)
			}
			if at(f.Properties, "LoggingConfig", "LogFormat") != "JSON" {
				t.Errorf("%s: %s does not log as JSON", stack, id)
			}
			if referred(f.Properties["KmsKeyArn"]) != "DataKey" {
				t.Errorf("%s: the settings of %s are not encrypted with the data key", stack, id)
			}
			if f.Properties["Runtime"] != "provided.al2023" || f.Properties["Handler"] != "bootstrap" {
				t.Errorf("%s: %s runs on %v %v", stack, id, f.Properties["Runtime"], f.Properties["Handler"])
			}
			if m := number(t, f.Properties["MemorySize"]); m < 128 || m > 256 {
				t.Errorf("%s: %s has %v MB", stack, id, m)
			}
			if at(f.Properties, "TracingConfig", "Mode") != "PassThrough" {
				t.Errorf("%s: %s is traced", stack, id)
			}
		}
		d, err := load("organization.yaml", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range d.Functions() {
			named(t, tpl, "AWS::Lambda::Function", "FunctionName", name)
		}
		if len(roles) != len(d.Functions()) {
			t.Errorf("%s has %d functions, want %d", stack, len(roles), len(d.Functions()))
		}
	}
}

// The roles of the functions are named in the members' trust policies.
func TestTheRolesOfFunctionsBearTheNamesThatMembersTrust(t *testing.T) {
	for _, tpl := range cores(t) {
		for function, role := range map[string]string{
			deployment.GuardFunction: deployment.GuardRole, deployment.NotifyFunction: deployment.NotifyRole, deployment.CanaryFunction: deployment.CanaryRole,
			deployment.SweepFunction: deployment.SweepRole,
		} {
			f := named(t, tpl, "AWS::Lambda::Function", "FunctionName", function)
			r := tpl.Resources[referred(f.Properties["Role"])]
			if r.Properties["RoleName"] != role || r.Properties["Path"] != deployment.Path {
				t.Errorf("%s runs as %v%v", function, r.Properties["Path"], r.Properties["RoleName"])
			}
		}
	}
}

// Steps go from guard to guard, and what is left of an account from sweep to
// sweep: Lambda would take them for a runaway loop and stop them. Everything else
// that feeds itself is one.
func TestOnlyGuardAndSweepMayFeedThemselves(t *testing.T) {
	for stack, tpl := range cores(t) {
		for id, f := range of(t, tpl, "AWS::Lambda::Function") {
			want := "Terminate"
			if name := f.Properties["FunctionName"]; name == deployment.GuardFunction || name == deployment.SweepFunction {
				want = "Allow"
			}
			if f.Properties["RecursiveLoop"] != want {
				t.Errorf("%s: %s: %v", stack, id, f.Properties["RecursiveLoop"])
			}
		}
	}
}

// setting is what a function may be told by its environment.
var setting = regexp.MustCompile(`"(ROLEWARDEN_[A-Z_]+)"`)

// A function that lacks a setting does not start, and one that nobody reads
// looks as if it did something.
func TestFunctionsAreToldWhatTheyAskFor(t *testing.T) {
	// What has a default that fits, or stands in another's place.
	optional := []string{
		"ROLEWARDEN_RULES", "ROLEWARDEN_READER_ROLE", "ROLEWARDEN_REMEDIATOR_ROLE",
		"ROLEWARDEN_TARGETS", "ROLEWARDEN_ACCOUNTS", "ROLEWARDEN_MANAGEMENT", "ROLEWARDEN_PARTITION",
	}
	for stack, tpl := range cores(t) {
		for function, folder := range map[string]string{
			deployment.GuardFunction: "guard", deployment.NotifyFunction: "notify", deployment.CanaryFunction: "canary",
			deployment.SweepFunction: "sweep",
		} {
			asks := settingsOf(t, filepath.Join("..", "functions", folder))
			f := named(t, tpl, "AWS::Lambda::Function", "FunctionName", function)
			told, _ := at(f.Properties, "Environment", "Variables").(map[string]any)
			for name := range told {
				if !asks[name] {
					t.Errorf("%s: %s is told %s, which it does not read", stack, function, name)
				}
			}
			for name := range asks {
				if _, ok := told[name]; !ok && !slices.Contains(optional, name) {
					t.Errorf("%s: %s reads %s, which it is not told", stack, function, name)
				}
			}
		}
	}
}

func settingsOf(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range setting.FindAllStringSubmatch(string(text), -1) {
			out[m[1]] = true
		}
	}
	if len(out) == 0 {
		t.Fatalf("%s reads no setting", folder)
	}
	return out
}

// T14: the canary asks for the accounts that ought to be covered, not for those
// that the StackSet says it covers, and for the one that StackSets skip.
func TestTheCanaryAsksForEveryAccountThatOughtToBeCovered(t *testing.T) {
	environment := func(stack string) any {
		return at(named(t, cores(t)[stack], "AWS::Lambda::Function", "FunctionName", deployment.CanaryFunction).Properties, "Environment", "Variables")
	}
	hub := environment(deployment.HubStack)
	if at(hub, "ROLEWARDEN_TARGETS") != "ou-abcd-11111111,ou-abcd-22222222" || at(hub, "ROLEWARDEN_MANAGEMENT") != "999999999999" || at(hub, "ROLEWARDEN_ACCOUNTS") != nil {
		t.Errorf("the hub's canary is told %v", hub)
	}
	single := environment(deployment.SingleStack)
	if at(single, "ROLEWARDEN_ACCOUNTS") != "111122223333" || at(single, "ROLEWARDEN_TARGETS") != nil {
		t.Errorf("the single account's canary is told %v", single)
	}
}

// The canary and the sweep come as often as the file says, alerts that wait are
// sent again within minutes, and each function is started by its own schedules and
// by nobody else.
func TestSchedulesStartFunctionsAsOftenAsTheFileSays(t *testing.T) {
	for stack, rates := range map[string]map[string]string{
		deployment.HubStack:    {deployment.CanaryRule: "rate(60 minutes)", deployment.SweepRule: "rate(360 minutes)", deployment.DeliverRule: "rate(5 minutes)"},
		deployment.SingleStack: {deployment.CanaryRule: "rate(15 minutes)", deployment.SweepRule: "rate(60 minutes)", deployment.DeliverRule: "rate(5 minutes)"},
	} {
		tpl, starts := cores(t)[stack], map[string]string{}
		for _, p := range of(t, tpl, "AWS::Lambda::Permission") {
			_, rule, found := strings.Cut(shown(p.Properties["SourceArn"]), ":rule/")
			if !found || p.Properties["SourceAccount"] == nil || p.Properties["Principal"] != "events.amazonaws.com" || starts[rule] != "" {
				t.Errorf("%s: %v may start a function", stack, p.Properties)
			}
			starts[rule] = referred(p.Properties["FunctionName"])
		}
		if len(starts) != len(rates) {
			t.Errorf("%s: functions are started by %v", stack, sortedKeys(starts))
		}
		for name, want := range rates {
			rule := named(t, tpl, "AWS::Events::Rule", "Name", name)
			targets, _ := rule.Properties["Targets"].([]any)
			if rule.Properties["ScheduleExpression"] != want || rule.Properties["State"] != "ENABLED" || rule.Properties["EventBusName"] != nil || len(targets) != 1 {
				t.Errorf("%s: %v", stack, rule.Properties)
				continue
			}
			function := deployment.SweepFunction
			if name == deployment.CanaryRule {
				function = deployment.CanaryFunction
			}
			if to := referred(at(targets[0], "Arn")); to != starts[name] || tpl.Resources[to].Properties["FunctionName"] != function {
				t.Errorf("%s: %s starts %s, and may start %s", stack, name, to, starts[name])
			}
			// The sweep tells the two apart by this.
			if input := at(targets[0], "Input"); (input == `{"deliver":true}`) != (name == deployment.DeliverRule) || input != nil && name != deployment.DeliverRule {
				t.Errorf("%s: %s hands on %v", stack, name, input)
			}
		}
	}
}

// An alert that waits for its delivery does not wait for the accounts of a sweep:
// the sweep's queue may not take all runs that the function has for itself.
func TestASweepLeavesRoomForAlertsThatWait(t *testing.T) {
	tpl := cores(t)[deployment.HubStack]
	f := named(t, tpl, "AWS::Lambda::Function", "FunctionName", deployment.SweepFunction)
	most := 0.0
	for _, m := range of(t, tpl, "AWS::Lambda::EventSourceMapping") {
		if tpl.Resources[referred(m.Properties["FunctionName"])].Properties["FunctionName"] == deployment.SweepFunction {
			most += number(t, at(m.Properties, "ScalingConfig", "MaximumConcurrency"))
			if number(t, m.Properties["BatchSize"]) > 1 && !slices.Contains(listOf(m.Properties["FunctionResponseTypes"]), "ReportBatchItemFailures") {
				t.Errorf("an account that fails brings back others: %v", m.Properties)
			}
		}
	}
	if reserved := number(t, f.Properties["ReservedConcurrentExecutions"]); most == 0 || most >= reserved {
		t.Errorf("the queue takes %v of the %v runs", most, reserved)
	}
}

// What nobody asked for is not there: Slack's parts, and the role that may write.
func TestWithoutSlackAndRemediatorTheirPartsAreAbsent(t *testing.T) {
	d, err := load("single.yaml", "")
	if err != nil {
		t.Fatal(err)
	}
	d.Slack, d.Remediator, d.AssumeRoleRegions, d.AlarmEmails = deployment.Absent, deployment.Absent, nil, nil
	a, err := render(d)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.templates) != 1 {
		t.Errorf("the stacks are %v", sortedKeys(a.templates))
	}
	text := a.files[deployment.SingleStack+".template.json"]
	for _, word := range []string{deployment.NotifyFunction, deployment.AlertQueue + deployment.DLQ, deployment.SlackSecret, "AWS::SecretsManager", "AWS::SNS::Subscription", `"RoleName": "` + deployment.RemediatorRole, "AssumeRole1Rule", deployment.EventsRole} {
		if strings.Contains(text, word) {
			t.Errorf("the template speaks of %s", word)
		}
	}
}
