package matrix

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/alert"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/invariant"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// published is an alert as SNS took it.
type published struct {
	at    time.Time
	id    string
	alert alert.Alert
	raw   string
}

// written is a trust policy that rolewarden wrote.
type written struct {
	at                      time.Time
	account, role, document string
}

// took notes the messages that SQS has, and the intents that the ledger has.
func (w *world) took(ctx context.Context, call string, body []byte, f Fault) {
	w.effect(ctx, call, body, f)
	switch call {
	case "sqs:SendMessage":
		var m struct {
			QueueURL     string `json:"QueueUrl"`
			MessageBody  string
			DelaySeconds int
		}
		w.must(json.Unmarshal(body, &m))
		w.waiting = append(w.waiting, message{
			queue: m.QueueURL[strings.LastIndexByte(m.QueueURL, '/')+1:], body: m.MessageBody, due: time.Now().Add(time.Duration(m.DelaySeconds) * time.Second),
		})
	case "dynamodb:TransactWriteItems":
		for _, found := range decisions.FindAllSubmatch(body, -1) {
			if id := string(found[1]); w.intents[id].IsZero() {
				w.intents[id] = time.Now()
			}
		}
	}
}

// decisions finds the decisions whose intents a transaction records.
var decisions = regexp.MustCompile(`"DECISION#([^"]+)"`)

// event takes an event off the bus, as the EventBridge rules do.
func (w *world) event(e lab.Envelope) {
	c, err := trail.Parse(e.Raw)
	if err != nil {
		w.t.Errorf("the lab's event is not understood: %v", err)
		return
	}
	if c.EventName == "UpdateAssumeRolePolicy" && ours(e.Raw) && c.Kind == trail.TrustUpdated {
		w.wrote = append(w.wrote, written{time.Now(), c.Account, c.RoleName, c.Document})
	}
	if c.Kind == trail.Ignored || c.Kind == trail.RoleAssumed {
		return
	}
	key := ledger.Key{Account: c.Account, EventID: c.EventID}
	w.about[key], w.last = role.Ref{Account: c.Account, Name: c.RoleName}, c.EventID
	if w.loose {
		w.note(0, invariant.Lost{Key: key})
		return
	}
	w.note(0, invariant.Arrived{Key: key, Document: c.Document})
	w.keys = append(w.keys, key)
	w.waiting = append(w.waiting, message{queue: intake, body: string(e.Raw), due: time.Now()})
}

// ours says whether rolewarden made the call of an event.
func ours(raw []byte) bool {
	return bytes.Contains(raw, []byte(`"sourceIdentity":"`+actions.SourceIdentityPrefix))
}

// message takes what SNS was given.
func (w *world) message(m lab.Message) {
	body := m.For("sqs")
	a, err := alert.Parse([]byte(body))
	if err != nil {
		w.t.Errorf("what was published is no alert: %v: %s", err, body)
		return
	}
	w.told = append(w.told, published{time.Now(), a.ID + "/" + a.State.String(), a, body + m.Subject + fmt.Sprint(m.Attributes)})
}
