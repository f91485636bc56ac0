package awsapi

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

func shown(document string) *types.Role {
	return &types.Role{
		Arn: aws.String("arn:aws:iam::111122223333:role/team/App"), RoleId: aws.String("AROA1"),
		RoleName: aws.String("App"), Path: aws.String("/team/"), AssumeRolePolicyDocument: aws.String(document),
	}
}

// T25: the document is decoded once, and a plus is a plus whether IAM encodes it or not.
func TestTrustPolicyIsDecodedOnce(t *testing.T) {
	for encoded, want := range map[string]string{
		"%7B%22a%22%3A%22b%20c%22%7D": `{"a":"b c"}`,
		`{"a":"b+c"}`:                 `{"a":"b+c"}`,
		"b%2Bc":                       "b+c",
		"100%2525":                    "100%25",
		"Z%C3%BCrich":                 "Zürich",
		"":                            "",
	} {
		r, err := roleOf(shown(encoded), role.Ref{Account: "111122223333", Name: "APP"}, time.Time{})
		if err != nil || r.TrustPolicy != want {
			t.Errorf("%s reads %q, %v; want %q", encoded, r.TrustPolicy, err, want)
		}
	}
}

// An answer that is not about the role asked for, or not whole, is no role:
// nothing may be judged on it.
func TestAnswersAboutSomethingElseAreErrors(t *testing.T) {
	for name, spoil := range map[string]func(*types.Role){
		"another account": func(r *types.Role) { r.Arn = aws.String("arn:aws:iam::444455556666:role/team/App") },
		"another role":    func(r *types.Role) { r.Arn = aws.String("arn:aws:iam::111122223333:role/team/App2") },
		"no ARN":          func(r *types.Role) { r.Arn = nil },
		"no id":           func(r *types.Role) { r.RoleId = nil },
		"no document":     func(r *types.Role) { r.AssumeRolePolicyDocument = nil },
		"a cut escape":    func(r *types.Role) { r.AssumeRolePolicyDocument = aws.String("%7") },
	} {
		r := shown("{}")
		spoil(r)
		if got, err := roleOf(r, role.Ref{Account: "111122223333", Name: "App"}, time.Time{}); err == nil || got.ID != "" {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := roleOf(nil, role.Ref{}, time.Time{}); err == nil {
		t.Error("no role was taken for one")
	}
}
