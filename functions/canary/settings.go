package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// settings is what the function is told by its environment.
type settings struct {
	table      string
	topic      string
	partition  string
	externalID notify.Secret
	// rule is the name of the rule that sends an account's events on.
	rule string
	// accounts are covered whatever is below targets, the ids of roots and
	// organizational units.
	accounts []string
	targets  []string
	// fresh is for how long a change proves something; zero stands for
	// canary.DefaultFresh.
	fresh time.Duration
}

// readSettings reads the environment; all that is missing or wrong is said at
// once.
func readSettings(getenv func(string) string) (settings, error) {
	s := settings{
		partition: getenv("ROLEWARDEN_PARTITION"), externalID: notify.NewSecret(getenv("ROLEWARDEN_EXTERNAL_ID")),
		accounts: list(getenv("ROLEWARDEN_ACCOUNTS")), targets: list(getenv("ROLEWARDEN_TARGETS")),
	}
	var wrong []error
	for _, one := range []struct {
		name, what string
		to         *string
	}{
		{"ROLEWARDEN_TABLE", "the name of the ledger's DynamoDB table", &s.table},
		{"ROLEWARDEN_TOPIC_ARN", "the ARN of the alert topic", &s.topic},
	} {
		if *one.to = strings.TrimSpace(getenv(one.name)); *one.to == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.name, one.what))
		}
	}
	if s.partition == "" {
		s.partition = "aws"
	}
	if s.rule = strings.TrimSpace(getenv("ROLEWARDEN_RULE")); s.rule == "" {
		s.rule = deployment.ForwardRule
	}
	if s.rule != deployment.ForwardRule && s.rule != deployment.IntakeRule {
		wrong = append(wrong, fmt.Errorf("reading the environment: ROLEWARDEN_RULE is %q, which the canary may not read: give %s, or %s where rolewarden works in one account", s.rule, deployment.ForwardRule, deployment.IntakeRule))
	}
	if _, known := deployment.HomeRegion(s.partition); !known {
		wrong = append(wrong, fmt.Errorf("reading the environment: ROLEWARDEN_PARTITION is %q, which is no partition: give aws, aws-cn or aws-us-gov", s.partition))
	}
	if (len(s.accounts) == 0) == (len(s.targets) == 0) {
		wrong = append(wrong, fmt.Errorf("reading the environment: ROLEWARDEN_TARGETS names %d roots and organizational units and ROLEWARDEN_ACCOUNTS %d accounts: give one of the two, separated by commas", len(s.targets), len(s.accounts)))
	}
	wrong = append(wrong, checkAccounts("ROLEWARDEN_ACCOUNTS", s.accounts))
	management := list(getenv("ROLEWARDEN_MANAGEMENT"))
	if len(management) > 1 {
		wrong = append(wrong, fmt.Errorf("reading the environment: ROLEWARDEN_MANAGEMENT names %d accounts: an organization has one", len(management)))
	}
	wrong = append(wrong, checkAccounts("ROLEWARDEN_MANAGEMENT", management))
	s.accounts = append(s.accounts, management...)
	var err error
	if s.fresh, err = freshFor(getenv("ROLEWARDEN_EVERY_MINUTES")); err != nil {
		wrong = append(wrong, err)
	}
	return s, errors.Join(wrong...)
}

// freshFor gives for how long a change proves something when the canary runs
// every so many minutes: one run may fail.
func freshFor(minutes string) (time.Duration, error) {
	if minutes == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(minutes)
	if err != nil || n < 15 || n > 1440 {
		return 0, fmt.Errorf("reading the environment: ROLEWARDEN_EVERY_MINUTES is %q: give the minutes between two runs, 15 to 1440", minutes)
	}
	return 2*time.Duration(n)*time.Minute + canary.DefaultGrace, nil
}

// list takes a list apart that is separated by commas.
func list(text string) []string {
	var out []string
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func checkAccounts(name string, ids []string) error {
	var wrong []error
	for _, id := range ids {
		if !role.ValidAccount(id) {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s names %q, which is no account id: give twelve digits", name, id))
		}
	}
	return errors.Join(wrong...)
}
