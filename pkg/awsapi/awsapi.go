// Package awsapi is where rolewarden speaks to AWS; no other room imports the
// SDK.
//
// It takes and gives the words of the rooms below: it reads roles and
// principals in any account, one by one and all at once, under credentials
// narrowed to reading; opens sessions that can do one action to one role; asks
// Organizations who belongs; seals baselines with a key in KMS and checks their
// seals; keeps the ledger in DynamoDB; and hands messages to SNS and SQS. It sorts
// AWS's errors once into those of the room role. It holds no judgement: what
// to read, write or tell is decided elsewhere.
//
// Every constructor takes one struct, makes its SDK clients at first use, and
// keeps no global state. Endpoints come from the environment (AWS_ENDPOINT_URL
// and its per-service forms). Which AWS actions each function calls is listed in
// the room actions.
package awsapi

import (
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/rolewarden/rolewarden/pkg/notify"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// attempts and backoff bound the SDK's own retries. A Lambda that waits long
// is paid for waiting; its queue is the better place to retry from.
const (
	attempts = 3
	backoff  = 500 * time.Millisecond
)

// patient retries what the SDK holds to be worth it: for reads, and for writes
// that may happen twice.
func patient() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, backoff
	})
}

// careful retries only what was throttled, and so had no effect. A write to a
// role whose answer got lost is not sent again blindly: somebody may have
// changed the role meanwhile, and reading decides.
func careful() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, backoff
		o.Retryables = []retry.IsErrorRetryable{retry.IsErrorRetryableFunc(func(err error) aws.Ternary {
			return aws.BoolTernary(errors.Is(kindOf(code(err), ""), role.ErrThrottled))
		})}
	})
}

// Secret is a text that prints as "[secret]" however it is printed.
type Secret = notify.Secret

// NewSecret makes a secret of a text.
func NewSecret(value string) Secret { return notify.NewSecret(value) }

// Keys are credentials and the place where they are good, for a lab or a test.
// What is deployed uses Load.
type Keys struct {
	// Endpoint is where every service is found, such as http://127.0.0.1:9290.
	Endpoint        string
	Region          string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
}

// Fixed makes a configuration of keys alone; nothing of the environment and of
// the person's own AWS settings is looked at.
func Fixed(k Keys) aws.Config {
	return aws.Config{
		Region: k.Region, BaseEndpoint: aws.String(k.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	}
}
