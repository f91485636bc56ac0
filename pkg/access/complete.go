package access

import (
	"maps"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Facts is what is known about accounts beyond the request.
type Facts interface {
	// OrganizationOf gives the id of the account's organization, "" when it is
	// in none; ok is false when that is not known.
	OrganizationOf(account string) (id string, ok bool)
}

// Complete gives a copy with the keys filled in that follow from the caller,
// unless the context already speaks of them, if only to say that they are
// absent (IAM User Guide, reference_policies_variables, "Principal key
// values"; reference_policies_condition-keys). Facts may be nil.
func (r Request) Complete(f Facts) Request {
	out := r
	out.Context = maps.Clone(r.Context)
	if out.Context == nil {
		out.Context = map[string]Value{}
	}
	for key, value := range r.Caller.keys(f) {
		if _, given := r.find(key); !given && value != "" {
			out.Context[key] = One(value)
		}
	}
	return out
}

// keys lists the context keys that follow from the caller; "" stands for absent.
func (c *Caller) keys(f Facts) map[string]string {
	switch {
	case c.Service != "":
		return map[string]string{"aws:PrincipalServiceName": c.Service}
	case c.Federated != "":
		// SAML identities have no such key when they assume a role.
		if p, err := policy.ParsePrincipal("Federated", c.Federated); err == nil && p.Kind == policy.OIDCProvider {
			return map[string]string{"aws:FederatedProvider": c.Federated}
		}
		return nil
	}
	p, ok := c.principal()
	if !ok {
		return nil
	}
	keys := c.principalKeys(p)
	keys["aws:PrincipalAccount"] = p.Account
	if f != nil {
		if id, known := f.OrganizationOf(p.Account); known {
			keys["aws:PrincipalOrgID"] = id
		}
	}
	return keys
}

func (c *Caller) principalKeys(p policy.Principal) map[string]string {
	switch p.Kind {
	case policy.User:
		return map[string]string{
			"aws:PrincipalArn": c.AWS, "aws:PrincipalType": "User",
			"aws:username": p.Name, "aws:userid": c.ID,
		}
	case policy.RoleSession:
		return map[string]string{
			"aws:PrincipalArn": c.roleARN(p), "aws:PrincipalType": "AssumedRole",
			"aws:userid": c.sessionID(p.Session),
		}
	case policy.Role:
		return map[string]string{
			"aws:PrincipalArn": c.AWS, "aws:PrincipalType": "AssumedRole",
			"aws:userid": c.sessionID(""),
		}
	case policy.FederatedUser:
		return map[string]string{
			"aws:PrincipalArn": c.AWS, "aws:PrincipalType": "FederatedUser",
			"aws:userid": p.Account + ":" + p.Name,
		}
	case policy.Account:
		return map[string]string{
			"aws:PrincipalArn": c.AWS, "aws:PrincipalType": "Account", "aws:userid": p.Account,
		}
	default:
		return map[string]string{}
	}
}

// roleARN gives the ARN of the role behind a session, whose own ARN loses the
// role's path: without an Issuer the path is taken to be "/".
func (c *Caller) roleARN(p policy.Principal) string {
	if c.Issuer != "" {
		return c.Issuer
	}
	return "arn:" + p.Partition + ":iam::" + p.Account + ":role/" + p.Name
}

// sessionID gives the aws:userid of a role session, ROLE-ID:SESSION-NAME, ""
// when a part of it is not known.
func (c *Caller) sessionID(session string) string {
	switch {
	case strings.Contains(c.ID, ":"):
		return c.ID
	case c.ID == "" || session == "":
		return ""
	default:
		return c.ID + ":" + session
	}
}
