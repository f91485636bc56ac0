package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// nagLine is a line of cdk-nag's report.
type nagLine struct{ RuleID, ResourceID, Compliance, ExceptionReason, RuleInfo string }

// nagged gives cdk-nag's report on a way to deploy, as a reviewer gets it with
// -c nag=on, and on the templates of the StackSets.
func nagged(t *testing.T, file, way string) []nagLine {
	t.Helper()
	d := load1(t, file, way)
	code, err := buildAssets(t.Context(), stub{filepath.Join(t.TempDir(), "code")}, d)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := plainly(func() error {
		app := newApp(out, map[string]any{"nag": "on"})
		if d.Way == deployment.Members {
			for _, m := range memberTemplates(d) {
				m.fill(awscdk.NewStack(app, str(m.name), &awscdk.StackProps{Synthesizer: plain()}), d)
			}
		}
		return synthesize(app, d, code)
	}); err != nil {
		t.Fatal(err)
	}
	reports, err := filepath.Glob(filepath.Join(out, "*NagReport.json"))
	if err != nil || len(reports) < 2 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	var lines []nagLine
	for _, report := range reports {
		text, err := os.ReadFile(report)
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Lines []nagLine }
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, r.Lines...)
	}
	return lines
}

// cdk-nag's rules of AWS Solutions and of NIST 800-53 R5 find nothing in any
// stack that is not acknowledged with a reason, every acknowledgement is still
// needed, and each reason is one that a reviewer can weigh.
func TestCDKNagFindsNothingThatIsNotAcknowledged(t *testing.T) {
	used, good := map[string]bool{}, 0
	for _, one := range [][2]string{{"organization.yaml", "hub"}, {"organization.yaml", "members"}, {"single.yaml", ""}} {
		for _, l := range nagged(t, one[0], one[1]) {
			switch l.Compliance {
			case "Compliant":
				good++
			case "Suppressed":
				// Where an acknowledgement is narrowed, cdk-nag puts the finding before the reason.
				_, reason, narrowed := strings.Cut(l.ExceptionReason, "] ")
				if !narrowed {
					reason = l.ExceptionReason
				}
				used[l.RuleID+": "+reason] = true
			default:
				t.Errorf("%s: %s is %s: %s", l.ResourceID, l.RuleID, l.Compliance, l.RuleInfo)
			}
		}
	}
	if good < 200 {
		t.Errorf("cdk-nag found only %d things in order: did it look?", good)
	}
	for _, a := range acknowledgements() {
		for _, rule := range a.rules {
			if !used[rule+": "+a.reason] {
				t.Errorf("%s is acknowledged for %v and no longer found: take that away", rule, a.of)
			}
		}
		if strings.Count(a.reason, " ") < 10 || !strings.HasSuffix(a.reason, ".") {
			t.Errorf("%v: %q is no reason", a.rules, a.reason)
		}
	}
}

// An acknowledgement covers what it names: a policy that says more is found.
func TestCDKNagFindsWhatIsNotAcknowledged(t *testing.T) {
	out := t.TempDir()
	if err := plainly(func() error {
		app := newApp(out, nil)
		stack := awscdk.NewStack(app, str("wrong"), nil)
		newWrongRole(stack)
		inspect(app, deployment.Hub)
		app.Synth(nil)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "AwsSolutions--wrong-NagReport.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"Non-Compliant"`) {
		t.Errorf("a role that may do anything is in order:\n%s", text)
	}
}

// newWrongRole adds a role of an acknowledged name with a star too many.
func newWrongRole(stack awscdk.Stack) {
	awsiam.NewCfnRole(stack, str("GuardRole"), &awsiam.CfnRoleProps{
		AssumeRolePolicyDocument: object(map[string]any{"Version": "2012-10-17", "Statement": []any{}}),
		Policies: []any{&awsiam.CfnRole_PolicyProperty{PolicyName: str("wrong"), PolicyDocument: object(map[string]any{
			"Version":   "2012-10-17",
			"Statement": []any{map[string]any{"Effect": "Allow", "Action": "iam:GetRole", "Resource": "arn:aws:iam::111122223333:role/*"}},
		})}},
	})
}
