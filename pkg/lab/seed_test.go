package lab_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

// Seeding makes the principals that a trust policy names, keeps orphaned IDs
// and puts unknown accounts outside the organization.
func TestSeedRole(t *testing.T) {
	w := newWorld(t)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["AIDAORPHANEXAMPLE0000","arn:aws:iam::222222222222:root",` +
		`"arn:aws:iam::444455556666:user/staff/alice"]},"Action":"sts:AssumeRole"}]}`
	w.must(w.SeedRole(prod, lab.SeedRole{Name: "app", RoleID: "AROASEEDEDEXAMPLE0000", TrustPolicy: trust, Tags: map[string]string{"team": "a"}}))
	shown := w.trust(prod, "app")
	for _, want := range []string{"AIDAORPHANEXAMPLE0000", "arn:aws:iam::222222222222:root", "arn:aws:iam::444455556666:user/staff/alice"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%s lacks %s", shown, want)
		}
	}
	role, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
	w.must(err)
	if *role.Role.RoleId != "AROASEEDEDEXAMPLE0000" || *role.Role.Tags[0].Value != "a" {
		t.Errorf("role %v", role.Role)
	}
	user, err := w.admin(dev).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("alice")})
	w.must(err)
	if *user.User.Path != "/staff/" {
		t.Errorf("path %s", *user.User.Path)
	}
	if _, err := w.Admin("222222222222"); err != nil {
		t.Errorf("the foreign account was not made: %v", err)
	}
	w.must(w.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: trusting("arn:aws:iam::444455556666:user/ghost"), Missing: lab.KeepMissing}))
	if got := w.trust(prod, "app"); got != trusting("arn:aws:iam::444455556666:user/ghost") {
		t.Errorf("trust %s", got)
	}
	if err := w.SeedRole(prod, lab.SeedRole{Name: "b", TrustPolicy: trusting("arn:aws:iam::444455556666:user/none"), Missing: lab.RefuseMissing}); err == nil {
		t.Error("RefuseMissing accepted a principal that does not exist")
	}
	if _, err := w.admin(prod).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("b")}); err == nil {
		t.Error("a refused seed left a role behind")
	}
}

// A name that seeding keeps without an owner is bound to nobody who comes by
// it later.
func TestKeptPrincipalIsBoundToNobody(t *testing.T) {
	w := newWorld(t)
	w.must(w.SeedRole(prod, lab.SeedRole{Name: "app", TrustPolicy: trusting(arn(dev, "user/ghost")), Missing: lab.KeepMissing}))
	ghost := w.user(dev, "ghost", allowAssume)
	_, err := w.assume(ghost, &sts.AssumeRoleInput{RoleArn: aws.String(arn(prod, "role/app")), RoleSessionName: aws.String("s1")})
	w.refused(err, "AccessDenied")
}

// The same seed gives the same IDs, so that stories can be told twice.
func TestSeededRandomnessRepeats(t *testing.T) {
	tell := func() []byte {
		l, err := lab.New(lab.Config{Accounts: []lab.Account{{ID: prod}}, Rand: rand.NewChaCha8([32]byte{7})})
		if err != nil {
			t.Fatal(err)
		}
		c, err := l.Admin(prod)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(c.AccessKeyID + c.SecretAccessKey)
	}
	if !bytes.Equal(tell(), tell()) {
		t.Error("two labs of one seed differ")
	}
}

// A configuration that makes no sense is refused with what to do.
func TestNewRefuses(t *testing.T) {
	for want, config := range map[string]lab.Config{
		"12 digits":          {Accounts: []lab.Account{{ID: "1"}}},
		"there already":      {Accounts: []lab.Account{{ID: prod}, {ID: prod}}},
		"management account": {Accounts: []lab.Account{{ID: prod}}, ManagementAccount: dev},
	} {
		if _, err := lab.New(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
