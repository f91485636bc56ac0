package grants_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

const (
	hub    = "555555555555"
	prod   = "111122223333"
	dev    = "444455556666"
	acme   = "222222222222"
	ourOrg = "o-exampleorgid"
	shared = "example-external-id"
)

// worlds are the partitions, each with an organization and without.
func worlds(t testing.TB) map[string]grants.World {
	t.Helper()
	out := map[string]grants.World{}
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		region, ok := deployment.HomeRegion(partition)
		if !ok {
			t.Fatalf("%s has no home", partition)
		}
		w := grants.World{
			Partition: partition, Region: region, Hub: hub, Organization: ourOrg, ExternalID: shared, Account: prod,
			Protected: []string{"arn:" + partition + ":iam::*:role/payroll/*"}, Partners: []string{acme},
		}
		out[partition] = w
		w.Organization, w.Account, w.Partners = "", hub, nil
		out[partition+"-single"] = w
	}
	return out
}

// commercial is the world that most tests look at.
func commercial(t testing.TB) grants.World { return worlds(t)["aws"] }

func here(w grants.World, service, resource string) string {
	return "arn:" + w.Partition + ":" + service + ":" + w.Region + ":" + w.Hub + ":" + resource
}

func roleARN(w grants.World, account, name string) string {
	return "arn:" + w.Partition + ":iam::" + account + ":role/" + name
}

// The resources of the hub, by the names of pkg/deployment.
func queue(w grants.World, name string) string { return here(w, "sqs", name) }

func topic(w grants.World) string { return here(w, "sns", deployment.AlertTopic) }

func rule(w grants.World, name string) string {
	return here(w, "events", "rule/"+deployment.Bus+"/"+name)
}

func sealKey(w grants.World) string {
	return here(w, "kms", "key/8765dcba-12ab-34cd-56ef-1234567890ab")
}

func resources(w grants.World, function string) grants.Resources {
	r := grants.Resources{
		DataKey: here(w, "kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab"), Table: here(w, "dynamodb", "table/"+deployment.Table),
		LogGroup: here(w, "logs", "log-group:"+deployment.LogPrefix+"rolewarden-"+function+":*"), Topic: topic(w),
	}
	switch function {
	case actions.Sweep:
		r.SealKey = sealKey(w)
		r.Consumes = []string{queue(w, deployment.SweepQueue)}
		r.Sends = []string{queue(w, deployment.LaterQueue), queue(w, deployment.SweepQueue)}
	case actions.Guard:
		r.SealKey = sealKey(w)
		r.Consumes = []string{queue(w, deployment.IntakeQueue), queue(w, deployment.LaterQueue)}
		r.Sends = []string{queue(w, deployment.LaterQueue)}
	case actions.Notify:
		r.Table, r.Topic, r.Secret = "", "", here(w, "secretsmanager", "secret:"+deployment.SlackSecret+"-AbCdEf")
		r.Consumes = []string{queue(w, deployment.AlertQueue)}
		r.Sends = []string{queue(w, deployment.AlertQueue+deployment.DLQ)}
	}
	return r
}

// Kinds of documents, by the quota that AWS has for them.
const (
	trust    = "trust"
	identity = "identity"
	resource = "resource"
	ofOrg    = "organization"
)

// named is a document and what it is for.
type named struct {
	name, kind string
	document   grants.Document
}

// all gives every document that there is in a world.
func all(w grants.World) []named {
	forward, watching := forwarding(w)
	out := []named{
		{"reader-trust", trust, grants.ReaderTrust(w)},
		{"remediator-trust", trust, grants.RemediatorTrust(w)},
		{"canary-writer-trust", trust, grants.CanaryWriterTrust(w)},
		{"canary-target-trust", trust, grants.CanaryTargetTrust(w)},
		{"events-trust", trust, grants.EventsTrust(w, []string{forward, watching})},
		{"reader", identity, grants.Reader(w)},
		{"remediator", identity, grants.Remediator(w)},
		{"canary-writer", identity, grants.CanaryWriter(w)},
		{"events", identity, grants.Events(w)},
		{"deployer", identity, grants.Deployer(w)},
		{"operator", identity, grants.Operator(w)},
		{"doctor", identity, grants.Doctor(w)},
		{"bus", resource, grants.Bus(w)},
		{"intake-queue", resource, intake(w)},
		{"alert-queue", resource, grants.QueuePolicy(w, queue(w, deployment.AlertQueue), []grants.Sender{grants.TopicSender(topic(w))})},
		{"sweep-queue", resource, grants.QueuePolicy(w, queue(w, deployment.SweepQueue), nil)},
		{"dead-letters", resource, grants.QueuePolicy(w, queue(w, deployment.IntakeQueue+deployment.DLQ), nil)},
		{"alert-topic", resource, grants.AlertTopic(w, topic(w))},
		{"alarm-topic", resource, grants.AlarmTopic(w, here(w, "sns", deployment.AlarmTopic))},
		{"data-key", resource, grants.DataKeyPolicy(w)},
		{"seal-key", resource, grants.SealKeyPolicy(w)},
	}
	for _, f := range functions() {
		out = append(out, named{f + "-trust", trust, grants.FunctionTrust(w, f)}, named{f, identity, grants.Function(w, f, resources(w, f))})
	}
	for name, d := range grants.People(w) {
		out = append(out, named{"person-" + name, identity, d})
	}
	if w.Organization != "" {
		out = append(out, named{"scp", ofOrg, grants.SCP(w)}, named{"rcp", ofOrg, grants.RCP(w)})
	}
	slices.SortFunc(out, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return out
}

// forwarding gives the rules that use the events role: one, and the pattern of
// those for AssumeRole, of which each Region may have several.
func forwarding(w grants.World) (forward, watching string) {
	const service = ":events:"
	rules := ":" + w.Account + ":rule/"
	return "arn:" + w.Partition + service + w.Region + rules + deployment.ForwardRule, "arn:" + w.Partition + service + "*" + rules + deployment.AssumeRoleRule + "-*"
}

func intake(w grants.World) grants.Document {
	return grants.QueuePolicy(w, queue(w, deployment.IntakeQueue), []grants.Sender{grants.RulesSender(rule(w, deployment.IntakeRule))})
}

func functions() []string {
	return []string{actions.Guard, actions.Notify, actions.Sweep, actions.Canary}
}

// find gives the statement of a Sid.
func find(t testing.TB, d grants.Document, sid string) grants.Statement {
	t.Helper()
	for _, s := range d.Statement {
		if s.Sid == sid {
			return s
		}
	}
	t.Fatalf("no statement %s", sid)
	return grants.Statement{}
}
