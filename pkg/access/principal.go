package access

import (
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Reasons why a principal is not settled.
const (
	whyAnyone    = "whether it covers callers that are no AWS principals is not documented"
	whyWildcard  = "what this wildcard covers is not documented"
	whyPrincipal = "this is no principal that AWS documents"
	whyID        = "the caller's unique id is not known"
	whySession   = "the caller's session is not known"
	whyFederator = "the user behind the federated-user session is not known"
	whyCanonical = "which account a canonical user id stands for is not known"
	whyCaller    = "the caller is not one that can be told apart"
)

// caller is a Caller taken apart.
type caller struct {
	kind callerKind
	// aws is who calls when kind is awsCaller. A role session's Path is that
	// of its role, "" when it is not known.
	aws policy.Principal
	// id is the unique id without the session's name.
	id string
	// name is the service's name or the identity provider.
	name string
	// partition of the role, which a bare account id means.
	partition string
}

type callerKind uint8

const (
	unclearCaller callerKind = iota
	awsCaller
	serviceCaller
	federatedCaller
)

func (r *Request) caller() caller {
	c := caller{partition: partitionOf(r.Role)}
	from := &r.Caller
	switch {
	case from.AWS != "" && from.Service == "" && from.Federated == "":
		p, ok := from.principal()
		if !ok {
			return c
		}
		c.kind, c.aws = awsCaller, p
		c.id, _, _ = strings.Cut(from.ID, ":")
	case from.AWS == "" && from.Service != "" && from.Federated == "":
		c.kind, c.name = serviceCaller, from.Service
	case from.AWS == "" && from.Service == "" && from.Federated != "":
		c.kind, c.name = federatedCaller, from.Federated
	}
	return c
}

// principal takes the caller's ARN apart. It is false for what cannot call,
// and for an Issuer that is not the role of the session.
func (c *Caller) principal() (policy.Principal, bool) {
	p, err := policy.ParsePrincipal("AWS", c.AWS)
	if err != nil || !strings.HasPrefix(c.AWS, "arn:") {
		return p, false
	}
	switch p.Kind {
	case policy.Account, policy.User, policy.Role, policy.FederatedUser:
		return p, c.Issuer == "" || p.Kind == policy.Role && c.Issuer == c.AWS
	case policy.RoleSession:
		if c.Issuer == "" {
			return p, true
		}
		role, err := policy.ParsePrincipal("AWS", c.Issuer)
		p.Path = role.Path
		return p, err == nil && role.Kind == policy.Role && role.Partition == p.Partition &&
			role.Account == p.Account && role.Name == p.Name
	default:
		return p, false
	}
}

// partitionOf gives the partition of a role's ARN, aws when there is none.
func partitionOf(role string) string {
	rest, ok := strings.CutPrefix(role, "arn:")
	if !ok {
		return "aws"
	}
	partition, _, _ := strings.Cut(rest, ":")
	return partition
}

// principals decides the Principal element; at is the principal that leaves it
// Unsettled.
func principals(ps *policy.Principals, c *caller) (result Tri, at int, why string) {
	if ps.Star {
		// Documented as equal to {"AWS":"*"}.
		result, why = anyone(c)
		return result, -1, why
	}
	result, at = No, -1
	for i := range ps.List {
		m, w := principal(&ps.List[i], c)
		switch m {
		case Yes:
			return Yes, i, ""
		case Unsettled:
			if result == No {
				result, at, why = Unsettled, i, w
			}
		case No:
		}
	}
	return result, at, why
}

// principal decides whether one principal covers the caller (IAM User Guide,
// reference_policies_elements_principal).
func principal(p *policy.Principal, c *caller) (Tri, string) {
	if c.kind == unclearCaller {
		return Unsettled, whyCaller
	}
	switch p.Kind {
	case policy.Anyone:
		return anyone(c)
	case policy.Service:
		return settled(c.kind == serviceCaller && c.name == p.Name), ""
	case policy.SAMLProvider, policy.OIDCProvider:
		return settled(c.kind == federatedCaller && c.name == p.Value), ""
	case policy.AnyService:
		return open(c.kind == serviceCaller), whyWildcard
	case policy.AnyFederated:
		return open(c.kind == federatedCaller), whyWildcard
	case policy.CanonicalUser:
		return open(c.kind == awsCaller), whyCanonical
	case policy.UnknownPrincipal:
		return unknownPrincipal(p, c), whyPrincipal
	default:
		return ofAccount(p, c)
	}
}

// ofAccount decides a principal that is an AWS account or lives in one.
func ofAccount(p *policy.Principal, c *caller) (Tri, string) {
	if c.kind != awsCaller {
		return No, ""
	}
	if p.Kind == policy.UniqueID {
		return uniqueID(p.Value, c), whyID
	}
	return awsPrincipal(p, c)
}

// open is Unsettled where a principal may cover the caller, else No.
func open(may bool) Tri {
	if may {
		return Unsettled
	}
	return No
}

func anyone(c *caller) (Tri, string) {
	if c.kind == awsCaller {
		return Yes, ""
	}
	return Unsettled, whyAnyone
}

// unknownPrincipal may cover any caller of the type it is written under.
func unknownPrincipal(p *policy.Principal, c *caller) Tri {
	switch p.Type {
	case "AWS":
		return open(c.kind == awsCaller)
	case "Service":
		return open(c.kind == serviceCaller)
	case "Federated":
		return open(c.kind == federatedCaller)
	default:
		return Unsettled
	}
}

// uniqueID compares ids; without the caller's, only the kind can tell them apart.
func uniqueID(id string, c *caller) Tri {
	if c.id != "" {
		return settled(c.id == id)
	}
	switch kind := c.aws.Kind; {
	case strings.HasPrefix(id, "AIDA"):
		return open(kind == policy.User || kind == policy.FederatedUser)
	case strings.HasPrefix(id, "AROA"):
		return open(kind == policy.RoleSession || kind == policy.Role)
	default:
		// AWS gives no guarantee that it uses no other prefix.
		return open(kind != policy.Account)
	}
}

// awsPrincipal compares the principals that live in an account.
func awsPrincipal(p *policy.Principal, c *caller) (Tri, string) {
	partition := p.Partition
	if partition == "" {
		partition = c.partition
	}
	who := &c.aws
	if who.Account != p.Account || who.Partition != partition {
		return No, ""
	}
	switch p.Kind {
	case policy.Account:
		// The whole account, not only its root user.
		return Yes, ""
	case policy.User:
		if who.Kind == policy.FederatedUser {
			return Unsettled, whyFederator
		}
		return settled(who.Kind == policy.User && who.Value == p.Value), ""
	case policy.Role:
		if who.Kind != policy.RoleSession && who.Kind != policy.Role {
			return No, ""
		}
		return settled(who.Name == p.Name && (who.Path == "" || who.Path == p.Path)), ""
	case policy.RoleSession:
		if who.Kind == policy.Role && who.Name == p.Name {
			return Unsettled, whySession
		}
		return settled(who.Kind == policy.RoleSession && who.Value == p.Value), ""
	case policy.FederatedUser:
		return settled(who.Kind == policy.FederatedUser && who.Value == p.Value), ""
	default:
		return Unsettled, whyPrincipal
	}
}
