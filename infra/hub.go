package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newHub adds the stack of an organization's security account.
func newHub(app awscdk.App, d *deployment.Deployment, code assets) error {
	stack := awscdk.NewStack(app, str(deployment.HubStack), stackProps(d, deployment.HubStack,
		"rolewarden in the security account: takes in the changes of roles of the whole organization, judges them, acts and tells."))
	return newCore(stack, d, code, externalID(stack), newBus(stack, d))
}
