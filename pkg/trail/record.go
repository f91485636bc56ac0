package trail

import (
	"github.com/go-json-experiment/json/jsontext"
)

// envelope is what EventBridge puts around a record (EventBridge User Guide,
// eb-events-structure).
type envelope struct {
	ID         string         `json:"id"`
	DetailType string         `json:"detail-type"`
	Source     string         `json:"source"`
	Account    string         `json:"account"`
	Time       string         `json:"time"`
	Region     string         `json:"region"`
	Detail     jsontext.Value `json:"detail"`
}

// record is the part of a CloudTrail record that is common to all events
// (CloudTrail User Guide, cloudtrail-event-reference-record-contents).
type record struct {
	EventID            string         `json:"eventID"`
	EventName          string         `json:"eventName"`
	EventSource        string         `json:"eventSource"`
	EventTime          string         `json:"eventTime"`
	EventType          string         `json:"eventType"`
	AWSRegion          string         `json:"awsRegion"`
	RecipientAccountID string         `json:"recipientAccountId"`
	SourceIPAddress    string         `json:"sourceIPAddress"`
	UserAgent          string         `json:"userAgent"`
	ErrorCode          string         `json:"errorCode"`
	UserIdentity       userIdentity   `json:"userIdentity"`
	RequestParameters  jsontext.Value `json:"requestParameters"`
	ResponseElements   jsontext.Value `json:"responseElements"`
}

// userIdentity is who called (CloudTrail User Guide,
// cloudtrail-event-reference-user-identity). Which fields there are depends on
// the type: AWSService has invokedBy only, AWSAccount has no ARN.
type userIdentity struct {
	Type           string         `json:"type"`
	PrincipalID    string         `json:"principalId"`
	ARN            string         `json:"arn"`
	AccountID      string         `json:"accountId"`
	UserName       string         `json:"userName"`
	InvokedBy      string         `json:"invokedBy"`
	SessionContext sessionContext `json:"sessionContext"`
}

// sessionContext is what is known of the session that called.
type sessionContext struct {
	SessionIssuer struct {
		ARN string `json:"arn"`
	} `json:"sessionIssuer"`
	SourceIdentity string `json:"sourceIdentity"`
}

// actor says who called, in the words of Change.
func (u userIdentity) actor() Actor {
	return Actor{
		Type: u.Type, ARN: u.ARN, ID: u.PrincipalID, Account: u.AccountID, UserName: u.UserName, InvokedBy: u.InvokedBy,
		Issuer: u.SessionContext.SessionIssuer.ARN, SourceIdentity: u.SessionContext.SourceIdentity,
	}
}

// createdRole is responseElements of the calls that make a role. Its document
// is percent-encoded, and how many characters are is not the same everywhere.
type createdRole struct {
	Role struct {
		Name     string   `json:"roleName"`
		ID       string   `json:"roleId"`
		ARN      string   `json:"arn"`
		Document document `json:"assumeRolePolicyDocument"`
	} `json:"role"`
}
