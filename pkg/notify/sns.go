package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/rolewarden/rolewarden/pkg/alert"
)

// Message is one message to an SNS topic.
type Message struct {
	TopicARN string
	Subject  string
	// Structure is "json": Body holds one text per protocol (Amazon SNS API
	// Reference, API_Publish, MessageStructure).
	Structure  string
	Body       string
	Attributes map[string]alert.Attribute
}

// Publisher publishes a message; the room awsapi has the one that speaks to SNS.
type Publisher interface {
	Publish(ctx context.Context, m Message) error
}

// SNS tells alerts on a topic. People's e-mail gets the text, a phone gets the
// subject, and every other protocol (SQS, Lambda, HTTPS, Firehose, email-json)
// gets the default: the alert's JSON, for programs.
type SNS struct {
	Publisher Publisher
	TopicARN  string
}

var _ Channel = SNS{}

// maxMessage is the most bytes that SNS takes, attributes included (Amazon SNS
// Developer Guide, "Amazon SNS message size").
const maxMessage = 256 * 1024

// Name gives "sns".
func (s SNS) Name() string { return "sns" }

// Notify publishes the alert. A failure is tried again: SNS refuses none of
// our messages for good, but for those that are too large.
func (s SNS) Notify(ctx context.Context, a alert.Alert) (Retry, error) {
	m := Message{TopicARN: s.TopicARN, Subject: a.Subject(), Structure: "json", Attributes: a.Attributes()}
	room := maxMessage - len(m.Subject) - attributesSize(m.Attributes)
	for _, text := range []string{a.Text(), a.Headline() + " The rest is too long for this message; see the alert's JSON.\n"} {
		body, err := structured(map[string]string{"default": string(a.JSON()), "email": text, "sms": m.Subject})
		if err != nil {
			return Retry{}, fmt.Errorf("publishing alert %s: %w", a.ID, err)
		}
		if len(body) > room {
			continue
		}
		m.Body = body
		if err := s.Publisher.Publish(ctx, m); err != nil {
			return Retry{When: Now}, fmt.Errorf("publishing alert %s: %w", a.ID, err)
		}
		return Retry{}, nil
	}
	return Retry{}, fmt.Errorf("publishing alert %s: it has %d bytes of JSON, and a message has room for %d", a.ID, len(a.JSON()), room)
}

// structured prints the texts by protocol, without escaping <, > and &, which
// would make them longer.
func structured(texts map[string]string) (string, error) {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(texts); err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(buf.Bytes())), nil
}

// attributesSize is what attributes count towards a message: names, data types and values.
func attributesSize(attributes map[string]alert.Attribute) int {
	size := 0
	for name, v := range attributes {
		size += len(name) + len("String.Array") + len(v.String) + len("[]")
		for _, one := range v.StringArray {
			size += 2*len(one) + len(`"",`)
		}
	}
	return size
}
