package rules

import (
	"slices"
	"strings"
)

// sourceKeys says which source keys a service is documented to send when it
// assumes a role. The zero value is for a service whose pages say nothing.
type sourceKeys uint8

const (
	// undocumented services are not asked: to demand a key that they do not
	// send would lock them out.
	undocumented sourceKeys = iota
	// sendsNone: the page of its roles names no source key, or says that it
	// uses roles of its own account alone.
	sendsNone
	sendsARN
	sendsAccount
	sendsBoth
)

// String tells what is sent, in words.
func (k sourceKeys) String() string {
	switch k {
	case undocumented:
		return "what it sends is not documented"
	case sendsNone:
		return "none"
	case sendsBoth:
		return "aws:SourceArn and aws:SourceAccount"
	case sendsARN:
		return "aws:SourceArn"
	case sendsAccount:
		return "aws:SourceAccount"
	default:
		return "sourceKeys?"
	}
}

// account and arn say whether a request of the service has the key.
func (k sourceKeys) account() bool { return k == sendsAccount || k == sendsBoth }

func (k sourceKeys) arn() bool { return k == sendsARN || k == sendsBoth }

// grade says what a row rests on. The zero value is for what was not seen.
type grade uint8

const (
	// unseen: the page was not seen to say so.
	unseen grade = iota
	// seenForSome: a trust policy with the keys is shown for some of what the
	// service does with roles; another of its pages shows a role without, or
	// says that the keys do not always come.
	seenForSome
	// seen: a page shows the keys in the trust policy of the service's role, or
	// says that they may stand there.
	seen
)

// String tells it in a word or two.
func (g grade) String() string {
	switch g {
	case unseen:
		return "unconfirmed"
	case seenForSome:
		return "shown for some uses"
	case seen:
		return "shown"
	default:
		return "grade?"
	}
}

// assumer is a service that assumes roles of its customers.
type assumer struct {
	// name is the service principal without its region and .amazonaws.com.
	name  string
	sends sourceKeys
	grade grade
	// arn is the aws:SourceArn as the page writes it, without "arn:aws:".
	arn string
	// page is where AWS says so: the guide and the page.
	page string
}

// sure says whether every use of the service is known to send its keys, so that
// to demand them locks nothing out.
func (a assumer) sure() bool { return a.grade == seen }

// assumerOf gives the row of a service principal, whatever its region:
// states.amazonaws.com, states.eu-west-1.amazonaws.com and
// states.cn-north-1.amazonaws.com.cn are one service (IAM User Guide,
// reference_policies_elements_principal, "AWS service principals").
func assumerOf(principal string) assumer {
	name, ok := strings.CutSuffix(strings.TrimSuffix(principal, ".cn"), ".amazonaws.com")
	if !ok {
		return assumer{}
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 && isRegion(name[i+1:]) {
		name = name[:i]
	}
	rows := assumers()
	i, found := slices.BinarySearchFunc(rows, name, func(a assumer, n string) int { return strings.Compare(a.name, n) })
	if !found {
		return assumer{}
	}
	return rows[i]
}

// isRegion recognises such as us-east-1 and us-gov-west-1: words joined by
// hyphens, of which the last is one or two digits.
func isRegion(s string) bool {
	i := strings.LastIndexByte(s, '-')
	if i < 4 || strings.Count(s, "-") < 2 || len(s)-i > 3 {
		return false
	}
	return strings.Trim(s[i+1:], "0123456789") == "" && s[i+1:] != "" && strings.Trim(s[:i], "abcdefghijklmnopqrstuvwxyz-") == ""
}

// assumers is the table, by name. A service that is not in it is undocumented.
// The page of each that sends keys shows them in the trust policy of its role;
// pages that show them in the policies of other resources only, such as topics
// and buckets, do not count.
func assumers() []assumer { return assumerTable[:] }

var assumerTable = [...]assumer{
	{"airflow", sendsBoth, seen, "airflow:REGION:ACCOUNT:environment/NAME", "Amazon MWAA User Guide, cross-service-confused-deputy-prevention"},
	{"airflow-env", sendsBoth, seen, "airflow:REGION:ACCOUNT:environment/NAME", "Amazon MWAA User Guide, cross-service-confused-deputy-prevention"},
	{"amplify", sendsBoth, seen, "amplify:REGION:ACCOUNT:apps/*", "AWS Amplify User Guide, cross-service-confused-deputy-prevention"},
	{"amplifybackend", sendsBoth, seen, "amplify:REGION:ACCOUNT:apps/*", "AWS Amplify User Guide, cross-service-confused-deputy-prevention"},
	{"appstream", sendsBoth, seen, "appstream:REGION:ACCOUNT:fleet/NAME", "Amazon AppStream 2.0 Developer Guide, example-fleet-machine"},
	{"appsync", sendsARN, seen, "appsync:REGION:ACCOUNT:apis/*", "AWS AppSync Developer Guide, attaching-a-data-source"},
	{"autoscaling", sendsBoth, seen, "autoscaling:REGION:ACCOUNT:autoScalingGroup:ID:autoScalingGroupName/NAME", "Amazon EC2 Auto Scaling User Guide, cross-service-confused-deputy-prevention"},
	{"backup", sendsNone, seen, "", "AWS Backup Developer Guide, cross-service-confused-deputy-prevention (for keys and topics alone)"},
	{"batch", sendsBoth, seen, "batch:REGION:ACCOUNT:compute-environment/* and batch:REGION:ACCOUNT:job/*", "AWS Batch User Guide, cross-service-confused-deputy-prevention"},
	{"batchoperations.s3", sendsNone, unseen, "", "Amazon S3 User Guide, batch-ops-iam-role-policies"},
	{"bedrock", sendsBoth, seen, "bedrock:REGION:ACCOUNT:knowledge-base/*", "Amazon Bedrock User Guide, kb-permissions"},
	{"cloudformation", sendsBoth, seenForSome, "cloudformation:*:ACCOUNT:stackset/*", "AWS CloudFormation User Guide, stacksets-prereqs-self-managed (for StackSets)"},
	{"codebuild", sendsBoth, seen, "codebuild:REGION:ACCOUNT:project/NAME", "AWS CodeBuild User Guide, setting-up-service-role"},
	{"codedeploy", sendsBoth, seen, "codedeploy:REGION:ACCOUNT:deploymentgroup:APPLICATION/* or cloudformation:REGION:ACCOUNT:stack/NAME/*", "AWS CodeDeploy User Guide, getting-started-create-service-role"},
	{"codepipeline", sendsNone, unseen, "", "AWS CodePipeline User Guide, pipelines-create-service-role-cli"},
	{"comprehend", sendsBoth, seen, "comprehend:REGION:ACCOUNT:document-classifier-endpoint/NAME", "Amazon Comprehend Developer Guide, cross-service-confused-deputy-prevention"},
	{"config", sendsBoth, seen, "config:REGION:ACCOUNT:*", "AWS Config Developer Guide, iamrole-permissions"},
	{"credentials.iot", sendsBoth, seen, "iot:REGION:ACCOUNT:rolealias/NAME", "AWS IoT Core Developer Guide, cross-service-confused-deputy-prevention"},
	{"datasync", sendsBoth, seen, "datasync:REGION:ACCOUNT:*", "AWS DataSync User Guide, cross-service-confused-deputy-prevention"},
	{"datazone", sendsAccount, seen, "", "Amazon SageMaker Unified Studio Administrator Guide, AmazonSageMakerDomainExecution"},
	{"dms", sendsBoth, seenForSome, "dms:REGION:ACCOUNT:rep:NAME, :endpoint:*, :task:*", "AWS DMS User Guide, cross-service-confused-deputy-prevention (by engines from 3.4.7 on)"},
	{"ds", sendsBoth, seen, "ds:REGION:ACCOUNT:directory/ID", "AWS Directory Service Administration Guide, cross-service-confused-deputy-prevention"},
	{"ec2", sendsNone, unseen, "", "Amazon EC2 User Guide, iam-roles-for-amazon-ec2"},
	{"ecs-tasks", sendsBoth, seenForSome, "ecs:REGION:ACCOUNT:*", "Amazon ECS Developer Guide, task-iam-roles (for task roles; task_execution_IAM_role shows none)"},
	{"edgelambda", sendsNone, unseen, "", "Amazon CloudFront Developer Guide, lambda-edge-permissions"},
	{"eks", sendsBoth, seen, "eks:REGION:ACCOUNT:cluster/NAME", "Amazon EKS User Guide, cross-service-confused-deputy-prevention"},
	{"eks-fargate-pods", sendsARN, seen, "eks:REGION:ACCOUNT:fargateprofile/CLUSTER/*", "Amazon EKS User Guide, pod-execution-role"},
	{"elasticmapreduce", sendsBoth, seen, "elasticmapreduce:*:ACCOUNT:*", "Amazon EMR Management Guide, emr-iam-role"},
	{"es", sendsBoth, seenForSome, "es:REGION:ACCOUNT:domain/NAME", "Amazon OpenSearch Service Developer Guide, cross-service-confused-deputy-prevention (managedomains-snapshots shows none)"},
	{"events", sendsBoth, seen, "events:*:ACCOUNT:rule/NAME", "Amazon EventBridge User Guide, cross-service-confused-deputy-prevention"},
	{"firehose", sendsNone, unseen, "", "Amazon Data Firehose Developer Guide, controlling-access (it gives the account as sts:ExternalId)"},
	{"fis", sendsBoth, seen, "fis:REGION:ACCOUNT:experiment/*", "AWS Fault Injection Service User Guide, getting-started-iam-service-role"},
	{"forecast", sendsNone, unseen, "", "Amazon Forecast API Reference, API_EncryptionConfig (roles of its own account alone)"},
	{"frauddetector", sendsBoth, seen, "frauddetector:REGION:ACCOUNT:external-model/NAME", "Amazon Fraud Detector User Guide, confused-deputy-prevention"},
	{"glue", sendsNone, unseen, "", "AWS Glue Developer Guide, create-an-iam-role"},
	{"greengrass", sendsBoth, seen, "greengrass:REGION:ACCOUNT:*", "AWS IoT Greengrass Developer Guide, service-role"},
	{"hooks.cloudformation", sendsBoth, seen, "cloudformation:REGION:ACCOUNT:type/hook/NAME", "AWS CloudFormation User Guide, registry-public"},
	{"iot", sendsBoth, seenForSome, "iot:REGION:ACCOUNT:*", "AWS IoT Core Developer Guide, cross-service-confused-deputy-prevention (not with every service that it works with, it says)"},
	{"iotevents", sendsNone, seen, "", "AWS IoT Events Developer Guide, cross-service-confused-deputy-prevention (roles of its own account alone)"},
	{"iotsitewise", sendsBoth, seen, "iotsitewise:*:ACCOUNT:*", "AWS IoT SiteWise User Guide, cross-service-confused-deputy-prevention"},
	{"kafkaconnect", sendsBoth, seen, "kafkaconnect:REGION:ACCOUNT:connector/*", "Amazon MSK Developer Guide, cross-service-confused-deputy-prevention"},
	{"lambda", sendsNone, unseen, "", "AWS Lambda Developer Guide, lambda-intro-execution-role (roles of its own account alone)"},
	{"logs", sendsARN, seen, "logs:REGION:ACCOUNT:*", "Amazon CloudWatch Logs User Guide, SubscriptionFilters"},
	{"mediaconvert", sendsBoth, seen, "mediaconvert:*:ACCOUNT:queues/NAME", "AWS Elemental MediaConvert User Guide, cross-service-confused-deputy-prevention"},
	{"mediatailor", sendsBoth, seen, "mediatailor:REGION:ACCOUNT:playbackConfiguration/*", "AWS Elemental MediaTailor User Guide, cross-service-confused-deputy-prevention"},
	{"monitoring.rds", sendsBoth, seen, "rds:REGION:ACCOUNT:db:NAME", "Amazon RDS User Guide, USER_Monitoring.OS.Enabling"},
	{"opsworks-cm", sendsBoth, seen, "opsworks-cm:REGION:ACCOUNT:server/*", "AWS OpsWorks User Guide, cross-service-confused-deputy-prevention"},
	{"osis-pipelines", sendsBoth, seen, "osis:REGION:ACCOUNT:pipeline/*", "Amazon OpenSearch Service Developer Guide, pipeline-domain-access"},
	{"personalize", sendsBoth, seen, "personalize:REGION:ACCOUNT:*", "Amazon Personalize Developer Guide, cross-service-confused-deputy-prevention"},
	{"pipes", sendsBoth, seen, "pipes:*:ACCOUNT:pipe/NAME", "Amazon EventBridge User Guide, cross-service-confused-deputy-prevention"},
	{"pods.eks", sendsNone, seen, "", "Amazon EKS User Guide, pod-id-role (it gives session tags)"},
	{"proton", sendsBoth, seen, "proton:*:ACCOUNT:environment/*", "AWS Proton User Guide, cross-service-confused-deputy-prevention"},
	{"rds", sendsBoth, seenForSome, "rds:REGION:ACCOUNT:db:NAME", "Amazon RDS User Guide, cross-service-confused-deputy-prevention (rds-proxy-iam-setup shows none)"},
	{"redshift", sendsBoth, seen, "redshift:REGION:ACCOUNT:cluster:NAME", "Amazon Redshift Management Guide, cross-service-confused-deputy-prevention"},
	{"redshift-serverless", sendsBoth, seen, "redshift-serverless:REGION:ACCOUNT:workgroup/NAME", "Amazon Redshift Management Guide, cross-service-confused-deputy-prevention"},
	{"rekognition", sendsBoth, seen, "rekognition:REGION:ACCOUNT:streamprocessor/*", "Amazon Rekognition Developer Guide, cross-service-confused-deputy-prevention"},
	{"resources.cloudformation", sendsBoth, seen, "cloudformation:REGION:ACCOUNT:type/resource/NAME", "AWS CloudFormation User Guide, cross-service-confused-deputy-prevention"},
	{"rolesanywhere", sendsBoth, seen, "rolesanywhere:REGION:ACCOUNT:trust-anchor/ID", "IAM Roles Anywhere User Guide, trust-model"},
	{"s3", sendsNone, unseen, "", "Amazon S3 User Guide, setting-repl-config-perm-overview"},
	{"sagemaker", sendsARN, seenForSome, "sagemaker:REGION:ACCOUNT:*", "Amazon SageMaker Developer Guide, security-confused-deputy-prevention (for the features it lists)"},
	{"scheduler", sendsBoth, seen, "scheduler:*:ACCOUNT:schedule-group/NAME", "EventBridge Scheduler User Guide, cross-service-confused-deputy-prevention (a group, never a schedule)"},
	{"sms-voice", sendsBoth, seen, "sms-voice:REGION:ACCOUNT:configuration-set/NAME", "AWS End User Messaging SMS User Guide, configuration-sets-cloud-watch-creating-role"},
	{"spotfleet", sendsBoth, seen, "ec2:REGION:ACCOUNT:spot-fleet-request/sfr-*", "Amazon EC2 User Guide, spot-fleet-prerequisites"},
	{"ssm", sendsBoth, seenForSome, "ssm:REGION:ACCOUNT:*", "AWS Systems Manager User Guide, cross-service-confused-deputy-prevention (for hybrid activations)"},
	{"ssm-incidents", sendsARN, seen, "ssm-incidents:*:ACCOUNT:incident-record/PLAN/*", "Incident Manager User Guide, cross-service-confused-deputy-prevention"},
	{"states", sendsBoth, seen, "states:REGION:ACCOUNT:stateMachine:*", "AWS Step Functions Developer Guide, procedure-create-iam-role"},
	{"textract", sendsBoth, seen, "textract:*:ACCOUNT:*", "Amazon Textract Developer Guide, cross-service-confused-deputy-prevention"},
	{"transcribe", sendsBoth, seen, "transcribe:REGION:ACCOUNT:*", "Amazon Transcribe Developer Guide, security_iam_id-based-policy-examples"},
	{"transfer", sendsBoth, seen, "transfer:REGION:ACCOUNT:user/*, :server/*, :workflow/*", "AWS Transfer Family User Guide, confused-deputy"},
	{"voiceid", sendsBoth, seen, "voiceid:REGION:ACCOUNT:domain/NAME", "Amazon Connect Administrator Guide, cross-service-confused-deputy-prevention"},
	{"vpc-flow-logs", sendsBoth, seen, "ec2:REGION:ACCOUNT:vpc-flow-log/ID", "Amazon VPC User Guide, flow-logs-iam-role"},
}
