package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/rolewarden/rolewarden/pkg/grants"
	lab "github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// bootstrapRoles gives the roles that the pinned `cdk bootstrap` makes, by the last
// word of their names, with their names and with what their policies allow.
func bootstrapRoles(t *testing.T, account, region string) (names map[string]string, may map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(cdk(t)), "..", "aws-cdk", "lib", "api", "bootstrap", "bootstrap-template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tpl struct {
		Resources map[string]struct {
			Type       string         `yaml:"Type"`
			Properties map[string]any `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &tpl); err != nil {
		t.Fatal(err)
	}
	names, may = map[string]string{}, map[string][]string{}
	for id, r := range tpl.Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		name, _ := at(r.Properties, "RoleName", "Fn::Sub").(string)
		names[id] = strings.NewReplacer("${Qualifier}", "hnb659fds", "${AWS::AccountId}", account, "${AWS::Region}", region).Replace(name)
		policies, _ := r.Properties["Policies"].([]any)
		for _, p := range policies {
			for _, s := range statements(t, at(p, "PolicyDocument")) {
				may[id] = append(may[id], listOf(s["Action"])...)
			}
		}
	}
	if len(names) < 5 || len(may["DeploymentActionRole"]) < 10 {
		t.Fatalf("cdk bootstrap makes the roles %v, of which that for deploying may %v", names, may["DeploymentActionRole"])
	}
	return names, may
}

// forOthers are calls of the CDK's own role for deploying that rolewarden's
// operator does without.
var forOthers = map[string]string{
	"cloudformation:CreateStack":          "cdk deploy works with change sets; this is for --method=direct",
	"cloudformation:UpdateStack":          "cdk deploy works with change sets; this is for --method=direct",
	"cloudformation:CreateStackRefactor":  "this is for cdk refactor, which moves resources from stack to stack",
	"cloudformation:ExecuteStackRefactor": "this is for cdk refactor, which moves resources from stack to stack",
}

// The operator of a stack that needs no bootstrap may do there what the CDK lets
// its own role for deploying do, and may take up the roles that bootstrap makes:
// `cdk deploy` and `cdk destroy` call nothing else.
func TestTheOperatorMayDoWhatTheCommandLineDoes(t *testing.T) {
	t.Parallel()
	for _, p := range everywhere(t) {
		w := worldOf(load1(t, "organization.yaml", "hub"))
		w.Account = p.account
		operator, err := lab.Parse([]byte(grants.Operator(w).JSON()))
		if err != nil {
			t.Fatal(err)
		}
		may := func(action, resource string) bool {
			return operator.Identity(lab.Request{Action: action, Resource: resource, Context: lab.NewContext()}).Effect == lab.Allow
		}
		names, calls := bootstrapRoles(t, p.account, p.region)
		for id, name := range names {
			// CloudFormation alone takes up the one that it deploys with.
			if id != "CloudFormationExecutionRole" && !may("sts:AssumeRole", "arn:aws:iam::"+p.account+":role/"+name) {
				t.Errorf("the operator of %s may not take up %s", p.account, name)
			}
		}
		for _, call := range slices.Compact(slices.Sorted(slices.Values(calls["DeploymentActionRole"]))) {
			if strings.HasPrefix(call, "cloudformation:") && forOthers[call] == "" && !may(call, "arn:aws:cloudformation:"+p.region+":"+p.account+":stack/"+p.stack+"/5f3c9a2e") {
				t.Errorf("the operator of %s may not %s, and the CDK's role for deploying may", p.stack, call)
			}
		}
	}
}
