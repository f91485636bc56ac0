package lab_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// What IAM refuses in a trust policy, with its code and words.
func TestTrustPoliciesThatIAMRefuses(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "here", trusting(arn(prod, "root")))
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + s + `}]}` }
	principal := func(s string) string { return statement(`"Principal":` + s + `,"Action":"sts:AssumeRole"`) }
	everyone := `"Principal":{"AWS":"*"}`
	for document, want := range map[string]string{
		`{`: "This policy contains invalid Json",
		`{"Version":"2012-10-17","Statement":[]} x`:                             "This policy contains invalid Json",
		`{"Version":"2013-01-01","Statement":[]}`:                               "Syntax errors in policy.",
		statement(everyone + `,"Action":"sts:AssumeRole","effect":"Deny"`):      "Syntax errors in policy.",
		statement(everyone + `,"Action":"s3:GetObject"`):                        "AssumeRole policy may only specify STS AssumeRole actions.",
		statement(everyone + `,"Action":"sts:TagSessions"`):                     "AssumeRole policy may only specify STS AssumeRole actions.",
		statement(everyone + `,"Action":"*"`):                                   "AssumeRole policy may only specify STS AssumeRole actions.",
		statement(everyone + `,"Action":"sts:AssumeRole","Resource":"*"`):       "Has prohibited field Resource",
		statement(`"NotPrincipal":{"AWS":"*"},"Action":"sts:AssumeRole"`):       "Has prohibited field NotPrincipal",
		statement(`"Action":"sts:AssumeRole"`):                                  "Missing required field Principal",
		statement(everyone + `,"Action":"sts:AssumeRole","Condition":{"X":{}}`): "Invalid Condition type : X.",
		principal(`"*"`): `AssumeRolepolicy contained an invalid principal: "STAR":"*"`,
		principal(`{"AWS":" arn:aws:iam::111122223333:root"}`):                     "JSON strings must not have leading spaces",
		principal(`{"AWS":"arn:aws:iam::111122223333:user/nobody"}`):               `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/nobody"`,
		principal(`{"AWS":"arn:aws:iam::111122223333:role/*"}`):                    `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"`,
		principal(`{"AWS":"arn:aws:iam::111122223333:role/Here"}`):                 `Invalid principal in policy`,
		principal(`{"AWS":"arn:aws:iam::111122223333:role/x/here"}`):               `Invalid principal in policy`,
		principal(`{"AWS":"999999999999"}`):                                        `Invalid principal in policy: "AWS":"arn:aws:iam::999999999999:root"`,
		principal(`{"AWS":"AIDAEXAMPLE0000000000"}`):                               `Invalid principal in policy: "AWS":"AIDAEXAMPLE0000000000"`,
		principal(`{"AWS":"arn:aws:sts::111122223333:assumed-role/nobody/s1"}`):    `Invalid principal in policy`,
		principal(`{"AWS":"arn:aws-cn:iam::111122223333:root"}`):                   `Invalid principal in policy`,
		principal(`{"Service":"ec2"}`):                                             `Invalid principal in policy: "SERVICE":"ec2"`,
		principal(`{"CanonicalUser":"79a59d"}`):                                    `Invalid principal in policy: "CanonicalUser":"79a59d"`,
		strings.Replace(principal(`{"AWS":"*"}`), `{"Eff`, `{"Sid":"a b","Eff`, 1): "Statement IDs (SID) must be alpha-numeric",
	} {
		_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("here"), PolicyDocument: aws.String(document)})
		w.refused(err, "MalformedPolicyDocument")
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %v\nwant %s", document, err, want)
		}
	}
	if got := w.trust(prod, "here"); got != trusting(arn(prod, "root")) {
		t.Errorf("a refused document changed the role: %s", got)
	}
}

// What IAM accepts though it looks odd, and how it shows it.
func TestTrustPoliciesAsIAMShowsThem(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "here", trusting(prod))
	w.user(prod, "alice", "")
	principal := func(s string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + s + `,"Action":"sts:AssumeRole"}]}`
	}
	for sent, shown := range map[string]string{
		principal(`{"AWS":"111122223333"}`):                                           principal(`{"AWS":"arn:aws:iam::111122223333:root"}`),
		principal(`{"AWS":["111122223333","arn:aws:iam::111122223333:root"]}`):        principal(`{"AWS":"arn:aws:iam::111122223333:root"}`),
		principal(`{"AWS":["arn:aws:iam::111122223333:user/alice"]}`):                 principal(`{"AWS":"arn:aws:iam::111122223333:user/alice"}`),
		principal(`{"AWS":"arn:aws:sts::111122223333:assumed-role/here/any"}`):        principal(`{"AWS":"arn:aws:sts::111122223333:assumed-role/here/any"}`),
		principal(`{"AWS":"arn:aws:sts::111122223333:federated-user/any"}`):           principal(`{"AWS":"arn:aws:sts::111122223333:federated-user/any"}`),
		principal(`{"AWS":"*"}`):                                                      principal(`{"AWS":"*"}`),
		"  " + principal(`{"Service":"ec2.amazonaws.com"}`) + "\n":                    principal(`{"Service":"ec2.amazonaws.com"}`),
		strings.Replace(principal(`{"AWS":"*"}`), "Allow", "Deny", 1):                 strings.Replace(principal(`{"AWS":"*"}`), "Allow", "Deny", 1),
		strings.Replace(principal(`{"AWS":"*"}`), "sts:AssumeRole", "sts:Assume*", 1): strings.Replace(principal(`{"AWS":"*"}`), "sts:AssumeRole", "sts:Assume*", 1),
	} {
		_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("HERE"), PolicyDocument: aws.String(sent)})
		w.must(err)
		if got := w.trust(prod, "here"); got != shown {
			t.Errorf("sent %s\n got %s\nwant %s", sent, got, shown)
		}
	}
}

// A document may hold 2048 characters without white space, and far more with.
func TestTrustPolicySize(t *testing.T) {
	w := newWorld(t)
	w.role(prod, "here", trusting(arn(prod, "root")))
	update := func(document string) error {
		_, err := w.admin(prod).UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("here"), PolicyDocument: &document})
		return err
	}
	w.must(update(trusting(arn(prod, "root")) + strings.Repeat("\n ", 60000)))
	w.refused(update(strings.Replace(trusting(arn(prod, "root")), "Allow", `Allow","Sid":"`+strings.Repeat("a", 2048), 1)), "LimitExceeded")
	w.refused(update(trusting(arn(prod, "root"))+strings.Repeat(" ", 131072)), "ValidationError")
	w.refused(update(strings.Replace(trusting(arn(prod, "root")), "Allow", "Ällow—", 1)), "ValidationError")
}

// Role names are one ignoring case; a role with policies cannot be deleted; a
// re-created role has another ID and inherits no trust.
func TestRoleLife(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	w.role(prod, "App", trusting(arn(prod, "root")))
	_, err := admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: aws.String(trusting(arn(prod, "root")))})
	w.refused(err, "EntityAlreadyExists")
	first, err := admin.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("aPP")})
	w.must(err)
	w.role(dev, "trusting", trusting(arn(prod, "role/App")))

	name, policy := aws.String("App"), aws.String("p")
	_, err = admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: policy, PolicyDocument: aws.String(allowAssume)})
	w.must(err)
	_, err = admin.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	w.refused(err, "DeleteConflict")
	got, err := admin.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: policy})
	w.must(err)
	if text, _ := url.PathUnescape(*got.PolicyDocument); text != allowAssume {
		t.Errorf("the inline policy came back as %s", text)
	}
	_, err = admin.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: policy})
	w.must(err)
	_, err = admin.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	w.must(err)
	_, err = admin.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	w.refused(err, "NoSuchEntity")
	w.role(prod, "App", trusting(arn(prod, "root")))
	second, err := admin.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	w.must(err)
	if *first.Role.RoleId == *second.Role.RoleId {
		t.Error("the re-created role kept its ID")
	}
	if got := w.trust(dev, "trusting"); got != trusting(*first.Role.RoleId) {
		t.Errorf("the other role's trust shows %s", got)
	}
}

// Tags: at most 50, keys ignore case but keep it, values in IAM's alphabet.
func TestRoleTags(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	w.role(prod, "app", trusting(arn(prod, "root")))
	tag := func(pairs ...string) error {
		in := &iam.TagRoleInput{RoleName: aws.String("app")}
		for i := 0; i < len(pairs); i += 2 {
			in.Tags = append(in.Tags, iamtypes.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := admin.TagRole(ctx, in)
		return err
	}
	w.must(tag("Department", "a", "rolewarden:state", "flagged"))
	w.must(tag("department", "b"))
	out, err := admin.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: aws.String("app")})
	w.must(err)
	if len(out.Tags) != 2 || *out.Tags[1].Key != "department" || *out.Tags[1].Value != "b" {
		t.Errorf("tags %v", out.Tags)
	}
	w.refused(tag("k", "a;b"), "ValidationError")
	w.refused(tag("k", strings.Repeat("v", 257)), "ValidationError")
	w.refused(tag("aws:k", "v"), "InvalidInput")
	w.refused(tag("k", "v", "K", "v"), "InvalidInput")
	for i := range 48 {
		w.must(tag(fmt.Sprintf("k%d", i), ""))
	}
	w.refused(tag("one", "more"), "LimitExceeded")
	_, err = admin.UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String("app"), TagKeys: []string{"DEPARTMENT"}})
	w.must(err)
	w.must(tag("one", "more"))
}

// A user with keys or policies cannot be deleted.
func TestUserLife(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	name := aws.String("alice")
	_, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: name, Path: aws.String("/staff/")})
	w.must(err)
	_, err = admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ALICE")})
	w.refused(err, "EntityAlreadyExists")
	key, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	w.must(err)
	_, err = admin.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	w.must(err)
	self := iam.NewFromConfig(w.config(lab.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}))
	me, err := self.GetUser(ctx, &iam.GetUserInput{})
	w.must(err)
	if *me.User.Arn != arn(prod, "user/staff/alice") {
		t.Errorf("ARN %s", *me.User.Arn)
	}
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	w.refused(err, "DeleteConflict")
	_, err = admin.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: key.AccessKey.AccessKeyId})
	w.must(err)
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	w.refused(err, "DeleteConflict")
	_, err = admin.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: name, PolicyArn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")})
	w.must(err)
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	w.must(err)
}

// Service-linked roles cannot be written.
func TestServiceLinkedRoleCannotBeWritten(t *testing.T) {
	w := newWorld(t)
	admin := w.admin(prod)
	out, err := admin.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("autoscaling.amazonaws.com")})
	w.must(err)
	if want := arn(prod, "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoscaling"); *out.Role.Arn != want {
		t.Errorf("ARN %s, want %s", *out.Role.Arn, want)
	}
	_, err = admin.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: out.Role.RoleName, PolicyDocument: aws.String(trusting("*"))})
	w.refused(err, "UnmodifiableEntity")
	_, err = admin.TagRole(ctx, &iam.TagRoleInput{RoleName: out.Role.RoleName, Tags: []iamtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	w.refused(err, "UnmodifiableEntity")
}

// A role from a template is one event, AcquireRole, whose request has no
// trust policy and whose response has.
func TestAcquireRole(t *testing.T) {
	w := newWorld(t)
	w.AddTemplate(lab.Template{
		ARN: "arn:aws:iam::aws:role-template/app", MinorVersion: 3, RoleName: "app-@{Name}", Path: "/apps/", TrustPolicy: trusting("@{Who}"),
	})
	out, err := w.admin(prod).AcquireRole(ctx, &iam.AcquireRoleInput{
		TemplateArn: aws.String("arn:aws:iam::aws:role-template/app"),
		ReplacementValues: map[string]iamtypes.ReplacementValueEntry{
			"Name": {Values: []string{"one"}}, "Who": {Values: []string{arn(dev, "root")}},
		},
	})
	w.must(err)
	if *out.Role.Arn != arn(prod, "role/apps/app-one") || *out.Role.SourceRoleTemplate.TemplateMinorVersion != 3 {
		t.Errorf("role %v", *out.Role.Arn)
	}
	if got := w.trust(prod, "app-one"); got != trusting(arn(dev, "root")) {
		t.Errorf("trust %s", got)
	}
	events := w.seen()
	if len(events) != 1 || events[0].EventName != "AcquireRole" || strings.Contains(string(events[0].Raw), `"assumeRolePolicyDocument":"{`) {
		t.Errorf("events %v", events)
	}
}

// Lists are paged, and the account's details hold roles with their policies.
func TestPaging(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.must(w.SeedRole(prod, lab.SeedRole{Name: fmt.Sprintf("r%d", i), TrustPolicy: trusting(arn(prod, "root"))}))
	}
	roles := iam.NewListRolesPaginator(w.admin(prod), &iam.ListRolesInput{MaxItems: aws.Int32(3)})
	count := 0
	for roles.HasMorePages() {
		page, err := roles.NextPage(ctx)
		w.must(err)
		count += len(page.Roles)
	}
	details := iam.NewGetAccountAuthorizationDetailsPaginator(w.admin(prod), &iam.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(4)})
	detailed, users := 0, 0
	for details.HasMorePages() {
		page, err := details.NextPage(ctx)
		w.must(err)
		for _, r := range page.RoleDetailList {
			if text, _ := url.PathUnescape(*r.AssumeRolePolicyDocument); text == trusting(arn(prod, "root")) {
				detailed++
			}
		}
		users += len(page.UserDetailList)
	}
	if count != 7 || detailed != 7 || users != 1 {
		t.Errorf("%d roles, %d details, %d users", count, detailed, users)
	}
}
