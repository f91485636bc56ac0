package main

import (
	"cmp"
	"errors"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/notify"
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
	externalID notify.Secret
}

// The member roles' names where the environment gives none.
const (
	readerRole = "rolewarden/rolewarden-reader"
	writerRole = "rolewarden/rolewarden-remediator"
)

// readSettings reads the environment; all that is missing or wrong is said at once.
func readSettings(getenv func(string) string) (settings, error) {
	const reader, writer, later = "ROLEWARDEN_READER_ROLE", "ROLEWARDEN_REMEDIATOR_ROLE", "ROLEWARDEN_LATER_QUEUE"
	s := settings{
		rulesFile:  start.RulesFile(getenv),
		readerRole: cmp.Or(getenv(reader), readerRole),
		writerRole: cmp.Or(getenv(writer), writerRole),
		externalID: notify.NewSecret(getenv("ROLEWARDEN_EXTERNAL_ID")),
	}
	wrong := start.Required(getenv,
		start.Setting{Name: "ROLEWARDEN_TABLE", What: "the name of the ledger's DynamoDB table", To: &s.table},
		start.Setting{Name: "ROLEWARDEN_TOPIC_ARN", What: "the ARN of the alert topic", To: &s.topic},
		start.Setting{Name: later, What: "the URL of the later queue", To: &s.laterQueue},
		start.Setting{Name: "ROLEWARDEN_SEAL_KEY", What: "the ARN of the key that baselines are sealed with", To: &s.sealKey},
	)
	wrong = append(wrong, start.CheckQueue(later, s.laterQueue), start.CheckRole(reader, s.readerRole), start.CheckRole(writer, s.writerRole))
	return s, errors.Join(wrong...)
}
