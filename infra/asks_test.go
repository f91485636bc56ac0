package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// Before it makes anything CloudFormation fills in a template's parameters, with
// what the deployer may do. One that stands for something in Parameter Store, or
// a dynamic reference, is one more permission that no resource asks for: the first
// deployment would end before it began. So all that a template asks for is the
// external id, which whoever deploys gives.
func TestATemplateAsksForNothingThatTheDeployerMayNotRead(t *testing.T) {
	t.Parallel()
	for _, p := range everywhere(t) {
		for name, parameter := range p.Parameters {
			if name != deployment.ExternalIDParameter || parameter["Type"] != "String" {
				t.Errorf("%s asks for %s, %v", p.stack, name, parameter)
			}
		}
		if len(p.Rules) > 0 {
			t.Errorf("%s has rules for its parameters: %v", p.stack, p.Rules)
		}
		if strings.Contains(p.text, "{{resolve:") {
			t.Errorf("%s holds a dynamic reference", p.stack)
		}
	}
}

// An account that the CDK prepared too long ago is refused all the same, by the
// CDK's command line: the assembly tells it which version the upload of code takes.
func TestTheCommandLineStillAsksForTheVersionOfTheBootstrap(t *testing.T) {
	t.Parallel()
	for stack, get := range map[string]func() (assembly, error){deployment.HubStack: hubWay, deployment.SingleStack: singleWay} {
		var manifest struct {
			Artifacts map[string]struct {
				Properties struct {
					RequiresBootstrapStackVersion int
					BootstrapStackVersionSsmParameter,
					AssumeRoleArn string
				}
			}
		}
		if err := json.Unmarshal([]byte(way(t, get).files["manifest.json"]), &manifest); err != nil {
			t.Fatal(err)
		}
		if p := manifest.Artifacts[stack].Properties; p.RequiresBootstrapStackVersion < 6 || !strings.HasPrefix(p.BootstrapStackVersionSsmParameter, "/cdk-bootstrap/") || p.AssumeRoleArn == "" {
			t.Errorf("%s: the assembly says %+v", stack, p)
		}
	}
}
