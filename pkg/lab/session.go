package lab

import (
	"net/http"
	"net/url"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// sessionPolicies reads the inline policy and the managed ones. Together they
// are one policy: the session may do what any of them allows.
func (l *Lab) sessionPolicies(r *role, form url.Values) ([]*judge.Policy, error) {
	var out []*judge.Policy
	if form.Has("Policy") {
		p, err := checkIdentityPolicy(form.Get("Policy"))
		if err != nil {
			return nil, err
		}
		if visibleSize(form.Get("Policy")) > 2048 {
			return nil, badRequest("PackedPolicyTooLarge", "Packed size of session policy is too large.")
		}
		out = append(out, p)
	}
	for _, record := range records(form, "PolicyArns") {
		arn := record.Get("arn")
		if r == nil {
			continue
		}
		policies := l.managedPolicies(r.account, []string{arn})
		if len(policies) == 0 {
			return nil, validation("The policy %s does not exist or is not attachable.", arn)
		}
		out = append(out, policies...)
	}
	return out, nil
}

// issue makes the session's credentials.
func (l *Lab) issue(req *request, a *assumption, federation map[string]any, provider string) (*credential, error) {
	key, err := l.mint(temporaryKey)
	if err != nil {
		return nil, err
	}
	if provider == "" && req.caller.session != nil {
		provider = req.caller.session.provider
	}
	key.expires = req.at.Add(a.duration)
	key.caller = caller{kind: roleSession, partition: l.partition, account: a.role.account, session: &session{
		role: a.role, name: a.sessionName, sourceIdentity: a.sourceIdentity, issued: req.at, mfa: a.mfa,
		policies: a.policies, tags: a.tags, transitive: a.transitive, provider: provider, federation: federation,
	}}
	l.keys[key.id] = key
	return key, nil
}

// assumed writes the answer and the event of all three calls.
func (l *Lab) assumed(req *request, a *assumption, key *credential, more ...elem) *answer {
	id, arn := key.caller.userID(), key.caller.arn()
	told := map[string]any{
		"credentials": map[string]any{
			"accessKeyId": key.id, "sessionToken": key.token, "expiration": expirationDate(key.expires),
		},
		"assumedRoleUser": map[string]any{"assumedRoleId": id, "arn": arn},
	}
	kids := []elem{
		credentialsXML(key),
		tree("AssumedRoleUser", leaf("AssumedRoleId", id), leaf("Arn", arn)),
	}
	if a.sourceIdentity != "" {
		told["sourceIdentity"] = a.sourceIdentity
		kids = append(kids, leaf("SourceIdentity", a.sourceIdentity))
	}
	if a.policies != nil {
		packed := min(100, 1+len(req.form.Get("Policy"))*100/2048)
		told["packedPolicySize"] = packed
		kids = append(kids, number("PackedPolicySize", packed))
	}
	req.trail.response = told
	req.trail.recipient = []string{a.role.account.ID}
	req.trail.resources = []any{map[string]any{
		"accountId": a.role.account.ID, "type": "AWS::IAM::Role", "ARN": a.role.arn(l.partition),
	}}
	return answerXML(append(kids, more...)...)
}

func credentialsXML(key *credential) elem {
	return tree("Credentials", leaf("AccessKeyId", key.id), leaf("SecretAccessKey", key.secret),
		leaf("SessionToken", key.token), leaf("Expiration", trailTime(key.expires)))
}

// getSessionToken gives a user temporary credentials of its own.
func (l *Lab) getSessionToken(req *request) (*answer, error) {
	if req.caller.kind != iamUser || req.caller.session != nil {
		return nil, failPlain(http.StatusForbidden, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	}
	factor, err := secondFactor(req)
	if err != nil {
		return nil, err
	}
	lasts, err := duration(req.form, 43200, 129600)
	if err != nil {
		return nil, err
	}
	key, err := l.mint(temporaryKey)
	if err != nil {
		return nil, err
	}
	key.expires = req.at.Add(lasts)
	key.caller = req.caller
	key.caller.session = &session{issued: req.at, mfa: factor}
	l.keys[key.id] = key
	return answerXML(credentialsXML(key)), nil
}
