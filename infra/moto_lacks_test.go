package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// motoLacks are the types of resources that moto's CloudFormation passes over,
// with what looks at them instead. The page testdata/moto.md shows them.
var motoLacks = map[string]string{
	"AWS::CloudFormation::StackSet":  "the templates in it are deployed as stacks",
	"AWS::CloudWatch::Alarm":         "compared with the table of alarms (pkg/deployment); the expression of the one on the rules file is computed",
	"AWS::Events::EventBusPolicy":    "the lab is asked who may send; moto lets everybody",
	"AWS::Lambda::EventInvokeConfig": "read in the template",
	"AWS::Logs::QueryDefinition":     "the queries are run by a test on guard's own log lines",
	"AWS::Organizations::Policy":     "the lab is asked what the SCP and the RCP keep off",
	"AWS::SNS::Subscription":         "made by hand in moto from what the template says",
	"AWS::SNS::TopicPolicy":          "the lab is asked who may publish; moto lets everybody",
	"AWS::SQS::QueuePolicy":          "the lab is asked who may send; moto lets everybody",
	"AWS::SecretsManager::Secret":    "made by hand in moto, empty as the template has it",
}

// motoPage writes the list down for readers: a test that passes shows none.
func motoPage() string {
	var b strings.Builder
	b.WriteString("# What moto does not hold of the templates\n\nAll stacks are deployed into moto's CloudFormation by a test, which keeps this list (`go test ./infra -update`). It passes over these types of resources:\n\n| type | what looks at it instead |\n|---|---|\n")
	for _, kind := range sortedKeys(motoLacks) {
		b.WriteString("| `" + kind + "` | " + motoLacks[kind] + " |\n")
	}
	return b.String()
}

// guests are the tests that have something in moto.
var guests struct {
	sync.Mutex
	names map[string]bool
}

// visit keeps what is in moto until the test is over. The last guest to leave has
// all of it taken away: a test that runs again finds the accounts as they were.
func visit(t *testing.T) {
	t.Helper()
	guests.Lock()
	defer guests.Unlock()
	if guests.names[t.Name()] {
		return
	}
	if guests.names == nil {
		guests.names = map[string]bool{}
	}
	guests.names[t.Name()] = true
	// The test's own context has ended when it leaves.
	reset, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, moto.URL(t)+"/moto-api/reset", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		guests.Lock()
		defer guests.Unlock()
		delete(guests.names, t.Name())
		if len(guests.names) > 0 {
			return
		}
		answer, err := http.DefaultClient.Do(reset)
		if err != nil || answer.StatusCode != http.StatusOK || answer.Body.Close() != nil {
			t.Errorf("taking away what is in moto: %+v, %v", answer, err)
		}
	})
}
