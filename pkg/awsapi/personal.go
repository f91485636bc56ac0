package awsapi

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// PersonalConfig is what a person brings to read and write roles of one account.
type PersonalConfig struct {
	// AWS carries the person's own credentials, which are the account's.
	AWS aws.Config
	Now func() time.Time
	// Partition is "aws" when empty.
	Partition string
	Account   string
	// Pace, where there is one, is asked for a turn before each reading call.
	Pace *Pace
}

// NewPersonal makes an Accounts that reaches one account under a person's own
// credentials: no role of rolewarden's is assumed and no session narrowed, so it
// may do what the person may. Every other account is role.ErrAccessDenied.
func NewPersonal(cfg PersonalConfig) (*Accounts, error) {
	if !role.ValidAccount(cfg.Account) {
		return nil, fmt.Errorf("opening account %q: an account id has twelve digits", cfg.Account)
	}
	// No such role is ever assumed; a name keeps the checks of NewAccounts whole.
	const none = "rolewarden/nobody"
	a, err := NewAccounts(Config{AWS: cfg.AWS, Now: cfg.Now, Partition: cfg.Partition, ReaderRole: none, WriterRole: none, Pace: cfg.Pace})
	if err != nil {
		return nil, err
	}
	a.own = cfg.Account
	return a, nil
}

// ownCredentials gives the person's credentials for the person's account.
func (a *Accounts) ownCredentials(account string) (aws.CredentialsProvider, error) {
	if account != a.own {
		return nil, fmt.Errorf("reading in account %s under credentials of account %s: %w", account, a.own, role.ErrAccessDenied)
	}
	return a.cfg.AWS.Credentials, nil
}

// ownSession is a session under the person's credentials.
func (a *Accounts) ownSession(r role.Role) (session, error) {
	if _, err := a.ownCredentials(r.Account); err != nil {
		return session{}, err
	}
	client := iam.NewFromConfig(a.cfg.AWS, func(o *iam.Options) { o.Retryer = careful() })
	return session{client: client, role: r.Ref(), now: a.cfg.Now}, nil
}
