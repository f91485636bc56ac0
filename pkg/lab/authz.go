package lab

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
)

// verdict is what all the policies of a caller say together about one action.
type verdict int

const (
	granted verdict = iota
	noIdentityPolicy
	noBoundary
	noSessionPolicy
	identityDeny
	boundaryDeny
	sessionDeny
)

// because finishes AWS's sentence about a refusal.
func (v verdict) because(action string) string {
	switch v {
	case granted:
		return ""
	case noIdentityPolicy:
		return " because no identity-based policy allows the " + action + " action"
	case noBoundary:
		return " because no permissions boundary allows the " + action + " action"
	case noSessionPolicy:
		return " because no session policy allows the " + action + " action"
	case identityDeny:
		return " with an explicit deny in an identity-based policy"
	case boundaryDeny:
		return " with an explicit deny in a permissions boundary"
	case sessionDeny:
		return " with an explicit deny in a session policy"
	default:
		return ""
	}
}

func (v verdict) explicit() bool { return v == identityDeny || v == boundaryDeny || v == sessionDeny }

// opinion is what each sort of policy says; nil-like absence counts as Allow.
type opinion struct{ identity, boundary, session judge.Effect }

func (o opinion) verdict() verdict {
	switch {
	case o.identity == judge.Deny:
		return identityDeny
	case o.boundary == judge.Deny:
		return boundaryDeny
	case o.session == judge.Deny:
		return sessionDeny
	case o.identity != judge.Allow:
		return noIdentityPolicy
	case o.boundary != judge.Allow:
		return noBoundary
	case o.session != judge.Allow:
		return noSessionPolicy
	default:
		return granted
	}
}

// opinion asks the caller's identity policies, its boundary and its session
// policies. The account's root user may do everything.
func (l *Lab) opinion(c caller, req judge.Request) opinion {
	out := opinion{identity: judge.Allow, boundary: judge.Allow, session: judge.Allow}
	var who identity
	switch c.kind {
	case iamUser:
		who = c.user.identity
	case roleSession:
		who = c.session.role.identity
		who.boundary = c.session.role.state.boundary
	case rootUser:
		return out
	case nobody, awsService, federated:
		out.identity = judge.Neither
		return out
	}
	out.identity = union(l.policiesOf(who), req)
	if who.boundary != "" {
		out.boundary = union(l.managedPolicies(who.account, []string{who.boundary}), req)
	}
	if c.session != nil && c.session.policies != nil {
		out.session = union(c.session.policies, req)
	}
	return out
}

// union reads several policies of one sort as one.
func union(policies []*judge.Policy, req judge.Request) judge.Effect {
	best := judge.Neither
	for _, p := range policies {
		best = max(best, p.Identity(req).Effect)
	}
	return best
}

func (l *Lab) policiesOf(who identity) []*judge.Policy {
	policies := l.managedPolicies(who.account, who.attached)
	for _, document := range who.inline {
		// Every inline document was read when it was saved.
		if p, ok := l.parsed(document); ok {
			policies = append(policies, p)
		}
	}
	return policies
}

// authorize checks a call against identity policies, boundary and session
// policies. Resource policies are not looked at: caller and resource are in
// one account.
func (l *Lab) authorize(op operation, req *request) error {
	resource := op.target(l, req)
	ctx := l.context(req)
	l.resourceContext(ctx, req)
	actions := []string{req.service + ":" + req.action}
	if op.also != nil {
		actions = append(actions, op.also(req)...)
	}
	for _, action := range actions {
		v := l.opinion(req.caller, judge.Request{
			Action: action, Resource: resource, Caller: req.caller.judged(), Context: ctx,
		}).verdict()
		if v != granted {
			return accessDenied("User: %s is not authorized to perform: %s on resource: %s%s",
				req.caller.arn(), action, resource, v.because(action))
		}
	}
	return nil
}

// context gathers the condition keys that follow from the caller and the
// connection. IAM User Guide, reference_policies_condition-keys.
func (l *Lab) context(req *request) judge.Context {
	ctx := judge.NewContext()
	ctx.Set("aws:SourceIp", req.sourceIP)
	ctx.Set("aws:SecureTransport", "true")
	ctx.Set("aws:UserAgent", req.userAgent)
	ctx.Set("aws:CurrentTime", trailTime(req.at))
	ctx.Set("aws:EpochTime", strconv.FormatInt(secondsSince1970(req.at), 10))
	ctx.Set("aws:RequestedRegion", req.region)
	ctx.Set("aws:PrincipalIsAWSService", strconv.FormatBool(req.caller.kind == awsService))
	ctx.Set("aws:ViaAWSService", "false")
	l.callerContext(ctx, req)
	return ctx
}

func (l *Lab) callerContext(ctx judge.Context, req *request) {
	c := req.caller
	switch c.kind {
	case rootUser:
		ctx.Set("aws:PrincipalType", "Account")
		ctx.Set("aws:PrincipalArn", c.arn())
	case iamUser:
		ctx.Set("aws:PrincipalType", "User")
		ctx.Set("aws:PrincipalArn", c.arn())
		ctx.Set("aws:username", c.user.name)
		tagContext(ctx, c.user.tags)
	case roleSession:
		ctx.Set("aws:PrincipalType", "AssumedRole")
		// The role's ARN, not the session's.
		ctx.Set("aws:PrincipalArn", c.session.role.arn(l.partition))
		tagContext(ctx, c.session.role.state.tags)
	case awsService:
		ctx.Set("aws:PrincipalType", "Service")
		ctx.Set("aws:PrincipalServiceName", c.name)
		return
	case nobody, federated:
		return
	}
	ctx.Set("aws:userid", c.userID())
	ctx.Set("aws:PrincipalAccount", c.account.ID)
	l.orgContext(ctx, "aws:Principal", c.account)
	if c.session != nil {
		sessionContext(ctx, c.session, req)
	}
}

func sessionContext(ctx judge.Context, s *session, req *request) {
	tagContext(ctx, s.tags)
	ctx.Set("aws:MultiFactorAuthPresent", strconv.FormatBool(s.mfa == withMFA))
	if s.mfa == withMFA {
		ctx.Set("aws:MultiFactorAuthAge", strconv.Itoa(int(req.at.Sub(s.issued).Seconds())))
	}
	ctx.Set("aws:TokenIssueTime", trailTime(s.issued))
	if s.sourceIdentity != "" {
		ctx.Set("aws:SourceIdentity", s.sourceIdentity)
	}
	if s.provider != "" {
		ctx.Set("aws:FederatedProvider", s.provider)
	}
}

func tagContext(ctx judge.Context, tags []tag) {
	for _, t := range tags {
		ctx.Set("aws:PrincipalTag/"+t.key, t.value)
	}
}

// orgContext sets the organization's keys for an account inside it.
func (l *Lab) orgContext(ctx judge.Context, prefix string, acct *account) {
	if l.config.OrganizationID == "" || acct.Outside {
		return
	}
	ctx.Set(prefix+"OrgID", l.config.OrganizationID)
	ctx.SetMany(prefix+"OrgPaths", []string{l.orgPath(acct)})
}

// resourceContext sets what IAM shows of the role or user a call is about,
// and of the tags in the call.
func (l *Lab) resourceContext(ctx judge.Context, req *request) {
	if req.service != "iam" || req.caller.account == nil {
		return
	}
	ctx.Set("aws:ResourceAccount", req.caller.account.ID)
	var tags []tag
	if r, ok := req.caller.account.roles[fold(req.form.Get("RoleName"))]; ok {
		tags = r.state.tags
	} else if u, ok := req.caller.account.users[fold(req.form.Get("UserName"))]; ok {
		tags = u.tags
	}
	for _, t := range tags {
		ctx.Set("iam:ResourceTag/"+t.key, t.value)
		ctx.Set("aws:ResourceTag/"+t.key, t.value)
	}
	l.boundaryContext(ctx, req)
	requestTags(ctx, formTags(req.form))
	if keys := list(req.form, "TagKeys"); keys != nil {
		ctx.SetMany("aws:TagKeys", keys)
	}
	for field, key := range map[string]string{
		"PolicyArn": "iam:PolicyARN", "AWSServiceName": "iam:AWSServiceName",
	} {
		if value := req.form.Get(field); value != "" {
			ctx.Set(key, value)
		}
	}
}

func requestTags(ctx judge.Context, tags []tag) {
	var keys []string
	for _, t := range tags {
		ctx.Set("aws:RequestTag/"+t.key, t.value)
		keys = append(keys, t.key)
	}
	if len(keys) > 0 {
		slices.Sort(keys)
		ctx.SetMany("aws:TagKeys", keys)
	}
}

func forbiddenForRoot() *problem {
	return failPlain(http.StatusForbidden, "AccessDenied", "Roles may not be assumed by root accounts.")
}
