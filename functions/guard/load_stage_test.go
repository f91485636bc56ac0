package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/rolewarden/rolewarden/functions/runtimetest"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/lab"
)

const (
	// noisy is the account that sends most of the load in one run.
	noisy = "444455556666"
	// members are the accounts that send events, roles those of each.
	members, roles = 20, 20
	// opened are the roles that somebody has opened; nothing else may be written.
	opened = 3
	// intakes and laters are the processes on each queue; a deployment runs nine
	// and three.
	intakes, laters = 2, 1

	backdoor = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::333333333333:root"},"Action":"sts:AssumeRole"}]}`
)

// crowd is a lab with many accounts, and the built bootstrap as several
// processes against it: IAM, STS, SNS, SQS, KMS and the ledger's table are the lab's.
type crowd struct {
	*stage
	accounts []string
	intake   []*runtimetest.Runtime
	later    []*runtimetest.Runtime
	sqs      *sqs.Client
	table    *dynamodb.Client
	url      string
	// n numbers the events.
	n int
	// logged is what the processes have logged of events, and read how far each
	// one's log was read.
	logged []ending
	read   [intakes + laters]int
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{stage: &stage{t: t}, accounts: []string{noisy, prod}}
	for i := len(c.accounts); i < members; i++ {
		c.accounts = append(c.accounts, fmt.Sprintf("%012d", 222222222200+i))
	}
	all := []lab.Account{{ID: hub, Name: "hub"}}
	for i, id := range c.accounts {
		all = append(all, lab.Account{ID: id, Name: fmt.Sprint("member-", i)})
	}
	var err error
	c.lab, err = lab.New(lab.Config{
		Now:            func() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) },
		OrganizationID: "o-exampleorgid", ManagementAccount: hub, Accounts: all,
	})
	c.must(err)
	server, err := c.lab.Start("127.0.0.1:0")
	c.must(err)
	t.Cleanup(func() { _ = server.Close() })
	keys, err := c.lab.Admin(hub)
	c.must(err)
	cfg := awsapi.Fixed(awsapi.Keys{Endpoint: server.URL, Region: "us-east-1", AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey})
	c.url, c.sqs, c.table = c.lab.Queue(hub, "later"), sqs.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	_, err = c.lab.SeedTable(hub, lab.SeedTable{Name: "ledger"})
	c.must(err)
	c.ledger, err = awsapi.NewDynamo(awsapi.DynamoConfig{AWS: cfg, Table: "ledger"})
	c.must(err)
	key, err := c.lab.SeedKey(hub, lab.SeedKey{})
	c.must(err)
	c.seals, err = awsapi.NewSeals(awsapi.SealsConfig{AWS: cfg, KeyID: key})
	c.must(err)
	c.people(server.URL)
	c.start(all, map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"ROLEWARDEN_TABLE": "ledger", "ROLEWARDEN_EXTERNAL_ID": "example-external-id", "ROLEWARDEN_TOPIC_ARN": c.lab.Topic(hub, "alerts"),
		"ROLEWARDEN_LATER_QUEUE": c.url, "ROLEWARDEN_SEAL_KEY": key,
	})
	return c
}

// people gives each account rolewarden's roles and those that its people change.
func (c *crowd) people(endpoint string) {
	c.t.Helper()
	for _, account := range append([]string{hub}, c.accounts...) {
		c.iam = c.client(account, endpoint)
		c.member("rolewarden-reader")
		c.member("rolewarden-remediator")
	}
	c.behind.Store(int64(48 * time.Hour))
	for _, account := range c.accounts {
		for i := range roles {
			c.must(c.lab.SeedRole(account, lab.SeedRole{Name: fmt.Sprint("app-", i), TrustPolicy: nobodyButEC2}))
		}
	}
	c.iam = c.client(prod, endpoint)
	for i := range opened {
		c.was(fmt.Sprint("opened-", i), nobodyButEC2, backdoor)
	}
}

// start runs the processes under a rules file that names the accounts.
func (c *crowd) start(accounts []lab.Account, env map[string]string) {
	c.t.Helper()
	var list strings.Builder
	for _, a := range accounts {
		fmt.Fprintf(&list, "    - {id: %q, name: %s}\n", a.ID, a.Name)
	}
	env["ROLEWARDEN_RULES"] = filepath.Join(c.t.TempDir(), "rules.yaml")
	c.must(os.WriteFile(env["ROLEWARDEN_RULES"], []byte("version: 1\norganization:\n  id: o-exampleorgid\n  management: \""+hub+
		"\"\n  complete: true\n  accounts:\n"+list.String()+"modes:\n  default: enforce\n"), 0o600))
	bootstrap := runtimetest.Build(c.t, ".")
	for range intakes {
		c.intake = append(c.intake, runtimetest.Start(c.t, bootstrap, env))
	}
	for range laters {
		c.later = append(c.later, runtimetest.Start(c.t, bootstrap, env))
	}
}

// message is an event on its way.
type message struct {
	id, account string
	body        []byte
	at          time.Time
}

// changed is the event of a document that a role was given.
func (c *crowd) changed(account, role, document string) message {
	c.t.Helper()
	c.n++
	id, at := fmt.Sprintf("00000000-0000-4000-8000-%012d", c.n), time.Now()
	body, err := json.Marshal(map[string]any{
		"version": "0", "id": id, "detail-type": "AWS API Call via CloudTrail", "source": "aws.iam", "account": account,
		"time": at.UTC().Format(time.RFC3339), "region": "us-east-1", "resources": []string{}, "detail": map[string]any{
			"eventVersion": "1.11", "eventTime": at.UTC().Format(time.RFC3339), "eventSource": "iam.amazonaws.com", "eventName": "UpdateAssumeRolePolicy",
			"awsRegion": "us-east-1", "sourceIPAddress": "192.0.2.10", "userAgent": "aws-cli/2.31.0",
			"userIdentity":      map[string]any{"type": "IAMUser", "principalId": "AIDAEXAMPLEMALLORY001", "arn": "arn:aws:iam::" + account + ":user/mallory", "accountId": account, "userName": "mallory"},
			"requestParameters": map[string]any{"roleName": role, "policyDocument": document}, "responseElements": nil, "requestID": id, "eventID": id,
			"readOnly": false, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
		},
	})
	c.must(err)
	return message{id: id, account: account, body: body, at: at}
}

// ends gives the ends that the table holds, by event.
func (c *crowd) ends() map[string]string {
	c.t.Helper()
	out := map[string]string{}
	in := &dynamodb.ScanInput{
		TableName: aws.String("ledger"), FilterExpression: aws.String("sk = :sk"),
		ExpressionAttributeValues: map[string]ddb.AttributeValue{":sk": &ddb.AttributeValueMemberS{Value: "EVENT"}},
	}
	for {
		page, err := c.table.Scan(c.t.Context(), in)
		c.must(err)
		for _, i := range page.Items {
			pk, _ := i["pk"].(*ddb.AttributeValueMemberS)
			end, _ := i["ended"].(*ddb.AttributeValueMemberS)
			if pk == nil || end == nil {
				continue
			}
			out[lastPart(pk.Value, "#")] = end.Value
		}
		if len(page.LastEvaluatedKey) == 0 {
			return out
		}
		in.ExclusiveStartKey = page.LastEvaluatedKey
	}
}
