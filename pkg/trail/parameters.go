package trail

import (
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// field is requestParameters or responseElements.
type field uint8

const (
	request field = iota
	response
)

// place gives the field's name in the envelope.
func (f field) place() string {
	if f == response {
		return "detail.responseElements"
	}
	return "detail.requestParameters"
}

// fill reads a field into a model. whole is false when CloudTrail cut the field
// because it was too large, or left it out: it then says nothing, or leaves text
// that is no longer the object it was (CloudTrail User Guide,
// cloudtrail-event-reference-record-contents: 100 KB, "omitted": true).
func fill(f field, text jsontext.Value, model any) (whole bool, err error) {
	if text.Kind() != '{' {
		return false, nil
	}
	var cut struct {
		Omitted jsontext.Value `json:"omitted"`
	}
	if err := json.Unmarshal(text, &cut, lenient()); err != nil {
		return false, malformed(f.place(), forged, "%v", err)
	}
	if err := json.Unmarshal(text, model, lenient()); err != nil {
		return false, malformed(f.place(), forged, "%v", err)
	}
	return string(cut.Omitted) != "true", nil
}

// document is a trust policy in a field: text, or whatever CloudTrail left of it.
type document string

// UnmarshalJSON takes text as it is, and anything else for a text that was cut,
// one that was cut inside a character too.
func (d *document) UnmarshalJSON(text []byte) error {
	*d = ""
	if v := jsontext.Value(text); v.Kind() != '"' || !v.IsValid() {
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*d = document(s)
	return nil
}

// named checks the name of a role or user that an event is about.
func named(place, name string, whole bool) error {
	switch {
	case name == "" && whole:
		return malformed(place, incomplete, "missing")
	case name == "":
		return malformed(place, incomplete, "lost, because CloudTrail cut the event")
	case !nameForm.MatchString(name):
		return malformed(place, forged, "%q is no name that IAM gives", name)
	default:
		return nil
	}
}

// setDocument takes the trust policy that an event carries. What is missing or
// is no JSON text was cut on the way, and the role must be read; duplicate names
// are no cut, and for the room policy to refuse.
func setDocument(c *Change, text document) {
	if text == "" || !jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) {
		c.Document, c.Truncated = "", true
		return
	}
	c.Document = string(text)
}

// decoded undoes the percent-encoding of a document in responseElements, once.
// A + stands for itself there (RFC 3986). Text that is not so encoded is cut.
func decoded(encoded document) document {
	text, err := url.PathUnescape(string(encoded))
	if err != nil {
		return ""
	}
	return document(text)
}

// setRole takes the role that a call made, and holds it against the event.
func setRole(c *Change, made createdRole) error {
	const place = "detail.responseElements.role"
	if made.Role.ARN == "" {
		return nil
	}
	arn, ok := parseRoleARN(made.Role.ARN)
	switch {
	case !ok:
		return malformed(place+".arn", forged, "%q is no role's ARN", made.Role.ARN)
	case arn.account != c.Account:
		return malformed(place+".arn", forged, "%q, and the envelope is of account %s", made.Role.ARN, c.Account)
	case arn.partition != c.Partition:
		return malformed(place+".arn", forged, "%q, and the event is of partition %s", made.Role.ARN, c.Partition)
	case arn.name != made.Role.Name:
		return malformed(place+".roleName", forged, "%q, and the ARN is %s", made.Role.Name, made.Role.ARN)
	case c.RoleName != "" && c.RoleName != arn.name:
		return malformed(place+".arn", forged, "%q, and the request names %q", made.Role.ARN, c.RoleName)
	case made.Role.ID != "" && !idForm.MatchString(made.Role.ID):
		return malformed(place+".roleId", forged, "%q is no unique id", made.Role.ID)
	}
	c.RoleName, c.RoleARN, c.RoleID = arn.name, made.Role.ARN, made.Role.ID
	return nil
}
