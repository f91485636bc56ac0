package lab

import (
	"slices"
	"strings"
)

// Fits says whether AWS may answer a call in the way of the kind, so that who
// tries every fault on every call can name those that cannot be. The service
// is as in a signature's scope.
func (k FaultKind) Fits(service, action string) bool {
	call := service + ":" + action
	switch k {
	case NoFault:
		return false
	case Throttle, TimeoutBefore, TimeoutAfter, ServerError:
		return true
	case Malformed:
		return !silent(service, action)
	case AccessDenied:
		// STS API Reference, GetCallerIdentity: no permission is needed.
		return call != "sts:GetCallerIdentity"
	case NotFound:
		return looksUp(service, action)
	case StaleRead:
		return slices.Contains(staleReads, call)
	case PartialAnswer:
		return slices.Contains(inParts, call)
	case UnmodifiableEntity:
		return service == "iam" && !reads(action) && strings.Contains(action, "Role")
	case LimitExceeded:
		return service == "dynamodb" || service == "iam" && !reads(action)
	case ConcurrentModification:
		return service == "iam" && !reads(action) || slices.Contains(conflicting, call)
	case RefusePolicy:
		return slices.Contains(takesPolicy, call)
	default:
		return false
	}
}

func reads(action string) bool {
	return strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "List") || strings.HasPrefix(action, "Describe")
}

// silent says whether a call is answered with nothing, which clients do not
// read: a garbled answer is then no fault.
func silent(service, action string) bool {
	switch service {
	case "iam":
		return slices.ContainsFunc([]string{"Update", "Put", "Delete", "Tag", "Untag", "Attach", "Detach"}, func(verb string) bool { return strings.HasPrefix(action, verb) })
	case "sqs":
		return action == "DeleteMessage" || action == "ChangeMessageVisibility"
	case "kms":
		return action == "EnableKey" || action == "DisableKey"
	default:
		return false
	}
}

// looksUp says whether a call names something that may not be there. STS
// answers AccessDenied for a role that is not there.
func looksUp(service, action string) bool {
	switch service {
	case "sts":
		return false
	case "dynamodb":
		return action != "ListTables"
	case "iam":
		return !strings.HasPrefix(action, "Create") && action != "GetAccountAuthorizationDetails" &&
			!slices.Contains([]string{"ListRoles", "ListUsers", "ListAccountAliases"}, action)
	default:
		return !slices.Contains([]string{"DescribeOrganization", "ListAccounts", "ListRoots", "CreateQueue", "CreateTopic", "CreateSecret"}, action)
	}
}

var staleReads = []string{
	"iam:GetRole", "iam:GetUser", "iam:GetAccountAuthorizationDetails",
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan",
}

var inParts = []string{
	"iam:GetAccountAuthorizationDetails", "iam:ListRoles", "iam:ListUsers", "iam:ListRoleTags", "iam:ListAccessKeys",
	"iam:ListRolePolicies", "iam:ListUserPolicies", "iam:ListAttachedRolePolicies", "iam:ListAttachedUserPolicies",
	"organizations:ListAccounts", "organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent", "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:Query", "dynamodb:Scan",
}

var conflicting = []string{
	"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:TransactWriteItems", "dynamodb:TransactGetItems",
}

var takesPolicy = []string{
	"iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:CreatePolicy", "iam:AcquireRole",
	"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity",
}
