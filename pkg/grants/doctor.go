package grants

import (
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Doctor is what a person needs to run `rolewarden doctor` with credentials of
// the hub: the calls that it makes, which only read, and the data key behind
// the two things that are encrypted with it.
func Doctor(w World) Document {
	permissions := actions.Permissions(actions.Doctor, actions.Own)
	var out []Statement
	for _, g := range []group{
		{[]string{"dynamodb:"}, Statement{Sid: "Ledger", Resource: []string{w.here("dynamodb", "table/"+deployment.Table)}}},
		{[]string{"secretsmanager:"}, Statement{Sid: "Webhook", Resource: []string{w.here("secretsmanager", "secret:"+deployment.SlackSecret+"-*")}}},
		{[]string{"sqs:"}, Statement{Sid: "Queues", Resource: []string{w.here("sqs", "rolewarden-*")}}},
		{[]string{"sns:"}, Statement{Sid: "Topics", Resource: []string{w.here("sns", deployment.AlarmTopic), w.here("sns", deployment.AlertTopic)}}},
	} {
		g.statement.Effect, g.statement.Action = allow, pick(permissions, g.takes)
		permissions = without(permissions, g.statement.Action)
		out = append(out, g.statement)
	}
	return document(append(out,
		Statement{Sid: "Lists", Effect: allow, Action: permissions, Resource: []string{everything}},
		Statement{
			Sid: "KeyThroughServices", Effect: allow, Action: []string{"kms:Decrypt"}, Resource: []string{w.here("kms", "key/*")},
			Condition: all(w.via("dynamodb", "secretsmanager")),
		},
	)...)
}

// switchItem is the partition of the ledger's table that holds the kill switch
// alone (pkg/ledger, README).
const switchItem = "SWITCH"

// Pause is what a person needs to run `rolewarden writes`: to read and write
// one item of the ledger, the kill switch, and nothing else in it.
func Pause(w World) Document {
	return document(
		Statement{
			Sid: "Switch", Effect: allow, Action: []string{"dynamodb:GetItem", "dynamodb:PutItem"}, Resource: []string{w.here("dynamodb", "table/"+deployment.Table)},
			Condition: all(
				when{"ForAllValues:StringEquals", "dynamodb:LeadingKeys", []string{switchItem}},
				// Without it a call that shows no key would meet the line above.
				when{"Null", "dynamodb:LeadingKeys", []string{"false"}},
			),
		},
		Statement{
			Sid: "KeyThroughService", Effect: allow, Action: []string{"kms:Decrypt"}, Resource: []string{w.here("kms", "key/*")},
			Condition: all(w.via("dynamodb")),
		},
	)
}
