package main

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// acknowledgement is a finding of cdk-nag that stands.
type acknowledgement struct {
	// way is the one way to deploy that it is for; NoWay is for all.
	way deployment.Way
	// rules are cdk-nag's names, of are the ids of the resources in the app.
	rules, of []string
	// finding narrows it to findings that match the regular expression; empty is
	// for rules that have one finding for a resource.
	finding string
	reason  string
}

// acknowledgements are all findings that stand. A reviewer reads them with
// -c nag=on, which fails on any other.
func acknowledgements() []acknowledgement {
	return slices.Concat(wideRights(), aboutStores(), aboutFunctions())
}

// wideRights are of what roles may do.
func wideRights() []acknowledgement {
	const partition = `arn:aws(-cn|-us-gov)?:`
	return []acknowledgement{
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"GuardRole", "CanaryRole", "SweepRole"},
			finding: `/^Resource::` + partition + `iam::\*:role\/rolewarden\/rolewarden-(reader|remediator|canary-writer)$/`,
			reason:  "The function works in every account of the organization: the account is a star, the name is fixed, and the role there names this role and asks for the external id.",
		},
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"GuardRole", "SweepRole"},
			finding: `/^Resource::\*$/`,
			reason:  "Who judges asks Organizations whether an account that the rules file does not know is a member, and the sweep which accounts there are; neither call has a resource to name, and both only read.",
		},
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"CanaryRole", "SweepRole"},
			finding: `/^Resource::` + partition + `organizations::\*:(ou|root)\/o-[a-z0-9]+\/\*$/`,
			reason:  "Canary and sweep list the accounts below roots and units; Organizations asks for the right on every unit on the way, and the calls only read.",
		},
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"GuardRole", "NotifyRole", "CanaryRole", "SweepRole"},
			finding: `/^Resource::` + partition + `logs:[a-z0-9-]+:\d{12}:log-group:\/aws\/lambda\/rolewarden-(guard|notify|canary|sweep):\*$/`,
			reason:  "The star stands for the streams of the function's one log group; Lambda makes up their names.",
		},
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"ReaderRole", "RemediatorRole"},
			finding: `/^Resource::` + partition + `iam::(<AWS::AccountId>|\d{12}):(role|user)\/\*$/`,
			reason:  "Which role will change is not known beforehand. The reader cannot write; the remediator is denied the guarded roles and everything but trust policies and its own tags, and each session is narrowed to one role.",
		},
		{
			rules:   []string{"AwsSolutions-IAM5"},
			of:      []string{"ReaderRole"},
			finding: `/^Resource::\*$/`,
			reason:  "The list of all roles and users of the account, which a sweep reads, takes no resource to name; it only reads, and every call but the reader's few is denied to the role.",
		},
		{
			rules:  []string{"NIST.800.53.R5-IAMNoInlinePolicy"},
			of:     []string{"GuardRole", "NotifyRole", "CanaryRole", "SweepRole", "ReaderRole", "RemediatorRole", "CanaryWriterRole", "EventsRole"},
			reason: "Each role has one policy that fits it alone and is made and removed with it; a managed policy could be attached to others, and changed without the role.",
		},
	}
}

// aboutStores are of the secret, the queues, the topics and the table.
func aboutStores() []acknowledgement {
	return []acknowledgement{
		{
			rules:  []string{"AwsSolutions-SMG4", "NIST.800.53.R5-SecretsManagerRotationEnabled"},
			of:     []string{"SlackSecret"},
			reason: "It holds the URL of a Slack webhook, which Slack makes and cannot rotate by itself. The operator's page says how to replace it, and an alarm tells when Slack refuses it.",
		},
		{
			rules:  []string{"AwsSolutions-SQS3"},
			of:     []string{"RuleDead"},
			reason: "It is the dead-letter queue of the EventBridge rules, which cdk-nag does not see, and an alarm watches it.",
		},
		{
			rules:  []string{"NIST.800.53.R5-SNSEncryptedKMS"},
			of:     []string{"AlarmTopic"},
			reason: "Alarms must get through when the data key is disabled, which is one of the things they tell; they name queues and functions and hold nothing secret.",
		},
		{
			rules:  []string{"NIST.800.53.R5-DynamoDBInBackupPlan"},
			of:     []string{"Ledger"},
			reason: "The ledger has point-in-time recovery for 35 days and deletion protection. A backup plan is the organization's to choose; any plan of AWS Backup can take the table in.",
		},
	}
}

// aboutFunctions are of how functions run.
func aboutFunctions() []acknowledgement {
	return []acknowledgement{
		{
			rules:  []string{"NIST.800.53.R5-LambdaDLQ"},
			of:     []string{"Guard", "Notify"},
			reason: "Queues feed the function, and each has a dead-letter queue of its own. Lambda's setting is for asynchronous calls, of which there are none.",
		},
		{
			rules:  []string{"NIST.800.53.R5-LambdaDLQ"},
			of:     []string{"Canary"},
			reason: "The schedule starts the canary again; a run that was lost is not worth repeating, and an alarm tells when two are missing.",
		},
		{
			rules:  []string{"NIST.800.53.R5-LambdaDLQ"},
			of:     []string{"Sweep"},
			reason: "Its queue has a dead-letter queue of its own. What the schedules start asynchronously they start again, within minutes or hours, and an alarm tells when two sweeps are missing.",
		},
		{
			rules:  []string{"NIST.800.53.R5-LambdaInsideVPC"},
			of:     []string{"Guard", "Notify", "Canary", "Sweep"},
			reason: "The functions talk to AWS's public interfaces and, for one of them, to Slack, and listen to nobody. A VPC would add gateways that can fail and let nothing in or out that IAM does not.",
		},
		{
			way:    deployment.Single,
			rules:  []string{"NIST.800.53.R5-LambdaConcurrency"},
			of:     []string{"Guard", "Notify", "Canary", "Sweep"},
			reason: "A new account has 10 executions or 50, of which Lambda lets nobody reserve any, and this way to deploy is to work there. Its queues bound how often they run a function, and alarms tell when one is throttled.",
		},
	}
}

// inspect has cdk-nag look at everything in the app with the rules of AWS
// Solutions and of NIST 800-53, and acknowledges what stands. It is asked for
// with -c nag=on; the templates hold a note of each acknowledgement then.
func inspect(app awscdk.App, way deployment.Way) {
	for _, c := range *app.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		id := *c.Node().Id()
		for _, a := range acknowledgements() {
			if slices.Contains(a.of, id) && (a.way == deployment.NoWay || a.way == way) {
				cdknag.NagSuppressions_AddResourceSuppressions(c, a.suppressions(), nil)
			}
		}
	}
	props := &cdknag.NagPackProps{Reports: yes(), ReportFormats: &[]cdknag.NagReportFormat{cdknag.NagReportFormat_JSON}}
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(props), nil)
	awscdk.Aspects_Of(app).Add(cdknag.NewNIST80053R5Checks(props), nil)
}

// suppressions says it in cdk-nag's words.
func (a acknowledgement) suppressions() *[]*cdknag.NagPackSuppression {
	var out []*cdknag.NagPackSuppression
	for _, rule := range a.rules {
		s := &cdknag.NagPackSuppression{Id: str(rule), Reason: str(a.reason)}
		if a.finding != "" {
			s.AppliesTo = &[]any{&cdknag.RegexAppliesTo{Regex: str(a.finding)}}
		}
		out = append(out, s)
	}
	return &out
}
