package lab

import (
	"encoding/base64"
	"encoding/xml"
	"slices"
	"strings"
)

// SAMLClaims is what an identity provider says of a person. Role and Provider
// are the pair that the assertion offers.
type SAMLClaims struct {
	Issuer, Audience, Subject, SubjectType string
	Role, Provider                         string
	SessionName, SourceIdentity            string
	Tags                                   map[string]string
	TransitiveTags                         []string
}

const samlAttribute = "https://aws.amazon.com/SAML/Attributes/"

type samlResponse struct {
	XMLName    xml.Name   `xml:"Response"`
	ID         string     `xml:"ID,attr"`
	Issuer     string     `xml:"Assertion>Issuer"`
	NameID     samlNameID `xml:"Assertion>Subject>NameID"`
	Recipient  string     `xml:"Assertion>Conditions>AudienceRestriction>Audience"`
	Attributes []samlAttr `xml:"Assertion>AttributeStatement>Attribute"`
}

type samlNameID struct {
	Format string `xml:"Format,attr"`
	Value  string `xml:",chardata"`
}

type samlAttr struct {
	Name   string   `xml:"Name,attr"`
	Values []string `xml:"AttributeValue"`
}

// SAMLAssertion makes an unsigned SAML response in base64, as
// AssumeRoleWithSAML takes it. An empty Audience is AWS's sign-in URL.
func SAMLAssertion(c SAMLClaims) string {
	if c.Audience == "" {
		c.Audience = "https://signin.aws.amazon.com/saml"
	}
	if c.SubjectType == "" {
		c.SubjectType = "persistent"
	}
	doc := samlResponse{
		ID: "_lab", Issuer: c.Issuer, Recipient: c.Audience,
		NameID: samlNameID{Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:" + c.SubjectType, Value: c.Subject},
		Attributes: []samlAttr{
			{Name: samlAttribute + "Role", Values: []string{c.Role + "," + c.Provider}},
			{Name: samlAttribute + "RoleSessionName", Values: []string{c.SessionName}},
		},
	}
	if c.SourceIdentity != "" {
		doc.Attributes = append(doc.Attributes, samlAttr{Name: samlAttribute + "SourceIdentity", Values: []string{c.SourceIdentity}})
	}
	for _, key := range sortedKeys(c.Tags) {
		doc.Attributes = append(doc.Attributes, samlAttr{Name: samlAttribute + "PrincipalTag:" + key, Values: []string{c.Tags[key]}})
	}
	if c.TransitiveTags != nil {
		doc.Attributes = append(doc.Attributes, samlAttr{Name: samlAttribute + "TransitiveTagKeys", Values: c.TransitiveTags})
	}
	text, err := xml.Marshal(doc)
	if err != nil {
		// A struct of strings cannot fail to encode.
		text = nil
	}
	return base64.StdEncoding.EncodeToString(text)
}

func (l *Lab) assumeWithSAML(req *request) (*answer, error) {
	req.trail.mask = map[string]any{"sAMLAssertion": nil}
	text, err := base64.StdEncoding.DecodeString(req.form.Get("SAMLAssertion"))
	if err != nil {
		return nil, invalidToken("Invalid base64 SAMLResponse")
	}
	var doc samlResponse
	if err := xml.Unmarshal(text, &doc); err != nil {
		return nil, invalidToken("Error parsing SAML response")
	}
	r := l.roleByARN(req.form.Get("RoleArn"))
	principal := req.form.Get("PrincipalArn")
	pair := func(s string) bool {
		return s == req.form.Get("RoleArn")+","+principal || s == principal+","+req.form.Get("RoleArn")
	}
	if r == nil || r.account.providers[principal] == nil || !slices.ContainsFunc(doc.values("Role"), pair) {
		return nil, accessDenied("Not authorized to perform sts:AssumeRoleWithSAML")
	}
	req.trail.recipient = []string{r.account.ID}
	req.trail.mask["sAMLAssertionID"], req.trail.mask["roleSessionName"] = doc.ID, doc.first("RoleSessionName")
	req.trail.identity = map[string]any{
		"type": "SAMLUser", "principalId": nameQualifier(doc.Issuer, r.account.ID) + ":" + doc.NameID.Value,
		"userName": doc.NameID.Value, "identityProvider": doc.Issuer,
	}
	req.caller = caller{kind: federated, partition: l.partition, name: principal}
	a, err := l.readAssumption(req)
	if err != nil {
		return nil, err
	}
	if err := doc.fill(a); err != nil {
		return nil, err
	}
	a.context = l.assumeContext(req, a)
	doc.context(a, r.account.ID)
	a.context.Set("aws:FederatedProvider", principal)
	key, err := l.assumeFederated(req, a, nil)
	if err != nil {
		return nil, err
	}
	return l.assumed(req, a, key, leaf("Subject", doc.NameID.Value), leaf("SubjectType", doc.subjectType()), leaf("Issuer", doc.Issuer),
		leaf("Audience", doc.Recipient), leaf("NameQualifier", nameQualifier(doc.Issuer, r.account.ID))), nil
}

func (d *samlResponse) values(name string) []string {
	for _, attr := range d.Attributes {
		if attr.Name == samlAttribute+name {
			return attr.Values
		}
	}
	return nil
}

func (d *samlResponse) first(name string) string {
	if values := d.values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (d *samlResponse) subjectType() string {
	return strings.TrimPrefix(d.NameID.Format, "urn:oasis:names:tc:SAML:2.0:nameid-format:")
}

func (d *samlResponse) fill(a *assumption) error {
	a.sessionName, a.sourceIdentity = d.first("RoleSessionName"), d.first("SourceIdentity")
	if !sessionNamePattern.MatchString(a.sessionName) {
		return invalidToken("RoleSessionName in AuthnResponse must match [\\w+=,.@-]{2,64}")
	}
	for _, attr := range d.Attributes {
		if key, ok := strings.CutPrefix(attr.Name, samlAttribute+"PrincipalTag:"); ok && len(attr.Values) > 0 {
			a.tags = append(a.tags, tag{key: key, value: attr.Values[0]})
		}
	}
	a.transitive = d.values("TransitiveTagKeys")
	return nil
}

func (d *samlResponse) context(a *assumption, account string) {
	a.context.Set("saml:aud", d.Recipient)
	a.context.Set("saml:iss", d.Issuer)
	a.context.Set("saml:sub", d.NameID.Value)
	a.context.Set("saml:sub_type", d.subjectType())
	a.context.Set("saml:namequalifier", nameQualifier(d.Issuer, account))
}

// nameQualifier is a hash of issuer, account and provider; the lab leaves the
// provider out.
func nameQualifier(issuer, account string) string {
	sum := sum256([]byte(issuer), account)
	return base64.StdEncoding.EncodeToString(sum[:20])
}
