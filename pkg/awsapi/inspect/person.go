package inspect

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/smithy-go/logging"
)

// Person gives the configuration of whoever sits at the terminal: the
// credentials that the aws command would use, in a Region. Where there are none,
// or they cannot be used, the error says what to do. The SDK logs nothing: what
// it tries on its way to the error is of no use to a person.
func Person(ctx context.Context, region string) (Config, error) {
	return PersonAs(ctx, region, "")
}

// PersonAs is Person with the credentials of a named profile of the AWS
// configuration; without a name, those that the aws command would use.
func PersonAs(ctx context.Context, region, profile string) (Config, error) {
	settings := []func(*config.LoadOptions) error{config.WithLogger(logging.Nop{}), config.WithRegion(region)}
	if profile != "" {
		settings = append(settings, config.WithSharedConfigProfile(profile))
	}
	cfg, err := config.LoadDefaultConfig(ctx, settings...)
	if err != nil {
		return Config{}, unloaded(err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return Config{}, unusable(cfg, err)
	}
	return Config{AWS: cfg}, nil
}

// unloaded says what is wrong with a person's AWS settings.
func unloaded(err error) error {
	var none config.SharedConfigProfileNotExistError
	if errors.As(err, &none) {
		return fmt.Errorf("there is no AWS profile %q: set AWS_PROFILE to one that aws configure list-profiles shows, or unset it", none.Profile)
	}
	return fmt.Errorf("reading your AWS settings: %w: mend what the error says (aws configure list shows where each setting comes from)", err)
}

// unusable says why there are no credentials. The SDK asks the machine's role
// only when it has found no others, and a desk has none.
func unusable(cfg aws.Config, err error) error {
	if aws.IsCredentialsProvider(cfg.Credentials, (*ec2rolecreds.Provider)(nil)) {
		return errors.New("no AWS credentials were found: set AWS_PROFILE to a profile that has some, or sign in with aws sso login or aws login")
	}
	return fmt.Errorf("using the AWS credentials that were found: %w: sign in again (aws sso login), or set AWS_PROFILE to another profile", err)
}
