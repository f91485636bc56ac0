package grants_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// allowed gives the actions that a document allows, each once, sorted.
func allowed(d grants.Document) []string {
	var out []string
	for _, s := range d.Statement {
		if s.Effect == "Allow" {
			out = append(out, s.Action...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// T75: a function's role may do what its code calls and what AWS does with the
// role for a reason that is listed, and nothing else. A call that the policy
// does not allow fails, and so does an allowed action that nobody makes.
func TestAFunctionMayMakeItsOwnCallsAndNoOthers(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		for _, f := range functions() {
			want := actions.Permissions(f, actions.Own)
			if w.Organization == "" {
				// Nobody asks Organizations where there is none.
				want = slices.DeleteFunc(want, func(a string) bool { return strings.HasPrefix(a, "organizations:") })
			}
			for _, r := range grants.Indirect() {
				if slices.Contains(r.Functions, f) {
					want = append(want, r.Action)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), allowed(grants.Function(w, f, resources(w, f)))); diff != "" {
				t.Errorf("%s in %s: its calls (-), its permissions (+):\n%s", f, name, diff)
			}
		}
	}
}

// T75: the same for the sessions in member accounts.
func TestASessionMayMakeItsOwnCallsAndNoOthers(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		for _, s := range []struct {
			functions []string
			under     actions.Session
			document  grants.Document
		}{
			{[]string{actions.Guard, actions.Sweep}, actions.Reader, grants.Reader(w)},
			{[]string{actions.Guard}, actions.Writer, grants.Remediator(w)},
			{[]string{actions.Canary}, actions.CanaryWriter, grants.CanaryWriter(w)},
		} {
			var want []string
			for _, f := range s.functions {
				want = append(want, actions.Permissions(f, s.under)...)
			}
			slices.Sort(want)
			want = slices.Compact(want)
			if diff := cmp.Diff(want, allowed(s.document)); diff != "" {
				t.Errorf("the %s in %s: its calls (-), its permissions (+):\n%s", s.under, name, diff)
			}
			if never := find(t, s.document, "Never"); never.Effect != "Deny" || !cmp.Equal(never.NotAction, want) {
				t.Errorf("the %s in %s is not kept from all other calls: %v", s.under, name, never)
			}
		}
	}
}

// The same once more, spelled out: what each function may do, and on what.
func TestEachCallIsMadeOnItsOwnResources(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	const (
		hubIs = ":us-east-1:" + hub + ":"
		table = "arn:aws:dynamodb" + hubIs + "table/rolewarden-ledger"
		topic = "arn:aws:sns" + hubIs + "rolewarden-alerts"
		in    = "arn:aws:sqs" + hubIs + "rolewarden-intake"
		later = "arn:aws:sqs" + hubIs + "rolewarden-later"
		told  = "arn:aws:sqs" + hubIs + "rolewarden-alerts"
		key   = "arn:aws:kms" + hubIs + "key/1234abcd-12ab-34cd-56ef-1234567890ab"
		seal  = "arn:aws:kms" + hubIs + "key/8765dcba-12ab-34cd-56ef-1234567890ab"
		swept = "arn:aws:sqs" + hubIs + "rolewarden-sweep"
		logs  = "arn:aws:logs" + hubIs + "log-group:/aws/lambda/rolewarden-"
		roles = "arn:aws:iam::*:role/rolewarden/rolewarden-"
	)
	both := []string{roles + "reader", roles + "remediator"}
	units := []string{"arn:aws:organizations::*:ou/o-exampleorgid/*", "arn:aws:organizations::*:root/o-exampleorgid/*"}
	want := map[string]map[string][]string{
		actions.Guard: {
			"sts:AssumeRole": both, "sts:SetSourceIdentity": both, "organizations:DescribeAccount": {"*"},
			"dynamodb:GetItem": {table}, "dynamodb:BatchGetItem": {table}, "dynamodb:Query": {table}, "dynamodb:PutItem": {table},
			"dynamodb:UpdateItem": {table}, "dynamodb:DeleteItem": {table}, "dynamodb:ConditionCheckItem": {table}, "sns:Publish": {topic}, "sqs:SendMessage": {later},
			"sqs:ReceiveMessage": {in, later}, "sqs:DeleteMessage": {in, later}, "sqs:GetQueueAttributes": {in, later},
			"logs:CreateLogStream": {logs + "guard:*"}, "logs:PutLogEvents": {logs + "guard:*"},
			"kms:Decrypt": {key}, "kms:GenerateDataKey": {key}, "kms:VerifyMac": {seal},
		},
		actions.Sweep: {
			"sts:AssumeRole": {roles + "reader"}, "sts:SetSourceIdentity": {roles + "reader"},
			"organizations:DescribeAccount": {"*"}, "organizations:ListAccounts": {"*"},
			"dynamodb:GetItem": {table}, "dynamodb:BatchGetItem": {table}, "dynamodb:Query": {table}, "dynamodb:PutItem": {table},
			"dynamodb:UpdateItem": {table}, "dynamodb:DeleteItem": {table}, "dynamodb:ConditionCheckItem": {table}, "sns:Publish": {topic}, "sqs:SendMessage": {later, swept},
			"sqs:ReceiveMessage": {swept}, "sqs:DeleteMessage": {swept}, "sqs:GetQueueAttributes": {swept},
			"logs:CreateLogStream": {logs + "sweep:*"}, "logs:PutLogEvents": {logs + "sweep:*"},
			"kms:Decrypt": {key}, "kms:GenerateDataKey": {key}, "kms:GenerateMac": {seal},
		},
		actions.Notify: {
			"sqs:SendMessage": {told + "-dlq"}, "sqs:ChangeMessageVisibility": {told}, "sqs:ReceiveMessage": {told}, "sqs:DeleteMessage": {told},
			"sqs:GetQueueAttributes": {told}, "secretsmanager:GetSecretValue": {"arn:aws:secretsmanager" + hubIs + "secret:rolewarden/slack-webhook-AbCdEf"},
			"logs:CreateLogStream": {logs + "notify:*"}, "logs:PutLogEvents": {logs + "notify:*"}, "kms:Decrypt": {key},
		},
		actions.Canary: {
			"sts:AssumeRole": {roles + "canary-writer"}, "sts:SetSourceIdentity": {roles + "canary-writer"},
			"organizations:ListAccountsForParent": units, "organizations:ListOrganizationalUnitsForParent": units,
			"dynamodb:GetItem": {table}, "dynamodb:BatchGetItem": {table}, "dynamodb:Query": {table}, "sns:Publish": {topic}, "logs:CreateLogStream": {logs + "canary:*"}, "logs:PutLogEvents": {logs + "canary:*"},
			"kms:Decrypt": {key}, "kms:GenerateDataKey": {key},
		},
	}
	for _, f := range functions() {
		got := map[string][]string{}
		for _, s := range grants.Function(w, f, resources(w, f)).Statement {
			for _, a := range s.Action {
				if s.Effect == "Deny" {
					continue
				}
				got[a] = append(got[a], s.Resource...)
				slices.Sort(got[a])
				got[a] = slices.Compact(got[a])
			}
		}
		if diff := cmp.Diff(want[f], got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
}

// The canary's session reads the account's rule in the account and Region where
// it is, under either of its names, and no other rule.
func TestTheCanaryReadsItsAccountsRuleOnly(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		rule := "arn:" + w.Partition + ":events:" + w.Region + ":" + w.Account + ":rule/"
		d := grants.CanaryWriter(w)
		want := []string{rule + "rolewarden-forward", rule + "rolewarden-intake"}
		if s := find(t, d, "Rule"); !cmp.Equal(s.Action, []string{"events:DescribeRule"}) || !cmp.Equal(s.Resource, want) || s.Effect != "Allow" {
			t.Errorf("%s: %+v", name, s)
		}
		if s := find(t, d, "Target"); slices.ContainsFunc(s.Action, func(a string) bool { return !strings.HasPrefix(a, "iam:") }) || len(s.Resource) != 1 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// Every session that the code opens has its document: a new one is not
// forgotten here.
func TestEverySessionIsLookedAt(t *testing.T) {
	t.Parallel()
	known := []actions.Session{actions.Own, actions.Reader, actions.Writer, actions.CanaryWriter}
	for _, a := range actions.All() {
		if slices.Contains(functions(), a.Function) && !slices.Contains(known, a.Under) {
			t.Errorf("%s of %s is made under %s, which has no document", a.Name, a.Function, a.Under)
		}
	}
}

// Each reason names who makes the call and AWS's page, once, in a statement
// that is there.
func TestEveryReasonIsGiven(t *testing.T) {
	t.Parallel()
	w, seen := commercial(t), map[string]bool{}
	for _, r := range grants.Indirect() {
		if len(r.Why) < 20 || !strings.Contains(r.Page, "Guide, ") || len(r.Functions) == 0 {
			t.Errorf("%s %s: %q, %q", r.Sid, r.Action, r.Why, r.Page)
		}
		for _, f := range r.Functions {
			if seen[f+r.Sid+r.Action] {
				t.Errorf("%s has %s twice in %s", f, r.Action, r.Sid)
			}
			seen[f+r.Sid+r.Action] = true
			if s := find(t, grants.Function(w, f, resources(w, f)), r.Sid); !slices.Contains(s.Action, r.Action) {
				t.Errorf("%s of %s lacks %s", r.Sid, f, r.Action)
			}
		}
	}
}

// The data key is used through one service at a time, never directly: who
// steals a function's credentials decrypts nothing with it.
func TestTheKeyIsUsedThroughServicesOnly(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		for _, f := range functions() {
			for _, s := range grants.Function(w, f, resources(w, f)).Statement {
				if !strings.HasPrefix(s.Action[0], "kms:") || s.Sid == "Seals" || s.Effect == "Deny" {
					continue
				}
				services := map[string]bool{}
				for _, v := range s.Condition["StringEquals"]["kms:ViaService"] {
					service, rest, _ := strings.Cut(v, ".")
					services[service] = true
					if rest != w.Region+".amazonaws.com" && (w.Partition != "aws-cn" || rest != w.Region+".amazonaws.com.cn") {
						t.Errorf("%s of %s in %s: %s", s.Sid, f, name, v)
					}
				}
				if len(services) != 1 {
					t.Errorf("%s of %s in %s: %v", s.Sid, f, name, s.Condition)
				}
			}
		}
	}
}

// T74: in an organization a session is opened in the two roles that the code
// uses, in accounts of the organization; without one in the hub alone. The
// reader's role is the guard's and the sweep's, the writer's is the guard's alone,
// the canary's is the canary's, and notify has none.
func TestSessionsAreOpenedInRolewardensRolesOnly(t *testing.T) {
	t.Parallel()
	for name, w := range worlds(t) {
		account := "*"
		if w.Organization == "" {
			account = hub
		}
		want := map[string][]string{
			actions.Guard:  {roleARN(w, account, "rolewarden/rolewarden-reader"), roleARN(w, account, "rolewarden/rolewarden-remediator")},
			actions.Sweep:  {roleARN(w, account, "rolewarden/rolewarden-reader")},
			actions.Canary: {roleARN(w, account, "rolewarden/rolewarden-canary-writer")},
			actions.Notify: nil,
		}
		for _, f := range functions() {
			var got []string
			for _, s := range grants.Function(w, f, resources(w, f)).Statement {
				if !slices.Contains(s.Action, "sts:AssumeRole") || s.Effect == "Deny" {
					continue
				}
				got = append(got, s.Resource...)
				if org := s.Condition["StringEquals"]["aws:ResourceOrgID"]; len(org) != 1 && w.Organization != "" {
					t.Errorf("%s in %s: sessions in any organization", f, name)
				}
			}
			if diff := cmp.Diff(want[f], got); diff != "" {
				t.Errorf("%s in %s (-want +got):\n%s", f, name, diff)
			}
		}
	}
}

// What a function is not given it may do nothing with: no statement without a
// resource is rendered, which would be refused or, worse, mean everything.
func TestWithoutResourcesThereAreNoPermissionsOnThem(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	for _, f := range append(functions(), "nobody") {
		for _, s := range grants.Function(w, f, grants.Resources{}).Statement {
			if s.Effect == "Allow" && !strings.HasPrefix(s.Action[0], "sts:") && !strings.HasPrefix(s.Action[0], "organizations:") || len(s.Resource) == 0 {
				t.Errorf("%s: %+v", f, s)
			}
		}
	}
	if d := grants.Function(w, "nobody", resources(w, actions.Guard)); len(d.Statement) != 0 {
		t.Errorf("somebody unknown may %v", allowed(d))
	}
}

// T61, T75: the two keys. Who seals a baseline never writes a role, and who
// writes roles never seals, whatever else somebody attaches to either's role.
func TestWhoSealsDoesNotWriteAndWhoWritesDoesNotSeal(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		may := func(function, action, on string) judge.Effect {
			t.Helper()
			d := grants.Function(w, function, resources(w, function))
			d.Statement = append(d.Statement, grants.Statement{Sid: "Wider", Effect: "Allow", Action: []string{"*"}, Resource: []string{"*"}})
			c := context(map[string]string{"kms:MacAlgorithm": "HMAC_SHA_256", "aws:ResourceOrgID": w.Organization})
			return judged(t, d).Identity(judge.Request{Action: action, Resource: on, Context: c}).Effect
		}
		for _, f := range functions() {
			seals, want := may(f, "kms:GenerateMac", sealKey(w)), judge.Deny
			if f == actions.Sweep {
				want = judge.Allow
			}
			if seals != want {
				t.Errorf("%s in %s may seal: %s, want %s", f, world, seals, want)
			}
		}
		for _, account := range []string{hub, prod} {
			for name, want := range map[string]judge.Effect{
				deployment.RemediatorRole: judge.Deny, deployment.CanaryWriterRole: judge.Deny, deployment.ReaderRole: judge.Allow,
			} {
				if got := may(actions.Sweep, "sts:AssumeRole", roleARN(w, account, "rolewarden/"+name)); got != want {
					t.Errorf("the sweep in %s may assume %s of %s: %s, want %s", world, name, account, got, want)
				}
			}
		}
		for action, want := range map[string]bool{"iam:UpdateAssumeRolePolicy": false, "iam:TagRole": false, "iam:PutRolePermissionsBoundary": false, "kms:GenerateMac": true, "kms:VerifyMac": false} {
			if got := slices.Contains(allowed(grants.Function(w, actions.Sweep, resources(w, actions.Sweep))), action); got != want {
				t.Errorf("the sweep in %s: %s is allowed: %v", world, action, got)
			}
		}
	}
}

// A seal of another algorithm than rolewarden's is not made and not checked.
func TestSealsAreOfOneAlgorithm(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	for _, f := range []string{actions.Guard, actions.Sweep} {
		s := find(t, grants.Function(w, f, resources(w, f)), "Seals")
		if diff := cmp.Diff(map[string]map[string][]string{"StringEquals": {"kms:MacAlgorithm": {"HMAC_SHA_256"}}}, s.Condition); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
}
