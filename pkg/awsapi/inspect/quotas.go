package inspect

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// Concurrency implements doctor.Quotas.
func (i *Inspection) Concurrency(ctx context.Context) (doctor.Concurrency, error) {
	out, err := i.lambda().GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if err != nil {
		return doctor.Concurrency{}, unseen("lambda:GetAccountSettings", err)
	}
	l := out.AccountLimit
	if l == nil || l.UnreservedConcurrentExecutions == nil {
		return doctor.Concurrency{}, errors.New("asking Lambda for the account's quotas: the answer names none for concurrent executions")
	}
	return doctor.Concurrency{Quota: int(l.ConcurrentExecutions), Unreserved: int(*l.UnreservedConcurrentExecutions)}, nil
}
