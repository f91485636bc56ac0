package doctor_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/org"
)

// ailment is one thing that is wrong, and what is said about it.
type ailment struct {
	name string
	// way is "members" and seat the hub where nothing else is said.
	way  string
	seat doctor.Seat
	when doctor.When
	harm func(*deployment.Deployment, *account)

	check string
	state doctor.State
	found string
	do    string
}

// sick examines an account with one thing wrong, and demands what is said.
func sick(t *testing.T, when doctor.When, all []ailment) {
	t.Helper()
	for _, s := range all {
		t.Run(strings.ReplaceAll(s.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			if s.way == "" {
				s.way = "members"
			}
			d := load(t, s.way)
			who := map[doctor.Seat]string{doctor.Hub: hub, doctor.Management: boss, doctor.Member: prod}[s.seat]
			a := well(d, who)
			s.harm(d, a)
			r := examine(t, d, a, max(when, s.when), s.seat)[s.check]
			if r.State != s.state {
				t.Errorf("%s is %s, want %s: %q", s.check, r.State, s.state, r.Found)
			}
			if !strings.Contains(r.Found[0], s.found) {
				t.Errorf("first is said %q, want %q in it", r.Found[0], s.found)
			}
			if !strings.Contains(strings.Join(r.Do, "\n"), s.do) || (s.do == "") != (len(r.Do) == 0) {
				t.Errorf("to do is %q, want %q in it", r.Do, s.do)
			}
		})
	}
}

func TestWhatStandsInTheWayBefore(t *testing.T) {
	t.Parallel()
	stack := func(status string, outputs map[string]string) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			a.stacks["CDKToolkit"] = doctor.Stack{Name: "CDKToolkit", Status: status, Outputs: outputs}
		}
	}
	sick(t, doctor.Before, []ailment{
		{
			name: "credentials of another account", check: "identity", state: doctor.Problem, found: "account 111122223333, and not of 555555555555", do: "Use credentials of account 555555555555",
			harm: func(_ *deployment.Deployment, a *account) { a.caller.Account = prod },
		},
		{
			name: "the hub's credentials in the management account's place", seat: doctor.Management, check: "identity", state: doctor.Problem, found: "not of 999999999999", do: "999999999999",
			harm: func(_ *deployment.Deployment, a *account) { a.caller.Account = hub },
		},
		{
			name: "nobody names the management account", seat: doctor.Management, check: "identity", state: doctor.Unknown, found: "the rules file does not say", do: "organization.management",
			harm: func(d *deployment.Deployment, _ *account) { d.Rules.Organization.Management = "" },
		},
		{
			name: "the hub's credentials in a member's place", seat: doctor.Member, check: "identity", state: doctor.Problem, found: "the account that rolewarden is deployed to", do: "--at",
			harm: func(_ *deployment.Deployment, a *account) { a.caller.Account = hub },
		},
		{
			name: "T85 another partition's credentials", check: "region", state: doctor.Problem, found: "partition aws-cn", do: "partition aws",
			harm: func(_ *deployment.Deployment, a *account) { a.caller.ARN = "arn:aws-cn:iam::555555555555:user/alice" },
		},
		{
			name: "a Region without IAM's events", check: "region", state: doctor.Problem, found: "only in us-east-1", do: "region: us-east-1",
			harm: func(d *deployment.Deployment, _ *account) { d.Region = "eu-west-1" },
		},
		{
			name: "a partition nobody knows", check: "region", state: doctor.Problem, found: "partition aws-iso keeps IAM is not known", do: "partition",
			harm: func(d *deployment.Deployment, _ *account) { d.Partition = "aws-iso" },
		},
		{
			name: "T59 an exemption about to end", check: "rules-file", state: doctor.Warning, found: "ends on 2026-12-01", do: "alice",
			harm: func(d *deployment.Deployment, _ *account) {
				d.Rules.Exemptions = []org.Exemption{{Rules: []string{"external-id"}, Role: "arn:aws:iam::111122223333:role/app", Owner: "alice", Expires: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}}
			},
		},
		{
			name: "T59 an exemption that has ended", check: "rules-file", state: doctor.Warning, found: "exempts nothing", do: "alice",
			harm: func(d *deployment.Deployment, _ *account) {
				d.Rules.Expired = []org.Exemption{{Rules: []string{"external-id"}, Role: "arn:aws:iam::111122223333:role/app", Owner: "alice", Expires: today()}}
			},
		},
		{
			name: "T68 a rule that writes wherever no unit fits", check: "rules-file", state: doctor.Warning, found: "no unit of modes.units fits, public-principal may write", do: "/: observe",
			harm: func(d *deployment.Deployment, _ *account) {
				d.Rules.Units = map[string]org.Mode{"sandbox": org.Enforce}
				d.Rules.Settings = map[string]org.Setting{"public-principal": {Mode: org.Enforce, ModeSet: true}, "session-policy": {Mode: org.Enforce, ModeSet: true}}
			},
		},
		{name: "never bootstrapped", check: "cdk-bootstrap", state: doctor.Problem, found: "does not exist", do: "cdk bootstrap aws://555555555555/us-east-1 --cloudformation-execution-policies arn:aws:iam::555555555555:policy/rolewarden-deployer", harm: func(_ *deployment.Deployment, a *account) { delete(a.stacks, "CDKToolkit") }},
		{name: "a stack that could not be made", check: "stack", state: doctor.Problem, found: "rolewarden-members could not be made", do: "delete-stack", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-members"] = doctor.Stack{Name: "rolewarden-members", Status: "ROLLBACK_COMPLETE"}
		}},
		{name: "the ledger of an earlier deployment", check: "leftovers", state: doctor.Problem, found: "left from an earlier deployment", do: "cdk import", harm: func(_ *deployment.Deployment, a *account) {
			delete(a.stacks, "rolewarden-hub")
		}},
		{name: "the ledger of a deployment that was rolled back", check: "leftovers", state: doctor.Problem, found: "rolewarden-ledger is left, though the stack rolewarden-hub could not be made (ROLLBACK_COMPLETE)", do: "aws dynamodb update-table --no-deletion-protection-enabled --table-name rolewarden-ledger --region us-east-1\naws dynamodb delete-table", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "ROLLBACK_COMPLETE"}
		}},
		{name: "a deployment that was rolled back and left no ledger", check: "leftovers", state: doctor.OK, found: "No ledger", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"], a.ledger = doctor.Stack{Name: "rolewarden-hub", Status: "ROLLBACK_COMPLETE"}, false
		}},
		{name: "a deployment that was only looked at", check: "leftovers", state: doctor.Problem, found: "REVIEW_IN_PROGRESS", do: "delete-table", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "REVIEW_IN_PROGRESS"}
		}},
		{name: "an update that was rolled back keeps its ledger", check: "leftovers", state: doctor.Skipped, found: "the table is its own", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "UPDATE_ROLLBACK_COMPLETE"}
		}},
		{name: "a rolled back stack is said to have left something", check: "stack", state: doctor.Problem, found: "what it may have left behind is looked at under leftovers", do: "delete-stack", harm: func(_ *deployment.Deployment, a *account) {
			a.stacks["rolewarden-hub"] = doctor.Stack{Name: "rolewarden-hub", Status: "ROLLBACK_COMPLETE"}
		}},
		{name: "an old bootstrap", check: "cdk-bootstrap", state: doctor.Problem, found: "the version 5, and 6", do: "cdk bootstrap", harm: stack("CREATE_COMPLETE", map[string]string{"BootstrapVersion": "5"})},
		{name: "a broken bootstrap", check: "cdk-bootstrap", state: doctor.Problem, found: "ROLLBACK_COMPLETE", do: "cdk bootstrap", harm: stack("ROLLBACK_COMPLETE", map[string]string{"BootstrapVersion": "25"})},
		{name: "a bootstrap without a version", check: "cdk-bootstrap", state: doctor.Unknown, found: "names no version", do: "cdk bootstrap", harm: stack("CREATE_COMPLETE", nil)},
		{
			name: "the hub is missing", check: "stack", state: doctor.Problem, found: "rolewarden-hub does not exist", do: "cdk deploy rolewarden-hub -c deployment=../../testdata/deployments/organization.yaml -c way=hub",
			harm: func(_ *deployment.Deployment, a *account) { delete(a.stacks, "rolewarden-hub") },
		},
	})
}

func TestWhatIsWrongWithTheOrganization(t *testing.T) {
	t.Parallel()
	sick(t, doctor.Before, []ailment{
		{name: "none", check: "organization", state: doctor.Problem, found: "belongs to no organization", do: "single", harm: func(_ *deployment.Deployment, a *account) { a.organization = doctor.Organization{} }},
		{name: "another", check: "organization", state: doctor.Problem, found: "o-otherorgid", do: "organization.id", harm: func(_ *deployment.Deployment, a *account) { a.organization.ID = "o-otherorgid" }},
		{name: "not all features", check: "organization", state: doctor.Problem, found: "CONSOLIDATED_BILLING", do: "EnableAllFeatures", harm: func(_ *deployment.Deployment, a *account) { a.organization.Features = "CONSOLIDATED_BILLING" }},
		{name: "A7 the hub is the management account", check: "organization", state: doctor.Problem, found: "no policy of the organization binds", do: "security account", harm: func(d *deployment.Deployment, a *account) {
			a.organization.Management, d.Rules.Organization.Management = hub, hub
		}},
		{name: "A7 the management account is not named", check: "organization", state: doctor.Problem, found: "does not name the management account", do: `management: "999999999999"`, harm: func(d *deployment.Deployment, _ *account) { d.Rules.Organization.Management = "" }},
		{name: "A7 another management account is named", check: "organization", state: doctor.Problem, found: "and it is 999999999999", do: "organization.management", harm: func(d *deployment.Deployment, _ *account) { d.Rules.Organization.Management = prod }},
		{name: "T14 unlisted accounts", check: "accounts", state: doctor.Warning, found: "does not list 222222222222", do: "organization.accounts", harm: func(_ *deployment.Deployment, a *account) {
			a.accounts = append(a.accounts, doctor.Account{ID: "222222222222"})
		}},
		{name: "T14 unlisted accounts of a complete list", check: "accounts", state: doctor.Problem, found: "it lacks 222222222222", do: "complete: true", harm: func(d *deployment.Deployment, a *account) {
			d.Rules.Organization.Complete = true
			a.accounts = append(a.accounts, doctor.Account{ID: "222222222222"})
		}},
		{name: "T15 an account has left", check: "accounts", state: doctor.Problem, found: "no account of the organization: 777788889999", do: "organization.accounts", harm: func(_ *deployment.Deployment, a *account) { a.accounts = a.accounts[:3] }},
		{name: "no trusted access", check: "trusted-access", state: doctor.Problem, found: "no trusted access", do: "activate-organizations-access", harm: func(_ *deployment.Deployment, a *account) { a.trusted = a.trusted[:1] }},
		{name: "no delegated administrator", way: "hub", check: "delegated-administrator", state: doctor.Problem, found: "no delegated administrator", do: "register-delegated-administrator --account-id 555555555555", harm: func(_ *deployment.Deployment, a *account) { a.delegated = []string{prod} }},
		{name: "a unit that does not exist", check: "targets", state: doctor.Problem, found: "ou-abcd-11111111 does not exist", do: "guardrails", harm: func(_ *deployment.Deployment, a *account) { a.units = nil }},
		{name: "a root that does not exist", check: "targets", state: doctor.Problem, found: "r-abcd does not exist", do: "members.targets", harm: func(_ *deployment.Deployment, a *account) { a.roots[0].ID = "r-wxyz" }},
		{name: "an account that does not exist", check: "targets", state: doctor.Problem, found: "222222222222 does not exist", do: "guardrails", harm: func(d *deployment.Deployment, _ *account) { d.AttachSCP = []string{"222222222222"} }},
		{name: "resource control policies not enabled", check: "policy-types", state: doctor.Problem, found: "RESOURCE_CONTROL_POLICY is not enabled in r-abcd", do: "enable-policy-type --root-id r-abcd", harm: func(_ *deployment.Deployment, a *account) { a.roots[0].PolicyTypes = a.roots[0].PolicyTypes[:1] }},
	})
}

// T10: a trail that does not do is named with what it lacks.
func TestWhichTrailsDo(t *testing.T) {
	t.Parallel()
	trail := func(change func(*doctor.Trail)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			one := orgTrail()
			change(&one)
			for region := range a.trails {
				a.trails[region] = []doctor.Trail{one}
			}
		}
	}
	selects := func(fields ...doctor.Field) func(*deployment.Deployment, *account) {
		return trail(func(t *doctor.Trail) {
			t.Selectors = []doctor.Selector{append(doctor.Selector{{Name: "eventCategory", Equals: []string{"Management"}}}, fields...)}
		})
	}
	const none = "No trail records what IAM does in us-east-1"
	sick(t, doctor.Before, []ailment{
		{name: "none", check: "trail", state: doctor.Problem, found: none, do: "Make a trail", harm: func(_ *deployment.Deployment, a *account) { a.trails = nil }},
		{name: "stopped", check: "trail", state: doctor.Problem, found: none, do: "start its logging", harm: trail(func(t *doctor.Trail) { t.Logging = doctor.Stopped })},
		{name: "of another Region alone", check: "trail", state: doctor.Problem, found: none, do: "all Regions", harm: trail(func(t *doctor.Trail) { t.Home, t.Reach = "eu-west-1", doctor.OneRegion })},
		{name: "of one Region without global services", check: "trail", state: doctor.Problem, found: none, do: "all Regions", harm: trail(func(t *doctor.Trail) { t.Reach, t.Global = doctor.OneRegion, doctor.RegionalOnly })},
		{name: "of the home Region alone", check: "trail", state: doctor.OK, found: "records what IAM does", harm: trail(func(t *doctor.Trail) { t.Reach = doctor.OneRegion })},
		{name: "data events alone", check: "trail", state: doctor.Problem, found: none, do: "management events", harm: trail(func(t *doctor.Trail) {
			t.Selectors = []doctor.Selector{{{Name: "eventCategory", Equals: []string{"Data"}}}}
		})},
		{name: "read events alone", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "readOnly", Equals: []string{"true"}})},
		{name: "write events alone", check: "trail", state: doctor.OK, found: "is logging", harm: selects(doctor.Field{Name: "readOnly", Equals: []string{"false"}})},
		{name: "all but KMS", check: "trail", state: doctor.OK, found: "is logging", harm: selects(doctor.Field{Name: "eventSource", NotEquals: []string{"kms.amazonaws.com", "rdsdata.amazonaws.com"}})},
		{name: "all but IAM", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "eventSource", NotEquals: []string{"iam.amazonaws.com"}})},
		{name: "all but what begins with iam", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "eventSource", NotStartsWith: []string{"iam."}})},
		{name: "what ends like everything", check: "trail", state: doctor.OK, found: "is logging", harm: selects(doctor.Field{Name: "eventSource", EndsWith: []string{".amazonaws.com"}})},
		{name: "all but what ends like everything", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "eventSource", NotEnds: []string{".amazonaws.com"}})},
		{name: "what begins with s", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "eventSource", StartsWith: []string{"s"}})},
		{name: "a field that nobody knows is not counted on", check: "trail", state: doctor.Problem, found: none, do: "write events", harm: selects(doctor.Field{Name: "moonPhase", Equals: []string{"full"}})},
		{name: "selectors that cannot be read", check: "trail", state: doctor.Unknown, found: "selectors", do: "Mend", harm: trail(func(t *doctor.Trail) { t.Unread = errors.New("reading the selectors: no") })},
		{name: "selectors that only their own account sees", check: "trail", state: doctor.Unknown, found: "selectors", do: "Look with credentials of account 999999999999: rolewarden doctor --at management", harm: trail(func(t *doctor.Trail) { t.Unread = errors.New("reading the selectors: no") })},
		{name: "selectors of one's own trail", check: "trail", state: doctor.Unknown, found: "selectors", do: "Mend", harm: trail(func(t *doctor.Trail) {
			t.ARN, t.Unread = "arn:aws:cloudtrail:us-east-1:555555555555:trail/own", errors.New("reading the selectors: no")
		})},
		{name: "selectors that cannot be read while events arrive", when: doctor.After, check: "trail", state: doctor.OK, found: "events do arrive", harm: trail(func(t *doctor.Trail) { t.Unread = errors.New("reading the selectors: no") })},
		{name: "selectors that cannot be read while no event arrives", when: doctor.After, check: "trail", state: doctor.Unknown, found: "selectors", do: "Mend", harm: func(d *deployment.Deployment, a *account) {
			trail(func(t *doctor.Trail) { t.Unread = errors.New("reading the selectors: no") })(d, a)
			for i := range a.alarms {
				a.alarms[i].State = "INSUFFICIENT_DATA"
			}
		}},
		{name: "read events cannot be told by the events that arrive", when: doctor.After, check: "trail-reads", state: doctor.Unknown, found: "selectors", do: "Mend", harm: trail(func(t *doctor.Trail) { t.Unread = errors.New("reading the selectors: no") })},
		{name: "a bucket that takes nothing", check: "trail", state: doctor.Warning, found: "could not deliver the log of the trail org-trail: NoSuchBucket", do: "bucket", harm: trail(func(t *doctor.Trail) { t.Trouble = "NoSuchBucket" })},
		{name: "of the hub alone", check: "trail", state: doctor.Unknown, found: "cannot be seen from here", do: "--at member", harm: trail(func(t *doctor.Trail) { t.Owner = doctor.OneAccount })},
		{name: "of the member alone", seat: doctor.Member, check: "trail", state: doctor.OK, found: "is logging", harm: trail(func(t *doctor.Trail) { t.Owner = doctor.OneAccount })},
		{name: "of the only account", way: "single", check: "trail", state: doctor.OK, found: "is logging", harm: trail(func(t *doctor.Trail) { t.Owner = doctor.OneAccount })},
		{name: "write events alone where AssumeRole is watched", check: "trail-reads", state: doctor.Problem, found: "No trail records AssumeRole in us-east-1", do: "read events", harm: selects(doctor.Field{Name: "readOnly", Equals: []string{"false"}})},
		{name: "one Region of two has no trail", check: "trail-reads", state: doctor.Problem, found: "No trail records AssumeRole in eu-west-1", do: "take eu-west-1 out", harm: func(_ *deployment.Deployment, a *account) { a.trails["eu-west-1"] = nil }},
	})
}

func TestWhatIsWrongAfterwards(t *testing.T) {
	t.Parallel()
	stack := func(name string, change func(*doctor.Stack)) func(*deployment.Deployment, *account) {
		return func(_ *deployment.Deployment, a *account) {
			s := a.stacks[name]
			change(&s)
			a.stacks[name] = s
		}
	}
	state := func(status string) func(*doctor.Stack) {
		return func(s *doctor.Stack) { s.Status, s.Reason = status, "Resource handler returned no." }
	}
	sick(t, doctor.After, []ailment{
		{name: "rolled back", check: "stack", state: doctor.Problem, found: "UPDATE_ROLLBACK_COMPLETE: Resource handler returned no.", do: "describe-stack-events --stack-name rolewarden-hub", harm: stack("rolewarden-hub", state("UPDATE_ROLLBACK_COMPLETE"))},
		{name: "under way", check: "stack", state: doctor.Warning, found: "UPDATE_IN_PROGRESS", do: "Wait", harm: stack("rolewarden-members", state("UPDATE_IN_PROGRESS"))},
		{name: "being rolled back", check: "stack", state: doctor.Warning, found: "UPDATE_ROLLBACK_IN_PROGRESS", do: "Wait", harm: stack("rolewarden-members", state("UPDATE_ROLLBACK_IN_PROGRESS"))},
		{name: "a state nobody knows", check: "stack", state: doctor.Problem, found: "SOMETHING", do: "deploy again", harm: stack("rolewarden-hub", state("SOMETHING"))},
		{name: "drifted", check: "stack", state: doctor.Problem, found: "has drifted", do: "describe-stack-resource-drifts", harm: stack("rolewarden-hub", func(s *doctor.Stack) { s.Drift = "DRIFTED" })},
		{name: "the management stack is missing", seat: doctor.Management, check: "stack", state: doctor.Problem, found: "rolewarden-management does not exist", do: "management account's credentials: cdk deploy rolewarden-management", harm: func(_ *deployment.Deployment, a *account) { delete(a.stacks, "rolewarden-management") }},
		{name: "the only stack is missing", way: "single", check: "stack", state: doctor.Problem, found: "The stack rolewarden does not exist", do: "cdk deploy rolewarden", harm: func(_ *deployment.Deployment, a *account) { delete(a.stacks, "rolewarden") }},
		{name: "T76 other rules are deployed", check: "rules-hash", state: doctor.Problem, found: "judges by the rules sha256:0", do: "cdk deploy rolewarden-hub", harm: stack("rolewarden-hub", func(s *doctor.Stack) {
			s.Outputs = map[string]string{doctor.RulesHashOutput: "sha256:0"}
		})},
		{name: "T76 nobody says which rules are deployed", check: "rules-hash", state: doctor.Unknown, found: "does not say which rules", do: "cdk deploy rolewarden-hub", harm: stack("rolewarden-hub", func(s *doctor.Stack) { s.Outputs = nil })},
		{name: "a dead letter", check: "dead-letters", state: doctor.Problem, found: "rolewarden-intake-dlq holds 2 messages", do: "redrive", harm: func(_ *deployment.Deployment, a *account) { a.queues["rolewarden-intake-dlq"] = 2 }},
		{name: "a dead-letter queue is missing", check: "dead-letters", state: doctor.Problem, found: "rolewarden-rule-dlq does not exist", do: "Deploy", harm: func(_ *deployment.Deployment, a *account) { delete(a.queues, "rolewarden-rule-dlq") }},
		{name: "no Slack secret", check: "slack-secret", state: doctor.Problem, found: "does not exist", do: "https://hooks.slack.com/", harm: func(_ *deployment.Deployment, a *account) { a.secrets = nil }},
		{name: "T81 a Slack secret for another host", check: "slack-secret", state: doctor.Problem, found: "not of a host of Slack", do: "https://hooks.slack.com/", harm: func(_ *deployment.Deployment, a *account) {
			a.secrets["rolewarden/slack-webhook"] = "https://mallory.example/x"
		}},
		{name: "no ledger", check: "kill-switch", state: doctor.Problem, found: "rolewarden-ledger does not exist", do: "cdk deploy rolewarden-hub", harm: func(_ *deployment.Deployment, a *account) { a.ledger = false }},
		{name: "writes are stopped", check: "kill-switch", state: doctor.Warning, found: "stops every write", do: "rolewarden writes allow", harm: func(_ *deployment.Deployment, a *account) { a.kill = decision.WritesStopped }},
		{name: "the kill switch is no word", check: "kill-switch", state: doctor.Problem, found: "nothing is written", do: "Set it anew", harm: func(_ *deployment.Deployment, a *account) { a.kill = decision.Unreadable }},
	})
}
