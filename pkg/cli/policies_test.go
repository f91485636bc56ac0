package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/grants"
	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	officeHub, officeProd = "555555555555", "111122223333"
	// alicesTrust names a user of the account, a stranger, and a name in a condition.
	alicesTrust = `{"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::999999999999:role/vendor"]},"Action":"sts:AssumeRole"},
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}}}]}`
	ownTrust    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	officeRules = "version: 1\norganization: {id: o-exampleorgid, accounts: [{id: \"555555555555\"}, {id: \"111122223333\"}]}\nmodes: {default: enforce}\n"
)

// office is a hub with a ledger and a member account in the lab, which holds each
// call to what the caller's policies say.
type office struct {
	t     *testing.T
	lab   *lab.Lab
	table *awsapi.Dynamo
	// deployment and rules are files.
	deployment, rules string
}

func newOffice(t *testing.T) *office {
	t.Helper()
	l, err := lab.New(lab.Config{
		OrganizationID: "o-exampleorgid", ManagementAccount: officeHub,
		Accounts: []lab.Account{{ID: officeHub, Name: "hub"}, {ID: officeProd, Name: "prod"}, {ID: "999999999999", Name: "vendor", Outside: true}},
	})
	fine(t, err)
	server, err := l.Start("127.0.0.1:0")
	fine(t, err)
	t.Cleanup(func() { _ = server.Close() })
	_, err = l.SeedTable(officeHub, lab.SeedTable{Name: deployment.Table, Expires: "expires"})
	fine(t, err)
	o := &office{t: t, lab: l}
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	o.table, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: o.admin(officeHub, server.URL), Table: deployment.Table})
	fine(t, err)
	dir := t.TempDir()
	o.rules, o.deployment = filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "deployment.yaml")
	fine(t, os.WriteFile(o.rules, []byte(officeRules), 0o600))
	fine(t, os.WriteFile(o.deployment, []byte("version: 1\naccount: \""+officeHub+"\"\nrules: rules.yaml\nway: hub\nmembers: {targets: [r-abcd]}\nremediator: present\n"), 0o600))
	for name, value := range map[string]string{"AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PROFILE": "", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
		t.Setenv(name, value)
	}
	return o
}

func (o *office) admin(account, url string) aws.Config {
	o.t.Helper()
	keys, err := o.lab.Admin(account)
	fine(o.t, err)
	return aws.Config{Region: "us-east-1", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, "")}
}

// hires makes somebody with one policy in an account, and gives the keys.
func (o *office) hires(account string, d grants.Document) lab.Credentials {
	o.t.Helper()
	const name = "on-call"
	fine(o.t, o.lab.SeedUser(account, name, "/"))
	if len(d.Statement) > 0 {
		_, err := iam.NewFromConfig(o.admin(account, os.Getenv("AWS_ENDPOINT_URL"))).PutUserPolicy(o.t.Context(), &iam.PutUserPolicyInput{
			UserName: aws.String(name), PolicyName: aws.String("verb"), PolicyDocument: aws.String(d.JSON()),
		})
		fine(o.t, err)
	}
	keys, err := o.lab.UserKeys(account, name)
	fine(o.t, err)
	return keys
}

// signsIn gives the command somebody's keys of the hub, and those of the member
// account under the profile prod.
func (o *office) signsIn(hub, prod lab.Credentials) {
	o.t.Helper()
	file := filepath.Join(o.t.TempDir(), "config")
	fine(o.t, os.WriteFile(file, []byte("[profile prod]\naws_access_key_id = "+prod.AccessKeyID+"\naws_secret_access_key = "+prod.SecretAccessKey+"\n"), 0o600))
	for name, value := range map[string]string{"AWS_CONFIG_FILE": file, "AWS_ACCESS_KEY_ID": hub.AccessKeyID, "AWS_SECRET_ACCESS_KEY": hub.SecretAccessKey} {
		o.t.Setenv(name, value)
	}
}

// remembers leaves a role in the ledger that was fine, with a baseline from before.
func (o *office) remembers() {
	o.t.Helper()
	const id, gone = "AROAEXAMPLEVENDOR0001", "AIDAEXAMPLEALICE00001"
	at := time.Now().Add(-48 * time.Hour)
	document := strings.Replace(vendorTrust, `"arn:aws:iam::999999999999:role/vendor"`, `["arn:aws:iam::999999999999:role/vendor","`+gone+`"]`, 1)
	key := ledger.Key{Account: officeProd, EventID: "55555555-5555-4555-8555-555555555555"}
	_, err := o.table.Take(o.t.Context(), key, at)
	fine(o.t, err)
	fine(o.t, o.table.Conclude(o.t.Context(), ledger.Conclusion{Event: key, End: ledger.Compliant, At: at, Reason: "the role obeys the rules", State: &ledger.RoleState{
		Account: officeProd, RoleID: id, Name: "vendor-access", ARN: "arn:aws:iam::" + officeProd + ":role/vendor-access",
		Document: document, Digest: digestOf(o.t, document), Since: at, Event: key, EventTime: at, Verdict: finding.Compliant, RulesHash: "sha256:former", UpdatedAt: at,
	}, Seen: []ledger.Identity{{ID: gone, ARN: "arn:aws:iam::" + officeProd + ":user/alice", SeenAt: at}}}))
	fine(o.t, o.table.AddBaseline(o.t.Context(), role.Baseline{
		Account: officeProd, RoleID: id, Document: lambdaTrust, Digest: digestOf(o.t, lambdaTrust), Provenance: role.Observed,
		Since: at.Add(-48 * time.Hour), Sealed: at.Add(-24 * time.Hour), Seal: []byte("seal"),
	}))
}

func digestOf(t *testing.T, text string) string {
	t.Helper()
	doc, err := policy.Parse([]byte(text))
	fine(t, err)
	return doc.Digest("aws")
}

// decided leaves a role as a decision left it, quarantined.
func (o *office) decided() string {
	o.t.Helper()
	const id = "AROAEXAMPLEAPP0000001"
	after := remediate.Quarantine("rw-1")
	fine(o.t, o.lab.SeedUser(officeProd, "alice", "/"))
	fine(o.t, o.lab.SeedRole("999999999999", lab.SeedRole{Name: "vendor", TrustPolicy: lambdaTrust}))
	fine(o.t, o.lab.SeedRole(officeProd, lab.SeedRole{Name: "app", RoleID: id, TrustPolicy: after}))
	user, err := iam.NewFromConfig(o.admin(officeProd, os.Getenv("AWS_ENDPOINT_URL"))).GetUser(o.t.Context(), &iam.GetUserInput{UserName: aws.String("alice")})
	fine(o.t, err)
	at := time.Now().Add(-time.Hour)
	fine(o.t, o.table.Record(o.t.Context(), []ledger.Identity{{ID: *user.User.UserId, ARN: *user.User.Arn, SeenAt: at.Add(-time.Hour)}}))
	key := ledger.Key{Account: officeProd, EventID: "77777777-7777-4777-8777-777777777777"}
	d := decision.Decision{ID: decision.ID(officeProd, key.EventID, id), Action: decision.Quarantine, At: at}
	_, err = o.table.Take(o.t.Context(), key, at)
	fine(o.t, err)
	fine(o.t, o.table.Intend(o.t.Context(), ledger.Intent{
		Event: key, Role: role.Ref{Account: officeProd, Name: "app"}, RoleID: id, Decision: d, Before: alicesTrust, After: after,
		BeforeDigest: digestOf(o.t, alicesTrust), AfterDigest: digestOf(o.t, after), ReadAt: at, At: at,
	}))
	fine(o.t, o.table.Conclude(o.t.Context(), ledger.Conclusion{Event: key, End: ledger.Quarantined, Reason: "quarantined", At: at}))
	return d.ID
}

// errand is what somebody does with a verb. It gives what went wrong.
type errand func(o *office) error

// types runs the command, which is to end with a status.
func (o *office) types(status int, args ...string) error {
	if out, errs, got := run("", args...); got != status {
		return fmt.Errorf("%v ended with %d, want %d: %s%s", args, got, status, out, errs)
	}
	return nil
}

func errands() map[string]errand {
	return map[string]errand{
		actions.Writes: func(o *office) error {
			return o.types(0, "writes", "stop", "--deployment", o.deployment, "--reason", "incident 4711")
		},
		actions.Breaker: func(o *office) error {
			const scope = "account/" + officeProd
			counter := ledger.Counter{Name: scope, Window: time.Hour, Limit: 1, Full: ledger.Trip}
			fine(o.t, o.table.Spend(o.t.Context(), "one", time.Now(), []ledger.Counter{counter}))
			if err := o.types(1, "breaker", "show", "--deployment", o.deployment); err != nil {
				return err
			}
			if err := o.types(0, "breaker", "reset", scope, "--deployment", o.deployment, "--reason", "mended"); err != nil {
				return err
			}
			return o.table.Spend(o.t.Context(), "two", time.Now(), []ledger.Counter{counter})
		},
		actions.Preview: func(o *office) error {
			o.remembers()
			return o.types(1, "preview", "--rules", o.rules, "--deployment", o.deployment)
		},
		actions.Confirm: func(o *office) error {
			return o.types(0, "preview", "--confirm", "sha256:"+strings.Repeat("0a", 32), "--deployment", o.deployment, "--reason", "reviewed")
		},
		actions.Undo: func(o *office) error {
			id := o.decided()
			return o.types(1, "undo", id, "--deployment", o.deployment, "--profile", "prod", "--reason", "incident 4711", "--accept", "arn:aws:iam::999999999999:role/vendor")
		},
		actions.Look: func(o *office) error {
			for name, value := range map[string]string{"AWS_PROFILE": "prod", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""} {
				o.t.Setenv(name, value)
			}
			fine(o.t, o.lab.SeedRole(officeProd, lab.SeedRole{Name: "app", TrustPolicy: alicesTrust}))
			fine(o.t, o.lab.SeedRole(officeProd, lab.SeedRole{Name: "own", TrustPolicy: ownTrust}))
			return o.types(1, "sweep", "--account", officeProd, "--rules", o.rules)
		},
	}
}

// runs does an errand with a policy in the hub and one in the member account. A
// call that is refused is a failure, also where the verb makes do without.
func (e errand) runs(t *testing.T, hub, account grants.Document) error {
	t.Helper()
	o := newOffice(t)
	o.signsIn(o.hires(officeHub, hub), o.hires(officeProd, account))
	if err := e(o); err != nil {
		return err
	}
	for _, c := range o.lab.Calls() {
		if strings.HasPrefix(c.ErrorCode, "AccessDenied") {
			return fmt.Errorf("%s:%s of %s was refused", c.Service, c.Action, c.Resource)
		}
	}
	return nil
}

// weakened gives every policy that lacks one thing of a policy: an action of a
// statement, or a partition of a condition. What KMS does the lab does not ask for.
func weakened(t *testing.T, d grants.Document) map[string]grants.Document {
	t.Helper()
	out := map[string]grants.Document{}
	for i, s := range d.Statement {
		if s.Effect != "Allow" || strings.HasPrefix(s.Sid, "KeyThrough") {
			continue
		}
		for n := range s.Action {
			c := copied(t, d)
			c.Statement[i].Action = slices.Delete(c.Statement[i].Action, n, n+1)
			if len(c.Statement[i].Action) == 0 {
				c.Statement = slices.Delete(c.Statement, i, i+1)
			}
			out[s.Sid+" without "+s.Action[n]] = c
		}
		for operator, keys := range s.Condition {
			for n := range keys["dynamodb:LeadingKeys"] {
				if operator == "Null" || len(keys["dynamodb:LeadingKeys"]) == 1 {
					continue
				}
				c := copied(t, d)
				list := c.Statement[i].Condition[operator]
				list["dynamodb:LeadingKeys"] = slices.Delete(list["dynamodb:LeadingKeys"], n, n+1)
				out[s.Sid+" without "+keys["dynamodb:LeadingKeys"][n]] = c
			}
		}
	}
	return out
}

func copied(t *testing.T, d grants.Document) grants.Document {
	t.Helper()
	text, err := json.Marshal(d)
	fine(t, err)
	var out grants.Document
	fine(t, json.Unmarshal(text, &out))
	return out
}

// Each verb of people's does its work under the policies that are written for it,
// and with anything of them taken away it does not: they are enough, and none of
// them is too much.
func TestThePoliciesForPeoplesVerbsAreJustEnough(t *testing.T) {
	w := grants.World{Partition: "aws", Region: "us-east-1", Hub: officeHub, Organization: "o-exampleorgid"}
	for verb, does := range errands() {
		t.Run(verb, func(t *testing.T) {
			hub, account := grants.Person(w, verb), grants.PersonInAccount(w, verb)
			if err := does.runs(t, hub, account); err != nil {
				t.Fatal(err)
			}
			for name, weak := range weakened(t, hub) {
				t.Run(name, func(t *testing.T) {
					if does.runs(t, weak, account) == nil {
						t.Error("it does its work all the same")
					}
				})
			}
			for name, weak := range weakened(t, account) {
				t.Run("account "+name, func(t *testing.T) {
					if does.runs(t, hub, weak) == nil {
						t.Error("it does its work all the same")
					}
				})
			}
		})
	}
	for _, verb := range actions.People() {
		if errands()[verb] == nil {
			t.Errorf("%s is not tried", verb)
		}
	}
}
