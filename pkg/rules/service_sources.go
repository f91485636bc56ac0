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
	// sendsForSome: the pages name source keys for some of what the service
	// does with roles and not for the rest.
	sendsForSome
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
	case sendsForSome, sendsBoth:
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
func (k sourceKeys) account() bool {
	return k == sendsAccount || k == sendsBoth || k == sendsForSome
}

func (k sourceKeys) arn() bool { return k == sendsARN || k == sendsBoth || k == sendsForSome }

// assumer is a service that assumes roles of its customers.
type assumer struct {
	// name is the service principal without its region and .amazonaws.com.
	name  string
	sends sourceKeys
	// page is where AWS says so: the guide and the page.
	page string
}

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
// pages that show them in the policies of other resources only do not count.
func assumers() []assumer { return assumerTable[:] }

var assumerTable = [...]assumer{
	{"airflow", sendsBoth, "Amazon MWAA User Guide, cross-service-confused-deputy-prevention"},
	{"airflow-env", sendsBoth, "Amazon MWAA User Guide, cross-service-confused-deputy-prevention"},
	{"amplify", sendsBoth, "AWS Amplify User Guide, cross-service-confused-deputy-prevention"},
	{"amplifybackend", sendsBoth, "AWS Amplify User Guide, cross-service-confused-deputy-prevention"},
	{"appstream", sendsBoth, "Amazon AppStream 2.0 Developer Guide, example-fleet-machine"},
	{"appsync", sendsARN, "AWS AppSync Developer Guide, security_iam_service-with-iam"},
	{"autoscaling", sendsBoth, "Amazon EC2 Auto Scaling User Guide, cross-service-confused-deputy-prevention"},
	{"backup", sendsNone, "AWS Backup Developer Guide, iam-service-roles"},
	{"batch", sendsBoth, "AWS Batch User Guide, cross-service-confused-deputy-prevention"},
	{"batchoperations.s3", sendsNone, "Amazon S3 User Guide, batch-ops-iam-role-policies"},
	{"bedrock", sendsBoth, "Amazon Bedrock User Guide, kb-permissions and agents-permissions"},
	{"cloudformation", sendsForSome, "AWS CloudFormation User Guide, stacksets-prereqs-self-managed (for StackSets)"},
	{"codebuild", sendsBoth, "AWS CodeBuild User Guide, setting-up-service-role"},
	{"codedeploy", sendsBoth, "AWS CodeDeploy User Guide, getting-started-create-service-role"},
	{"codepipeline", sendsNone, "AWS CodePipeline User Guide, pipelines-create-service-role-cli"},
	{"comprehend", sendsBoth, "Amazon Comprehend Developer Guide, cross-service-confused-deputy-prevention"},
	{"config", sendsBoth, "AWS Config Developer Guide, iamrole-permissions"},
	{"datasync", sendsBoth, "AWS DataSync User Guide, cross-service-confused-deputy-prevention"},
	{"datazone", sendsAccount, "Amazon SageMaker Unified Studio Administrator Guide, AmazonSageMakerDomainExecution"},
	{"dms", sendsBoth, "AWS DMS User Guide, cross-service-confused-deputy-prevention"},
	{"ds", sendsBoth, "AWS Directory Service Administration Guide, cross-service-confused-deputy-prevention"},
	{"ec2", sendsNone, "Amazon EC2 User Guide, iam-roles-for-amazon-ec2"},
	{"ecs-tasks", sendsBoth, "Amazon ECS Developer Guide, task-iam-roles"},
	{"edgelambda", sendsNone, "Amazon CloudFront Developer Guide, lambda-edge-permissions"},
	{"eks", sendsBoth, "Amazon EKS User Guide, cross-service-confused-deputy-prevention"},
	{"eks-fargate-pods", sendsARN, "Amazon EKS User Guide, pod-execution-role"},
	{"elasticmapreduce", sendsBoth, "Amazon EMR Management Guide, emr-iam-role"},
	{"es", sendsBoth, "Amazon OpenSearch Service Developer Guide, cross-service-confused-deputy-prevention"},
	{"events", sendsBoth, "Amazon EventBridge User Guide, cross-service-confused-deputy-prevention"},
	{"firehose", sendsNone, "Amazon Data Firehose Developer Guide, controlling-access (it gives the account as sts:ExternalId)"},
	{"fis", sendsBoth, "AWS Fault Injection Service User Guide, getting-started-iam-service-role"},
	{"forecast", sendsNone, "Amazon Forecast API Reference, API_EncryptionConfig (roles of its own account alone)"},
	{"frauddetector", sendsBoth, "Amazon Fraud Detector User Guide, confused-deputy-prevention"},
	{"glue", sendsNone, "AWS Glue Developer Guide, create-an-iam-role"},
	{"greengrass", sendsBoth, "AWS IoT Greengrass Developer Guide, greengrass-service-role"},
	{"hooks.cloudformation", sendsBoth, "CloudFormation CLI User Guide, cross-service-confused-deputy-prevention"},
	{"iot", sendsBoth, "AWS IoT Core Developer Guide, cross-service-confused-deputy-prevention"},
	{"iotevents", sendsNone, "AWS IoT Events Developer Guide, cross-service-confused-deputy-prevention (roles of its own account alone)"},
	{"iotsitewise", sendsBoth, "AWS IoT SiteWise User Guide, cross-service-confused-deputy-prevention"},
	{"kafkaconnect", sendsBoth, "Amazon MSK Developer Guide, msk-connect-service-execution-role"},
	{"lambda", sendsNone, "AWS Lambda Developer Guide, lambda-intro-execution-role (roles of its own account alone)"},
	{"logs", sendsARN, "Amazon CloudWatch Logs User Guide, SubscriptionFilters"},
	{"mediaconvert", sendsBoth, "AWS Elemental MediaConvert User Guide, cross-service-confused-deputy-prevention"},
	{"mediatailor", sendsBoth, "AWS Elemental MediaTailor User Guide, cross-service-confused-deputy-prevention"},
	{"monitoring.rds", sendsBoth, "Amazon RDS User Guide, USER_Monitoring.OS.Enabling"},
	{"opsworks-cm", sendsBoth, "AWS OpsWorks User Guide, cross-service-confused-deputy-prevention"},
	{"osis-pipelines", sendsBoth, "Amazon OpenSearch Service Developer Guide, pipeline-domain-access"},
	{"personalize", sendsBoth, "Amazon Personalize Developer Guide, cross-service-confused-deputy-prevention"},
	{"pipes", sendsBoth, "Amazon EventBridge User Guide, eb-pipes-permissions"},
	{"pods.eks", sendsNone, "Amazon EKS User Guide, pod-id-role (it gives session tags)"},
	{"proton", sendsBoth, "AWS Proton User Guide, cross-service-confused-deputy-prevention"},
	{"rds", sendsBoth, "Amazon RDS User Guide, cross-service-confused-deputy-prevention"},
	{"redshift", sendsBoth, "Amazon Redshift Management Guide, cross-service-confused-deputy-prevention"},
	{"rekognition", sendsBoth, "Amazon Rekognition Developer Guide, cross-service-confused-deputy-prevention"},
	{"resources.cloudformation", sendsBoth, "CloudFormation CLI User Guide, cross-service-confused-deputy-prevention"},
	{"rolesanywhere", sendsARN, "IAM Roles Anywhere User Guide, trust-model"},
	{"s3", sendsNone, "Amazon S3 User Guide, setting-repl-config-perm-overview"},
	{"sagemaker", sendsARN, "Amazon SageMaker Developer Guide, security-confused-deputy-prevention"},
	{"scheduler", sendsBoth, "EventBridge Scheduler User Guide, cross-service-confused-deputy-prevention"},
	{"sms-voice", sendsBoth, "AWS End User Messaging SMS User Guide, configuration-sets-cloud-watch-creating-role"},
	{"spotfleet", sendsBoth, "Amazon EC2 User Guide, spot-fleet-prerequisites"},
	{"ssm", sendsForSome, "AWS Systems Manager User Guide, cross-service-confused-deputy-prevention (for hybrid activations)"},
	{"ssm-incidents", sendsARN, "Incident Manager User Guide, cross-service-confused-deputy-prevention"},
	{"states", sendsBoth, "AWS Step Functions Developer Guide, procedure-create-iam-role"},
	{"textract", sendsBoth, "Amazon Textract Developer Guide, cross-service-confused-deputy-prevention"},
	{"transcribe", sendsBoth, "Amazon Transcribe Developer Guide, security_iam_id-based-policy-examples"},
	{"transfer", sendsBoth, "AWS Transfer Family User Guide, confused-deputy"},
	{"voiceid", sendsBoth, "Amazon Connect Administrator Guide, cross-service-confused-deputy-prevention"},
	{"vpc-flow-logs", sendsBoth, "Amazon VPC User Guide, flow-logs-iam-role"},
}
