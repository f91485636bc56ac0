package sweep

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// Task is what a Message asks for. The zero value asks for nothing.
type Task string

// The tasks.
const (
	// ReadAccount: read one account, from where the ledger says.
	ReadAccount Task = "account"
	// CloseSweep: end the sweep if its accounts have ended, else look again later.
	CloseSweep Task = "close"
)

// Message is one message of the sweep's queue.
type Message struct {
	Version int    `json:"version"`
	Task    Task   `json:"task"`
	Sweep   string `json:"sweep"`
	// Account is the one to be read, for ReadAccount.
	Account string `json:"account,omitempty"`
	// Throttled counts how often IAM has asked in a row to slow down.
	Throttled int `json:"throttled,omitempty"`
	// Failed counts how often the account could not be read for another reason.
	Failed int `json:"failed,omitempty"`
	// Anew counts how often the reading of the account began from its beginning again.
	Anew int `json:"anew,omitempty"`
}

// messageVersion is the version of the Message's JSON form.
const messageVersion = 1

// Body gives the JSON form of a Message.
func (m Message) Body() ([]byte, error) {
	m.Version = messageVersion
	return json.Marshal(m)
}

// ParseMessage reads what Body gives and nothing else.
func ParseMessage(body []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return Message{}, fmt.Errorf("reading a message of the sweep: %w", err)
	}
	switch {
	case m.Version != messageVersion:
		return Message{}, fmt.Errorf("reading a message of the sweep: version %d is not %d: redrive it to the rolewarden that sent it", m.Version, messageVersion)
	case !slices.Contains([]Task{ReadAccount, CloseSweep}, m.Task):
		return Message{}, fmt.Errorf("reading a message of the sweep: %q is no task: it was sent by another version of rolewarden, redrive it after deploying that one", m.Task)
	case !sweepForm.MatchString(m.Sweep):
		return Message{}, fmt.Errorf("reading a message of the sweep: %q names no sweep", m.Sweep)
	case m.Task == ReadAccount && !role.ValidAccount(m.Account):
		return Message{}, fmt.Errorf("reading a message of sweep %s: %q is no account id", m.Sweep, m.Account)
	}
	return m, nil
}
