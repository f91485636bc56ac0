package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

// security is the hub of the organization in the lab.
const security = "555555555555"

// house is an organization in the lab with the roles, the policies, the key that
// seals, the topics and the queues of the templates, in which built functions run
// under the settings of the templates.
type house struct {
	t    *testing.T
	lab  *lab.Lab
	url  string
	seen []lab.Envelope
	// hub is the hub's template.
	hub   placed
	seals *awsapi.Seals
	// ago is how far the lab's clock is behind.
	ago atomic.Int64
}

func newHouse(t *testing.T) *house {
	t.Helper()
	const boss = "999999999999"
	w := &house{t: t}
	var err error
	w.lab, err = lab.New(lab.Config{
		OrganizationID: "o-exampleorgid", ManagementAccount: boss, DelegatedAdministrators: []string{security},
		Accounts: []lab.Account{{ID: security}, {ID: boss}, {ID: prod}, {ID: trial}, {ID: "222222222222", Outside: true}},
		Now:      func() time.Time { return time.Now().Add(-time.Duration(w.ago.Load())) },
	})
	w.must(err)
	server, err := w.lab.Start("127.0.0.1:0")
	w.must(err)
	t.Cleanup(func() { _ = server.Close() })
	w.url = server.URL
	w.lab.OnEvent(func(e lab.Envelope) { w.seen = append(w.seen, e) })
	for _, p := range everywhere(t) {
		switch p.stack {
		case deployment.MemberStackSet:
			for _, account := range []string{prod, trial} {
				p.account = account
				w.makeRoles(p)
			}
		case deployment.HubStack:
			w.hub = p
			w.makeRoles(p)
			w.makeSealKey(p)
		}
	}
	w.lab.Topic(security, deployment.AlertTopic)
	w.lab.Queue(security, deployment.LaterQueue)
	w.lab.Queue(security, deployment.SweepQueue)
	return w
}

// start builds a function and runs it as the template says, under its role.
func (w *house) start(name string, more map[string]string) *runtimetest.Runtime {
	w.t.Helper()
	f := named(w.t, w.hub.stackTemplate, "AWS::Lambda::Function", "FunctionName", name)
	environment, err := w.hub.resolve(at(f.Properties, "Environment", "Variables"))
	w.must(err)
	keys := w.session(w.hub.Resources[referred(f.Properties["Role"])].Properties["RoleName"].(string))
	env := map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": w.url,
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey, "AWS_SESSION_TOKEN": keys.SessionToken,
	}
	for name, value := range environment.(map[string]any) {
		env[name] = fmt.Sprint(value)
	}
	maps.Copy(env, more)
	bootstrap := runtimetest.Build(w.t, "../functions/"+strings.TrimPrefix(name, deployment.AlarmPrefix))
	w.must(os.WriteFile(filepath.Join(filepath.Dir(bootstrap), "rules.yaml"), []byte(weekRules), 0o600))
	return runtimetest.Start(w.t, bootstrap, env)
}

func (w *house) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// iam is a client of an account's administrator.
func (w *house) iam(account string) *iam.Client {
	w.t.Helper()
	keys, err := w.lab.Admin(account)
	w.must(err)
	return iam.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(w.url), Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	})
}

// makeRoles makes the roles of a template, as CloudFormation would.
func (w *house) makeRoles(p placed) {
	w.t.Helper()
	client := w.iam(p.account)
	text := func(v any) *string {
		value, err := p.resolve(v)
		w.must(err)
		out, err := json.Marshal(value)
		w.must(err)
		return aws.String(string(out))
	}
	for _, r := range of(w.t, p.stackTemplate, "AWS::IAM::Role") {
		name := aws.String(r.Properties["RoleName"].(string))
		_, err := client.CreateRole(w.t.Context(), &iam.CreateRoleInput{
			Path: aws.String(r.Properties["Path"].(string)), RoleName: name, AssumeRolePolicyDocument: text(r.Properties["AssumeRolePolicyDocument"]),
		})
		w.must(err)
		inline, _ := r.Properties["Policies"].([]any)
		for _, one := range inline {
			_, err := client.PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("rolewarden"), PolicyDocument: text(at(one, "PolicyDocument"))})
			w.must(err)
		}
	}
}

// session is one of a function's role in the hub, as Lambda opens it.
func (w *house) session(name string) lab.Credentials {
	w.t.Helper()
	keys, err := w.lab.AssumeAsService(lab.ServiceCall{
		Service: "lambda.amazonaws.com", RoleARN: "arn:aws:iam::" + security + ":role" + deployment.Path + name, SessionName: "function", SourceAccount: security,
	})
	w.must(err)
	return keys
}

// makeSealKey makes the key that seals, under the template's policy, and seals
// what is to be sealed with it under the sweep's role.
func (w *house) makeSealKey(p placed) {
	w.t.Helper()
	arn, err := p.attribute("SealKey", "Arn")
	w.must(err)
	document, err := p.resolve(p.Resources["SealKey"].Properties["KeyPolicy"])
	w.must(err)
	text, err := json.Marshal(document)
	w.must(err)
	_, id, _ := strings.Cut(arn, ":key/")
	made, err := w.lab.SeedKey(p.account, lab.SeedKey{ID: id, Policy: string(text)})
	w.must(err)
	if made != arn {
		w.t.Fatalf("the key is %s, and the functions are told of %s", made, arn)
	}
	keys := w.session(deployment.SweepRole)
	w.seals, err = awsapi.NewSeals(awsapi.SealsConfig{KeyID: arn, AWS: aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(w.url), Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	}})
	w.must(err)
}
