package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// explained are the findings of the outside judges that stand, by tool and
// issue: in which documents, about what, and why that is meant. One that is no
// longer found has to go.
var explained = []struct {
	tool, issue string
	// where and detail are regular expressions.
	where, detail string
	reason        string
}{
	{
		"parliament", "CREDENTIALS_EXPOSURE", ` (Guard|Canary|Sweep)Role\.`, `^\["sts:assumerole"\]$`,
		"Assuming the member roles is what these functions are for. It is pinned to roles of fixed names under /rolewarden/ and, in an organization, to that organization.",
	},
	{
		"cloudsplaining", "credentials exposure", ` (Guard|Canary|Sweep)Role\.`, `^sts:AssumeRole$`,
		"The same: the member roles that can be assumed are named, and ask for the external id.",
	},
	{
		"cloudsplaining", "data exfiltration", ` NotifyRole\.`, `^secretsmanager:GetSecretValue$`,
		"Notify reads one secret, the Slack webhook, and no other function can.",
	},
	{
		"parliament", "RESOURCE_STAR", ` (Guard|Canary|Sweep)Role\.`, `^\["organizations:`,
		"Organizations has no resource to name for what is asked of it here; the calls only read.",
	},
	{
		"parliament", "PERMISSIONS_MANAGEMENT_ACTIONS", ` (Remediator|CanaryWriter)Role\.`, `^\["iam:(putrolepermissionsboundary|updateassumerolepolicy)"(, "iam:(putrolepermissionsboundary|updateassumerolepolicy)")?\]$`,
		"Replacing trust policies, and setting AWSDenyAll as a boundary, is what the remediator is for; the guarded roles and every permission policy are denied to it. The canary's writer may do it to the canary's own role alone.",
	},
	{
		"cloudsplaining", "permissions management", ` (Remediator|CanaryWriter)Role\.`, `^iam:(UpdateAssumeRolePolicy|PutRolePermissionsBoundary)$`,
		"The same. No other boundary than AWSDenyAll can be set. A session is narrowed to one role's ARN besides.",
	},
	{
		"parliament", "MISMATCHED_TYPE_BUT_USABLE", ` RemediatorRole\.`, `^Type mismatch: String(Not)?Equals requires a value of type String but given Arn$`,
		"The boundary is compared with one ARN as a text, as the guide does it, since nothing in it is to be a pattern (IAM User Guide, access_policies_boundaries, delegating with a boundary).",
	},
	{
		"cloudsplaining", "privilege escalation", ` CanaryWriterRole\.`, `^UpdateRolePolicyToAssumeIt: `,
		"The one role that it may change has no permissions, and the SCP keeps others from giving it any.",
	},
	{
		"cloudsplaining", "not action", ` (Reader|Remediator|CanaryWriter)Role\.`, `'Effect': 'Deny'`,
		"It is a Deny of everything but what the role is for, so that no other policy of the account can make it more.",
	},
	{
		"parliament", "RESOURCE_STAR", `(Data|Seal)Key\.KeyPolicy$`, `^\["kms:`,
		"In the policy of a key the star is that key alone (AWS KMS Developer Guide, key-policy-overview).",
	},
	{
		"parliament", "PERMISSIONS_MANAGEMENT_ACTIONS", `(Data|Seal)Key\.KeyPolicy$`, `kms:putkeypolicy`,
		"The account administers its own key; without that nobody could mend the key's policy.",
	},
	{
		"parliament", "MISMATCHED_TYPE", `DataKey\.KeyPolicy$`, `ArnLike requires a value of type Arn but given String`,
		"CloudWatch Logs gives the log group's ARN as its encryption context, which is of type String by the book; its guide compares it with ArnLike (Amazon CloudWatch Logs User Guide, encrypt-log-data-kms).",
	},
}

// judged is a finding of an outside judge.
type judged struct{ Name, Tool, Issue, Detail string }

// judgePolicies has parliament and cloudsplaining judge documents.
func judgePolicies(t *testing.T, documents map[string]map[string]any) []judged {
	t.Helper()
	python := toolstest.Program(t, "python")
	in, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, filepath.Join("..", ".ci", "tools", "judge_policies.py"))
	var complaints strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), &complaints
	said, err := cmd.Output()
	var out []judged
	if err == nil {
		err = json.Unmarshal(said, &out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	return out
}

// Two judges that this project did not write read every document that says who
// may do what: parliament its wording (actions, resources and condition keys that
// do not go together), cloudsplaining its reach. What they find is explained.
func TestOutsideJudgesFindNothingInThePoliciesThatIsNotExplained(t *testing.T) {
	t.Parallel()
	in := map[string]map[string]any{}
	for _, d := range documents(t) {
		switch d.kind {
		case permissionDocument:
			in[d.where] = map[string]any{"kind": "permission", "document": d.value}
		case resourceDocument, organizationDocument:
			in[d.where] = map[string]any{"kind": "resource", "document": d.value}
		case trustDocument, unknownDocument: // access, proof and the rules judge those
		}
	}
	used := make([]bool, len(explained))
	for _, f := range judgePolicies(t, in) {
		known := false
		for i, e := range explained {
			if e.tool == f.Tool && e.issue == f.Issue && regexp.MustCompile(e.where).MatchString(f.Name) && regexp.MustCompile(e.detail).MatchString(f.Detail) {
				known, used[i] = true, true
			}
		}
		if !known {
			t.Errorf("%s: %s finds %s: %s", f.Name, f.Tool, f.Issue, f.Detail)
		}
	}
	for i, e := range explained {
		if !used[i] {
			t.Errorf("%s finds no %s about %s any more: take the explanation away", e.tool, e.issue, e.where)
		}
		if strings.Count(e.reason, " ") < 5 || !strings.HasSuffix(e.reason, ".") {
			t.Errorf("%s %s: %q is no reason", e.tool, e.issue, e.reason)
		}
	}
}

// The judges do find what is wrong: silence means something.
func TestTheOutsideJudgesFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	wrong := func(statement string) map[string]any {
		var s any
		if err := json.Unmarshal([]byte(statement), &s); err != nil {
			t.Fatal(err)
		}
		return map[string]any{"kind": "permission", "document": map[string]any{"Version": "2012-10-17", "Statement": []any{s}}}
	}
	found := map[string]bool{}
	for _, f := range judgePolicies(t, map[string]map[string]any{
		"a slip":       wrong(`{"Effect":"Allow","Action":"dynamodb:GetItems","Resource":"*"}`),
		"a mismatch":   wrong(`{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"arn:aws:sqs:us-east-1:111122223333:q"}`),
		"a wrong key":  wrong(`{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:111122223333:q","Condition":{"StringEquals":{"iam:PassedToService":"x"}}}`),
		"a pass":       wrong(`{"Effect":"Allow","Action":["iam:PassRole","lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}`),
		"a wide write": wrong(`{"Effect":"Allow","Action":"iam:PutRolePolicy","Resource":"arn:aws:iam::111122223333:role/*"}`),
	}) {
		found[f.Name] = true
	}
	for _, name := range []string{"a slip", "a mismatch", "a wrong key", "a pass", "a wide write"} {
		if !found[name] {
			t.Errorf("neither judge finds %s", name)
		}
	}
}

// unknownToParliament are actions that are newer than parliament's list, or that
// it asks more of than AWS does. It stops at the first, so they are left out for it.
var unknownToParliament = []string{"lambda:GetFunctionScalingConfig", "dynamodb:GetResourcePolicy"}

// What a deployer is told to allow goes together, and everything in it that a
// judge warns of is what deploying takes. Its reach is said on the operator's page:
// who makes roles and writes their policies can give itself anything in that
// account, so the role is for CloudFormation alone.
func TestTheDeployersPermissionsAreJudgedToo(t *testing.T) {
	t.Parallel()
	meant := map[string]string{
		"parliament PERMISSIONS_MANAGEMENT_ACTIONS": "it makes roles, keys, queues and topics with their policies, of rolewarden's names alone",
		"parliament PRIVILEGE_ESCALATION":           "it makes roles and the functions that use them",
		"cloudsplaining permissions management":     "it makes roles, keys, queues and topics with their policies, of rolewarden's names alone",
		"cloudsplaining privilege escalation":       "it makes roles and the functions that use them",
		"cloudsplaining data exfiltration":          "Lambda's code lies in the CDK's bucket, and CloudFormation reads the empty secret",
	}
	in := map[string]map[string]any{}
	for _, way := range []string{"hub", "members"} {
		d := grants.Deployer(worldOf(load1(t, "organization.yaml", way)))
		for i := range d.Statement {
			d.Statement[i].Action = slices.DeleteFunc(slices.Clone(d.Statement[i].Action), func(a string) bool { return slices.Contains(unknownToParliament, a) })
		}
		in[way] = map[string]any{"kind": "permission", "document": d.Value()}
	}
	used := map[string]bool{}
	for _, f := range judgePolicies(t, in) {
		used[f.Tool+" "+f.Issue] = true
		if meant[f.Tool+" "+f.Issue] == "" {
			t.Errorf("%s: %s finds %s: %s", f.Name, f.Tool, f.Issue, f.Detail)
		}
	}
	for _, what := range sortedKeys(meant) {
		if !used[what] {
			t.Errorf("%s is not found any more", what)
		}
	}
}
