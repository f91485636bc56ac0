package awsapi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// A person's credentials are of one account: nothing of another one is read or
// written under them, and no AWS call is made to find out.
func TestAPersonReachesOneAccount(t *testing.T) {
	t.Parallel()
	mine := awsapi.PersonalConfig{AWS: aws.Config{Region: "us-east-1"}, Now: time.Now, Account: "111122223333"}
	a, err := awsapi.NewPersonal(mine)
	if err != nil {
		t.Fatal(err)
	}
	theirs := role.Role{Partition: "aws", Account: "444455556666", Name: "app", Path: "/", ARN: "arn:aws:iam::444455556666:role/app", ID: "AROAEXAMPLEAPP0000001"}
	if _, err := a.Role(t.Context(), theirs.Ref()); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("reading a role elsewhere: %v", err)
	}
	if _, err := a.PrincipalID(t.Context(), theirs.ARN); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("reading a principal elsewhere: %v", err)
	}
	if _, err := a.Writer(t.Context(), theirs, decision.Decision{ID: decision.ID("444455556666", "e", "r"), Action: decision.Revert}); !errors.Is(err, role.ErrAccessDenied) {
		t.Errorf("writing a role elsewhere: %v", err)
	}
	mine.Account = "prod"
	if _, err := awsapi.NewPersonal(mine); err == nil {
		t.Error("an account without an id is opened")
	}
}
