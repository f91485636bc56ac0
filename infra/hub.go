package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newHub adds the stack of an organization's security account.
func newHub(app awscdk.App, d *deployment.Deployment, a assets) {
	_, _ = d, a
	awscdk.NewStack(app, str(deployment.HubStack), nil)
}
