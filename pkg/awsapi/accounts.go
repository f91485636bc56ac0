package awsapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Config is what an Accounts needs.
type Config struct {
	// AWS carries the credentials of the function itself.
	AWS aws.Config
	Now func() time.Time
	// Partition is "aws" when empty.
	Partition string
	// ReaderRole and WriterRole are the path and name of the roles that every
	// account has for rolewarden, such as "rolewarden/rolewarden-reader".
	ReaderRole string
	WriterRole string
	// ExternalID is what those roles ask for; empty when they ask for none.
	ExternalID Secret
	// Pace, where there is one, is asked for a turn before each reading call in
	// an account, repetitions included. Who answers one event has none; who reads
	// whole accounts has one.
	Pace *Pace
}

// Accounts reads and writes roles in the accounts of an organization. The
// account it runs in is reached the same way as the others. It is safe for
// concurrent use.
type Accounts struct {
	cfg     Config
	sts     func() *sts.Client
	iam     func() *iam.Client
	mu      sync.Mutex
	readers map[reading]aws.CredentialsProvider
	// own, when set, is the one account that is reached, under the credentials of
	// the Config itself.
	own string
}

// reading is a kind of reading session in an account.
type reading struct {
	account string
	shape   shape
}

// shape says what a reading session is narrowed to.
type shape uint8

const (
	// one reads single roles and users.
	one shape = iota
	// whole lists all roles and users.
	whole
)

// NewAccounts makes an Accounts, or says what is wrong with its Config.
func NewAccounts(cfg Config) (*Accounts, error) {
	if cfg.Partition == "" {
		cfg.Partition = "aws"
	}
	if cfg.Now == nil {
		return nil, fmt.Errorf("opening accounts: Now is missing: give time.Now")
	}
	for field, name := range map[string]string{"ReaderRole": cfg.ReaderRole, "WriterRole": cfg.WriterRole} {
		if err := role.SafeARN(memberARN(cfg.Partition, "111122223333", name)); err != nil {
			return nil, fmt.Errorf("opening accounts: %s %q is no path and name of a role: write rolewarden/rolewarden-reader", field, name)
		}
	}
	return &Accounts{
		cfg:     cfg,
		sts:     sync.OnceValue(func() *sts.Client { return sts.NewFromConfig(cfg.AWS, func(o *sts.Options) { o.Retryer = patient() }) }),
		iam:     sync.OnceValue(func() *iam.Client { return iam.NewFromConfig(cfg.AWS, func(o *iam.Options) { o.Retryer = patient() }) }),
		readers: map[reading]aws.CredentialsProvider{},
	}, nil
}

func memberARN(partition, account, name string) string {
	return "arn:" + partition + ":iam::" + account + ":role/" + name
}

// assume opens a session in a member role. It writes nothing and so is
// repeated by the SDK when no answer comes.
func (a *Accounts) assume(ctx context.Context, in *sts.AssumeRoleInput) (aws.Credentials, error) {
	return assume(ctx, a.sts(), a.cfg.ExternalID, in)
}

// assume opens a session in a role that asks for an external id, where there is one.
func assume(ctx context.Context, client *sts.Client, externalID Secret, in *sts.AssumeRoleInput) (aws.Credentials, error) {
	if id := externalID.Reveal(); id != "" {
		in.ExternalId = aws.String(id)
	}
	out, err := client.AssumeRole(ctx, in)
	if err != nil {
		e := sorted(err, externalID)
		e.text = "assuming role " + aws.ToString(in.RoleArn) + ": " + e.text
		return aws.Credentials{}, e
	}
	c := out.Credentials
	if c == nil || c.Expiration == nil {
		return aws.Credentials{}, fmt.Errorf("assuming role %s: the answer holds no credentials", aws.ToString(in.RoleArn))
	}
	return aws.Credentials{
		AccessKeyID: aws.ToString(c.AccessKeyId), SecretAccessKey: aws.ToString(c.SecretAccessKey), SessionToken: aws.ToString(c.SessionToken),
		CanExpire: true, Expires: *c.Expiration, Source: "rolewarden",
	}, nil
}

// readerSeconds is the longest session that a role session may open (IAM User
// Guide, id_roles_terms-and-concepts: role chaining).
const readerSeconds = 3600

// reader gives the cached credentials of a reading session.
func (a *Accounts) reader(r reading) (aws.CredentialsProvider, error) {
	if !role.ValidAccount(r.account) {
		return nil, fmt.Errorf("reading in account %q: an account id has twelve digits", r.account)
	}
	if a.own != "" {
		return a.ownCredentials(r.account)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.readers[r]; ok {
		return c, nil
	}
	text, err := readPolicy(a.cfg.Partition, r)
	if err != nil {
		return nil, err
	}
	c := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		return a.assume(ctx, &sts.AssumeRoleInput{
			RoleArn:         aws.String(memberARN(a.cfg.Partition, r.account, a.cfg.ReaderRole)),
			RoleSessionName: aws.String(actions.ReaderSession),
			SourceIdentity:  aws.String(actions.ReaderSourceIdentity),
			Policy:          aws.String(text),
			DurationSeconds: aws.Int32(readerSeconds),
		})
	}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = 5 * time.Minute })
	a.readers[r] = c
	return c, nil
}

// under gives the option by which one IAM call is made in a reading session.
func (a *Accounts) under(ctx context.Context, r reading) (func(*iam.Options), error) {
	c, err := a.reader(r)
	if err != nil {
		return nil, err
	}
	// Asked for here and not in the midst of the call, a refusal says what was refused.
	if _, err := c.Retrieve(ctx); err != nil {
		return nil, sorted(err, a.cfg.ExternalID)
	}
	return func(o *iam.Options) {
		o.Credentials = c
		if a.cfg.Pace != nil {
			o.Retryer = a.cfg.Pace.patient(r.account)
		}
	}, nil
}

// read makes one call in a reading session. Credentials that AWS no longer
// takes are forgotten, and the call is made once more with new ones: the event
// at hand has no second read.
func (a *Accounts) read(ctx context.Context, r reading, call func(with func(*iam.Options)) error) error {
	var err error
	for range 2 {
		with, refused := a.under(ctx, r)
		if refused != nil {
			return refused
		}
		if err = call(with); err == nil || !stale(err) {
			break
		}
		a.mu.Lock()
		delete(a.readers, r)
		a.mu.Unlock()
	}
	if err != nil {
		return sorted(err, a.cfg.ExternalID)
	}
	return nil
}

// Role reads a role as it stands now, by account and name, in one IAM call.
func (a *Accounts) Role(ctx context.Context, r role.Ref) (role.Role, error) {
	var out *iam.GetRoleOutput
	err := a.read(ctx, reading{r.Account, one}, func(with func(*iam.Options)) (err error) {
		out, err = a.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(r.Name)}, with)
		return err
	})
	if err != nil {
		return role.Role{}, fmt.Errorf("reading role %s: %w", r, err)
	}
	return roleOf(out.Role, r, a.cfg.Now())
}

// PrincipalID gives the unique id that the ARN of a user or role stands for
// now. IAM is asked by name; where what it finds has another ARN (another path
// or case), nothing has this one, and the error is role.ErrNotFound.
func (a *Accounts) PrincipalID(ctx context.Context, arn string) (string, error) {
	key, ok := ledger.PrincipalOf(arn)
	if !ok {
		return "", fmt.Errorf("reading the unique id of %q: it is no user's and no role's ARN", arn)
	}
	var found, id string
	err := a.read(ctx, reading{key.Account, one}, func(with func(*iam.Options)) (err error) {
		found, id, err = a.owner(ctx, key, arn, with)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the unique id of %s: %w", arn, err)
	}
	if found != arn || id == "" {
		return "", fmt.Errorf("reading the unique id of %s: the %s of that name is %s: %w", arn, key.Kind, found, role.ErrNotFound)
	}
	return id, nil
}

// owner gives the ARN and unique id of the user or role that has a name.
func (a *Accounts) owner(ctx context.Context, key ledger.PrincipalKey, arn string, with func(*iam.Options)) (found, id string, err error) {
	name := aws.String(nameIn(arn))
	if key.Kind == "user" {
		out, err := a.iam().GetUser(ctx, &iam.GetUserInput{UserName: name}, with)
		if err != nil || out.User == nil {
			return "", "", err
		}
		return aws.ToString(out.User.Arn), aws.ToString(out.User.UserId), nil
	}
	out, err := a.iam().GetRole(ctx, &iam.GetRoleInput{RoleName: name}, with)
	if err != nil || out.Role == nil {
		return "", "", err
	}
	return aws.ToString(out.Role.Arn), aws.ToString(out.Role.RoleId), nil
}
