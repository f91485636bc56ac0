package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"

	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// newSweep adds the function that reads every role, and its queue: one message
// for each account, which only the function itself sends.
func (c *core) newSweep() awslambda.CfnFunction {
	c.sweeps = newQueue(c.stack, c.d, queueConfig{name: deployment.SweepQueue, key: c.key, timeout: sweepTimeout})
	environment := map[string]any{
		"ROLEWARDEN_TABLE": deployment.Table, "ROLEWARDEN_TOPIC_ARN": c.alertTopic, "ROLEWARDEN_LATER_QUEUE": c.later.url, "ROLEWARDEN_SWEEP_QUEUE": c.sweeps.url,
		"ROLEWARDEN_SEAL_KEY": c.seals.setting(), "ROLEWARDEN_EXTERNAL_ID": c.external,
	}
	return newFunction(c.stack, c.d, c.key, c.code, function{
		ledger: c.ledger, word: actions.Sweep, name: deployment.SweepFunction, role: deployment.SweepRole,
		description: "Reads every role, finds what no event told of, seals what has stood long enough, and sends alerts again that nobody took.",
		memory:      256, timeout: sweepTimeout, concurrency: deployment.SweepConcurrency, loops: loopsByDesign,
		environment: environment,
		resources: grants.Resources{
			Table: hubARN(c.d, "dynamodb", "table/"+deployment.Table), Topic: hubARN(c.d, "sns", deployment.AlertTopic), SealKey: c.seals.current,
			Consumes: []string{c.sweeps.arn}, Sends: []string{c.later.arn, c.sweeps.arn},
		},
		// IAM throttles by account, and each account is one message. Those of a batch
		// are read side by side; one that fails brings back no other. Few at once are
		// kind to AWS Organizations and to the ledger.
		sources: []source{{id: "SweepAccounts", queue: c.sweeps, batch: deployment.SweepBatch, atOnce: deployment.SweepAccountsAtOnce}},
	})
}
