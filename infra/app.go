package main

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// assets says in which folder the code of each function lies, by the
// function's name in the folder functions.
type assets map[string]string

// build adds the stacks of one way to deploy to the app.
func build(app awscdk.App, d *deployment.Deployment, a assets) error {
	switch d.Way {
	case deployment.Single:
		newSingle(app, d, a)
	case deployment.Hub:
		newHub(app, d, a)
	case deployment.Members:
		return fmt.Errorf("building the stacks: the way members is not there yet")
	case deployment.NoWay:
		return fmt.Errorf("building the stacks: no way to deploy was chosen")
	}
	return nil
}
