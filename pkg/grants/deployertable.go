package grants

import "maps"

// DeployerTable gives, for each type of resource in rolewarden's templates, the
// permissions that CloudFormation needs to create, read, update and delete it
// (the type's schema, handlers; what it lists for properties that rolewarden
// does not use is left out).
func DeployerTable() map[string][]string {
	out := movingParts()
	maps.Copy(out, standingParts())
	maps.Copy(out, organizationParts())
	return out
}

// movingParts are what events and alerts go through.
func movingParts() map[string][]string {
	return map[string][]string{
		"AWS::DynamoDB::Table": {
			"dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeContinuousBackups", "dynamodb:DescribeContributorInsights",
			"dynamodb:DescribeKinesisStreamingDestination", "dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:GetResourcePolicy",
			"dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource", "dynamodb:UpdateContinuousBackups",
			"dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListAliases",
		},
		"AWS::Events::EventBus": {
			"events:CreateEventBus", "events:DeleteEventBus", "events:DescribeEventBus", "events:ListTagsForResource", "events:PutPermission",
			"events:RemovePermission", "events:TagResource", "events:UntagResource", "events:UpdateEventBus",
		},
		"AWS::Events::EventBusPolicy": {"events:DescribeEventBus", "events:PutPermission", "events:RemovePermission"},
		"AWS::Events::Rule": {
			"events:DeleteRule", "events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule", "events:PutRule", "events:PutTargets",
			"events:RemoveTargets", "events:TagResource", "events:UntagResource", "iam:PassRole",
		},
		"AWS::Lambda::EventInvokeConfig": {
			"lambda:DeleteFunctionEventInvokeConfig", "lambda:GetFunctionEventInvokeConfig", "lambda:PutFunctionEventInvokeConfig", "lambda:UpdateFunctionEventInvokeConfig",
		},
		"AWS::Lambda::EventSourceMapping": {
			"lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:GetEventSourceMapping", "lambda:ListTags", "lambda:TagResource",
			"lambda:UntagResource", "lambda:UpdateEventSourceMapping",
		},
		"AWS::Lambda::Function": {
			"iam:PassRole", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "lambda:CreateFunction", "lambda:DeleteFunction",
			"lambda:DeleteFunctionConcurrency", "lambda:GetFunction", "lambda:GetFunctionCodeSigningConfig", "lambda:GetFunctionRecursionConfig",
			"lambda:GetFunctionScalingConfig", "lambda:GetRuntimeManagementConfig", "lambda:PutFunctionConcurrency", "lambda:PutFunctionRecursionConfig",
			"lambda:TagResource", "lambda:UntagResource", "lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "s3:GetObject", "s3:GetObjectVersion",
		},
		"AWS::Lambda::Permission": {"lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"},
		"AWS::SNS::Subscription":  {"sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Subscribe", "sns:Unsubscribe"},
		"AWS::SNS::Topic": {
			"sns:CreateTopic", "sns:DeleteTopic", "sns:GetDataProtectionPolicy", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
			"sns:ListTagsForResource", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource",
		},
		"AWS::SNS::TopicPolicy": {"sns:SetTopicAttributes"},
		"AWS::SQS::Queue": {
			"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags", "sqs:SetQueueAttributes",
			"sqs:TagQueue", "sqs:UntagQueue",
		},
		"AWS::SQS::QueuePolicy": {"sqs:SetQueueAttributes"},
	}
}

// standingParts are what those rest on, and what watches them.
func standingParts() map[string][]string {
	return map[string][]string{
		"AWS::CloudWatch::Alarm":     {"cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"},
		"AWS::CloudWatch::Dashboard": {"cloudwatch:DeleteDashboards", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource", "cloudwatch:PutDashboard", "cloudwatch:TagResource", "cloudwatch:UntagResource"},
		// No template attaches a policy or sets a boundary, so neither is here.
		"AWS::IAM::Role": {
			"iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
			"iam:ListRolePolicies", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
			"iam:UpdateRoleDescription",
		},
		"AWS::KMS::Alias": {"kms:CreateAlias", "kms:DeleteAlias", "kms:ListAliases", "kms:UpdateAlias"},
		"AWS::KMS::Key": {
			"kms:CreateKey", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy",
			"kms:GetKeyRotationStatus", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
			"kms:UpdateKeyDescription",
		},
		"AWS::Logs::LogGroup": {
			"logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteDataProtectionPolicy", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy",
			"logs:DescribeIndexPolicies", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:DisassociateKmsKey", "logs:GetDataProtectionPolicy",
			"logs:ListTagsForResource", "logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource",
		},
		"AWS::Logs::QueryDefinition": {"logs:DeleteQueryDefinition", "logs:DescribeQueryDefinitions", "logs:PutQueryDefinition"},
		"AWS::SecretsManager::Secret": {
			"kms:Decrypt", "kms:GenerateDataKey", "secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret",
			"secretsmanager:GetSecretValue", "secretsmanager:TagResource", "secretsmanager:UntagResource", "secretsmanager:UpdateSecret",
		},
	}
}

// organizationParts are what reaches into other accounts.
func organizationParts() map[string][]string {
	return map[string][]string{
		"AWS::CloudFormation::StackSet": {
			"cloudformation:CreateStackInstances", "cloudformation:CreateStackSet", "cloudformation:DeleteStackInstances", "cloudformation:DeleteStackSet",
			"cloudformation:DescribeStackInstance", "cloudformation:DescribeStackSet", "cloudformation:DescribeStackSetOperation",
			"cloudformation:GetTemplateSummary", "cloudformation:ListStackInstances", "cloudformation:ListStackSetOperationResults",
			"cloudformation:TagResource", "cloudformation:UntagResource", "cloudformation:UpdateStackInstances", "cloudformation:UpdateStackSet",
			// CloudFormation asks it who the delegated administrators are.
			"organizations:ListDelegatedAdministrators",
		},
		"AWS::Organizations::Policy": {
			"organizations:AttachPolicy", "organizations:CreatePolicy", "organizations:DeletePolicy", "organizations:DescribePolicy",
			"organizations:DetachPolicy", "organizations:ListPolicies", "organizations:ListTagsForResource", "organizations:ListTargetsForPolicy",
			"organizations:TagResource", "organizations:UntagResource", "organizations:UpdatePolicy",
		},
	}
}
