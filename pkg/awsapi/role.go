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
	arn, err := role.ParseARN(aws.ToString(r.Arn))
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", asked, err)
	}
	if arn.Account != asked.Account || !strings.EqualFold(arn.Name, asked.Name) {
		return role.Role{}, fmt.Errorf("reading role %s: the answer is about %s", asked, arn)
	}
	id := aws.ToString(r.RoleId)
	if id == "" || r.AssumeRolePolicyDocument == nil {
		return role.Role{}, fmt.Errorf("reading role %s: the answer lacks the role's id or trust policy", asked)
	}
	// Percent-encoding after RFC 3986, in which + is a plus (IAM API
	// Reference, API_Role); undone once, since %25 is a percent sign (T25).
	document, err := url.PathUnescape(*r.AssumeRolePolicyDocument)
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: decoding its trust policy: %w", asked, err)
	}
	out := role.Role{
		Partition: arn.Partition, Account: arn.Account, Name: arn.Name, Path: arn.Path, ARN: arn.String(), ID: id,
		TrustPolicy: document, Tags: map[string]string{}, Created: aws.ToTime(r.CreateDate), ReadAt: now,
	}
	for _, t := range r.Tags {
		out.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if r.PermissionsBoundary != nil {
		out.Boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	return out, nil
}

// nameIn gives the last part of an ARN, as it is spelled.
func nameIn(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
