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
	out := w.ledgerOf(actions.Doctor)
	permissions = without(permissions, pick(permissions, []string{"dynamodb:"}))
	for _, g := range []group{
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
		w.keyThrough("KeyThroughServices", "dynamodb", "secretsmanager"),
	)...)
}
