package lab

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"unicode"
)

// topic is an SNS topic with its SQS subscribers.
type topic struct {
	arn           string
	subscriptions []subscription
}

type subscription struct {
	arn, endpoint string
	raw           bool
}

func snsOperations() map[string]operation {
	return map[string]operation{
		"CreateTopic": {run: (*Lab).createTopic, target: onNewTopic, name: formField("Name")},
		"Publish":     {run: (*Lab).publish, target: onARN("TopicArn"), name: formField("TopicArn")},
		"Subscribe":   {run: (*Lab).subscribe, target: onARN("TopicArn"), name: formField("TopicArn")},
		"ListTopics":  {run: (*Lab).listTopics, target: everything, name: unnamed},
	}
}

func onNewTopic(l *Lab, req *request) string {
	return l.partition.arn("sns", req.region, req.caller.account.ID, req.form.Get("Name"))
}

// Topic makes an SNS topic in the partition's home Region and gives its ARN.
// It is empty when the lab has no such account.
func (l *Lab) Topic(account, name string) (arn string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, ok := l.accounts[account]
	if !ok {
		return ""
	}
	return l.topicOf(acct, l.partition.home(), name).arn
}

func (l *Lab) topicOf(acct *account, region, name string) *topic {
	arn := l.partition.arn("sns", region, acct.ID, name)
	if t, ok := acct.topics[arn]; ok {
		return t
	}
	t := &topic{arn: arn}
	acct.topics[arn] = t
	return t
}

var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}(\.fifo)?$`)

func invalidParameter(text string) *problem {
	return failPlain(http.StatusBadRequest, "InvalidParameter", "%s", "Invalid parameter: "+text)
}

func (l *Lab) createTopic(req *request) (*answer, error) {
	if !topicName.MatchString(req.form.Get("Name")) {
		return nil, invalidParameter("Topic Name")
	}
	return answerXML(leaf("TopicArn", l.topicOf(req.caller.account, req.region, req.form.Get("Name")).arn)), nil
}

func (l *Lab) listTopics(req *request) (*answer, error) {
	return answerXML(members("Topics", sortedKeys(req.caller.account.topics), func(arn string) []elem {
		return []elem{leaf("TopicArn", arn)}
	})), nil
}

// findTopic looks in every account: a topic may be another account's.
func (l *Lab) findTopic(arn string) (*topic, error) {
	for _, acct := range l.order {
		if t, ok := acct.topics[arn]; ok {
			return t, nil
		}
	}
	return nil, failPlain(http.StatusNotFound, "NotFound", "Topic does not exist")
}

// subscribe knows one protocol, sqs; others are confirmed and never served.
func (l *Lab) subscribe(req *request) (*answer, error) {
	t, err := l.findTopic(req.form.Get("TopicArn"))
	if err != nil {
		return nil, err
	}
	sub := subscription{arn: t.arn + ":" + l.uuid()}
	if req.form.Get("Protocol") == "sqs" {
		sub.endpoint = req.form.Get("Endpoint")
	}
	for _, attr := range numbered(req.form, "Attributes.entry.") {
		sub.raw = sub.raw || attr.Get("key") == "RawMessageDelivery" && attr.Get("value") == "true"
	}
	t.subscriptions = append(t.subscriptions, sub)
	return answerXML(leaf("SubscriptionArn", sub.arn)), nil
}

const largestMessage = 256 * kilobyte

func (l *Lab) publish(req *request) (*answer, error) {
	t, err := l.findTopic(req.form.Get("TopicArn"))
	if err != nil {
		return nil, err
	}
	m := Message{
		TopicARN: t.arn, Subject: req.form.Get("Subject"), Body: req.form.Get("Message"), MessageID: l.uuid(),
		Attributes: map[string]string{}, Time: req.at,
	}
	if err := m.check(req.form.Has("Subject")); err != nil {
		return nil, err
	}
	switch req.form.Get("MessageStructure") {
	case "":
	case "json":
		if err := json.Unmarshal([]byte(m.Body), &m.structured); err != nil {
			return nil, invalidParameter("Message Structure - JSON message body failed to parse")
		}
		if _, ok := m.structured["default"]; !ok {
			return nil, invalidParameter("Message Structure - No default entry in JSON message body")
		}
	default:
		return nil, invalidParameter("MessageStructure")
	}
	kinds := map[string]string{}
	for _, attr := range numbered(req.form, "MessageAttributes.entry.") {
		name, value, kind := attr.Get("Name"), attr.Get("Value.StringValue"), attr.Get("Value.DataType")
		if err := checkAttribute(name, value, kind); err != nil {
			return nil, err
		}
		m.Attributes[name], kinds[name] = value, kind
	}
	l.fanOut(t, m, kinds)
	l.enqueue(func() {
		l.deliveries.mu.Lock()
		listeners := l.deliveries.messages
		l.deliveries.mu.Unlock()
		for _, listen := range listeners {
			listen(m)
		}
	})
	return answerXML(leaf("MessageId", m.MessageID)), nil
}

// check: a subject has at most 100 characters of ASCII without line breaks
// and control characters and begins with a letter, digit or punctuation. SNS
// API Reference, Publish.
func (m Message) check(withSubject bool) error {
	if m.Body == "" {
		return invalidParameter("Empty message")
	}
	if len(m.Body) > largestMessage {
		return invalidParameter("Message too long")
	}
	if !withSubject {
		return nil
	}
	if m.Subject == "" || len(m.Subject) >= 100 || strings.HasPrefix(m.Subject, " ") {
		return invalidParameter("Subject")
	}
	for _, r := range m.Subject {
		if r > unicode.MaxASCII || unicode.IsControl(r) {
			return invalidParameter("Subject")
		}
	}
	return nil
}

var attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,256}$`)

func checkAttribute(name, value, kind string) error {
	if !attributeName.MatchString(name) {
		return failPlain(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute name '%s' is invalid.", name)
	}
	if value == "" {
		return failPlain(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, kind)
	}
	switch {
	case kind == "String.Array":
		var items []any
		if err := json.Unmarshal([]byte(value), &items); err != nil {
			return failPlain(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute '%s' with type 'String.Array' is no JSON array.", name)
		}
	case kind == "String", kind == "Number", kind == "Binary", strings.HasPrefix(kind, "String."), strings.HasPrefix(kind, "Number."):
	default:
		return failPlain(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute '%s' has an invalid message attribute type.", name)
	}
	return nil
}

// fanOut puts the message on the subscribed queues, wrapped as SNS wraps it
// unless the subscription asks for raw delivery.
func (l *Lab) fanOut(t *topic, m Message, kinds map[string]string) {
	for _, sub := range t.subscriptions {
		q := l.queueByARN(sub.endpoint)
		if q == nil {
			continue
		}
		body := m.For("sqs")
		if !sub.raw {
			wrapped := map[string]any{
				"Type": "Notification", "MessageId": m.MessageID, "TopicArn": m.TopicARN, "Message": body,
				"Timestamp": m.Time.Format("2006-01-02T15:04:05.000Z"), "SignatureVersion": "1",
			}
			if m.Subject != "" {
				wrapped["Subject"] = m.Subject
			}
			attributes := map[string]any{}
			for name, value := range m.Attributes {
				attributes[name] = map[string]any{"Type": kinds[name], "Value": value}
			}
			if len(attributes) > 0 {
				wrapped["MessageAttributes"] = attributes
			}
			body = string(marshal(wrapped))
		}
		q.put(queued{id: l.uuid(), body: body, sent: m.Time, visible: m.Time})
	}
}
