package lab_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Who needs an identity policy beside the trust: in one account only those
// whom the trust names through their account; between accounts everybody.
func TestTrustAndIdentityPolicyTogether(t *testing.T) {
	const denyAssume = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}]}`
	for _, c := range []struct {
		name, account, trust, identity string
		allowed                        bool
	}{
		{"same account, user named", prod, arn(prod, "user/caller"), "", true},
		{"same account, user named, explicit deny", prod, arn(prod, "user/caller"), denyAssume, false},
		{"same account, account named", prod, arn(prod, "root"), "", false},
		{"same account, account named, allowed", prod, arn(prod, "root"), allowAssume, true},
		{"same account, not named, allowed", prod, arn(dev, "root"), allowAssume, false},
		{"same account, everybody", prod, "*", "", true},
		{"other account, user named", dev, arn(dev, "user/caller"), "", false},
		{"other account, user named, allowed", dev, arn(dev, "user/caller"), allowAssume, true},
		{"other account, account named, allowed", dev, arn(dev, "root"), allowAssume, true},
		{"other account, everybody", dev, "*", "", false},
		{"other account, everybody, allowed", dev, "*", allowAssume, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			caller := w.user(c.account, "caller", c.identity)
			w.role(prod, "target", trusting(c.trust))
			_, err := w.assume(caller, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/target")), RoleSessionName: aws.String("s1")})
			if (err == nil) != c.allowed {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A permissions boundary limits a role that the trust names; it does not limit
// a user whom the trust names. IAM User Guide, access_policies_boundaries.
func TestBoundary(t *testing.T) {
	w := newWorld(t)
	deny := aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	user := w.user(prod, "caller", "")
	_, err := w.admin(prod).PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: aws.String("caller"), PermissionsBoundary: deny})
	w.must(err)
	w.role(prod, "first", trusting(arn(prod, "user/caller")))
	w.role(prod, "second", trusting(arn(prod, "role/first")))
	session, err := w.assume(user, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/first")), RoleSessionName: aws.String("s1")})
	w.must(err)
	second := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/second")), RoleSessionName: aws.String("s1")}
	_, err = w.assume(session, second)
	w.must(err)
	_, err = w.admin(prod).PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("first"), PermissionsBoundary: deny})
	w.must(err)
	_, err = w.assume(session, second)
	w.refused(err, "AccessDenied")
}

// A boundary takes from an administrator what it does not allow, and the
// refusal names it.
func TestBoundaryLimitsPermissions(t *testing.T) {
	w := newWorld(t)
	user := w.user(prod, "boxed", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	_, err := w.admin(prod).PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{
		UserName: aws.String("boxed"), PermissionsBoundary: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess"),
	})
	w.must(err)
	client := iam.NewFromConfig(w.config(user))
	_, err = client.ListRoles(ctx, &iam.ListRolesInput{})
	w.must(err)
	_, err = client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("x")})
	w.refused(err, "AccessDenied")
	if want := "because no permissions boundary allows the iam:CreateUser action"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

// A role may assume itself only when its trust says so.
func TestSelfAssume(t *testing.T) {
	w := newWorld(t)
	user := w.user(prod, "caller", "")
	w.role(prod, "loop", trusting(arn(prod, "user/caller")))
	_, err := w.admin(prod).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("loop"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowAssume)})
	w.must(err)
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/loop")), RoleSessionName: aws.String("s1")}
	session, err := w.assume(user, in)
	w.must(err)
	_, err = w.assume(session, in)
	w.refused(err, "AccessDenied")
	_, err = w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("loop"), PolicyDocument: aws.String(trusting(arn(prod, "role/loop")))})
	w.must(err)
	_, err = w.assume(session, in)
	w.must(err)
}

// The rules of the call itself: names, durations, chaining, root, MFA, tags.
func TestAssumeRoleRules(t *testing.T) {
	w := newWorld(t)
	user := w.user(prod, "caller", allowAssume)
	w.role(prod, "target", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"`+arn(prod, "root")+`"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`)
	w.role(prod, "mfa", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+arn(prod, "root")+
		`"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`)
	_, err := w.admin(prod).PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("target"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowAssume)})
	w.must(err)
	root, err := w.RootKeys(prod)
	w.must(err)
	target := func(edit func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/target")), RoleSessionName: aws.String("s1")}
		if edit != nil {
			edit(in)
		}
		return in
	}
	session, err := w.assume(user, target(nil))
	w.must(err)
	for _, c := range []struct {
		name string
		who  lab.Credentials
		edit func(*sts.AssumeRoleInput)
		code string
	}{
		{"root", root, nil, "AccessDenied"},
		{"bad session name", user, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, "ValidationError"},
		{"no such role", user, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(arn(prod, "role/none")) }, "AccessDenied"},
		{"longer than the role allows", user, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) }, "ValidationError"},
		{"too short", user, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(60) }, "ValidationError"},
		{"chained", session, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3600) }, ""},
		{"chained, longer than an hour", session, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, "ValidationError"},
		{"source identity", user, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("alice") }, ""},
		{"source identity of AWS", user, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("aws:x") }, "ValidationError"},
		{"tags without TagSession", user, func(in *sts.AssumeRoleInput) {
			in.Tags = []ststypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}
		}, "AccessDenied"},
		{"no MFA", user, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String(arn(prod, "role/mfa")) }, "AccessDenied"},
		{"with MFA", user, func(in *sts.AssumeRoleInput) {
			in.RoleArn = aws.String(arn(prod, "role/mfa"))
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::111122223333:mfa/caller"), aws.String("123456")
		}, ""},
		{"broken session policy", user, func(in *sts.AssumeRoleInput) { in.Policy = aws.String(`{"Statement":1}`) }, "MalformedPolicyDocument"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := w.assume(c.who, target(c.edit))
			if c.code == "" {
				w.must(err)
				return
			}
			w.refused(err, c.code)
		})
	}
}

// Managed session policies narrow as well; inline and managed together are
// one policy.
func TestManagedSessionPolicies(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "writer", trusting(arn(prod, "root")))
	_, err := w.admin(prod).AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("writer"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess")})
	w.must(err)
	session, err := w.assume(w.user(prod, "caller", allowAssume), &sts.AssumeRoleInput{
		RoleArn: aws.String(arn(prod, "role/writer")), RoleSessionName: aws.String("s1"),
		PolicyArns: []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}},
		Policy:     aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:TagRole","Resource":"*"}]}`),
	})
	w.must(err)
	client := iam.NewFromConfig(w.config(session))
	_, err = client.ListRoles(ctx, &iam.ListRolesInput{})
	w.must(err)
	_, err = client.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("x")})
	w.refused(err, "AccessDenied")
}

// Credentials that are unknown, wrong, expired or of a deleted role are
// refused with AWS's codes.
func TestCredentials(t *testing.T) {
	w := newWorld(t)
	user := w.user(prod, "caller", allowAssume)
	w.role(prod, "target", trusting(arn(prod, "root")))
	session, err := w.assume(user, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/target")), RoleSessionName: aws.String("s1")})
	w.must(err)
	ask := func(c lab.Credentials) error {
		_, err := sts.NewFromConfig(w.config(c)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		return err
	}
	w.must(ask(session))
	wrong, unknown, token := user, user, session
	wrong.SecretAccessKey = "wrong"
	unknown.AccessKeyID = "AKIAUNKNOWN000000000"
	token.SessionToken = "wrong"
	w.refused(ask(wrong), "SignatureDoesNotMatch")
	w.refused(ask(unknown), "InvalidClientTokenId")
	w.refused(ask(token), "InvalidClientTokenId")
	w.wait(time.Hour)
	w.refused(ask(session), "ExpiredToken")
	w.must(ask(user))
	fresh, err := w.assume(user, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/target")), RoleSessionName: aws.String("s1")})
	w.must(err)
	_, err = w.admin(prod).DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("target")})
	w.must(err)
	w.refused(ask(fresh), "InvalidClientTokenId")
}

// A service can assume a role through the lab only, and its confused-deputy
// keys count.
func TestServiceCaller(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "task", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},
		"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"`+prod+`"}}}]}`)
	call := lab.ServiceCall{Service: "ecs-tasks.amazonaws.com", RoleARN: arn(prod, "role/task"), SessionName: "t1", SourceAccount: dev}
	if _, err := w.AssumeAsService(call); err == nil {
		t.Error("another account's task got in")
	}
	call.SourceAccount = prod
	_, err := w.AssumeAsService(call)
	w.must(err)
	events := w.seen()
	if raw := string(events[len(events)-1].Raw); !strings.Contains(raw, `"invokedBy":"ecs-tasks.amazonaws.com","type":"AWSService"`) {
		t.Errorf("the event does not show the service: %s", raw)
	}
}

// GetSessionToken keeps the user's name and carries MFA along; without MFA it
// opens no IAM call.
func TestSessionToken(t *testing.T) {
	w := newWorld(t)
	user := w.user(prod, "caller", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	client := sts.NewFromConfig(w.config(user))
	plain, err := client.GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	w.must(err)
	_, err = iam.NewFromConfig(w.config(keys(plain.Credentials))).ListRoles(ctx, &iam.ListRolesInput{})
	w.refused(err, "InvalidClientTokenId")
	strong, err := client.GetSessionToken(ctx, &sts.GetSessionTokenInput{SerialNumber: aws.String("arn:aws:iam::111122223333:mfa/caller"), TokenCode: aws.String("123456")})
	w.must(err)
	_, err = iam.NewFromConfig(w.config(keys(strong.Credentials))).ListRoles(ctx, &iam.ListRolesInput{})
	w.must(err)
	w.role(prod, "mfa", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+arn(prod, "root")+`"},"Action":"sts:AssumeRole",
		"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}]}`)
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/mfa")), RoleSessionName: aws.String("caller")}
	_, err = w.assume(keys(strong.Credentials), in)
	w.must(err)
	_, err = w.assume(keys(plain.Credentials), in)
	w.refused(err, "AccessDenied")
}
