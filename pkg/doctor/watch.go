package doctor

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/notify"
)

// alarms makes sure that every alarm is there, tells somebody, and is quiet.
func alarms() Check {
	return Check{
		ID: "alarms", When: After,
		Looks: "the alarms whose names begin with " + deployment.AlarmPrefix + " (CloudWatch DescribeAlarms)",
		look: func(ctx context.Context, e *exam, n *notes) {
			have, err := e.alarms.get(ctx)
			if err != nil {
				n.unknown(err)
				return
			}
			topic, again := e.arn("sns", deployment.AlarmTopic), e.deploy(e.mainStack())
			var missing, mute, other []string
			wanted := e.Deployment.Alarms()
			for _, w := range wanted {
				at := slices.IndexFunc(have, func(a Alarm) bool { return a.Name == w.Name })
				switch {
				case at < 0:
					missing = append(missing, w.Name)
				case !slices.Contains(have[at].Actions, topic):
					mute = append(mute, w.Name)
				case have[at].Metric != w.Namespace+" "+w.Metric:
					other = append(other, w.Name)
				}
				if at >= 0 && have[at].State == "ALARM" {
					n.problem(fmt.Sprintf("The alarm %s has gone off: %s", w.Name, sentence(have[at].Reason)), w.Description)
				}
			}
			for _, bad := range []struct {
				names []string
				says  string
			}{{missing, "Alarms are missing"}, {mute, "Alarms do not tell " + topic}, {other, "Alarms look at another metric than this version's"}} {
				if len(bad.names) > 0 {
					n.problem(bad.says+": "+list(bad.names)+".", again)
				}
			}
			n.fine(fmt.Sprintf("%d alarms were looked for.", len(wanted)))
		},
	}
}

// sentence ends a text with one full stop.
func sentence(text string) string { return strings.TrimSuffix(text, ".") + "." }

// topics makes sure that alarms and alerts reach somebody.
func topics() Check {
	return Check{
		ID: "subscriptions", When: After,
		Looks: "who subscribes to the topics " + deployment.AlarmTopic + " and " + deployment.AlertTopic + " (SNS ListSubscriptionsByTopic)",
		look: func(ctx context.Context, e *exam, n *notes) {
			for _, t := range []struct{ name, lost, do string }{
				{deployment.AlarmTopic, "an alarm wakes nobody", "Write an address into alarms.email in " + e.Deployment.File + " and deploy, or subscribe to " + e.arn("sns", deployment.AlarmTopic) + "."},
				{deployment.AlertTopic, "an alert reaches nobody", "Subscribe to " + e.arn("sns", deployment.AlertTopic) + ", or connect Slack (slack: present in " + e.Deployment.File + ")."},
			} {
				subscribers, err := e.AWS.Subscriptions(ctx, e.arn("sns", t.name))
				if err != nil {
					n.unknown(err)
					continue
				}
				topicState(n, t.name, t.lost, t.do, subscribers)
			}
		},
	}
}

func topicState(n *notes, name, lost, do string, subscribers []Subscription) {
	protocols := map[Confirmation][]string{}
	for _, s := range subscribers {
		protocols[s.Confirmed] = append(protocols[s.Confirmed], s.Protocol)
	}
	pending, confirmed := protocols[Pending], protocols[Confirmed]
	switch {
	case len(confirmed) == 0 && len(pending) == 0:
		n.problem(fmt.Sprintf("Nobody subscribes to the topic %s: %s.", name, lost), do)
	case len(confirmed) == 0:
		n.problem(fmt.Sprintf("Nobody has confirmed a subscription to the topic %s (%s): %s.", name, list(pending), lost), "Follow the link in the message that AWS sent to the subscriber.")
	case len(pending) > 0:
		n.warn(fmt.Sprintf("Subscriptions to the topic %s are not confirmed: %s.", name, list(pending)), "Follow the link in the message that AWS sent to the subscriber.")
		fallthrough
	default:
		n.fine(fmt.Sprintf("The topic %s has %d confirmed subscriptions.", name, len(confirmed)))
	}
}

// deadLetters makes sure that nothing was given up.
func deadLetters() Check {
	return Check{
		ID: "dead-letters", When: After,
		Looks: "how many messages are in the dead-letter queues (SQS GetQueueUrl, GetQueueAttributes)",
		look: func(ctx context.Context, e *exam, n *notes) {
			names := []string{deployment.RuleDLQ}
			for _, q := range e.Deployment.Queues() {
				names = append(names, q+deployment.DLQ)
			}
			empty := 0
			for _, name := range names {
				waiting, err := e.AWS.Waiting(ctx, name)
				switch {
				case absent(err):
					n.problem("The queue "+name+" does not exist: what fails is lost.", e.deploy(e.mainStack()))
				case err != nil:
					n.unknown(err)
				case waiting > 0:
					n.problem(fmt.Sprintf("The queue %s holds %d messages that nobody could handle.", name, waiting),
						"Read why in the log or in the message's attributes, mend it, and redrive the queue.")
				default:
					empty++
				}
			}
			if empty > 0 {
				n.fine(fmt.Sprintf("%d dead-letter queues are empty.", empty))
			}
		},
	}
}

// slackSecret makes sure that alerts can reach Slack. What the secret holds is
// never shown (T80).
func slackSecret() Check {
	return Check{
		ID: "slack-secret", When: After,
		Looks: "the secret " + deployment.SlackSecret + " (Secrets Manager GetSecretValue); its value is not shown",
		look: func(ctx context.Context, e *exam, n *notes) {
			if e.Deployment.Slack != deployment.Present {
				n.skip("The deployment file does not ask for Slack.")
				return
			}
			write := "Write the webhook's URL (https://hooks.slack.com/services/...) into the secret " + deployment.SlackSecret + ", as a text and nothing else."
			value, err := e.AWS.Value(ctx, deployment.SlackSecret)
			switch why := "it does not exist"; {
			case absent(err):
				n.problem("The secret "+deployment.SlackSecret+" cannot be used: "+why+", or it has no value yet.", write)
			case err != nil:
				n.unknown(err)
			default:
				if why = unlikeSlack(value); why != "" {
					n.problem("The secret "+deployment.SlackSecret+" cannot be used: "+why+".", write)
					return
				}
				n.fine("The secret " + deployment.SlackSecret + " can be read and holds the URL of a Slack webhook.")
			}
		},
	}
}

// unlikeSlack says why a value is no URL of a Slack webhook; nothing when it is
// one. The answer never holds the value.
func unlikeSlack(value notify.Secret) string {
	text := strings.TrimSpace(value.Reveal())
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "it is empty"
	case err != nil:
		return "it holds no URL"
	case u.Scheme != "https":
		return "its URL does not begin with https://"
	case u.User != nil || u.Fragment != "":
		return "its URL has a user or a fragment"
	case u.Host != "hooks.slack.com" && u.Host != "hooks.slack-gov.com":
		return "its URL is not of a host of Slack's webhooks"
	}
	return ""
}

// killSwitch tells whether writing is stopped.
func killSwitch() Check {
	return Check{
		ID: "kill-switch", When: After,
		Looks: "the kill switch in the table " + deployment.Table + " (DynamoDB GetItem)",
		look: func(ctx context.Context, e *exam, n *notes) {
			allow := "rolewarden writes allow --deployment " + e.Deployment.File + " --reason \"...\""
			s, err := e.AWS.Switch(ctx)
			switch {
			case absent(err):
				n.problem("The table "+deployment.Table+" does not exist.", e.deploy(e.mainStack()))
			case err != nil:
				n.unknown(err)
			case s == decision.WritesAllowed:
				n.fine("The kill switch lets writes through, as far as modes and limits do.")
			case s == decision.WritesStopped:
				n.warn("The kill switch stops every write, tags included.", "When the reason for it is gone: "+allow)
			default:
				n.problem("The kill switch cannot be read, and so nothing is written.", "Set it anew: "+allow)
			}
		},
	}
}

// guardrails makes sure that the guarding policies are attached where they
// should be (T71).
func guardrails() Check {
	return Check{
		ID: "guardrails", When: After, Ways: inOrganization(), Seats: []Seat{Hub, Management},
		Looks: "the policies attached to the targets of guardrails (Organizations ListPoliciesForTarget)",
		look: func(ctx context.Context, e *exam, n *notes) {
			wanted := attached(e.Deployment)
			if len(wanted) == 0 {
				n.skip("The deployment file attaches no guarding policy; they are written to files only.")
				return
			}
			for _, a := range wanted {
				for _, target := range a.targets {
					names, err := e.AWS.Attached(ctx, target, a.kind)
					switch {
					case err != nil:
						n.unknown(err)
					case !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, deployment.AlarmPrefix) }):
						n.problem(fmt.Sprintf("No guarding policy (%s) of rolewarden is attached to %s.", a.kind, target), "Find out who detached it.", e.deploy(deployment.ManagementStack))
					default:
						n.fine(fmt.Sprintf("A guarding policy (%s) is attached to %s.", a.kind, target))
					}
				}
			}
		},
	}
}
