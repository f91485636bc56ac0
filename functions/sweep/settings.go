package main

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// settings is what the function is told by its environment.
type settings struct {
	rulesFile  string
	table      string
	topic      string
	laterQueue string
	sweepQueue string
	// sealKey is the key that seals; empty where nothing is sealed.
	sealKey    string
	readerRole string
	externalID notify.Secret
}

// readSettings reads the environment; all that is missing or wrong is said at once.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{
		rulesFile:  getenv("ROLEWARDEN_RULES"),
		sealKey:    strings.TrimSpace(getenv("ROLEWARDEN_SEAL_KEY")),
		readerRole: getenv("ROLEWARDEN_READER_ROLE"),
		externalID: notify.NewSecret(getenv("ROLEWARDEN_EXTERNAL_ID")),
	}
	if s.rulesFile == "" {
		// The rules file travels in the asset, beside the bootstrap.
		s.rulesFile = filepath.Join(getenv("LAMBDA_TASK_ROOT"), "rules.yaml")
	}
	if s.readerRole == "" {
		s.readerRole = strings.TrimPrefix(deployment.Path, "/") + deployment.ReaderRole
	}
	var wrong []error
	for _, one := range []struct {
		name, what string
		to         *string
	}{
		{"ROLEWARDEN_TABLE", "the name of the ledger's DynamoDB table", &s.table},
		{"ROLEWARDEN_TOPIC_ARN", "the ARN of the alert topic", &s.topic},
		{"ROLEWARDEN_LATER_QUEUE", "the URL of the later queue", &s.laterQueue},
		{"ROLEWARDEN_SWEEP_QUEUE", "the URL of the sweep's queue", &s.sweepQueue},
	} {
		if *one.to = strings.TrimSpace(getenv(one.name)); *one.to == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.name, one.what))
		}
	}
	for name, text := range map[string]string{"ROLEWARDEN_LATER_QUEUE": s.laterQueue, "ROLEWARDEN_SWEEP_QUEUE": s.sweepQueue} {
		if text != "" && accountOf(text) == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is %q, which is no URL of a standard queue: give one like https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-sweep", name, text))
		}
	}
	if err := role.SafeARN("arn:aws:iam::111122223333:role/" + s.readerRole); err != nil {
		wrong = append(wrong, fmt.Errorf("reading the environment: ROLEWARDEN_READER_ROLE is %q, which is no path and name of a role: give one like rolewarden/rolewarden-reader", s.readerRole))
	}
	return s, errors.Join(wrong...)
}

// queuePath is the path of a standard queue's URL: its account and its name (SQS
// API Reference, API_CreateQueue: QueueName).
var queuePath = regexp.MustCompile(`^/([0-9]{12})/[A-Za-z0-9_-]{1,80}$`)

// accountOf gives the account that a queue's URL names; empty where it is none.
func accountOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	m := queuePath.FindStringSubmatch(u.Path)
	if m == nil {
		return ""
	}
	return m[1]
}
