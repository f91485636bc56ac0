package grants

import (
	"strconv"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Sender is a service that may send for some of its resources.
type Sender struct {
	// Service is such as "events.amazonaws.com".
	Service string
	// ARNs are the resources that it sends for.
	ARNs []string
}

// RulesSender is EventBridge, for some rules.
func RulesSender(ruleARNs ...string) Sender { return Sender{eventBridge, ruleARNs} }

// eventBridge is its service principal.
const eventBridge = "events.amazonaws.com"

// TopicSender is SNS, for a topic.
func TopicSender(topicARN string) Sender { return Sender{"sns.amazonaws.com", []string{topicARN}} }

// Bus lets the events roles of the organization's accounts put events on the
// hub's bus, and nobody else (T2). Where there is no organization only the hub's
// own may.
//
// It asks for no events:source and events:detail-type: AWS documents the two
// for PutEvents and not for what a rule forwards (EventBridge User Guide,
// eb-use-conditions), and were they absent nothing would arrive. The hub's rule
// asks for both, and nobody can put events of a source that begins with "aws.".
func Bus(w World) Document {
	var who any = everything
	if w.Organization == "" {
		who = w.root(w.Hub)
	}
	return document(Statement{
		Sid: "Members", Effect: allow, Principal: who, Action: []string{"events:PutEvents"}, Resource: []string{w.busARN()},
		Condition: all(w.inOrganization("aws:PrincipalOrgID"), arnLike("aws:PrincipalArn", w.roleARN("*", deployment.EventsRole))),
	})
}

// QueuePolicy lets the senders in, each for its own resources in the hub (T3),
// and nobody without TLS. A sender without resources is let in for none. SNS is
// asked for the topic alone, which names the account: that it sends
// aws:SourceAccount too is not documented (Amazon SNS Developer Guide,
// subscribe-sqs-queue-to-sns-topic), and without it no alert would arrive.
func QueuePolicy(w World, queueARN string, senders []Sender) Document {
	var out []Statement
	for i, s := range senders {
		if len(s.ARNs) == 0 {
			continue
		}
		demands := []when{arn("aws:SourceArn", s.ARNs...)}
		if s.Service == eventBridge {
			demands = append(demands, equals("aws:SourceAccount", w.Hub))
		}
		out = append(out, Statement{
			Sid: "Sender" + strconv.Itoa(i+1), Effect: allow, Principal: service(s.Service),
			Action: []string{"sqs:SendMessage"}, Resource: []string{queueARN}, Condition: all(demands...),
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

// AlertTopic lets the guard's, the sweep's and the canary's role publish, and refuses
// everybody else of the account, so that subscribers can act on what they get.
func AlertTopic(w World, topicARN string) Document {
	publishers := []string{w.roleARN(w.Hub, deployment.GuardRole), w.roleARN(w.Hub, deployment.SweepRole), w.roleARN(w.Hub, deployment.CanaryRole)}
	topic, publish := []string{topicARN}, []string{"sns:Publish"}
	return document(
		Statement{
			Sid: "Functions", Effect: allow, Principal: w.root(w.Hub), Action: publish, Resource: topic,
			Condition: all(arn("aws:PrincipalArn", publishers...)),
		},
		Statement{
			Sid: "NobodyElse", Effect: deny, Principal: everything, Action: publish, Resource: topic,
			Condition: all(when{"ArnNotEquals", "aws:PrincipalArn", publishers}),
		},
		onlyTLS("sns:Publish", topicARN),
	)
}

// AlarmTopic lets CloudWatch publish for rolewarden's alarms.
func AlarmTopic(w World, topicARN string) Document {
	return document(
		Statement{
			Sid: "Alarms", Effect: allow, Principal: service("cloudwatch.amazonaws.com"), Action: []string{"sns:Publish"}, Resource: []string{topicARN},
			Condition: all(w.ofAlarms(), equals("aws:SourceAccount", w.Hub)),
		},
		onlyTLS("sns:Publish", topicARN),
	)
}

// ofAlarms asks that a service acts for one of rolewarden's alarms.
func (w World) ofAlarms() when {
	return arnLike("aws:SourceArn", w.here("cloudwatch", "alarm:"+deployment.AlarmPrefix+"*"))
}
