// Package grants renders every IAM document of rolewarden's own: trust
// policies, permissions, policies of bus, queues, topics and keys, the policies
// that guard the guardrail, and what a deployer needs.
//
// It takes a World and ARNs, and gives Documents as pure values, made from the
// list of AWS calls that the code declares (awsapi/actions) and the names of
// the deployment. What a function may do and no code of its own asks for is
// listed beside its reason. It calls nothing, reads no file and never looks
// into a text that it is given: that may be a placeholder which CloudFormation
// fills in.
package grants

import (
	"github.com/rolewarden/rolewarden/pkg/awsapi/actions"
	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// World is where the documents are to hold.
type World struct {
	// Partition is "aws", "aws-cn" or "aws-us-gov", Region the one where it
	// keeps IAM.
	Partition, Region string
	// Hub is the account that rolewarden works from.
	Hub string
	// Organization is the id of the organization; empty where there is none,
	// and then conditions on it are left out.
	Organization string
	// ExternalID is what the member roles ask for.
	ExternalID string
	// Account is the account that a member's document is for; a placeholder is
	// fine.
	Account string
	// Protected are the patterns of the rules file for roles that are never written.
	Protected []string
}

// The limits of AWS on documents, in characters (IAM User Guide,
// reference_iam-quotas; AWS Organizations User Guide,
// orgs_reference_limits). IAM does not count white space.
const (
	// MaxTrust is the default quota of a trust policy.
	MaxTrust = 2048
	// MaxInline bounds all inline policies of one role together.
	MaxInline = 10240
	// MaxManaged bounds one version of a managed policy.
	MaxManaged = 6144
	// MaxOrganization bounds an SCP and an RCP.
	MaxOrganization = 5120
)

// roleARN is a role of rolewarden's own; account may be "*".
func (w World) roleARN(account, name string) string {
	return w.iam(account, "role"+deployment.Path+name)
}

// iam gives an ARN of IAM, such as iam("111122223333", "role/app").
func (w World) iam(account, resource string) string {
	return "arn:" + w.Partition + ":iam::" + account + ":" + resource
}

// here gives an ARN in the hub, in its Region.
func (w World) here(service, resource string) string {
	return "arn:" + w.Partition + ":" + service + ":" + w.Region + ":" + w.Hub + ":" + resource
}

// BusARN is the ARN of the hub's bus.
func (w World) BusARN() string { return w.here("events", "event-bus/"+deployment.Bus) }

// dns ends the names of the partition's services (AWS China Regions differ).
func (w World) dns() string {
	if w.Partition == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// via names a service as kms:ViaService does (AWS KMS Developer Guide,
// conditions-kms: kms:ViaService).
func (w World) via(service string) string { return service + "." + w.Region + "." + w.dns() }

// roleOf gives the name of the role that a function runs under; empty for what
// is no function of rolewarden's.
func roleOf(function string) string {
	switch function {
	case actions.Guard:
		return deployment.GuardRole
	case actions.Notify:
		return deployment.NotifyRole
	case actions.Canary:
		return deployment.CanaryRole
	}
	return ""
}

// nameOf gives the name of a function.
func nameOf(function string) string {
	switch function {
	case actions.Guard:
		return deployment.GuardFunction
	case actions.Notify:
		return deployment.NotifyFunction
	case actions.Canary:
		return deployment.CanaryFunction
	}
	return ""
}
