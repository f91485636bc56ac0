package trail

import "github.com/go-json-experiment/json/jsontext"

// assumeRoleRequest is requestParameters of AssumeRole (STS API Reference,
// API_AssumeRole).
type assumeRoleRequest struct {
	RoleARN        string         `json:"roleArn"`
	SessionName    string         `json:"roleSessionName"`
	SourceIdentity string         `json:"sourceIdentity"`
	Policy         jsontext.Value `json:"policy"`
	PolicyARNs     []struct {
		ARN string `json:"arn"`
	} `json:"policyArns"`
}

// assumeRoleResponse is responseElements of AssumeRole; its credentials are
// never read.
type assumeRoleResponse struct {
	AssumedRoleUser struct {
		ID string `json:"assumedRoleId"`
	} `json:"assumedRoleUser"`
}

// assumeRole is the row of AssumeRole. STS is regional, and a call from another
// account is told to both; the role's account acts, the caller's copy asks for
// nothing. Calls by AWS services come as calls or as service events.
func assumeRole() Event {
	return Event{
		Source: stsSource, EventSource: stsEvents, DetailTypes: []string{apiCall, serviceEvent},
		Name: "AssumeRole", Kind: RoleAssumed, Where: AnyRegion, Routing: OnRequest, read: readAssumeRole,
	}
}

func readAssumeRole(r record, c *Change) error {
	const place = "detail.requestParameters.roleArn"
	var asked assumeRoleRequest
	whole, err := fill(request, r.RequestParameters, &asked)
	if err != nil {
		return err
	}
	arn, ok := parseRoleARN(asked.RoleARN)
	switch {
	case asked.RoleARN == "":
		return named(place, "", whole)
	case !ok:
		return malformed(place, forged, "%q is no role's ARN", asked.RoleARN)
	case arn.partition != c.Partition:
		return malformed(place, forged, "%q, and the event is of partition %s", asked.RoleARN, c.Partition)
	}
	var got assumeRoleResponse
	if _, err := fill(response, r.ResponseElements, &got); err != nil {
		return err
	}
	if arn.account != c.Account {
		c.Kind, c.Ignored = Ignored, CallersCopy
	}
	c.RoleName, c.RoleARN, c.RoleID = arn.name, asked.RoleARN, beforeColon(got.AssumedRoleUser.ID)
	c.Truncated = !whole
	c.Session = Session{RoleARN: asked.RoleARN, SessionName: asked.SessionName, SourceIdentity: asked.SourceIdentity}
	if len(asked.Policy) > 0 && asked.Policy.Kind() != 'n' {
		c.Session.Policy = WasGiven
	}
	for _, p := range asked.PolicyARNs {
		c.Session.PolicyARNs = append(c.Session.PolicyARNs, p.ARN)
	}
	return nil
}
