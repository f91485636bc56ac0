package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
	"github.com/rolewarden/rolewarden/pkg/grants"
)

// function says what one function is, and how it runs.
type function struct {
	// ledger waits for the function, and what starts the function waits for the
	// ledger. A function is what most often fails in a first deployment, for want of
	// concurrency in the account.
	ledger awscdk.CfnResource
	// word is the function's name in pkg/awsapi/actions; name and role are how
	// it and its role are called in AWS.
	word, name, role string
	description      string
	// memory is in MB. CPU comes with it.
	memory int
	// timeout is in seconds.
	timeout int
	// concurrency is reserved in the hub: the function never runs more often at
	// once, and nothing else in the account can take it away.
	concurrency int
	// loops says whether the function may feed itself.
	loops       looping
	environment map[string]any
	resources   grants.Resources
	sources     []source
}

// looping says whether a function may feed itself. The zero value is that it
// may not: then Lambda stops it after some sixteen rounds.
type looping uint8

const (
	neverLoops looping = iota
	// loopsByDesign is for steps that are sent to the later queue, and for what is
	// left of an account when the time of a run is up: the ledger bounds them, and
	// Lambda would take them for a runaway loop (AWS Lambda Developer Guide,
	// invocation-recursion).
	loopsByDesign
)

// word is Lambda's.
func (l looping) word() string {
	switch l {
	case neverLoops:
		return "Terminate"
	case loopsByDesign:
		return "Allow"
	}
	return "Terminate"
}

// source is a queue that feeds a function.
type source struct {
	id    string
	queue queue
	// batch is how many messages one run gets at most.
	batch int
	// atOnce is how many runs the queue may cause at once. Together those of a
	// function's queues are its reserved concurrency: were they more, messages
	// would be received in vain, and each time count.
	atOnce int
}

// newFunction adds a function with its own role and log group, and its sources.
func newFunction(scope constructs.Construct, d *deployment.Deployment, key string, a assets, f function) awslambda.CfnFunction {
	id := logicalName(f.word)
	logs := awslogs.NewCfnLogGroup(scope, str(id+"Logs"), &awslogs.CfnLogGroupProps{
		LogGroupName: str(deployment.LogPrefix + f.name), RetentionInDays: num(float64(d.LogDays)), KmsKeyId: str(key),
	})
	f.resources.DataKey = key
	f.resources.LogGroup = hubARN(d, "logs", "log-group:"+deployment.LogPrefix+f.name+":*")
	role := newFunctionRole(scope, d, id, f)
	code := awss3assets.NewAsset(scope, str(id+"Code"), &awss3assets.AssetProps{Path: str(a[f.word])})
	made := awslambda.NewCfnFunction(scope, str(id), &awslambda.CfnFunctionProps{
		FunctionName:                 str(f.name),
		Description:                  str(f.description),
		Runtime:                      str("provided.al2023"),
		Handler:                      str("bootstrap"),
		Architectures:                strs([]string{d.Architecture.String()}),
		Code:                         &awslambda.CfnFunction_CodeProperty{S3Bucket: code.S3BucketName(), S3Key: code.S3ObjectKey()},
		Role:                         role.AttrArn(),
		MemorySize:                   num(float64(f.memory)),
		Timeout:                      num(float64(f.timeout)),
		ReservedConcurrentExecutions: reserved(d, f.concurrency),
		RecursiveLoop:                str(f.loops.word()),
		KmsKeyArn:                    str(key),
		Environment:                  &awslambda.CfnFunction_EnvironmentProperty{Variables: f.environment},
		// A higher level would drop the lines that metrics are made of.
		LoggingConfig: &awslambda.CfnFunction_LoggingConfigProperty{LogGroup: logs.Ref(), LogFormat: str("JSON"), ApplicationLogLevel: str("INFO"), SystemLogLevel: str("INFO")},
		// X-Ray would keep parts of what is handled in a place of its own.
		TracingConfig: &awslambda.CfnFunction_TracingConfigProperty{Mode: str("PassThrough")},
	})
	after(f.ledger, made)
	for _, s := range f.sources {
		after(awslambda.NewCfnEventSourceMapping(scope, str(s.id), &awslambda.CfnEventSourceMappingProps{
			FunctionName: made.Ref(), EventSourceArn: s.queue.resource.AttrArn(), BatchSize: num(float64(s.batch)),
			// Without this word one message that fails brings back all of its batch.
			FunctionResponseTypes: strs([]string{"ReportBatchItemFailures"}),
			ScalingConfig:         &awslambda.CfnEventSourceMapping_ScalingConfigProperty{MaximumConcurrency: num(float64(s.atOnce))},
		}), f.ledger)
	}
	return made
}

// reserved is what a function has for itself. Lambda keeps 100 executions of an
// account for what reserves none (AWS Lambda API Reference,
// API_PutFunctionConcurrency), and new accounts have 10 or 50 in all: there
// nothing can be reserved. The way Single is for them too, so it reserves nothing;
// how often its queues run a function is bounded all the same (source.atOnce).
func reserved(d *deployment.Deployment, concurrency int) *float64 {
	if d.Way == deployment.Single {
		return nil
	}
	return num(float64(concurrency))
}

// newFunctionRole adds the role of one function. Its permissions are part of
// it, so that no function runs before it has them.
func newFunctionRole(scope constructs.Construct, d *deployment.Deployment, id string, f function) awsiam.CfnRole {
	w := worldOf(d)
	return newRole(scope, id+"Role", roleConfig{
		name: f.role, path: deployment.Path, description: "rolewarden: what the function " + f.name + " may do.",
		trust: grants.FunctionTrust(w, f.word), policy: grants.Function(w, f.word, f.resources),
	})
}

// roleConfig says what a role is.
type roleConfig struct {
	name, path, description string
	trust                   grants.Document
	// policy is the role's one inline policy; without statements there is none.
	policy grants.Document
}

// newRole adds a role.
func newRole(scope constructs.Construct, id string, c roleConfig) awsiam.CfnRole {
	p := awsiam.CfnRoleProps{
		RoleName: str(c.name), Path: str(c.path), Description: str(c.description), AssumeRolePolicyDocument: c.trust.Value(),
	}
	if len(c.policy.Statement) > 0 {
		p.Policies = []any{&awsiam.CfnRole_PolicyProperty{PolicyName: str("rolewarden"), PolicyDocument: c.policy.Value()}}
	}
	return awsiam.NewCfnRole(scope, str(id), &p)
}
