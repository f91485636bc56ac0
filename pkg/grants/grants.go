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

import "github.com/rolewarden/rolewarden/pkg/deployment"

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
	// Partners are the accounts of the rules file's partners. The RCP lets them
	// in; whom a role lets in is for its trust policy to say.
	Partners []string
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

// busARN is the ARN of the hub's bus.
func (w World) busARN() string { return w.here("events", "event-bus/"+deployment.Bus) }

// logs is the service principal of CloudWatch Logs, which is regional and has
// a name of its own in China (Amazon CloudWatch Logs User Guide,
// encrypt-log-data-kms).
func (w World) logs() string {
	name := "logs." + w.Region + ".amazonaws.com"
	if w.Partition == "aws-cn" {
		name += ".cn"
	}
	return name
}

// via asks that a call to KMS comes through one of the services (AWS KMS
// Developer Guide, conditions-kms: kms:ViaService). In China the guide does not
// settle whether the names end in ".cn", so both are taken: a name that nobody
// has lets nobody in, and one that is missing would lock the ledger.
func (w World) via(services ...string) when {
	var names []string
	for _, s := range services {
		name := s + "." + w.Region + ".amazonaws.com"
		names = append(names, name)
		if w.Partition == "aws-cn" {
			names = append(names, name+".cn")
		}
	}
	return equals("kms:ViaService", names...)
}
