package main

import (
	"errors"
	"fmt"
	"strings"
)

// settings is what the function is told by its environment.
type settings struct {
	// secret is the name or ARN of the secret that holds the webhook's URL.
	secret string
	// queue and deadLetters are the URLs of the alert queue and its dead-letter queue.
	queue       string
	deadLetters string
}

// readSettings reads the environment; all that is wrong is said at once.
func readSettings(getenv func(string) string) (settings, error) {
	var s settings
	var wrong []error
	for _, one := range []struct {
		name, what string
		to         *string
		isURL      urlness
	}{
		{"ROLEWARDEN_SLACK_SECRET", "the name or ARN of the secret that holds the webhook's URL", &s.secret, anyText},
		{"ROLEWARDEN_ALERT_QUEUE", "the URL of the alert queue", &s.queue, aURL},
		{"ROLEWARDEN_ALERT_DLQ", "the URL of the alert queue's dead-letter queue", &s.deadLetters, aURL},
	} {
		value := strings.TrimSpace(getenv(one.name))
		switch {
		case value == "":
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.name, one.what))
		case one.isURL == aURL && !strings.HasPrefix(value, "https://") && !strings.HasPrefix(value, "http://"):
			// The value is not repeated: somebody may have put a secret there.
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is no URL: give %s, such as https://sqs.us-east-1.amazonaws.com/111122223333/alerts", one.name, one.what))
		case one.isURL == anyText && strings.Contains(value, "://"):
			wrong = append(wrong, fmt.Errorf("reading the environment: %s holds a URL: give %s; the URL itself belongs into the secret", one.name, one.what))
		}
		*one.to = value
	}
	return s, errors.Join(wrong...)
}

// urlness says whether a setting is a URL.
type urlness uint8

const (
	anyText urlness = iota
	aURL
)
