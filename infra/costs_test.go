package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/infra/cost"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// What the calculation of costs counts is what the hub's template holds: an
// alarm or a key more, or a larger function, and the page has to say so.
func TestTheCostIsThatOfTheTemplate(t *testing.T) {
	t.Parallel()
	tpl := way(t, hubWay).templates[deployment.HubStack]
	encrypted := func(kind string) int {
		n := 0
		for _, r := range of(t, tpl, kind) {
			if r.Properties["KmsMasterKeyId"] != nil {
				n++
			}
		}
		return n
	}
	memory := func(function string) float64 {
		return number(t, named(t, tpl, "AWS::Lambda::Function", "FunctionName", function).Properties["MemorySize"]) / 1024
	}
	got := cost.Defaults(100)
	want := got
	want.Alarms, want.Dashboards = len(of(t, tpl, "AWS::CloudWatch::Alarm")), len(of(t, tpl, "AWS::CloudWatch::Dashboard"))
	want.Keys, want.Secrets = len(of(t, tpl, "AWS::KMS::Key")), len(of(t, tpl, "AWS::SecretsManager::Secret"))
	want.Mappings = len(of(t, tpl, "AWS::Lambda::EventSourceMapping"))
	want.EncryptedQueues, want.EncryptedTopics = encrypted("AWS::SQS::Queue"), encrypted("AWS::SNS::Topic")
	want.GuardGB, want.NotifyGB = memory(deployment.GuardFunction), memory(deployment.NotifyFunction)
	want.CanaryGB, want.SweepGB = memory(deployment.CanaryFunction), memory(deployment.SweepFunction)
	d := load1(t, "organization.yaml", "hub")
	want.CanaryEvery, want.SweepEvery, want.DeliverEvery = d.CanaryEvery, d.SweepEvery, deployment.DeliverEvery
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the template (-) and infra/cost (+) differ; change Defaults and run go test ./infra/cost -update:\n%s", diff)
	}
}
