package awsapi

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// container is one containing session, good for one role.
type container struct {
	session
	// denyAll is the one boundary that it sets.
	denyAll string
}

var _ remediate.Boundaries = (*container)(nil)

// Container opens a session in which the sessions of one role can be contained.
// Its session policy allows reading that one role and setting its permissions
// boundary; not its trust policy, not its tags. The member role beyond it takes
// AWSDenyAll as a boundary and nothing else. It names the decision as a writing
// session does, and the error means what Writer's means.
func (a *Accounts) Container(ctx context.Context, r role.Role, d decision.Decision) (remediate.Boundaries, error) {
	s, err := a.open(ctx, r, d, containPolicy)
	if err != nil {
		return nil, fmt.Errorf("opening a containing session for role %s: %w", r.Ref(), err)
	}
	return &container{s, remediate.DenyAll(a.cfg.Partition)}, nil
}

// PutBoundary sets the permissions boundary, which is AWSDenyAll: another one
// would let whoever can ask for it grant itself what the role has.
func (c *container) PutBoundary(ctx context.Context, r role.Ref, policyARN string) error {
	if err := c.own(r); err != nil {
		return fmt.Errorf("setting the permissions boundary of role %s: %w", r, err)
	}
	if policyARN != c.denyAll {
		return fmt.Errorf("setting the permissions boundary of role %s to %q: only %s is ever set: %w", r, policyARN, c.denyAll, role.ErrAccessDenied)
	}
	in := &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String(c.role.Name), PermissionsBoundary: aws.String(c.denyAll)}
	_, err := c.client.PutRolePermissionsBoundary(ctx, in)
	if err == nil {
		return nil
	}
	sortedErr := fmt.Errorf("setting the permissions boundary of role %s: %w", r, sortedWrite(err))
	switch code(err) {
	case "PolicyNotAttachable", "PolicyNotAttachableException", "InvalidInput", "InvalidInputException":
		// The same boundary is asked for every time (IAM API Reference,
		// API_PutRolePermissionsBoundary: Errors).
		return forGood(sortedErr)
	}
	return sortedErr
}
