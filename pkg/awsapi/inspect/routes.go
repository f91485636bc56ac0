package inspect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// inRegion makes a call in a Region.
func inRegion(region string) func(*eventbridge.Options) {
	return func(o *eventbridge.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// Bus implements doctor.Routes.
func (i *Inspection) Bus(ctx context.Context, region, name string) (doctor.Bus, error) {
	out, err := i.eventbridge().DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: aws.String(name)}, inRegion(region))
	if err != nil {
		return doctor.Bus{}, unseen("events:DescribeEventBus", err)
	}
	return doctor.Bus{Name: aws.ToString(out.Name), Policy: aws.ToString(out.Policy)}, nil
}

// Rule implements doctor.Routes.
func (i *Inspection) Rule(ctx context.Context, region, bus, name string) (doctor.Rule, error) {
	out, err := i.eventbridge().DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String(name), EventBusName: aws.String(bus)}, inRegion(region))
	if err != nil {
		return doctor.Rule{}, unseen("events:DescribeRule", err)
	}
	r := doctor.Rule{Name: aws.ToString(out.Name), State: string(out.State), Pattern: aws.ToString(out.EventPattern), Schedule: aws.ToString(out.ScheduleExpression)}
	err = awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.eventbridge().ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: aws.String(name), EventBusName: aws.String(bus), NextToken: token}, inRegion(region))
		if err != nil {
			return nil, err
		}
		for _, t := range out.Targets {
			r.Targets = append(r.Targets, targetOf(t))
		}
		return out.NextToken, nil
	})
	if err != nil {
		return doctor.Rule{}, unseen("events:ListTargetsByRule", err)
	}
	return r, nil
}

func targetOf(t types.Target) doctor.Target {
	one := doctor.Target{ARN: aws.ToString(t.Arn), Role: aws.ToString(t.RoleArn)}
	if t.DeadLetterConfig != nil {
		one.DeadLetters = aws.ToString(t.DeadLetterConfig.Arn)
	}
	if t.Input != nil || t.InputPath != nil || t.InputTransformer != nil {
		one.Input = doctor.Transformed
	}
	return one
}

// RuleNames implements doctor.Routes.
func (i *Inspection) RuleNames(ctx context.Context, region, bus, prefix string) ([]string, error) {
	var all []string
	err := awsapi.Pages(func(token *string) (*string, error) {
		out, err := i.eventbridge().ListRules(ctx, &eventbridge.ListRulesInput{NamePrefix: aws.String(prefix), EventBusName: aws.String(bus), NextToken: token}, inRegion(region))
		if err != nil {
			return nil, err
		}
		all = append(all, texts(out.Rules, func(r types.Rule) *string { return r.Name })...)
		return out.NextToken, nil
	})
	if err != nil {
		return nil, unseen("events:ListRules", err)
	}
	return all, nil
}
