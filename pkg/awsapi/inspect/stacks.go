package inspect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/doctor"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Stack implements doctor.Stacks.
func (i *Inspection) Stack(ctx context.Context, region, name string) (doctor.Stack, error) {
	out, err := i.cloudformation().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(name)}, func(o *cloudformation.Options) {
		if region != "" {
			o.Region = region
		}
	})
	if err != nil {
		return doctor.Stack{}, unseen("cloudformation:DescribeStacks", err)
	}
	if len(out.Stacks) == 0 {
		return doctor.Stack{}, &doctor.Refusal{Needs: "cloudformation:DescribeStacks", Err: role.ErrNotFound}
	}
	s := out.Stacks[0]
	one := doctor.Stack{Name: aws.ToString(s.StackName), Status: string(s.StackStatus), Reason: aws.ToString(s.StackStatusReason), Outputs: map[string]string{}}
	if s.DriftInformation != nil {
		one.Drift = string(s.DriftInformation.StackDriftStatus)
	}
	for _, o := range s.Outputs {
		one.Outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
	}
	return one, nil
}

// StackSet implements doctor.StackSets.
func (i *Inspection) StackSet(ctx context.Context, name string) (doctor.StackSet, error) {
	out, err := i.cloudformation().DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: aws.String(name), CallAs: types.CallAsDelegatedAdmin})
	if err != nil {
		return doctor.StackSet{}, unseen("cloudformation:DescribeStackSet", err)
	}
	s := out.StackSet
	if s == nil {
		return doctor.StackSet{}, &doctor.Refusal{Needs: "cloudformation:DescribeStackSet", Err: role.ErrNotFound}
	}
	one := doctor.StackSet{
		Name: aws.ToString(s.StackSetName), Status: string(s.Status), Permission: string(s.PermissionModel),
		AutoDeploy: "disabled", Targets: s.OrganizationalUnitIds,
	}
	if s.AutoDeployment != nil && aws.ToBool(s.AutoDeployment.Enabled) {
		one.AutoDeploy = "enabled"
	}
	if d := s.StackSetDriftDetectionDetails; d != nil {
		one.Drift, one.DriftAt = string(d.DriftStatus), aws.ToTime(d.LastDriftCheckTimestamp)
	}
	return one, nil
}

// Instances implements doctor.StackSets.
func (i *Inspection) Instances(ctx context.Context, stackSet string) ([]doctor.Instance, error) {
	var all []doctor.Instance
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.cloudformation().ListStackInstances(ctx, &cloudformation.ListStackInstancesInput{
			StackSetName: aws.String(stackSet), CallAs: types.CallAsDelegatedAdmin, NextToken: token,
		})
		if err != nil {
			return nil, err
		}
		for _, s := range out.Summaries {
			one := doctor.Instance{
				Account: aws.ToString(s.Account), Region: aws.ToString(s.Region), Status: string(s.Status),
				Reason: aws.ToString(s.StatusReason), Drift: string(s.DriftStatus),
			}
			if s.StackInstanceStatus != nil {
				one.Detail = string(s.StackInstanceStatus.DetailedStatus)
			}
			all = append(all, one)
		}
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("cloudformation:ListStackInstances", err)
	}
	return all, nil
}
