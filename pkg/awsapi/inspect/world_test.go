package inspect_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/rolewarden/rolewarden/pkg/awsapi/mototest"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	hub     = mototest.Account // moto's own, so that both worlds have the same hub
	prod    = "111122223333"
	outside = "999999999999"
)

// motoServer is one process for all tests of this binary.
var motoServer = &mototest.Server{}

func TestMain(m *testing.M) { os.Exit(motoServer.Main(m)) }

// world is an AWS to look at: moto server or the lab.
type world struct {
	lab *lab.Lab
	hub aws.Config
	// of gives an administrator's configuration in the lab.
	of func(account string) aws.Config
}

// worlds runs a test against both.
func worlds(t *testing.T, test func(*testing.T, *world)) {
	t.Run("lab", func(t *testing.T) { test(t, labWorld(t)) })
	t.Run("moto", func(t *testing.T) { test(t, motoWorld(t)) })
}

func motoWorld(t *testing.T) *world { return &world{hub: motoServer.AWS(t)} }

func labWorld(t *testing.T) *world {
	t.Helper()
	l, err := lab.New(lab.Config{
		OrganizationID: "o-exampleorgid", ManagementAccount: hub,
		Accounts: []lab.Account{{ID: hub, Name: "security"}, {ID: prod, Name: "prod"}, {ID: outside, Name: "acme", Outside: true}},
	})
	must(t, err)
	server, err := l.Start("127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { must(t, server.Close()) })
	of := func(account string) aws.Config {
		c, err := l.Admin(account)
		must(t, err)
		return aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
			Credentials: credentials.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretAccessKey, c.SessionToken),
		}
	}
	return &world{lab: l, hub: of(hub), of: of}
}

// refusing refuses the calls whose X-Amz-Target ends so, with a code of AWS.
type refusing struct {
	next       aws.HTTPClient
	call, code string
}

// Do implements aws.HTTPClient.
func (c *refusing) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "."+c.call) {
		return c.next.Do(r)
	}
	body := `{"__type":"` + c.code + `","message":"no"}`
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	return &http.Response{StatusCode: http.StatusBadRequest, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// answers gives canned answers in turn, in the form of the services' API
// References.
type answers struct {
	asked  []url.Values
	bodies []string
}

// Do implements aws.HTTPClient.
func (a *answers) Do(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	if len(a.bodies) == 0 {
		return nil, errors.New("no more answers")
	}
	// What is no form is not looked at.
	form, _ := url.ParseQuery(string(body))
	next := a.bodies[0]
	a.asked, a.bodies = append(a.asked, form), a.bodies[1:]
	header := http.Header{"Content-Type": {"text/xml"}}
	if r.Header.Get("X-Amz-Target") != "" {
		header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	}
	if protocol := r.Header.Get("Smithy-Protocol"); protocol != "" {
		header = http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {protocol}}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(strings.NewReader(next)), Request: r}, nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unique gives a name that no other test uses.
func unique(t *testing.T, name string) string {
	t.Helper()
	return name + "-" + strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())
}
