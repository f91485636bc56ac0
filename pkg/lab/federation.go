package lab

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// WebIdentityToken makes an unsigned JSON Web Token with the given claims;
// "iss", "aud" and "sub" must be among them. The lab does not check
// signatures of identity providers.
func WebIdentityToken(claims map[string]any) string {
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(marshal(v)) }
	return part(map[string]any{"alg": "none", "typ": "JWT"}) + "." + part(claims) + ".unsigned"
}

// webClaims is a token's claims, and what AWS reads out of them.
type webClaims struct {
	all            map[string]any
	issuer         string // without https://
	audience       string
	subject        string
	sourceIdentity string
	tags           []tag
	transitive     []string
}

const (
	claimSourceIdentity = "https://aws.amazon.com/source_identity"
	claimTags           = "https://aws.amazon.com/tags"
)

func invalidToken(format string, args ...any) *problem {
	return badRequest("InvalidIdentityToken", format, args...)
}

func readToken(token string, now time.Time) (*webClaims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, invalidToken("The ID Token provided is not a valid JWT.")
	}
	c := &webClaims{}
	if err := json.Unmarshal(text, &c.all); err != nil {
		return nil, invalidToken("The ID Token provided is not a valid JWT.")
	}
	if exp, ok := c.all["exp"].(float64); ok && now.Unix() >= int64(exp) {
		return nil, badRequest("ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time")
	}
	issuer, _ := c.all["iss"].(string)
	c.issuer = strings.TrimSuffix(strings.TrimPrefix(issuer, "https://"), "/")
	c.subject, _ = c.all["sub"].(string)
	c.audience = firstText(c.all["aud"])
	c.sourceIdentity, _ = c.all[claimSourceIdentity].(string)
	c.readTags()
	if c.issuer == "" || c.subject == "" || c.audience == "" {
		return nil, invalidToken("Missing a required claim: iss, sub or aud")
	}
	return c, nil
}

func firstText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			s, _ := v[0].(string)
			return s
		}
	}
	return ""
}

func (c *webClaims) readTags() {
	claim, _ := c.all[claimTags].(map[string]any)
	principal, _ := claim["principal_tags"].(map[string]any)
	for _, key := range sortedKeys(principal) {
		c.tags = append(c.tags, tag{key: key, value: firstText(principal[key])})
	}
	transitive, _ := claim["transitive_tag_keys"].([]any)
	for _, key := range transitive {
		if s, ok := key.(string); ok {
			c.transitive = append(c.transitive, s)
		}
	}
}

// providerClaims lists the claims that become condition keys beside aud and
// sub. IAM User Guide, reference_policies_iam-condition-keys.
func providerClaims(issuer string) []string {
	switch {
	case issuer == "token.actions.githubusercontent.com", strings.HasPrefix(issuer, "token.actions."):
		return []string{"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository",
			"repository_id", "repository_owner_id", "workflow"}
	case issuer == "gitlab.com":
		return []string{"namespace_id", "pipeline_source", "project_id", "ref_protected", "runner_environment",
			"user_access_level", "user_email", "user_id", "user_login"}
	case issuer == "accounts.google.com":
		return []string{"oaud"}
	case issuer == "cognito-identity.amazonaws.com":
		return []string{"amr"}
	case strings.HasPrefix(issuer, "agent.buildkite"):
		return []string{"build_branch", "cluster_id", "cluster_name", "organization_id", "organization_slug", "pipeline_id", "pipeline_slug"}
	default:
		return nil
	}
}

// wellKnownIssuer names those that a trust policy names without a provider
// in the account.
func wellKnownIssuer(issuer string) bool {
	return issuer == "accounts.google.com" || issuer == "cognito-identity.amazonaws.com"
}

func (l *Lab) assumeWithWebIdentity(req *request) (*answer, error) {
	req.trail.mask = map[string]any{"webIdentityToken": nil}
	claims, err := readToken(req.form.Get("WebIdentityToken"), req.at)
	if err != nil {
		return nil, err
	}
	r := l.roleByARN(req.form.Get("RoleArn"))
	if r == nil {
		return nil, accessDenied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	req.trail.recipient = []string{r.account.ID}
	name, err := l.webProvider(r, claims)
	if err != nil {
		return nil, err
	}
	req.trail.identity = map[string]any{
		"type": "WebIdentityUser", "principalId": name + ":" + claims.audience + ":" + claims.subject,
		"userName": claims.subject, "identityProvider": name,
	}
	req.caller = caller{kind: federated, partition: l.partition, name: name}
	a, err := l.readAssumption(req)
	if err != nil {
		return nil, err
	}
	a.sourceIdentity, a.tags, a.transitive = claims.sourceIdentity, claims.tags, claims.transitive
	a.context = l.assumeContext(req, a)
	claims.context(a)
	a.context.Set("aws:FederatedProvider", name)
	key, err := l.assumeFederated(req, a, map[string]any{
		"federatedProvider": name, "attributes": map[string]any{},
	})
	if err != nil {
		return nil, err
	}
	return l.assumed(req, a, key, leaf("SubjectFromWebIdentityToken", claims.subject), leaf("Audience", claims.audience), leaf("Provider", name)), nil
}

// webProvider gives the name a trust policy must use for the token's issuer.
func (l *Lab) webProvider(r *role, claims *webClaims) (string, error) {
	arn := l.partition.iam(r.account.ID, "oidc-provider/"+claims.issuer)
	p, ok := r.account.providers[arn]
	if !ok {
		if wellKnownIssuer(claims.issuer) {
			return claims.issuer, nil
		}
		return "", invalidToken("No OpenIDConnect provider found in your account for https://%s", claims.issuer)
	}
	if !slices.Contains(p.clients, claims.audience) {
		return "", invalidToken("Incorrect token audience")
	}
	return arn, nil
}

func (c *webClaims) context(a *assumption) {
	a.context.Set(c.issuer+":aud", c.audience)
	a.context.Set(c.issuer+":sub", c.subject)
	for _, name := range providerClaims(c.issuer) {
		switch v := c.all[name].(type) {
		case string:
			a.context.Set(c.issuer+":"+name, v)
		case bool, float64:
			a.context.Set(c.issuer+":"+name, fmt.Sprint(v))
		case []any:
			var many []string
			for _, item := range v {
				many = append(many, fmt.Sprint(item))
			}
			a.context.SetMany(c.issuer+":"+name, many)
		}
	}
}

// assumeFederated decides and issues for a caller without AWS credentials:
// only the trust policy counts.
func (l *Lab) assumeFederated(req *request, a *assumption, federation map[string]any) (*credential, error) {
	if a.sourceIdentity != "" {
		if err := checkSourceIdentity(a.sourceIdentity); err != nil {
			return nil, err
		}
	}
	actions := []string{a.action}
	if a.sourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	if len(a.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		if !l.may(req, a, action) {
			return nil, accessDenied("Not authorized to perform %s", action)
		}
	}
	if err := l.checkDuration(req, a); err != nil {
		return nil, err
	}
	return l.issue(req, a, federation, req.caller.name)
}

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

// ServiceCall is an AWS service's attempt to assume a role.
type ServiceCall struct {
	Service, RoleARN, SessionName string
	// SourceARN, SourceAccount and SourceOrgID are the confused-deputy keys;
	// empty ones are not sent.
	SourceARN, SourceAccount, SourceOrgID string
	SourceIdentity                        string
	Tags                                  map[string]string
}

// AssumeAsService lets an AWS service assume a role, which no signed call can
// do. It emits the event that CloudTrail records of it.
func (l *Lab) AssumeAsService(call ServiceCall) (Credentials, error) {
	defer l.deliver()
	l.mu.Lock()
	defer l.mu.Unlock()
	req := &request{
		service: "sts", action: "AssumeRole", region: l.partition.home(), id: l.uuid(), at: l.now(),
		userAgent: call.Service, sourceIP: call.Service,
		caller: caller{kind: awsService, partition: l.partition, name: call.Service},
		form:   map[string][]string{"RoleArn": {call.RoleARN}, "RoleSessionName": {call.SessionName}},
	}
	req.resource = lastPart(call.RoleARN)
	req.trail.identity = map[string]any{"type": "AWSService", "invokedBy": call.Service}
	key, err := l.serviceSession(req, call)
	if len(req.trail.recipient) > 0 {
		l.record(operation{event: readEvent}, req, err)
	}
	l.log(req, Fault{}, err)
	if err != nil {
		return Credentials{}, err
	}
	return key.credentials(), nil
}

func (l *Lab) serviceSession(req *request, call ServiceCall) (*credential, error) {
	if call.SourceIdentity != "" {
		req.form.Set("SourceIdentity", call.SourceIdentity)
	}
	a, err := l.readAssumption(req)
	if err != nil {
		return nil, err
	}
	if a.role == nil {
		return nil, failPlain(http.StatusForbidden, "AccessDenied", "%s is not authorized to assume %s", call.Service, call.RoleARN)
	}
	req.trail.recipient = []string{a.role.account.ID}
	for _, key := range sortedKeys(call.Tags) {
		a.tags = append(a.tags, tag{key: key, value: call.Tags[key]})
	}
	a.context = l.assumeContext(req, a)
	for key, value := range map[string]string{
		"aws:SourceArn": call.SourceARN, "aws:SourceAccount": call.SourceAccount, "aws:SourceOrgID": call.SourceOrgID,
	} {
		if value != "" {
			a.context.Set(key, value)
		}
	}
	key, err := l.assumeFederated(req, a, nil)
	if err != nil {
		return nil, err
	}
	l.assumed(req, a, key)
	return key, nil
}
