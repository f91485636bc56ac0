package awsapi

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// writerSeconds is the shortest session there is (STS API Reference,
// API_AssumeRole: DurationSeconds).
const writerSeconds = 900

// writer is one writing session, good for one role and one action.
type writer struct {
	client *iam.Client
	role   role.Ref
	now    func() time.Time
}

var _ remediate.IAM = (*writer)(nil)

// Writer opens a session for one decision about one role. Its session policy
// allows the calls of that one action on that one ARN and nothing else, and
// its session name and source identity name the decision in CloudTrail. The
// error wraps role.ErrUnmodifiable when there never will be such a session.
func (a *Accounts) Writer(ctx context.Context, r role.Role, d decision.Decision) (remediate.IAM, error) {
	in, err := a.writing(r, d)
	if err != nil {
		return nil, fmt.Errorf("opening a writing session for role %s: %w", r.Ref(), forGood(err))
	}
	credentials, err := a.assume(ctx, in)
	if err != nil {
		switch code(err) {
		case "PackedPolicyTooLarge", "PackedPolicyTooLargeException", "MalformedPolicyDocument", "MalformedPolicyDocumentException", "ValidationError":
			// The same request is sent every time (STS API Reference, API_AssumeRole: Errors).
			err = forGood(err)
		}
		return nil, fmt.Errorf("opening a writing session for role %s: %w", r.Ref(), err)
	}
	client := iam.NewFromConfig(a.cfg.AWS, func(o *iam.Options) {
		o.Retryer = careful()
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
	})
	return &writer{client: client, role: r.Ref(), now: a.cfg.Now}, nil
}

// writing is the request for a session for one decision about one role.
func (a *Accounts) writing(r role.Role, d decision.Decision) (*sts.AssumeRoleInput, error) {
	arn, err := role.ParseARN(r.ARN)
	if err != nil {
		return nil, err
	}
	if arn.Ref() != r.Ref() || arn.Partition != a.cfg.Partition {
		return nil, fmt.Errorf("the ARN %s is not that of role %s in partition %s", arn, r.Ref(), a.cfg.Partition)
	}
	policy, err := writePolicy(r.ARN, d.Action)
	if err != nil {
		return nil, err
	}
	session, source, err := sessionNames(d.ID)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleInput{
		RoleArn:         aws.String(memberARN(a.cfg.Partition, arn.Account, a.cfg.WriterRole)),
		RoleSessionName: aws.String(session),
		SourceIdentity:  aws.String(source),
		Policy:          aws.String(policy),
		DurationSeconds: aws.Int32(writerSeconds),
	}, nil
}

// forGood marks an error as one that trying again does not mend.
func forGood(err error) error {
	if errors.Is(err, role.ErrUnmodifiable) {
		return err
	}
	return fmt.Errorf("%w: %w", role.ErrUnmodifiable, err)
}

// own refuses another role than the session's; AWS would refuse it too.
func (w *writer) own(r role.Ref) error {
	if r.Account != w.role.Account || !strings.EqualFold(r.Name, w.role.Name) {
		return fmt.Errorf("this session is for role %s only: %w", w.role, role.ErrAccessDenied)
	}
	return nil
}

// Role reads the role through the writing session.
func (w *writer) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	if err := w.own(r); err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, err)
	}
	out, err := w.client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(w.role.Name)}, func(o *iam.Options) { o.Retryer = patient() })
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, sorted(err))
	}
	return roleOf(out.Role, r, w.now())
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
