package awsapi

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/canary"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// CanaryConfig is what a CanarySessions needs.
type CanaryConfig struct {
	// AWS carries the credentials of the function itself. Its Region is the one
	// where the accounts have their rule.
	AWS aws.Config
	Now func() time.Time
	// Partition is "aws" when empty.
	Partition string
	// WriterRole is the path and name of the member role that may change the
	// target, Target those of the target, such as
	// "rolewarden/rolewarden-canary-writer".
	WriterRole string
	Target     string
	// Rule is the name of the rule on the default bus of each account that sends
	// its events on, such as "rolewarden-forward".
	Rule string
	// ExternalID is what the member role asks for; empty when it asks for none.
	ExternalID Secret
}

// CanarySessions enters accounts for the canary. Each session is good for one
// account's target, for reading and changing it only, and for reading its rule.
type CanarySessions struct {
	cfg         CanaryConfig
	sts         func() *sts.Client
	iam         func() *iam.Client
	eventbridge func() *eventbridge.Client
}

var _ canary.Sessions = (*CanarySessions)(nil)

// ruleName is how a rule may be called (EventBridge API Reference, API_PutRule);
// none of its characters means more than itself in a policy.
var ruleName = regexp.MustCompile(`^[.A-Za-z0-9_-]{1,64}$`)

// NewCanarySessions makes one, or says what is wrong with its CanaryConfig.
func NewCanarySessions(cfg CanaryConfig) (*CanarySessions, error) {
	if cfg.Partition == "" {
		cfg.Partition = "aws"
	}
	if cfg.Now == nil {
		return nil, errors.New("opening the canary's sessions: Now is missing: give time.Now")
	}
	for _, one := range []struct{ field, name string }{{"WriterRole", cfg.WriterRole}, {"Target", cfg.Target}} {
		if err := role.SafeARN(memberARN(cfg.Partition, "111122223333", one.name)); err != nil {
			return nil, fmt.Errorf("opening the canary's sessions: %s %q is no path and name of a role: write rolewarden/rolewarden-canary-writer", one.field, one.name)
		}
	}
	if !ruleName.MatchString(cfg.Rule) {
		return nil, fmt.Errorf("opening the canary's sessions: Rule %q is no name of a rule: write rolewarden-forward", cfg.Rule)
	}
	if cfg.AWS.Region == "" {
		return nil, errors.New("opening the canary's sessions: the AWS configuration has no Region: set AWS_REGION to the one where the rules are")
	}
	return &CanarySessions{
		cfg: cfg,
		sts: sync.OnceValue(func() *sts.Client { return sts.NewFromConfig(cfg.AWS, func(o *sts.Options) { o.Retryer = patient() }) }),
		iam: sync.OnceValue(func() *iam.Client { return iam.NewFromConfig(cfg.AWS) }),
		eventbridge: sync.OnceValue(func() *eventbridge.Client {
			return eventbridge.NewFromConfig(cfg.AWS)
		}),
	}, nil
}

// Open implements canary.Sessions. The session policy allows two calls on the
// one role, one on the one rule, and nothing else, whatever the member role
// allows. IAM's calls take no rule and EventBridge's takes no role, so one
// statement is as narrow as two.
func (c *CanarySessions) Open(ctx context.Context, account string) (canary.Session, error) {
	if !role.ValidAccount(account) {
		return nil, fmt.Errorf("entering account %q: an account id has twelve digits", account)
	}
	target := memberARN(c.cfg.Partition, account, c.cfg.Target)
	rule := "arn:" + c.cfg.Partition + ":events:" + c.cfg.AWS.Region + ":" + account + ":rule/" + c.cfg.Rule
	policy, err := sessionText([]string{"events:DescribeRule", "iam:GetRole", "iam:UpdateAssumeRolePolicy"}, []string{target, rule})
	if err != nil {
		return nil, fmt.Errorf("entering account %s: %w", account, err)
	}
	credentials, err := assume(ctx, c.sts(), c.cfg.ExternalID, &sts.AssumeRoleInput{
		RoleArn:         aws.String(memberARN(c.cfg.Partition, account, c.cfg.WriterRole)),
		RoleSessionName: aws.String(actions.CanarySession),
		SourceIdentity:  aws.String(actions.CanarySourceIdentity),
		Policy:          aws.String(policy),
		DurationSeconds: aws.Int32(writerSeconds),
	})
	if err != nil {
		return nil, fmt.Errorf("entering account %s: %w", account, err)
	}
	under := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil })
	return &canarySession{
		client: c.iam(), events: c.eventbridge(), under: under, now: c.cfg.Now, rule: c.cfg.Rule,
		target: role.Ref{Account: account, Name: c.cfg.Target[strings.LastIndexByte(c.cfg.Target, '/')+1:]},
	}, nil
}

// canarySession is a session for one account's target and rule.
type canarySession struct {
	client *iam.Client
	events *eventbridge.Client
	under  aws.CredentialsProvider
	target role.Ref
	rule   string
	now    func() time.Time
}

// Role implements canary.Session. IAM finds the role by its name alone; whether
// it is the target is for the canary to see.
func (s *canarySession) Role(ctx context.Context) (role.Role, error) {
	out, err := s.client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(s.target.Name)}, func(o *iam.Options) {
		o.Credentials, o.Retryer = s.under, patient()
	})
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", s.target, sorted(err))
	}
	return roleOf(out.Role, s.target, s.now())
}

// Rule implements canary.Session. Without a bus in the request it is the rule on
// the default one (EventBridge API Reference, API_DescribeRule).
func (s *canarySession) Rule(ctx context.Context) (canary.Rule, error) {
	out, err := s.events.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(s.rule)}, func(o *eventbridge.Options) {
		o.Credentials, o.Retryer = s.under, patient()
	})
	if err != nil {
		return canary.Rule{}, fmt.Errorf("reading rule %s of account %s: %w", s.rule, s.target.Account, sorted(err))
	}
	return canary.Rule{Name: s.rule, State: string(out.State), Pattern: aws.ToString(out.EventPattern)}, nil
}

// Write implements canary.Session.
func (s *canarySession) Write(ctx context.Context, document string) error {
	in := &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(s.target.Name), PolicyDocument: aws.String(document)}
	if _, err := s.client.UpdateAssumeRolePolicy(ctx, in, func(o *iam.Options) {
		o.Credentials, o.Retryer = s.under, careful()
	}); err != nil {
		return fmt.Errorf("writing the trust policy of role %s: %w", s.target, sortedWrite(err))
	}
	return nil
}
