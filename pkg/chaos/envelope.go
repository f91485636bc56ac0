package chaos

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// envelope is an event as EventBridge delivers it.
type envelope struct {
	name, id, account, actor, source string
	at                               time.Time
	request, response                map[string]any
	// code is CloudTrail's error code; empty for a call that succeeded.
	code string
	// recipient is the account that the record names, where it is another one.
	recipient string
}

// document is the trust policy that the event says its role has.
func (e envelope) document() string {
	for _, name := range []string{"policyDocument", "assumeRolePolicyDocument"} {
		if text, ok := e.request[name].(string); ok {
			return text
		}
	}
	return ""
}

// body gives the JSON text.
func (e envelope) body() []byte {
	at := e.at.UTC().Format(time.RFC3339)
	recipient := e.recipient
	if recipient == "" {
		recipient = e.account
	}
	identity := map[string]any{"type": "IAMUser", "principalId": "AIDABOB11111111111111", "arn": e.actor, "accountId": e.account, "userName": e.actor[strings.LastIndexByte(e.actor, '/')+1:]}
	if strings.Contains(e.actor, ":assumed-role/") {
		name, _, _ := strings.Cut(lastField(e.actor)[len("assumed-role/"):], "/")
		context := map[string]any{"sessionIssuer": map[string]any{"type": "Role", "principalId": "AROAWRITER1111111111", "arn": arn(accountOf(e.actor), "role", issuerPath(name)+name), "accountId": accountOf(e.actor), "userName": name}}
		if e.source != "" {
			context["sourceIdentity"] = e.source
		}
		identity = map[string]any{"type": "AssumedRole", "principalId": "AROAWRITER1111111111:rw", "arn": e.actor, "accountId": accountOf(e.actor), "sessionContext": context}
	}
	detail := map[string]any{
		"eventVersion": "1.11", "eventTime": at, "eventSource": "iam.amazonaws.com", "eventName": e.name,
		"awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.31.0", "userIdentity": identity,
		"requestParameters": e.request, "requestID": "r-" + e.id, "eventID": e.id, "readOnly": false, "eventType": "AwsApiCall",
		"managementEvent": true, "recipientAccountId": recipient, "eventCategory": "Management",
	}
	if e.response != nil {
		detail["responseElements"] = e.response
	}
	if e.code != "" {
		detail["errorCode"], detail["errorMessage"] = e.code, "User is not authorized to perform this"
	}
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": "b-" + e.id, "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam",
		"account": e.account, "time": at, "region": "us-east-1", "resources": []string{}, "detail": detail,
	})
	if err != nil {
		panic(err) // maps of texts have a JSON form
	}
	return body
}

// told is the event that CloudTrail makes of a change.
func (m emission) told() envelope {
	e := envelope{name: m.event, id: m.id, account: m.ref.Account, actor: m.actor, source: m.source, at: m.at}
	switch m.event {
	case "CreateRole":
		e.request = map[string]any{"roleName": m.ref.Name, "path": m.made.Path, "assumeRolePolicyDocument": m.document}
		e.response = map[string]any{"role": map[string]any{"roleName": m.made.Name, "arn": m.made.ARN, "roleId": m.made.ID, "path": m.made.Path}}
	case "UpdateAssumeRolePolicy":
		e.request = map[string]any{"roleName": m.ref.Name, "policyDocument": m.document}
	case "DeleteRole":
		e.request = map[string]any{"roleName": m.ref.Name}
	case "DeleteUser":
		e.request = map[string]any{"userName": m.user}
	case "UpdateUser":
		e.request = map[string]any{"userName": m.user, "newUserName": m.renamed}
	}
	return e
}

// lastField is what stands behind the account in an ARN.
func lastField(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}

// issuerPath is the path of a role behind a session, without its first slash.
func issuerPath(name string) string {
	if name == deployment.RemediatorRole {
		return strings.TrimPrefix(deployment.Path, "/")
	}
	return ""
}

// accountOf is the account in an ARN.
func accountOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}
