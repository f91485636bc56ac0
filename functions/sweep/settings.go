package main

import (
	"cmp"
	"errors"
	"strings"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/notify"
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
	const reader, later, own = "ROLEWARDEN_READER_ROLE", "ROLEWARDEN_LATER_QUEUE", "ROLEWARDEN_SWEEP_QUEUE"
	s := settings{
		rulesFile:  start.RulesFile(getenv),
		sealKey:    strings.TrimSpace(getenv("ROLEWARDEN_SEAL_KEY")),
		readerRole: cmp.Or(getenv(reader), strings.TrimPrefix(deployment.Path, "/")+deployment.ReaderRole),
		externalID: notify.NewSecret(getenv("ROLEWARDEN_EXTERNAL_ID")),
	}
	wrong := start.Required(getenv,
		start.Setting{Name: "ROLEWARDEN_TABLE", What: "the name of the ledger's DynamoDB table", To: &s.table},
		start.Setting{Name: "ROLEWARDEN_TOPIC_ARN", What: "the ARN of the alert topic", To: &s.topic},
		start.Setting{Name: later, What: "the URL of the later queue", To: &s.laterQueue},
		start.Setting{Name: own, What: "the URL of the sweep's queue", To: &s.sweepQueue},
	)
	wrong = append(wrong, start.CheckQueue(later, s.laterQueue), start.CheckQueue(own, s.sweepQueue), start.CheckRole(reader, s.readerRole))
	return s, errors.Join(wrong...)
}
