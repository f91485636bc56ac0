package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// settings is what the function is told by its environment.
type settings struct {
	rulesFile  string
	table      string
	topic      string
	laterQueue string
	sealKey    string
	readerRole string
	writerRole string
	externalID string
}

// The member roles' names where the environment gives none.
const (
	readerRole = "rolewarden/rolewarden-reader"
	writerRole = "rolewarden/rolewarden-remediator"
)

// readSettings reads the environment; all that is missing or wrong is said at once.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{
		rulesFile:  getenv("ROLEWARDEN_RULES"),
		readerRole: getenv("ROLEWARDEN_READER_ROLE"),
		writerRole: getenv("ROLEWARDEN_REMEDIATOR_ROLE"),
		externalID: getenv("ROLEWARDEN_EXTERNAL_ID"),
	}
	if s.rulesFile == "" {
		// The rules file travels in the asset, beside the bootstrap.
		s.rulesFile = filepath.Join(getenv("LAMBDA_TASK_ROOT"), "rules.yaml")
	}
	if s.readerRole == "" {
		s.readerRole = readerRole
	}
	if s.writerRole == "" {
		s.writerRole = writerRole
	}
	var wrong []error
	for _, one := range []struct {
		name, what string
		to         *string
	}{
		{"ROLEWARDEN_TABLE", "the name of the ledger's DynamoDB table", &s.table},
		{"ROLEWARDEN_TOPIC_ARN", "the ARN of the alert topic", &s.topic},
		{"ROLEWARDEN_LATER_QUEUE", "the URL of the later queue", &s.laterQueue},
		{"ROLEWARDEN_SEAL_KEY", "the ARN of the key that baselines are sealed with", &s.sealKey},
	} {
		if *one.to = strings.TrimSpace(getenv(one.name)); *one.to == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.name, one.what))
		}
	}
	if s.laterQueue != "" {
		wrong = append(wrong, checkQueue(s.laterQueue))
	}
	for name, path := range map[string]string{"ROLEWARDEN_READER_ROLE": s.readerRole, "ROLEWARDEN_REMEDIATOR_ROLE": s.writerRole} {
		wrong = append(wrong, checkRole(name, path))
	}
	return s, errors.Join(wrong...)
}

// queueName is the form of a standard queue's name (SQS API Reference,
// API_CreateQueue: QueueName). A FIFO queue cannot delay single messages.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// checkQueue refuses what is no URL of a queue. Steps are known by the name of
// the queue that they come from, so a URL without one would have every step
// taken for an event.
func checkQueue(text string) error {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.RawQuery == "" && u.Fragment == "" {
		if name := lastPart(u.Path, "/"); queueName.MatchString(name) {
			return nil
		}
	}
	return fmt.Errorf("reading the environment: ROLEWARDEN_LATER_QUEUE is %q, which is no URL of a standard queue: give one like https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-later", text)
}

// checkRole refuses what is no path and name of a role, before any session asks for it.
func checkRole(name, text string) error {
	if err := role.SafeARN("arn:aws:iam::111122223333:role/" + text); err != nil {
		return fmt.Errorf("reading the environment: %s is %q, which is no path and name of a role: give one like %s", name, text, readerRole)
	}
	return nil
}
