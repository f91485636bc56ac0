// Package actions lists the AWS calls that rolewarden makes, by function, and
// the names its sessions bear.
//
// It gives values; permissions are made from them. It imports no SDK and calls
// nothing. A test holds it against the calls in the room awsapi, both ways.
package actions

import "slices"

// Action is one AWS call that one function makes.
type Action struct {
	// Name is the service and the call, such as "iam:GetRole".
	Name string
	// Function is one of the functions below.
	Function string
	// Under is whose credentials the call is made with.
	Under Session
	// Needs are the permissions that the call needs, where they are not named like it.
	Needs []string
	// Parts are the partitions of the ledger's table that a person's call is about,
	// as patterns of IAM (pkg/ledger, README). A call without any is about all of them.
	Parts []string
}

// Session says under which credentials a call is made.
type Session uint8

// The sessions. The zero value is the function's own role.
const (
	Own Session = iota
	// Reader is a session in a member account's reading role.
	Reader
	// Writer is a session in a member account's writing role. There are two
	// shapes of it: one writes trust policies and tags, the other sets the
	// permissions boundary, and neither does both.
	Writer
	// CanaryWriter is a session in the member account's role that may change the
	// canary's target, read the account's rule, and nothing else.
	CanaryWriter
	// RoleAccount are a person's own credentials of the account that a role is in,
	// beside those of the hub.
	RoleAccount
)

// String gives "own", "reader", "writer", "canary writer" or "role's account".
func (s Session) String() string {
	switch s {
	case Own:
		return "own"
	case Reader:
		return "reader"
	case Writer:
		return "writer"
	case CanaryWriter:
		return "canary writer"
	case RoleAccount:
		return "role's account"
	}
	return "session?"
}

// The functions.
const (
	Guard  = "guard"
	Notify = "notify"
	Sweep  = "sweep"
	Canary = "canary"
	// Doctor is no function: it runs where the operator is, under the
	// operator's own credentials, and only reads.
	Doctor = "doctor"
)

// How rolewarden's sessions are called. The member roles' trust policies may
// demand it.
const (
	// SessionPrefix begins every role session name.
	SessionPrefix = "rw-"
	// SourceIdentityPrefix begins every source identity.
	SourceIdentityPrefix = "rolewarden-"
	// ReaderSession and ReaderSourceIdentity are those of the reading sessions.
	ReaderSession        = SessionPrefix + "reader"
	ReaderSourceIdentity = SourceIdentityPrefix + "reader"
	// CanarySession and CanarySourceIdentity are those of the canary's sessions.
	CanarySession        = SessionPrefix + "canary"
	CanarySourceIdentity = SourceIdentityPrefix + "canary"
)

// All gives every call.
func All() []Action {
	return slices.Concat([]Action{
		// A source identity asks for a permission of its own (IAM User Guide,
		// id_credentials_temp_control-access_monitor).
		{Name: "sts:AssumeRole", Function: Guard, Needs: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}},

		{Name: "iam:GetRole", Function: Guard, Under: Reader},
		{Name: "iam:GetUser", Function: Guard, Under: Reader},
		// Only to see that nobody has a unique id whose end no event told of.
		{Name: "iam:GetAccountAuthorizationDetails", Function: Guard, Under: Reader},

		{Name: "iam:GetRole", Function: Guard, Under: Writer},
		{Name: "iam:UpdateAssumeRolePolicy", Function: Guard, Under: Writer},
		{Name: "iam:TagRole", Function: Guard, Under: Writer},
		{Name: "iam:UntagRole", Function: Guard, Under: Writer},
		{Name: "iam:PutRolePermissionsBoundary", Function: Guard, Under: Writer},

		{Name: "organizations:DescribeAccount", Function: Guard},
		// The guard checks seals and makes none: who reverts does not say to what.
		{Name: "kms:VerifyMac", Function: Guard},

		{Name: "sns:Publish", Function: Guard},
		{Name: "sqs:SendMessage", Function: Guard},

		{Name: "sqs:SendMessage", Function: Notify},
		{Name: "sqs:ChangeMessageVisibility", Function: Notify},
		{Name: "secretsmanager:GetSecretValue", Function: Notify},

		{Name: "sts:AssumeRole", Function: Canary, Needs: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}},
		{Name: "iam:GetRole", Function: Canary, Under: CanaryWriter},
		{Name: "iam:UpdateAssumeRolePolicy", Function: Canary, Under: CanaryWriter},
		// EventBridge's permissions have another name than its SDK.
		{Name: "eventbridge:DescribeRule", Function: Canary, Under: CanaryWriter, Needs: []string{"events:DescribeRule"}},
		{Name: "organizations:ListAccountsForParent", Function: Canary},
		{Name: "organizations:ListOrganizationalUnitsForParent", Function: Canary},
		{Name: "dynamodb:GetItem", Function: Canary},
		{Name: "dynamodb:BatchGetItem", Function: Canary},
		{Name: "dynamodb:Query", Function: Canary},
		{Name: "sns:Publish", Function: Canary},
	}, ledger(Guard), sweep(), ledger(Sweep), doctor(), people())
}

// sweep gives the calls of the sweep, which reads, seals and tells. What is to
// be written to a role it hands to the guard, by its later queue.
func sweep() []Action {
	return []Action{
		{Name: "sts:AssumeRole", Function: Sweep, Needs: []string{"sts:AssumeRole", "sts:SetSourceIdentity"}},

		{Name: "iam:GetAccountAuthorizationDetails", Function: Sweep, Under: Reader},
		{Name: "iam:GetRole", Function: Sweep, Under: Reader},
		{Name: "iam:GetUser", Function: Sweep, Under: Reader},

		{Name: "organizations:DescribeAccount", Function: Sweep},
		{Name: "organizations:ListAccounts", Function: Sweep},

		{Name: "kms:GenerateMac", Function: Sweep},

		{Name: "sns:Publish", Function: Sweep},
		{Name: "sqs:SendMessage", Function: Sweep},
	}
}

// ledger gives the calls of a function that keeps the ledger.
func ledger(function string) []Action {
	out := []Action{
		{Name: "dynamodb:GetItem"},
		{Name: "dynamodb:BatchGetItem"},
		{Name: "dynamodb:Query"},
		{Name: "dynamodb:PutItem"},
		{Name: "dynamodb:UpdateItem"},
		{Name: "dynamodb:DeleteItem"},
		// A transaction has no permission of its own (Amazon DynamoDB Developer
		// Guide, transaction-apis-iam).
		{Name: "dynamodb:TransactWriteItems", Needs: []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}},
	}
	for i := range out {
		out[i].Function = function
	}
	return out
}

// doctor gives the doctor's calls.
func doctor() []Action {
	out := []Action{
		// EventBridge's permissions have another name than its SDK.
		{Name: "eventbridge:DescribeEventBus", Needs: []string{"events:DescribeEventBus"}},
		{Name: "eventbridge:DescribeRule", Needs: []string{"events:DescribeRule"}},
		{Name: "eventbridge:ListRules", Needs: []string{"events:ListRules"}},
		{Name: "eventbridge:ListTargetsByRule", Needs: []string{"events:ListTargetsByRule"}},
	}
	for _, name := range []string{
		"sts:GetCallerIdentity",
		"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors",
		"organizations:DescribeOrganization", "organizations:DescribeOrganizationalUnit", "organizations:ListRoots",
		"organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent",
		"organizations:ListAWSServiceAccessForOrganization", "organizations:ListDelegatedAdministrators", "organizations:ListPoliciesForTarget",
		"cloudformation:DescribeStacks", "cloudformation:DescribeStackSet", "cloudformation:ListStackInstances",
		"cloudwatch:DescribeAlarms", "sns:ListSubscriptionsByTopic",
		"sqs:GetQueueUrl", "sqs:GetQueueAttributes",
		"secretsmanager:GetSecretValue",
		"lambda:GetAccountSettings",
	} {
		out = append(out, Action{Name: name})
	}
	out = append(out, Action{Name: "dynamodb:GetItem", Parts: []string{killSwitch}})
	for i := range out {
		out[i].Function = Doctor
	}
	return out
}

// Permissions gives the permissions that a call needs, as IAM policies spell them.
func (a Action) Permissions() []string {
	if a.Needs != nil {
		return slices.Clone(a.Needs)
	}
	return []string{a.Name}
}

// Permissions gives what one function needs under one kind of session, sorted.
func Permissions(function string, under Session) []string {
	var out []string
	for _, a := range All() {
		if a.Function == function && a.Under == under {
			out = append(out, a.Permissions()...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
