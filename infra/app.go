package main

import (
	"errors"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newApp makes the app. All that would make two runs differ is off: traces,
// which hold the paths of the program that the CDK runs in, the time it took,
// and what the CDK's authors want to know of its users. These settings win over those of the
// CDK's command line, so that both give the same templates.
func newApp(folder string, given map[string]any) awscdk.App {
	p := awscdk.AppProps{
		AnalyticsReporting:   no(),
		PerformanceReporting: no(),
		StackTraces:          no(),
		TreeMetadata:         no(),
		Context:              &given,
		PostCliContext: &map[string]any{
			"aws:cdk:enable-path-metadata":  false,
			"aws:cdk:enable-asset-metadata": false,
			"aws:cdk:version-reporting":     false,
			"aws:cdk:disable-stack-trace":   true,
			// Tags belong to the stack; CloudFormation hands them on to what it holds.
			"@aws-cdk/core:explicitStackTags": true,
		},
	}
	if folder != "" {
		p.Outdir = str(folder)
	}
	return awscdk.NewApp(&p)
}

// synthesize writes the templates of a deployment into the app's folder, and
// beside them the documents that people look at.
func synthesize(app awscdk.App, d *deployment.Deployment, a assets) error {
	if err := build(app, d, a); err != nil {
		return err
	}
	if contextText(app, "nag") == "on" {
		inspect(app, d.Way)
	}
	made := app.Synth(nil)
	if err := checkTemplates(made, d); err != nil {
		return err
	}
	return writeDocuments(made, d)
}

// build adds the stacks of one way to deploy to the app.
func build(app awscdk.App, d *deployment.Deployment, a assets) error {
	if err := checkQuotas(d); err != nil {
		return err
	}
	switch d.Way {
	case deployment.Single:
		return newSingle(app, d, a)
	case deployment.Hub:
		return newHub(app, d, a)
	case deployment.Members:
		return newMembers(app, d)
	case deployment.NoWay:
	}
	return errors.New("building the stacks: the deployment names no way to deploy")
}

// unversioned uploads code to what cdk bootstrap made, and leaves the parameter
// and the rule away by which a template asks for the bootstrap's version:
// CloudFormation would read them from Parameter Store with what the deployer may
// (AWS CloudFormation User Guide, cloudformation-supplied-parameter-types), which
// is rolewarden's own and nothing of the CDK's. The CDK's command line asks for
// the version all the same, with the caller's permissions, before it deploys.
func unversioned() awscdk.IStackSynthesizer {
	return awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{GenerateBootstrapVersionRule: no()})
}

// stackProps are what all stacks share. Those without code have another
// synthesizer, which needs nothing of the CDK's in the account.
func stackProps(d *deployment.Deployment, name, description string) *awscdk.StackProps {
	return &awscdk.StackProps{
		StackName:   str(name),
		Description: str(description),
		Env:         &awscdk.Environment{Account: str(d.Account), Region: str(d.Region)},
		Synthesizer: unversioned(),
		// Without these stacks nothing is guarded: removing them takes two steps.
		TerminationProtection: yes(),
		Tags:                  &map[string]*string{"application": str("rolewarden")},
	}
}
