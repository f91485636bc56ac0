package guard_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
)

// as makes an event one of a session of rolewarden's own role, that bears a name
// and a source identity.
func as(t testing.TB, body []byte, session, source string) []byte {
	t.Helper()
	var envelope map[string]any
	if err := json.Unmarshal(body, &envelope); err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:iam::111122223333:role/rolewarden/rolewarden-remediator"
	detail := envelope["detail"].(map[string]any)
	detail["userIdentity"] = map[string]any{
		"type": "AssumedRole", "principalId": "AROAREMEDIATOR1111111:" + session, "accountId": prod,
		"arn": "arn:aws:sts::111122223333:assumed-role/rolewarden-remediator/" + session,
		"sessionContext": map[string]any{
			"sessionIssuer":  map[string]any{"type": "Role", "principalId": "AROAREMEDIATOR1111111", "arn": arn, "accountId": prod, "userName": "rolewarden-remediator"},
			"sourceIdentity": source,
		},
	}
	out, err := json.Marshal(envelope)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// own makes an event one of the write of a decision.
func own(t testing.TB, body []byte, decisionID string) []byte {
	t.Helper()
	return as(t, body, actions.SessionPrefix+decisionID, actions.SourceIdentityPrefix+decisionID)
}

// alarmed counts the log records with an alarm's word.
func (w *world) alarmed(word string) int {
	return strings.Count(w.log.String(), `"alarm":"`+word+`"`)
}
