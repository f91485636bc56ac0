package trail

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// wrapped is envelope as it is written.
type wrapped struct {
	Version    string         `json:"version"`
	ID         string         `json:"id"`
	DetailType string         `json:"detail-type"`
	Source     string         `json:"source"`
	Account    string         `json:"account"`
	Time       string         `json:"time"`
	Region     string         `json:"region"`
	Resources  []string       `json:"resources"`
	Detail     jsontext.Value `json:"detail"`
}

// Envelope puts around a bare CloudTrail record, as log files hold them, the
// envelope in which EventBridge would have delivered it. What the record does
// not say stays empty.
func Envelope(bare []byte) ([]byte, error) {
	var r record
	if err := json.Unmarshal(bare, &r, lenient()); err != nil {
		return nil, fmt.Errorf("wrapping a CloudTrail record: %w", err)
	}
	e := wrapped{
		Version: "0", ID: r.EventID, DetailType: apiCall,
		Source:  "aws." + strings.TrimSuffix(r.EventSource, ".amazonaws.com"),
		Account: r.RecipientAccountID, Time: r.EventTime, Region: r.AWSRegion, Resources: []string{}, Detail: bare,
	}
	if r.EventType == "AwsServiceEvent" {
		e.DetailType = serviceEvent
	}
	text, err := json.Marshal(e, lenient())
	if err != nil {
		return nil, fmt.Errorf("wrapping a CloudTrail record: %w", err)
	}
	return text, nil
}

// beforeColon gives the role's id in AROA…:session.
func beforeColon(id string) string {
	id, _, _ = strings.Cut(id, ":")
	return id
}
