package grants_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// caller is somebody who calls, with the condition keys that follow from it.
type caller struct {
	who  judge.Caller
	keys map[string]string
}

// roleOf is a session of a role, in an organization or in none.
func roleOf(w grants.World, account, name, organization string) caller {
	arn := roleARN(w, account, name)
	c := caller{judge.Caller{Kind: judge.RoleSession, Account: account, ARN: arn + "/session", RoleARN: arn}, map[string]string{
		"aws:PrincipalArn": arn, "aws:PrincipalAccount": account, "aws:PrincipalIsAWSService": "false",
	}}
	if organization != "" {
		c.keys["aws:PrincipalOrgID"] = organization
	}
	return c
}

// service is an AWS service, for a resource of an account.
func service(name, arn, account string) caller {
	c := caller{judge.Caller{Kind: judge.Service, Name: name}, map[string]string{"aws:PrincipalIsAWSService": "true"}}
	if arn != "" {
		c.keys["aws:SourceArn"] = arn
	}
	if account != "" {
		c.keys["aws:SourceAccount"] = account
	}
	return c
}

// with adds condition keys.
func (c caller) with(keys ...string) caller {
	out := caller{c.who, map[string]string{}}
	for k, v := range c.keys {
		out.keys[k] = v
	}
	for i := 0; i < len(keys); i += 2 {
		out.keys[keys[i]] = keys[i+1]
	}
	return out
}

// says asks a resource policy about one call over TLS, unless the caller says
// otherwise.
func says(t testing.TB, d grants.Document, action string, c caller) judge.Effect {
	t.Helper()
	if _, said := c.keys["aws:SecureTransport"]; !said {
		c = c.with("aws:SecureTransport", "true")
	}
	return judged(t, d).Trust(judge.Request{Action: action, Caller: c.who, Context: context(c.keys)}).Effect
}

// T2: on the hub's bus events arrive from the events roles of the
// organization's accounts, and from nobody else.
func TestOnlyTheMembersRulesPutEventsOnTheBus(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	events := "rolewarden/" + deployment.EventsRole
	for name, tt := range map[string]struct {
		who  caller
		want judge.Effect
	}{
		"a member's rule":             {roleOf(w, prod, events, ourOrg), judge.Allow},
		"the hub's own rule":          {roleOf(w, hub, events, ourOrg), judge.Allow},
		"another organization's":      {roleOf(w, stranger, events, "o-stranger00"), judge.Neither},
		"an account's without one":    {roleOf(w, stranger, events, ""), judge.Neither},
		"a member's administrator":    {roleOf(w, prod, "Admin", ourOrg), judge.Neither},
		"a role merely named like it": {roleOf(w, prod, deployment.EventsRole, ourOrg), judge.Neither},
		"a role below the path":       {roleOf(w, prod, "rolewarden/x/"+deployment.EventsRole, ourOrg), judge.Neither},
		"another of rolewarden's":     {roleOf(w, prod, "rolewarden/"+deployment.ReaderRole, ourOrg), judge.Neither},
		"the service without a role":  {service("events.amazonaws.com", "arn:aws:events:us-east-1:111122223333:rule/x", prod), judge.Neither},
		"whatever the event is of":    {roleOf(w, prod, events, ourOrg).with("events:source", "com.acme"), judge.Allow},
	} {
		if got := says(t, grants.Bus(w), "events:PutEvents", tt.who); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	for _, action := range []string{"events:PutRule", "events:PutTargets", "events:DeleteRule", "events:PutPermission"} {
		if got := says(t, grants.Bus(w), action, roleOf(w, prod, events, ourOrg)); got != judge.Neither {
			t.Errorf("%s: %s", action, got)
		}
	}
	single := worlds(t)["aws-single"]
	if got := says(t, grants.Bus(single), "events:PutEvents", roleOf(single, stranger, events, "")); got != judge.Neither {
		t.Errorf("without an organization a stranger: %s", got)
	}
}

// T3: a queue takes messages from the rules or the topic that it is for, in
// the hub, and from no other, also not by way of the same service.
func TestAQueueTakesMessagesFromItsOwnSendersOnly(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		ours := rule(w, deployment.IntakeRule)
		alerts := grants.QueuePolicy(w, queue(w, deployment.AlertQueue), []grants.Sender{grants.TopicSender(topic(w))})
		for name, tt := range map[string]struct {
			queue grants.Document
			who   caller
			want  judge.Effect
		}{
			"our rule":                      {intake(w), service("events.amazonaws.com", ours, hub), judge.Allow},
			"our rule, in the clear":        {intake(w), service("events.amazonaws.com", ours, hub).with("aws:SecureTransport", "false"), judge.Deny},
			"another rule of the hub":       {intake(w), service("events.amazonaws.com", rule(w, "x"), hub), judge.Neither},
			"one of that name elsewhere":    {intake(w), service("events.amazonaws.com", strings.Replace(ours, hub, prod, 1), prod), judge.Neither},
			"our rule, for another account": {intake(w), service("events.amazonaws.com", ours, prod), judge.Neither},
			"a rule of no account":          {intake(w), service("events.amazonaws.com", "", ""), judge.Neither},
			"a topic of the hub":            {intake(w), service("sns.amazonaws.com", topic(w), hub), judge.Neither},
			"a member's administrator":      {intake(w), roleOf(w, prod, "Admin", ourOrg), judge.Neither},
			"our topic":                     {alerts, service("sns.amazonaws.com", topic(w), hub), judge.Allow},
			"another topic":                 {alerts, service("sns.amazonaws.com", here(w, "sns", "x"), hub), judge.Neither},
			"our rule, for alerts":          {alerts, service("events.amazonaws.com", ours, hub), judge.Neither},
		} {
			if got := says(t, tt.queue, "sqs:SendMessage", tt.who); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
		if got := says(t, intake(w), "sqs:ReceiveMessage", service("events.amazonaws.com", ours, hub)); got != judge.Neither {
			t.Errorf("%s: a rule may read the queue: %s", world, got)
		}
	}
}

// A sender of which nothing is known is let in for nothing: never for all that
// the service does.
func TestASenderWithoutResourcesIsNotLetIn(t *testing.T) {
	t.Parallel()
	w := commercial(t)
	d := grants.QueuePolicy(w, queue(w, deployment.IntakeQueue), []grants.Sender{grants.RulesSender(), {}, grants.RulesSender(rule(w, deployment.IntakeRule))})
	if got := len(d.Statement); got != 2 {
		t.Errorf("%d statements: %s", got, d.JSON())
	}
	if d := grants.EventsTrust(w, nil); len(d.Statement) != 0 {
		t.Error(d.JSON())
	}
}

// The events role is EventBridge's for rolewarden's rules of the account, and
// for nobody else's (T44).
func TestTheEventsRoleIsForOurRulesOnly(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		forward, watching := forwarding(w)
		d := grants.EventsTrust(w, []string{forward, watching})
		abroad := strings.Replace(strings.Replace(watching, "*", "ap-southeast-2", 1), "*", "12", 1)
		for name, tt := range map[string]struct {
			who  caller
			want judge.Effect
		}{
			"our rule":             {service("events.amazonaws.com", forward, w.Account), judge.Allow},
			"our rule abroad":      {service("events.amazonaws.com", abroad, w.Account), judge.Allow},
			"like it, of another":  {service("events.amazonaws.com", strings.Replace(abroad, w.Account, stranger, 1), w.Account), judge.Neither},
			"another's, abroad":    {service("events.amazonaws.com", abroad, stranger), judge.Neither},
			"another rule abroad":  {service("events.amazonaws.com", strings.Replace(abroad, "assume-role", "forward", 1), w.Account), judge.Neither},
			"another rule":         {service("events.amazonaws.com", forward+"x", w.Account), judge.Neither},
			"another's rule":       {service("events.amazonaws.com", strings.Replace(forward, w.Account, stranger, 1), stranger), judge.Neither},
			"nobody knows whose":   {service("events.amazonaws.com", "", ""), judge.Neither},
			"another service":      {service("scheduler.amazonaws.com", forward, w.Account), judge.Neither},
			"an administrator":     {roleOf(w, w.Account, "Admin", ourOrg), judge.Neither},
			"a function of theirs": {service("lambda.amazonaws.com", forward, w.Account), judge.Neither},
		} {
			if got := says(t, d, "sts:AssumeRole", tt.who); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
	}
}

// Subscribers act on alerts: only the guard, the sweep and the canary publish them. Alarms
// come from CloudWatch, for rolewarden's alarms.
func TestAlertsAndAlarmsComeFromTheirOwnOnly(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		alarms := here(w, "sns", deployment.AlarmTopic)
		ours := here(w, "cloudwatch", "alarm:rolewarden-intake-dlq")
		for name, tt := range map[string]struct {
			topic grants.Document
			who   caller
			want  judge.Effect
		}{
			"the guard":                   {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "rolewarden/"+deployment.GuardRole, ourOrg), judge.Allow},
			"the canary":                  {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "rolewarden/"+deployment.CanaryRole, ourOrg), judge.Allow},
			"the sweep":                   {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "rolewarden/"+deployment.SweepRole, ourOrg), judge.Allow},
			"a member's sweep":            {grants.AlertTopic(w, topic(w)), roleOf(w, prod, "rolewarden/"+deployment.SweepRole, ourOrg), judge.Deny},
			"the guard, in the clear":     {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "rolewarden/"+deployment.GuardRole, ourOrg).with("aws:SecureTransport", "false"), judge.Deny},
			"notify":                      {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "rolewarden/"+deployment.NotifyRole, ourOrg), judge.Deny},
			"the hub's administrator":     {grants.AlertTopic(w, topic(w)), roleOf(w, hub, "Admin", ourOrg), judge.Deny},
			"a member's guard":            {grants.AlertTopic(w, topic(w)), roleOf(w, prod, "rolewarden/"+deployment.GuardRole, ourOrg), judge.Deny},
			"a service":                   {grants.AlertTopic(w, topic(w)), service("events.amazonaws.com", rule(w, "x"), hub), judge.Deny},
			"our alarm":                   {grants.AlarmTopic(w, alarms), service("cloudwatch.amazonaws.com", ours, hub), judge.Allow},
			"our alarm, in the clear":     {grants.AlarmTopic(w, alarms), service("cloudwatch.amazonaws.com", ours, hub).with("aws:SecureTransport", "false"), judge.Deny},
			"another alarm":               {grants.AlarmTopic(w, alarms), service("cloudwatch.amazonaws.com", here(w, "cloudwatch", "alarm:payroll"), hub), judge.Neither},
			"an alarm of another account": {grants.AlarmTopic(w, alarms), service("cloudwatch.amazonaws.com", strings.Replace(ours, hub, prod, 1), prod), judge.Neither},
		} {
			if got := says(t, tt.topic, "sns:Publish", tt.who); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
	}
}

// T13: what lies under the data key is reached through its services only, and no service and no function can disable or
// delete either, on which the queues rest.
func TestKeysAreUsedThroughTheirServicesAndKeptByTheAccount(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		data, seal := grants.DataKeyPolicy(w), grants.SealKeyPolicy(w)
		admin := roleOf(w, hub, "Admin", ourOrg)
		through := func(v string) caller { return admin.with("kms:ViaService", v+"."+w.Region+".amazonaws.com") }
		group := "arn:" + w.Partition + ":logs:" + w.Region + ":" + hub + ":log-group:/aws/lambda/"
		logs := "logs." + w.Region + ".amazonaws.com"
		if w.Partition == "aws-cn" {
			logs += ".cn"
		}
		for name, tt := range map[string]struct {
			key    grants.Document
			action string
			who    caller
			want   judge.Effect
		}{
			"through DynamoDB":            {data, "kms:Decrypt", through("dynamodb"), judge.Allow},
			"through SQS":                 {data, "kms:GenerateDataKey", through("sqs"), judge.Allow},
			"through S3":                  {data, "kms:Decrypt", through("s3"), judge.Neither},
			"directly":                    {data, "kms:Decrypt", admin, judge.Neither},
			"a grant of one's own":        {data, "kms:CreateGrant", admin, judge.Neither},
			"a grant of DynamoDB's":       {data, "kms:CreateGrant", through("dynamodb"), judge.Allow},
			"a member through SQS":        {data, "kms:Decrypt", roleOf(w, prod, "Admin", ourOrg).with("kms:ViaService", "sqs."+w.Region+".amazonaws.com"), judge.Neither},
			"our rules":                   {data, "kms:GenerateDataKey", service("events.amazonaws.com", "", ""), judge.Allow},
			"our topic":                   {data, "kms:GenerateDataKey", service("sns.amazonaws.com", topic(w), ""), judge.Allow},
			"another topic":               {data, "kms:GenerateDataKey", service("sns.amazonaws.com", here(w, "sns", "x"), hub), judge.Neither},
			"our alarms, which need none": {data, "kms:Decrypt", service("cloudwatch.amazonaws.com", here(w, "cloudwatch", "alarm:rolewarden-x"), hub), judge.Neither},
			"our logs":                    {data, "kms:Encrypt", service(logs, "", "").with("kms:EncryptionContext:aws:logs:arn", group+"rolewarden-guard"), judge.Allow},
			"other logs":                  {data, "kms:Encrypt", service(logs, "", "").with("kms:EncryptionContext:aws:logs:arn", group+"payroll"), judge.Neither},
			"looking after the data key":  {data, "kms:PutKeyPolicy", admin, judge.Allow},
			"looking after the seal key":  {seal, "kms:ScheduleKeyDeletion", admin, judge.Allow},
			"a member looks after it":     {data, "kms:PutKeyPolicy", roleOf(w, prod, "Admin", ourOrg), judge.Neither},
			"a service disables":          {data, "kms:DisableKey", service("events.amazonaws.com", "", ""), judge.Neither},
			"somebody reads by a service": {seal, "kms:Decrypt", through("dynamodb"), judge.Neither},
		} {
			if got := says(t, tt.key, tt.action, tt.who); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
		for _, f := range functions() {
			for _, a := range allowed(grants.Function(w, f, resources(w, f))) {
				if strings.HasPrefix(a, "kms:") && !slices.Contains([]string{"kms:Decrypt", "kms:GenerateDataKey", "kms:GenerateMac", "kms:VerifyMac"}, a) {
					t.Errorf("%s: %s may %s", world, f, a)
				}
			}
		}
	}
}

// T61, T73: the seal key seals for the sweep alone and checks for the guard and
// the sweep, by the algorithm of seals. Administrators look after it and cannot
// use it, nor give its use away; and it knows the roles by name, so that one that
// is made anew goes on.
func TestOnlyTheSweepSeals(t *testing.T) {
	t.Parallel()
	for world, w := range worlds(t) {
		key := grants.SealKeyPolicy(w)
		of := func(account, name string) caller {
			return roleOf(w, account, name, ourOrg).with("kms:MacAlgorithm", "HMAC_SHA_256")
		}
		sweep, guard, admin := of(hub, "rolewarden/"+deployment.SweepRole), of(hub, "rolewarden/"+deployment.GuardRole), of(hub, "Admin")
		for name, tt := range map[string]struct {
			action string
			who    caller
			want   judge.Effect
		}{
			"the sweep seals":              {"kms:GenerateMac", sweep, judge.Allow},
			"the sweep checks":             {"kms:VerifyMac", sweep, judge.Neither},
			"the guard seals":              {"kms:GenerateMac", guard, judge.Deny},
			"the guard checks":             {"kms:VerifyMac", guard, judge.Allow},
			"an administrator seals":       {"kms:GenerateMac", admin, judge.Deny},
			"an administrator checks":      {"kms:VerifyMac", admin, judge.Neither},
			"an administrator looks after": {"kms:DescribeKey", admin, judge.Allow},
			"an administrator lends":       {"kms:CreateGrant", admin, judge.Neither},
			"the canary checks":            {"kms:VerifyMac", of(hub, "rolewarden/"+deployment.CanaryRole), judge.Neither},
			"notify seals":                 {"kms:GenerateMac", of(hub, "rolewarden/"+deployment.NotifyRole), judge.Deny},
			"a member's sweep seals":       {"kms:GenerateMac", of(prod, "rolewarden/"+deployment.SweepRole), judge.Deny},
			"one named like the sweep":     {"kms:GenerateMac", of(hub, deployment.SweepRole), judge.Deny},
			"one named almost so":          {"kms:GenerateMac", of(hub, "rolewarden/"+deployment.SweepRole+"2"), judge.Deny},
			"another algorithm":            {"kms:GenerateMac", sweep.with("kms:MacAlgorithm", "HMAC_SHA_512"), judge.Neither},
			"checking by another":          {"kms:VerifyMac", guard.with("kms:MacAlgorithm", "HMAC_SHA_224"), judge.Neither},
			"a service":                    {"kms:GenerateMac", service("lambda.amazonaws.com", "", ""), judge.Deny},
		} {
			if got := says(t, key, tt.action, tt.who); got != tt.want {
				t.Errorf("%s, %s: %s, want %s", world, name, got, tt.want)
			}
		}
	}
}
