package lab

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

func stsOperations() map[string]operation {
	role := func(req *request) string { return lastPart(req.form.Get("RoleArn")) }
	return map[string]operation{
		"AssumeRole":                {run: (*Lab).assumeRole, name: role, event: readEvent},
		"AssumeRoleWithWebIdentity": {run: (*Lab).assumeWithWebIdentity, name: role, event: readEvent},
		"AssumeRoleWithSAML":        {run: (*Lab).assumeWithSAML, name: role, event: readEvent},
		"GetCallerIdentity":         {run: (*Lab).getCallerIdentity, name: unnamed},
		"GetSessionToken":           {run: (*Lab).getSessionToken, name: unnamed},
	}
}

func (l *Lab) getCallerIdentity(req *request) (*answer, error) {
	return answerXML(leaf("Arn", req.caller.arn()), leaf("UserId", req.caller.userID()), leaf("Account", req.caller.account.ID)), nil
}

// assumption is one attempt to get a role's credentials.
type assumption struct {
	action         string
	role           *role
	sessionName    string
	sourceIdentity string
	tags           []tag
	transitive     []string
	policies       []*judge.Policy
	duration       time.Duration
	mfa            mfa
	context        judge.Context
}

// assumeRole is the call of users and role sessions.
func (l *Lab) assumeRole(req *request) (*answer, error) {
	if req.caller.kind == rootUser {
		return nil, forbiddenForRoot()
	}
	req.trail.mask = tagsInTrail(req)
	a, err := l.readAssumption(req)
	if err != nil {
		return nil, err
	}
	if a.role == nil {
		return nil, refusedAction(req, "sts:AssumeRole")
	}
	// First, since the trust policy sees what is carried over.
	if err := l.inherit(req, a); err != nil {
		return nil, err
	}
	if !l.may(req, a, "sts:AssumeRole") {
		return nil, refusedAction(req, "sts:AssumeRole")
	}
	if err := l.extras(req, a); err != nil {
		return nil, err
	}
	if err := l.checkDuration(req, a); err != nil {
		return nil, err
	}
	key, err := l.issue(req, a, nil, "")
	if err != nil {
		return nil, err
	}
	return l.assumed(req, a, key), nil
}

// tagsInTrail: CloudTrail shows session tags as a map called principalTags,
// and no MFA code.
func tagsInTrail(req *request) map[string]any {
	mask := map[string]any{"tokenCode": nil}
	tags := formTags(req.form)
	if tags == nil {
		return mask
	}
	shown := map[string]any{}
	for _, t := range tags {
		shown[t.key] = t.value
	}
	mask["tags"], mask["principalTags"] = nil, shown
	return mask
}

func refusedAction(req *request, action string) *problem {
	return accessDenied("User: %s is not authorized to perform: %s on resource: %s", req.caller.arn(), action, req.form.Get("RoleArn"))
}

var (
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
	externalIDPattern  = regexp.MustCompile(`^[\w+=,.@:/-]+$`)
	tokenCodePattern   = regexp.MustCompile(`^[0-9]{6}$`)
)

// readAssumption reads what all three calls share.
func (l *Lab) readAssumption(req *request) (*assumption, error) {
	form := req.form
	a := &assumption{
		action: "sts:" + req.action, sessionName: form.Get("RoleSessionName"), sourceIdentity: form.Get("SourceIdentity"),
		tags: formTags(form), transitive: list(form, "TransitiveTagKeys"),
	}
	if req.action != "AssumeRoleWithSAML" && !sessionNamePattern.MatchString(a.sessionName) {
		return nil, mustMatch(a.sessionName, "roleSessionName", `[\w+=,.@-]*`)
	}
	if id := form.Get("ExternalId"); form.Has("ExternalId") && (!externalIDPattern.MatchString(id) || len(id) < 2 || len(id) > 1224) {
		return nil, mustMatch(id, "externalId", `[\w+=,.@:\/-]*`)
	}
	if form.Has("SourceIdentity") {
		if err := checkSourceIdentity(a.sourceIdentity); err != nil {
			return nil, err
		}
	}
	if err := checkTags(a.tags); err != nil {
		return nil, err
	}
	a.role = l.roleByARN(form.Get("RoleArn"))
	var err error
	if a.policies, err = l.sessionPolicies(a.role, form); err != nil {
		return nil, err
	}
	if a.duration, err = duration(form, defaultSession, longestSession); err != nil {
		return nil, err
	}
	a.mfa, err = secondFactor(req)
	if err != nil {
		return nil, err
	}
	a.context = l.assumeContext(req, a)
	return a, nil
}

func mustMatch(value, field, pattern string) *problem {
	return validation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s", value, field, pattern)
}

// checkSourceIdentity: 2 to 64 characters, not beginning with "aws:".
func checkSourceIdentity(value string) error {
	if !sessionNamePattern.MatchString(value) || strings.HasPrefix(fold(value), "aws:") {
		return mustMatch(value, "sourceIdentity", `[\w+=,.@-]*`)
	}
	return nil
}

func duration(form url.Values, standard, longest int) (time.Duration, error) {
	text := form.Get("DurationSeconds")
	if text == "" {
		return time.Duration(standard) * time.Second, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 900 || n > longest {
		return 0, validation("1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and %d", text, longest)
	}
	return time.Duration(n) * time.Second, nil
}

// secondFactor takes any device of the caller's account and any six digits.
func secondFactor(req *request) (mfa, error) {
	serial, code := req.form.Get("SerialNumber"), req.form.Get("TokenCode")
	if serial == "" && code == "" {
		if s := req.caller.session; s != nil && req.caller.kind == iamUser {
			return s.mfa, nil
		}
		return withoutMFA, nil
	}
	if !tokenCodePattern.MatchString(code) || req.caller.kind != iamUser {
		return withoutMFA, accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code.")
	}
	return withMFA, nil
}

// roleByARN finds a role by its exact ARN; names ignore case elsewhere, but
// ARNs do not.
func (l *Lab) roleByARN(arn string) *role {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 {
		return nil
	}
	acct, ok := l.accounts[parts[4]]
	if !ok {
		return nil
	}
	r, ok := acct.roles[fold(lastPart(arn))]
	if !ok || r.arn(l.partition) != arn {
		return nil
	}
	return r
}

// assumeContext adds what the call says to what follows from the caller. AWS
// does not document which keys the second action of one call sees; here all
// of them see all.
func (l *Lab) assumeContext(req *request, a *assumption) judge.Context {
	ctx := l.context(req)
	if a.sessionName != "" {
		ctx.Set("sts:RoleSessionName", a.sessionName)
	}
	if req.form.Has("ExternalId") {
		ctx.Set("sts:ExternalId", req.form.Get("ExternalId"))
	}
	if a.sourceIdentity != "" {
		ctx.Set("sts:SourceIdentity", a.sourceIdentity)
	}
	if a.mfa == withMFA && req.caller.session == nil {
		ctx.Set("aws:MultiFactorAuthPresent", "true")
		ctx.Set("aws:MultiFactorAuthAge", "0")
	}
	requestTags(ctx, a.tags)
	if a.transitive != nil {
		ctx.SetMany("sts:TransitiveTagKeys", a.transitive)
	}
	if a.role != nil {
		ctx.Set("aws:ResourceAccount", a.role.account.ID)
		l.orgContext(ctx, "aws:Resource", a.role.account)
		for _, t := range a.role.state.tags {
			ctx.Set("aws:ResourceTag/"+t.key, t.value)
			ctx.Set("iam:ResourceTag/"+t.key, t.value)
		}
	}
	return ctx
}

// may asks the role's trust and the caller's own policies.
func (l *Lab) may(req *request, a *assumption, action string) bool {
	ask := judge.Request{Action: action, Resource: a.role.arn(l.partition), Caller: req.caller.judged(), Context: a.context}
	return l.allowed(req.caller, a.role.account, a.role.state.trust.policy.Trust(ask), ask)
}

// allowed joins what the resource's own policy says, a role's trust or a
// key's policy, with the caller's own policies. In one account a policy that
// names the user or role is enough; one that names the account only passes
// the decision on to it. Between accounts both sides must allow. IAM User
// Guide, reference_policies_evaluation-logic.
func (l *Lab) allowed(c caller, owner *account, resource judge.Result, ask judge.Request) bool {
	if resource.Effect != judge.Allow {
		return false
	}
	if c.kind == federated || c.kind == awsService {
		return true
	}
	o := l.opinion(c, ask)
	v := o.verdict()
	if v.explicit() {
		return false
	}
	if c.account != owner {
		return v == granted
	}
	switch resource.Strength {
	case judge.NamedExactly:
		return true
	case judge.NamedRole, judge.NamedEveryone:
		return o.boundary == judge.Allow && o.session == judge.Allow
	case judge.NamedAccount:
		return v == granted
	case judge.NotNamed:
		return false
	default:
		return false
	}
}

// inherit carries a chained session's source identity and transitive tags on.
// A source identity cannot be changed once it is set.
func (l *Lab) inherit(req *request, a *assumption) error {
	s := req.caller.session
	if s == nil {
		return nil
	}
	if s.sourceIdentity != "" {
		if a.sourceIdentity != "" && a.sourceIdentity != s.sourceIdentity {
			return refusedAction(req, "sts:SetSourceIdentity")
		}
		a.sourceIdentity = s.sourceIdentity
		// A chained call has both keys, whether it passes the identity again or
		// not (IAM User Guide, id_credentials_temp_control-access_monitor).
		a.context.Set("sts:SourceIdentity", s.sourceIdentity)
	}
	for _, t := range s.tags {
		if !slices.Contains(s.transitive, t.key) {
			continue
		}
		if slices.ContainsFunc(a.tags, func(own tag) bool { return fold(own.key) == fold(t.key) }) {
			return badRequest("InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
		a.tags = append(a.tags, t)
		a.transitive = append(a.transitive, t.key)
	}
	return nil
}

// extras asks for the permission-only actions that a call needs beside its
// own.
func (l *Lab) extras(req *request, a *assumption) error {
	if a.sourceIdentity != "" && !l.may(req, a, "sts:SetSourceIdentity") {
		return refusedAction(req, "sts:SetSourceIdentity")
	}
	if len(a.tags) > 0 && !l.may(req, a, "sts:TagSession") {
		return refusedAction(req, "sts:TagSession")
	}
	return nil
}

func (l *Lab) checkDuration(req *request, a *assumption) error {
	if req.caller.kind == roleSession && a.duration > time.Hour {
		return validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	if a.duration > time.Duration(a.role.state.maxSession)*time.Second {
		return validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return nil
}
