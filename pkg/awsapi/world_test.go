package awsapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	hub        = mototest.Account // moto's own, so that both worlds have the same hub
	prod       = "111122223333"
	outside    = "999999999999"
	externalID = "x-7f3a-secret"
)

// motoServer is one process for all tests of this binary.
var motoServer = &mototest.Server{}

func TestMain(m *testing.M) { os.Exit(motoServer.Main(m)) }

// wire records every request that a client sends.
type wire struct {
	mu    sync.Mutex
	sent  []sent
	next  aws.HTTPClient
	block map[string]error // by call: what happens instead of sending
}

// sent is one request: "iam:GetRole" and its fields.
type sent struct {
	call  string
	form  url.Values
	json  map[string]any
	token string
}

func newWire() *wire {
	return &wire{next: awshttp.NewBuildableClient(), block: map[string]error{}}
}

// Do implements aws.HTTPClient.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	s := sent{token: r.Header.Get("X-Amz-Security-Token")}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	service := "?"
	if len(parts) > 3 {
		service = parts[3]
	}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		s.call = service + ":" + target[strings.LastIndexByte(target, '.')+1:]
		_ = json.Unmarshal(body, &s.json)
	} else {
		s.form, _ = url.ParseQuery(string(body))
		s.call = service + ":" + s.form.Get("Action")
	}
	w.mu.Lock()
	w.sent = append(w.sent, s)
	err := w.block[s.call]
	w.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return w.next.Do(r)
}

// calls gives the calls so far, in order, and forgets them.
func (w *wire) calls() []string {
	var out []string
	for _, s := range w.take() {
		out = append(out, s.call)
	}
	return out
}

func (w *wire) take() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.sent
	w.sent = nil
	return out
}

// world is an AWS to test against: moto server and the lab, set up alike over
// the wire.
type world struct {
	name string
	// lab is nil in moto's world.
	lab *lab.Lab
	// hub is the configuration of the hub's function, admin of an account's administrator.
	hub   aws.Config
	admin func(t *testing.T, account string) aws.Config
	wire  *wire
}

// worlds runs a test against both.
func worlds(t *testing.T, test func(*testing.T, *world)) {
	t.Run("lab", func(t *testing.T) { test(t, labWorld(t)) })
	t.Run("moto", func(t *testing.T) { test(t, motoWorld(t)) })
}

func labWorld(t *testing.T) *world {
	t.Helper()
	l, err := lab.New(lab.Config{
		OrganizationID: "o-exampleorgid", ManagementAccount: hub,
		Accounts: []lab.Account{{ID: hub, Name: "security"}, {ID: prod, Name: "prod"}, {ID: outside, Name: "acme", Outside: true}},
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
	admin := func(t *testing.T, account string) aws.Config {
		t.Helper()
		c, err := l.Admin(account)
		if err != nil {
			t.Fatal(err)
		}
		return aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		}
	}
	w := &world{name: "lab", lab: l, admin: admin, wire: newWire()}
	w.hub = admin(t, hub)
	w.hub.HTTPClient = w.wire
	member(t, w, prod)
	return w
}

func motoWorld(t *testing.T) *world {
	t.Helper()
	base := motoServer.AWS(t)
	admin := func(t *testing.T, account string) aws.Config {
		t.Helper()
		// moto tells accounts apart by the role that the keys came from, which need not exist.
		out, err := sts.NewFromConfig(base).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::" + account + ":role/admin"), RoleSessionName: aws.String("test"),
		})
		if err != nil {
			t.Fatal(err)
		}
		cfg := base.Copy()
		cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		return cfg
	}
	w := &world{name: "moto", admin: admin, hub: base, wire: newWire()}
	w.wire.next = base.HTTPClient
	w.hub.HTTPClient = w.wire
	member(t, w, prod)
	return w
}

// member makes rolewarden's two roles in an account, as the member template does.
func member(t *testing.T, w *world, account string) {
	t.Helper()
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":"sts:AssumeRole",
		 "Condition":{"StringEquals":{"sts:ExternalId":%[2]q},"StringLike":{"sts:RoleSessionName":"rw-*"}}},
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":"sts:SetSourceIdentity",
		 "Condition":{"StringLike":{"sts:SourceIdentity":"rolewarden-*"}}}]}`, hub, externalID)
	for name, allowed := range map[string]string{
		"rolewarden-reader":     `["iam:GetRole","iam:GetUser","iam:GetAccountAuthorizationDetails"]`,
		"rolewarden-remediator": `["iam:GetRole","iam:UpdateAssumeRolePolicy","iam:TagRole","iam:UntagRole","iam:PutRolePermissionsBoundary"]`,
	} {
		client := iam.NewFromConfig(w.admin(t, account))
		_, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{
			Path: aws.String("/rolewarden/"), RoleName: aws.String(name), AssumeRolePolicyDocument: aws.String(trust),
		})
		if err != nil && strings.Contains(err.Error(), "EntityAlreadyExists") {
			continue // moto lives through all tests
		}
		must(t, err)
		_, err = client.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
			RoleName: aws.String(name), PolicyName: aws.String("own"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + allowed + `,"Resource":"*"}]}`),
		})
		must(t, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func now() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// accounts opens the adapter under test.
func (w *world) accounts(t *testing.T) *awsapi.Accounts {
	t.Helper()
	a, err := awsapi.NewAccounts(awsapi.Config{
		AWS: w.hub, Now: now, ExternalID: awsapi.NewSecret(externalID),
		ReaderRole: "rolewarden/rolewarden-reader", WriterRole: "rolewarden/rolewarden-remediator",
	})
	must(t, err)
	return a
}

// unique gives a name that no other test uses.
func unique(t *testing.T, name string) string {
	t.Helper()
	return name + "-" + strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", r) {
			return r
		}
		return -1
	}, t.Name())[max(0, len(t.Name())-50):]
}
