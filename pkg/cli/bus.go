package cli

import (
	"encoding/json"
	"slices"

	"github.com/rolewarden/rolewarden/pkg/org"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// sessionPolicyRule is the rule that looks at AssumeRole events.
const sessionPolicyRule = "session-policy"

// routed says whether the EventBridge rules of a deployment would send an
// event: those of the table, where the call succeeded or AWS did not finish it;
// AssumeRole only for the roles that the rules file lists, where it succeeded. It is the table that trail renders the
// event patterns from.
func routed(envelope []byte, r *org.Rules) bool {
	var e struct {
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
		Detail     struct {
			EventSource       string  `json:"eventSource"`
			EventName         string  `json:"eventName"`
			ErrorCode         *string `json:"errorCode"`
			RequestParameters struct {
				RoleARN string `json:"roleArn"`
			} `json:"requestParameters"`
		} `json:"detail"`
	}
	if json.Unmarshal(envelope, &e) != nil {
		return false
	}
	failed := e.Detail.ErrorCode != nil
	return slices.ContainsFunc(trail.Events(), func(row trail.Event) bool {
		if row.Source != e.Source || row.EventSource != e.Detail.EventSource || row.Name != e.Detail.EventName || !slices.Contains(row.DetailTypes, e.DetailType) {
			return false
		}
		switch row.Routing {
		case trail.ByDefault:
			return !failed || trail.Unfinished(*e.Detail.ErrorCode)
		case trail.OnRequest:
			return !failed && slices.ContainsFunc(r.Setting(sessionPolicyRule).Roles, func(p string) bool { return role.MatchARN(p, e.Detail.RequestParameters.RoleARN) })
		default:
			return false
		}
	})
}
