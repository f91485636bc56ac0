package lab_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// S1: an account-wide trust lets a user work under somebody else's name; with
// ${aws:username} only the user's own name gets in.
func TestSessionNameBindsUserToName(t *testing.T) {
	w := newWorld(t)
	alice := w.user(dev, "alice", allowAssume)
	w.role(prod, "ops", trusting(arn(dev, "root")))
	in := &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/ops")), RoleSessionName: aws.String("mallory")}
	if _, err := w.assume(alice, in); err != nil {
		t.Fatalf("the open role must let alice in as mallory: %v", err)
	}
	_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("ops"),
		PolicyDocument: aws.String(strings.Replace(trusting(arn(dev, "root")), `"sts:AssumeRole"}`,
			`"sts:AssumeRole","Condition":{"StringLike":{"sts:RoleSessionName":"${aws:username}"}}}`, 1)),
	})
	w.must(err)
	_, err = w.assume(alice, in)
	w.refused(err, "AccessDenied")
	want := "User: arn:aws:iam::444455556666:user/alice is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/ops"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	in.RoleSessionName = aws.String("alice")
	if _, err := w.assume(alice, in); err != nil {
		t.Errorf("alice as alice: %v", err)
	}
}

// S3: a deleted user leaves its unique ID behind, a new user of the same name
// gains nothing, and the document cannot be saved with the dead ID.
func TestDeletedUserLeavesUniqueID(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(dev)
	created, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("bob")})
	w.must(err)
	id := *created.User.UserId
	w.role(prod, "app", trusting(arn(dev, "user/bob")))
	if got := w.trust(prod, "app"); got != trusting(arn(dev, "user/bob")) {
		t.Errorf("while bob lives the trust shows %s", got)
	}
	_, err = admin.UpdateUser(ctx, &iam.UpdateUserInput{UserName: aws.String("bob"), NewUserName: aws.String("robert")})
	w.must(err)
	if got := w.trust(prod, "app"); got != trusting(arn(dev, "user/robert")) {
		t.Errorf("after the rename the trust shows %s", got)
	}
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("robert")})
	w.must(err)
	if got := w.trust(prod, "app"); got != trusting(id) {
		t.Errorf("after deletion the trust shows %s, want the ID %s", got, id)
	}
	again := w.user(dev, "robert", allowAssume)
	if got := w.trust(prod, "app"); got != trusting(id) {
		t.Errorf("after re-creation the trust shows %s, want the ID %s", got, id)
	}
	_, err = w.assume(again, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("robert")})
	w.refused(err, "AccessDenied")
	_, err = w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String("app"), PolicyDocument: aws.String(trusting(id)),
	})
	w.refused(err, "MalformedPolicyDocument")
	if want := `Invalid principal in policy: "AWS":"` + id + `"`; !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}

// A living unique ID is accepted on save and shown as the ARN of its owner.
func TestLivingUniqueIDBecomesARN(t *testing.T) {
	w := newWorld(t)
	created, err := w.admin(dev).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("carol")})
	w.must(err)
	w.role(prod, "app", trusting(*created.User.UserId))
	if got := w.trust(prod, "app"); got != trusting(arn(dev, "user/carol")) {
		t.Errorf("the trust shows %s", got)
	}
}

// S2: a session narrowed by an inline policy can do that and nothing else.
func TestSessionPolicyNarrowsSession(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "writer", trusting(arn(dev, "root")))
	w.role(prod, "target", trusting(arn(dev, "root")))
	w.role(prod, "other", trusting(arn(dev, "root")))
	_, err := w.admin(prod).AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: aws.String("writer"), PolicyArn: aws.String("arn:aws:iam::aws:policy/AdministratorAccess"),
	})
	w.must(err)
	session, err := w.assume(w.user(dev, "guard", allowAssume), &sts.AssumeRoleInput{
		RoleArn: aws.String(arn(prod, "role/writer")), RoleSessionName: aws.String("revert-1"),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:UpdateAssumeRolePolicy","Resource":"` + arn(prod, "role/target") + `"}]}`),
	})
	w.must(err)
	client := iam.NewFromConfig(w.config(session))
	trust := aws.String(trusting(arn(prod, "root")))
	_, err = client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("target"), PolicyDocument: trust})
	w.must(err)
	_, err = client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("other"), PolicyDocument: trust})
	w.refused(err, "AccessDenied")
	_, err = client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("target")})
	w.refused(err, "AccessDenied")
	if want := "because no session policy allows the iam:GetRole action"; !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
}
