package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/rules"
)

// settings is what the function is told by its environment.
type settings struct {
	rulesFile  string
	table      string
	topic      string
	laterQueue string
	readerRole string
	writerRole string
	externalID string
}

// The member roles' names where the environment gives none.
const (
	readerRole = "rolewarden/rolewarden-reader"
	writerRole = "rolewarden/rolewarden-remediator"
)

// readSettings reads the environment; all that is missing is said at once.
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
	} {
		if *one.to = strings.TrimSpace(getenv(one.name)); *one.to == "" {
			wrong = append(wrong, fmt.Errorf("reading the environment: %s is not set: give %s", one.name, one.what))
		}
	}
	return s, errors.Join(wrong...)
}

// loadRules reads the deployed rules file, and refuses one that names a rule
// which does not exist: somebody relies on it.
func loadRules(path string, now time.Time) (*org.Rules, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the rules file: %w: deploy it beside the bootstrap, or set ROLEWARDEN_RULES", err)
	}
	r, err := org.ParseDeployed(filepath.Base(path), text, now)
	if err != nil {
		return nil, fmt.Errorf("reading the rules file: %w", err)
	}
	if err := rules.Check(r); err != nil {
		return nil, fmt.Errorf("reading the rules file: %w", err)
	}
	return r, nil
}
