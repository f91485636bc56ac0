// Package inspect shows the doctor what there is in AWS. It belongs to the room
// awsapi, and stands by itself so that the functions, which have no use for it,
// neither carry nor start the SDK's clients that only it needs.
//
// It takes credentials and names, and gives the doctor's words. It only reads,
// and names with each call that did not succeed the permission that it needs.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Config is what an Inspection needs.
type Config struct {
	// AWS carries the credentials of whoever looks; its Region is where the
	// deployment is.
	AWS aws.Config
	// Table is the ledger's.
	Table string
}

// Inspection shows the doctor what there is in AWS. It only reads.
type Inspection struct {
	cfg    Config
	ledger *awsapi.Dynamo

	sts            func() *sts.Client
	cloudtrail     func() *cloudtrail.Client
	organizations  func() *organizations.Client
	cloudformation func() *cloudformation.Client
	eventbridge    func() *eventbridge.Client
	cloudwatch     func() *cloudwatch.Client
	sns            func() *sns.Client
	sqs            func() *sqs.Client
	secrets        func() *secretsmanager.Client
	lambda         func() *lambda.Client
}

var _ doctor.AWS = (*Inspection)(nil)

// New makes one.
func New(cfg Config) (*Inspection, error) {
	ledger, err := awsapi.NewDynamo(awsapi.DynamoConfig(cfg))
	if err != nil {
		return nil, fmt.Errorf("opening an inspection: %w", err)
	}
	// People wait for the answer, and nothing is written: the SDK may try again.
	c := cfg.AWS.Copy()
	c.Retryer = awsapi.Patient
	return &Inspection{
		cfg: cfg, ledger: ledger,
		sts:            sync.OnceValue(func() *sts.Client { return sts.NewFromConfig(c) }),
		cloudtrail:     sync.OnceValue(func() *cloudtrail.Client { return cloudtrail.NewFromConfig(c) }),
		organizations:  sync.OnceValue(func() *organizations.Client { return organizations.NewFromConfig(c) }),
		cloudformation: sync.OnceValue(func() *cloudformation.Client { return cloudformation.NewFromConfig(c) }),
		eventbridge:    sync.OnceValue(func() *eventbridge.Client { return eventbridge.NewFromConfig(c) }),
		cloudwatch:     sync.OnceValue(func() *cloudwatch.Client { return cloudwatch.NewFromConfig(c) }),
		sns:            sync.OnceValue(func() *sns.Client { return sns.NewFromConfig(c) }),
		sqs:            sync.OnceValue(func() *sqs.Client { return sqs.NewFromConfig(c) }),
		secrets:        sync.OnceValue(func() *secretsmanager.Client { return secretsmanager.NewFromConfig(c) }),
		lambda:         sync.OnceValue(func() *lambda.Client { return lambda.NewFromConfig(c) }),
	}, nil
}

// unseen gives the error of a call with the permission that the call needs.
func unseen(needs string, err error) error {
	e := awsapi.Sorted(err)
	if gone(e) {
		return &doctor.Refusal{Needs: needs, Err: fmt.Errorf("%w (%w)", e, role.ErrNotFound)}
	}
	return &doctor.Refusal{Needs: needs, Err: e}
}

// gone says whether an answer is how a service says that something does not
// exist. CloudFormation has one code for that and for a bad request; only its
// words differ (CloudFormation API Reference, API_DescribeStacks).
func gone(e *awsapi.CallError) bool {
	switch e.Code {
	case "ValidationError":
		return strings.Contains(e.Error(), "does not exist")
	case "StackSetNotFoundException", "AWSOrganizationsNotInUseException", "OrganizationalUnitNotFoundException",
		"ParentNotFoundException", "TargetNotFoundException", "TrailNotFoundException":
		return true
	}
	return false
}

// Caller implements doctor.Identity.
func (i *Inspection) Caller(ctx context.Context) (doctor.Caller, error) {
	out, err := i.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return doctor.Caller{}, unseen("sts:GetCallerIdentity", err)
	}
	return doctor.Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Value implements doctor.Secrets. A secret that holds no text is empty.
func (i *Inspection) Value(ctx context.Context, id string) (awsapi.Secret, error) {
	out, err := i.secrets().GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return awsapi.Secret{}, unseen("secretsmanager:GetSecretValue", err)
	}
	return awsapi.NewSecret(aws.ToString(out.SecretString)), nil
}

// Switch implements doctor.Switches.
func (i *Inspection) Switch(ctx context.Context) (decision.Switch, error) {
	s, err := i.ledger.Switch(ctx)
	var call *awsapi.CallError
	if errors.As(err, &call) {
		return s, &doctor.Refusal{Needs: "dynamodb:GetItem", Err: err}
	}
	return s, err
}

// texts gives the texts behind pointers.
func texts[T any](list []T, of func(T) *string) []string {
	out := make([]string, 0, len(list))
	for _, one := range list {
		out = append(out, aws.ToString(of(one)))
	}
	slices.Sort(out)
	return out
}
