package lab_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	prod    = "111122223333"
	dev     = "444455556666"
	partner = "777788889999"
)

// world is a running lab with its events, on a clock that the test moves.
type world struct {
	*lab.Lab
	t   *testing.T
	url string

	mu     sync.Mutex
	now    time.Time
	events []lab.Envelope
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 11, 3, 9, 5, 7, 0, time.UTC)}
	l, err := lab.New(lab.Config{
		OrganizationID: "o-exampleorgid",
		Accounts: []lab.Account{
			{ID: prod, Name: "prod", OU: "workloads"},
			{ID: dev, Name: "dev"},
			{ID: partner, Name: "partner", Outside: true},
		},
		Now:  w.clock,
		Rand: rand.NewChaCha8([32]byte{1}),
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	l.OnEvent(func(e lab.Envelope) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	})
	w.Lab, w.url = l, server.URL
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) seen() []lab.Envelope {
	w.Settle()
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]lab.Envelope(nil), w.events...)
}

func (w *world) config(c lab.Credentials) aws.Config {
	return aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(w.url),
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		AppID:        "lab-test",
	}
}

func (w *world) admin(account string) *iam.Client {
	w.t.Helper()
	c, err := w.Admin(account)
	if err != nil {
		w.t.Fatal(err)
	}
	return iam.NewFromConfig(w.config(c))
}

// user makes a user that may do what the policy says; "" is nothing.
func (w *world) user(account, name, policy string) lab.Credentials {
	w.t.Helper()
	if err := w.SeedUser(account, name, "/"); err != nil {
		w.t.Fatal(err)
	}
	if policy != "" {
		_, err := w.admin(account).PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: &name, PolicyName: aws.String("permissions"), PolicyDocument: &policy,
		})
		w.must(err)
	}
	c, err := w.UserKeys(account, name)
	w.must(err)
	return c
}

func (w *world) role(account, name, trust string) {
	w.t.Helper()
	_, err := w.admin(account).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	w.must(err)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused checks the API error's code.
func (w *world) refused(err error, code string) {
	w.t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		w.t.Fatalf("got %v, want %s", err, code)
	}
}

// code is the API error's code; empty for none.
func (w *world) code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func (w *world) trust(account, name string) string {
	w.t.Helper()
	out, err := w.admin(account).GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	w.must(err)
	text, err := url.PathUnescape(*out.Role.AssumeRolePolicyDocument)
	w.must(err)
	return text
}

func (w *world) assume(c lab.Credentials, in *sts.AssumeRoleInput) (lab.Credentials, error) {
	out, err := sts.NewFromConfig(w.config(c)).AssumeRole(ctx, in)
	if err != nil {
		return lab.Credentials{}, err
	}
	return keys(out.Credentials), nil
}

func keys(c *ststypes.Credentials) lab.Credentials {
	return lab.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

func arn(account, resource string) string { return "arn:aws:iam::" + account + ":" + resource }

var ctx = context.Background()

const allowAssume = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:SetSourceIdentity","sts:TagSession"],"Resource":"*"}]}`

func trusting(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
}
