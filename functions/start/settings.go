package start

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// Setting is something that a function must be told by its environment.
type Setting struct {
	Name string
	// What says what is to be given.
	What string
	To   *string
}

// Required reads settings, and says of each that is missing.
func Required(getenv func(string) string, list ...Setting) []error {
	var wrong []error
	for _, one := range list {
		if *one.To = strings.TrimSpace(getenv(one.Name)); *one.To == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.Name, one.What))
		}
	}
	return wrong
}

// RulesFile gives where the rules file lies: it travels in the asset, beside the
// bootstrap, unless the environment names another.
func RulesFile(getenv func(string) string) string {
	if path := getenv("ROLEWARDEN_RULES"); path != "" {
		return path
	}
	return filepath.Join(getenv("LAMBDA_TASK_ROOT"), "rules.yaml")
}

// queuePath is the path of a standard queue's URL: its account and its name (SQS
// API Reference, API_CreateQueue: QueueName). A FIFO queue cannot delay single
// messages.
var queuePath = regexp.MustCompile(`^/([0-9]{12})/([A-Za-z0-9_-]{1,80})$`)

// Queue gives the account and the name of the queue that a URL is of; neither
// where it is of no standard queue.
func Queue(text string) (account, name string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", ""
	}
	m := queuePath.FindStringSubmatch(u.Path)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

// CheckQueue refuses what is no URL of a queue. Steps are known by the name of
// the queue that they come from, so a URL without one would have every step
// taken for an event. One that is missing is for Required to tell.
func CheckQueue(setting, text string) error {
	if _, name := Queue(text); name != "" || text == "" {
		return nil
	}
	return fmt.Errorf("reading the environment: %s is %q, which is no URL of a standard queue: give one like https://sqs.us-east-1.amazonaws.com/111122223333/rolewarden-later", setting, text)
}

// CheckRole refuses what is no path and name of a role, before any session asks
// for it.
func CheckRole(setting, text string) error {
	if err := role.SafeARN("arn:aws:iam::111122223333:role/" + text); err != nil {
		return fmt.Errorf("reading the environment: %s is %q, which is no path and name of a role: give one like rolewarden/rolewarden-reader", setting, text)
	}
	return nil
}
