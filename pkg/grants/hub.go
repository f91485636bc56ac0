package grants

import (
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Sender is a service that may send for some of its resources.
type Sender struct {
	// Service is such as "events.amazonaws.com".
	Service string
	// ARNs are the resources it sends for.
	ARNs []string
}

// RulesSender is EventBridge, for some rules.
func RulesSender(ruleARNs ...string) Sender { return Sender{"events.amazonaws.com", ruleARNs} }

// TopicSender is SNS, for a topic.
func TopicSender(topicARN string) Sender { return Sender{"sns.amazonaws.com", []string{topicARN}} }

// Bus lets the events roles of the organization's accounts put events on the
// hub's bus, and nobody else (T2).
func Bus(w World) Document {
	return document(Statement{
		Sid: "Members", Effect: allow, Principal: everything, Action: []string{"events:PutEvents"}, Resource: []string{w.BusARN()},
		Condition: all(w.inOrganization("aws:PrincipalOrgID"), arnLike("aws:PrincipalArn", w.roleARN("*", deployment.EventsRole))),
	})
}

// QueuePolicy lets the senders in, each for its own resources in the hub (T3),
// and nobody without TLS.
func QueuePolicy(w World, queueARN string, senders []Sender) Document {
	var out []Statement
	for i, s := range senders {
		out = append(out, Statement{
			Sid: "Sender" + string(rune('A'+i)), Effect: allow, Principal: service(s.Service), Action: []string{"sqs:SendMessage"}, Resource: []string{queueARN},
			Condition: all(arn("aws:SourceArn", s.ARNs...), equals("aws:SourceAccount", w.Hub)),
		})
	}
	return document(append(out, onlyTLS("sqs:*", queueARN))...)
}

// onlyTLS refuses what comes in the clear.
func onlyTLS(action, resource string) Statement {
	return Statement{
		Sid: "OnlyTLS", Effect: deny, Principal: everything, Action: []string{action}, Resource: []string{resource},
		Condition: all(when{"Bool", "aws:SecureTransport", []string{"false"}}),
	}
}

// AlertTopic lets the guard's and the canary's role publish.
func AlertTopic(w World, topicARN string) Document {
	publishers := []string{w.roleARN(w.Hub, deployment.GuardRole), w.roleARN(w.Hub, deployment.CanaryRole)}
	return document(
		Statement{
			Sid: "Functions", Effect: allow, Principal: w.root(w.Hub), Action: []string{"sns:Publish"}, Resource: []string{topicARN},
			Condition: all(arn("aws:PrincipalArn", publishers...)),
		},
		onlyTLS("sns:Publish", topicARN),
	)
}

// AlarmTopic lets rolewarden's alarms publish.
func AlarmTopic(w World, topicARN string) Document {
	return document(
		Statement{
			Sid: "Alarms", Effect: allow, Principal: service("cloudwatch.amazonaws.com"), Action: []string{"sns:Publish"}, Resource: []string{topicARN},
			Condition: all(arnLike("aws:SourceArn", w.here("cloudwatch", "alarm:"+deployment.AlarmPrefix+"*")), equals("aws:SourceAccount", w.Hub)),
		},
		onlyTLS("sns:Publish", topicARN),
	)
}
