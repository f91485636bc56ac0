package awsapi

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// roleOf makes a Role of what GetRole answered. An answer about another role,
// or one without a trust policy, is an error: nothing is judged on it.
func roleOf(r *types.Role, asked role.Ref, now time.Time) (role.Role, error) {
	if r == nil {
		return role.Role{}, fmt.Errorf("reading role %s: the answer holds no role", asked)
	}
	out, err := entry{r.Arn, r.RoleId, r.AssumeRolePolicyDocument, r.PermissionsBoundary, r.Tags, r.CreateDate}.role(now)
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", asked, err)
	}
	if out.Account != asked.Account || !strings.EqualFold(out.Name, asked.Name) {
		return role.Role{}, fmt.Errorf("reading role %s: the answer is about %s", asked, out.ARN)
	}
	return out, nil
}

// entry is what IAM's two answers about a role have in common.
type entry struct {
	arn, id, document *string
	boundary          *types.AttachedPermissionsBoundary
	tags              []types.Tag
	created           *time.Time
}

// role makes a Role of an entry that is whole.
func (e entry) role(now time.Time) (role.Role, error) {
	arn, err := role.ParseARN(aws.ToString(e.arn))
	if err != nil {
		return role.Role{}, err
	}
	id := aws.ToString(e.id)
	if id == "" || e.document == nil {
		return role.Role{}, fmt.Errorf("the answer about %s lacks the role's id or trust policy", arn)
	}
	// Percent-encoding after RFC 3986, in which + is a plus (IAM API
	// Reference, API_Role, API_RoleDetail); undone once, since %25 is a percent
	// sign (T25).
	document, err := url.PathUnescape(*e.document)
	if err != nil {
		return role.Role{}, fmt.Errorf("decoding the trust policy of %s: %w", arn, err)
	}
	out := role.Role{
		Partition: arn.Partition, Account: arn.Account, Name: arn.Name, Path: arn.Path, ARN: arn.String(), ID: id,
		TrustPolicy: document, Tags: map[string]string{}, Created: aws.ToTime(e.created), ReadAt: now,
	}
	for _, t := range e.tags {
		out.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if e.boundary != nil {
		out.Boundary = aws.ToString(e.boundary.PermissionsBoundaryArn)
	}
	return out, nil
}

// nameIn gives the last part of an ARN, as it is spelled.
func nameIn(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
