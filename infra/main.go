// Command infra is the CDK app: it renders the CloudFormation templates of
// rolewarden.
//
// It takes a deployment file (pkg/deployment) by the context value deployment,
// and gives a cloud assembly: templates, and the code of the functions, which
// it builds. It calls nothing, needs no credentials and no network, and knows
// no name or policy of its own: names come from pkg/deployment, documents from
// pkg/grants, event patterns from pkg/trail, metrics from pkg/meter.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "infra: not there yet")
	os.Exit(1)
}
