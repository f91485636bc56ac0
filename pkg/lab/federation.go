package lab

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
		return []string{
			"actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository",
			"repository_id", "repository_owner_id", "workflow",
		}
	case issuer == "gitlab.com":
		return []string{
			"namespace_id", "pipeline_source", "project_id", "ref_protected", "runner_environment",
			"user_access_level", "user_email", "user_id", "user_login",
		}
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
