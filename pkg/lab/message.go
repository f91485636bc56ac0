package lab

import (
	"time"
)

// Message is one SNS publication.
type Message struct {
	TopicARN, Subject, Body, MessageID string
	Attributes                         map[string]string
	Time                               time.Time
	structured                         map[string]string
}

// For gives the body that a subscriber of the protocol gets: with
// MessageStructure "json" each protocol may have its own.
func (m Message) For(protocol string) string {
	if m.structured == nil {
		return m.Body
	}
	if body, ok := m.structured[protocol]; ok {
		return body
	}
	return m.structured["default"]
}
