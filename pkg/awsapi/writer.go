package awsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// writerSeconds is the shortest session there is (STS API Reference,
// API_AssumeRole: DurationSeconds).
const writerSeconds = 900

// writer is one writing session, good for one role and one action.
type writer struct{ session }

var _ remediate.IAM = (*writer)(nil)

// Writer opens a session for one decision about one role. Its session policy
// allows the calls of that one action on that one ARN and nothing else, and
// its session name and source identity name the decision in CloudTrail. The
// error wraps role.ErrUnmodifiable when there never will be such a session.
func (a *Accounts) Writer(ctx context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	s, err := a.open(ctx, r, d, writePolicy)
	if err != nil {
		return nil, fmt.Errorf("opening a writing session for role %s: %w", r.Ref(), err)
	}
	return &writer{s}, nil
}

// forGood marks an error as one that trying again does not mend.
func forGood(err error) error {
	if errors.Is(err, role.ErrUnmodifiable) {
		return err
	}
	return fmt.Errorf("%w: %w", role.ErrUnmodifiable, err)
}

// UpdateTrust replaces the trust policy.
func (w *writer) UpdateTrust(ctx context.Context, r role.Ref, document string) error {
	if err := w.own(r); err != nil {
		return fmt.Errorf("writing the trust policy of role %s: %w", r, err)
	}
	in := &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(w.role.Name), PolicyDocument: aws.String(document)}
	if _, err := w.client.UpdateAssumeRolePolicy(ctx, in); err != nil {
		return fmt.Errorf("writing the trust policy of role %s: %w", r, sortedWrite(err))
	}
	return nil
}

// Tag sets tags.
func (w *writer) Tag(ctx context.Context, r role.Ref, tags map[string]string) error {
	if err := w.own(r); err != nil {
		return fmt.Errorf("tagging role %s: %w", r, err)
	}
	if len(tags) == 0 {
		return nil
	}
	in := &iam.TagRoleInput{RoleName: aws.String(w.role.Name)}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	if _, err := w.client.TagRole(ctx, in); err != nil {
		return fmt.Errorf("tagging role %s: %w", r, sortedWrite(err))
	}
	return nil
}

// Untag takes tags off; one that is not there is no error.
func (w *writer) Untag(ctx context.Context, r role.Ref, keys []string) error {
	if err := w.own(r); err != nil {
		return fmt.Errorf("taking tags off role %s: %w", r, err)
	}
	if len(keys) == 0 {
		return nil
	}
	if _, err := w.client.UntagRole(ctx, &iam.UntagRoleInput{RoleName: aws.String(w.role.Name), TagKeys: keys}); err != nil {
		return fmt.Errorf("taking tags off role %s: %w", r, sortedWrite(err))
	}
	return nil
}
