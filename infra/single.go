package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newSingle adds the stack that holds everything in one account.
func newSingle(app awscdk.App, d *deployment.Deployment, a assets) {
	_, _ = d, a
	awscdk.NewStack(app, str(deployment.SingleStack), nil)
}
