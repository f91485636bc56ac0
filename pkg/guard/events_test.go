package guard_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/guard"
	"github.com/rolewarden/rolewarden/pkg/ledger"
)

// event makes an envelope as EventBridge delivers it.
func (w *world) event(name, eventID string, request map[string]any, response any) []byte {
	w.now = w.now.Add(time.Second)
	return w.eventAt(w.now, name, eventID, request, response)
}

func (w *world) eventAt(at time.Time, name, eventID string, request map[string]any, response any) []byte {
	w.t.Helper()
	detail := map[string]any{
		"eventVersion": "1.11", "eventTime": at.Format(time.RFC3339), "eventSource": "iam.amazonaws.com", "eventName": name,
		"awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.31.0",
		"userIdentity":      map[string]any{"type": "IAMUser", "principalId": "AIDABOB11111111111111", "arn": "arn:aws:iam::111122223333:user/bob", "accountId": prod, "userName": "bob"},
		"requestParameters": request, "responseElements": response, "requestID": "r-" + eventID, "eventID": eventID,
		"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": prod, "eventCategory": "Management",
	}
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-" + eventID, "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
		"account": prod, "time": at.Format(time.RFC3339), "region": "us-east-1", "resources": []string{}, "detail": detail,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *world) created(eventID, name, document string) []byte {
	r := w.live(prod, name)
	return w.event("CreateRole", eventID, map[string]any{"roleName": name, "assumeRolePolicyDocument": document},
		map[string]any{"role": map[string]any{"roleName": name, "arn": r.ARN, "roleId": r.ID, "path": "/"}})
}

func (w *world) updated(eventID, name, document string) []byte {
	return w.event("UpdateAssumeRolePolicy", eventID, map[string]any{"roleName": name, "policyDocument": document}, nil)
}

// withBaseline makes a role whose closed document has become a baseline, a day ago.
func withBaseline(t *testing.T, text string) *world {
	t.Helper()
	w := newWorld(t, text)
	w.put(prod, "app", "AROAAPP1111111111111", closed)
	if res := w.handle(w.created("ev-create", "app", closed)); res.End != ledger.Compliant {
		t.Fatalf("a closed role ended in %s: %s", res.End, res.Reason)
	}
	w.due()
	w.now = w.now.Add(24 * time.Hour)
	w.seal(prod, "AROAAPP1111111111111")
	w.calls, w.told, w.steps = nil, nil, nil
	return w
}

// open changes the role behind the guard's back and hands it the event.
func (w *world) open(eventID string) guard.Result {
	w.t.Helper()
	w.put(prod, "app", "AROAAPP1111111111111", opened)
	return w.handle(w.updated(eventID, "app", opened))
}
