package preview

import (
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/trail"
)

// Fate says what becomes of a call that once succeeded. The zero value says
// that nobody can tell.
type Fate uint8

// The fates.
const (
	// Unclear: the record does not show all that the policies ask for.
	Unclear Fate = iota
	// Kept: the same call would succeed.
	Kept
	// Lost: the same call would be refused.
	Lost
)

// String gives the word used on the command line.
func (f Fate) String() string {
	switch f {
	case Kept:
		return "kept"
	case Lost:
		return "lost"
	case Unclear:
		return "unclear"
	default:
		return "fate?"
	}
}

// FateOf says what would become of a recorded call if a role's trust policy
// went from one document to another. A call that the old document would not have
// let in either was made under facts that the record does not show, or under
// another document: of it nothing is said. So it is where the new document asks
// for what records do not show, such as the tags of the caller.
func FateOf(a trail.Assumption, before, after policy.Document, facts access.Facts) Fate {
	r := Request(a).Complete(facts)
	was, will := access.Decide(before, r), access.Decide(after, r)
	switch {
	case was != access.Allowed:
		return Unclear
	case will == access.Allowed:
		return Kept
	case will == access.Denied && shown(after, r):
		return Lost
	default:
		return Unclear
	}
}

// shown reports whether a record shows everything that a document asks for. Keys
// that the caller chooses are in the record, or were not given.
func shown(d policy.Document, r access.Request) bool {
	for _, s := range d.Statements {
		for _, c := range s.Conditions {
			if _, given := r.Get(c.Key); given {
				continue
			}
			key := strings.ToLower(c.Key)
			switch key {
			case "sts:externalid", "sts:sourceidentity", "aws:sourceidentity", "aws:tagkeys", "aws:multifactorauthpresent", "aws:username":
			default:
				if !strings.HasPrefix(key, "aws:requesttag/") {
					return false
				}
			}
		}
	}
	return true
}

// Request is a recorded call as a request, with the context that the record shows.
func Request(a trail.Assumption) access.Request {
	r := access.Request{
		Actions: []string{"sts:" + a.EventName}, Role: a.RoleARN, Caller: callerOf(a),
		Context: map[string]access.Value{},
	}
	set := func(key, value string) {
		if value != "" {
			r.Context[key] = access.One(value)
		}
	}
	set("sts:RoleSessionName", a.SessionName)
	set("aws:SourceIp", address(a.SourceIP))
	set("aws:MultiFactorAuthPresent", a.MFA)
	set("aws:CurrentTime", a.Time.UTC().Format("2006-01-02T15:04:05Z"))
	if a.SourceIdentity != "" {
		r.Actions = append(r.Actions, "sts:SetSourceIdentity")
		set("sts:SourceIdentity", a.SourceIdentity)
	}
	set("aws:SourceIdentity", a.Caller.SourceIdentity)
	if a.ExternalID != nil {
		r.Context["sts:ExternalId"] = access.One(*a.ExternalID)
	}
	if len(a.Tags) > 0 {
		r.Actions = append(r.Actions, "sts:TagSession")
		var keys []string
		for key, value := range a.Tags {
			keys = append(keys, key)
			r.Context["aws:RequestTag/"+key] = access.One(value)
		}
		r.Context["aws:TagKeys"] = access.Many(keys...)
	}
	claims(a, set)
	return r
}

// claims puts in what a token said.
func claims(a trail.Assumption, set func(key, value string)) {
	switch a.EventName {
	case "AssumeRoleWithSAML":
		set("saml:aud", a.Audience)
		set("saml:iss", a.Issuer)
		set("saml:sub", a.Subject)
		set("saml:sub_type", a.SubjectType)
		set("saml:namequalifier", a.NameQualifier)
	case "AssumeRoleWithWebIdentity":
		issuer := a.Provider
		if _, after, isARN := strings.Cut(issuer, ":oidc-provider/"); isARN {
			issuer = after
		}
		set(issuer+":aud", a.Audience)
		set(issuer+":sub", a.Subject)
	}
}

func callerOf(a trail.Assumption) access.Caller {
	if a.EventName != "AssumeRole" {
		return access.Caller{Federated: a.Provider}
	}
	if a.Caller.Type == "AWSService" {
		return access.Caller{Service: a.Caller.InvokedBy}
	}
	return access.Caller{AWS: a.Caller.ARN, ID: a.Caller.ID, Issuer: a.Caller.Issuer}
}

// address gives an IP address; CloudTrail puts the name of a service there too.
func address(text string) string {
	if strings.HasSuffix(text, ".amazonaws.com") || text == "AWS Internal" {
		return ""
	}
	return text
}
