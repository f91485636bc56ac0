package trail

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Assumption is one call, as CloudTrail recorded it, by which somebody got into
// a role: AssumeRole or one of its sisters. It is for looking back, and leads to
// nothing by itself.
type Assumption struct {
	EventID   string
	EventName string
	Time      time.Time
	Caller    Actor
	SourceIP  string
	UserAgent string

	RoleARN        string
	SessionName    string
	SourceIdentity string
	// ExternalID is a secret: it may be compared, never shown. Nil when none was given.
	ExternalID *string
	// Tags are the session tags of the call by key.
	Tags map[string]string
	// MFA says whether the call shows that the caller had used a second factor;
	// "" when the record does not tell, as with a user's long-term keys.
	MFA string
	// Provider is the identity provider of a federated call: an ARN, or the issuer
	// where AWS knows it without one.
	Provider string
	// Subject, Audience and the other claims are what the token said, as far as
	// CloudTrail shows it; Issuer is SAML's.
	Subject, Audience, Issuer, SubjectType, NameQualifier string
}

// assumed is requestParameters of the three calls (STS API Reference).
type assumed struct {
	RoleARN        string  `json:"roleArn"`
	SessionName    string  `json:"roleSessionName"`
	SourceIdentity string  `json:"sourceIdentity"`
	ExternalID     *string `json:"externalId"`
	SerialNumber   string  `json:"serialNumber"`
	PrincipalARN   string  `json:"principalArn"`
	Tags           []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"tags"`
}

// granted is responseElements of the three calls; credentials are never read.
type granted struct {
	SourceIdentity string `json:"sourceIdentity"`
	Provider       string `json:"provider"`
	Subject        string `json:"subject"`
	WebSubject     string `json:"subjectFromWebIdentityToken"`
	Audience       string `json:"audience"`
	Issuer         string `json:"issuer"`
	SubjectType    string `json:"subjectType"`
	NameQualifier  string `json:"nameQualifier"`
}

// ParseAssumption reads a bare CloudTrail record, as log files hold them. ok is
// false for other calls, and for those that were refused. What CloudTrail left
// out of a record stays empty.
func ParseAssumption(bare []byte) (a Assumption, ok bool, err error) {
	var r struct {
		record
		UserIdentity struct {
			userIdentity
			SessionContext struct {
				sessionContext
				Attributes struct {
					MFA string `json:"mfaAuthenticated"`
				} `json:"attributes"`
			} `json:"sessionContext"`
		} `json:"userIdentity"`
	}
	if err := json.Unmarshal(bare, &r, lenient()); err != nil {
		return Assumption{}, false, fmt.Errorf("reading a CloudTrail record: %w", err)
	}
	if r.EventSource != stsEvents || r.ErrorCode != "" {
		return Assumption{}, false, nil
	}
	switch r.EventName {
	case "AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity":
	default:
		return Assumption{}, false, nil
	}
	var asked assumed
	if _, err := fill(request, r.RequestParameters, &asked); err != nil {
		return Assumption{}, false, fmt.Errorf("reading record %s: %w", r.EventID, err)
	}
	var got granted
	if _, err := fill(response, r.ResponseElements, &got); err != nil {
		return Assumption{}, false, fmt.Errorf("reading record %s: %w", r.EventID, err)
	}
	who := r.UserIdentity.userIdentity
	who.SessionContext = r.UserIdentity.SessionContext.sessionContext
	when, err := time.Parse(time.RFC3339, r.EventTime)
	if err != nil {
		return Assumption{}, false, fmt.Errorf("reading record %s: eventTime %q is no time", r.EventID, r.EventTime)
	}
	a = Assumption{
		EventID: r.EventID, EventName: r.EventName, Time: when, Caller: who.actor(), SourceIP: r.SourceIPAddress, UserAgent: r.UserAgent,
		RoleARN: asked.RoleARN, SessionName: asked.SessionName, SourceIdentity: asked.SourceIdentity, ExternalID: asked.ExternalID,
		MFA: r.UserIdentity.SessionContext.Attributes.MFA,
	}
	a.federated(asked, got)
	for _, t := range asked.Tags {
		if a.Tags == nil {
			a.Tags = map[string]string{}
		}
		a.Tags[t.Key] = t.Value
	}
	if asked.SerialNumber != "" {
		// The call itself carried a code, and it was accepted.
		a.MFA = "true"
	}
	return a, true, nil
}

// federated takes what a token said. AssumeRole carries none.
func (a *Assumption) federated(asked assumed, got granted) {
	if a.SourceIdentity == "" {
		a.SourceIdentity = got.SourceIdentity
	}
	switch a.EventName {
	case "AssumeRoleWithSAML":
		a.Provider, a.Subject, a.Audience, a.Issuer = asked.PrincipalARN, got.Subject, got.Audience, got.Issuer
		a.SubjectType, a.NameQualifier = got.SubjectType, got.NameQualifier
	case "AssumeRoleWithWebIdentity":
		a.Provider, a.Subject, a.Audience = got.Provider, got.WebSubject, got.Audience
	}
}

// Records gives the bare records of a text that holds one, a list of them, or a
// log file ({"Records": [...]}); an envelope's detail counts as a record.
func Records(text []byte) ([]jsontext.Value, error) {
	var list []jsontext.Value
	switch v := jsontext.Value(text); v.Kind() {
	case '[':
		if err := json.Unmarshal(text, &list, lenient()); err != nil {
			return nil, fmt.Errorf("reading CloudTrail records: %w", err)
		}
	case '{':
		list = []jsontext.Value{v}
	default:
		return nil, fmt.Errorf("reading CloudTrail records: no JSON object and no list of them")
	}
	var out []jsontext.Value
	for _, v := range list {
		var around struct {
			Records []jsontext.Value `json:"Records"`
			Detail  jsontext.Value   `json:"detail"`
		}
		if err := json.Unmarshal(v, &around, lenient()); err != nil {
			return nil, fmt.Errorf("reading CloudTrail records: %w", err)
		}
		switch {
		case around.Records != nil:
			out = append(out, around.Records...)
		case around.Detail != nil:
			out = append(out, around.Detail)
		default:
			out = append(out, v)
		}
	}
	return out, nil
}
