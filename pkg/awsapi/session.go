package awsapi

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// session is one session in a member account's writing role, good for one role.
// What it may do there is for its session policy to say.
type session struct {
	client *iam.Client
	role   role.Ref
	now    func() time.Time
}

// narrowing gives the policy of a session for one action on one role.
type narrowing func(arn string, a decision.Action) (string, error)

// open opens a session for one decision about one role.
func (a *Accounts) open(ctx context.Context, r role.Role, d decision.Decision, narrow narrowing) (session, error) {
	in, err := a.asking(r, d, narrow)
	if err != nil {
		return session{}, forGood(err)
	}
	if a.own != "" {
		return a.ownSession(r)
	}
	credentials, err := a.assume(ctx, in)
	if err != nil {
		switch code(err) {
		case "PackedPolicyTooLarge", "PackedPolicyTooLargeException", "MalformedPolicyDocument", "MalformedPolicyDocumentException", "ValidationError":
			// The same request is sent every time (STS API Reference, API_AssumeRole: Errors).
			err = forGood(err)
		}
		return session{}, err
	}
	client := iam.NewFromConfig(a.cfg.AWS, func(o *iam.Options) {
		o.Retryer = careful()
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
	})
	return session{client: client, role: r.Ref(), now: a.cfg.Now}, nil
}

// asking is the request for a session for one decision about one role.
func (a *Accounts) asking(r role.Role, d decision.Decision, narrow narrowing) (*sts.AssumeRoleInput, error) {
	arn, err := role.ParseARN(r.ARN)
	if err != nil {
		return nil, err
	}
	if arn.Ref() != r.Ref() || arn.Partition != a.cfg.Partition {
		return nil, fmt.Errorf("the ARN %s is not that of role %s in partition %s", arn, r.Ref(), a.cfg.Partition)
	}
	policy, err := narrow(r.ARN, d.Action)
	if err != nil {
		return nil, err
	}
	name, source, err := sessionNames(d.ID)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleInput{
		RoleArn:         aws.String(memberARN(a.cfg.Partition, arn.Account, a.cfg.WriterRole)),
		RoleSessionName: aws.String(name),
		SourceIdentity:  aws.String(source),
		Policy:          aws.String(policy),
		DurationSeconds: aws.Int32(writerSeconds),
	}, nil
}

// own refuses another role than the session's; AWS would refuse it too.
func (s session) own(r role.Ref) error {
	if r.Account != s.role.Account || !strings.EqualFold(r.Name, s.role.Name) {
		return fmt.Errorf("this session is for role %s only: %w", s.role, role.ErrAccessDenied)
	}
	return nil
}

// Role reads the role through the session.
func (s session) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	if err := s.own(r); err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, err)
	}
	out, err := s.client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(s.role.Name)}, func(o *iam.Options) { o.Retryer = patient() })
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, sorted(err))
	}
	return roleOf(out.Role, r, s.now())
}
