package judge

import (
	"fmt"
	"strings"
)

// Kind is what sort of caller makes a request.
type Kind int

// The kinds of caller. The zero value matches nothing but "*".
const (
	Unknown Kind = iota
	RootUser
	User
	RoleSession
	FederatedUser
	Service
	Federated // web identity or SAML, before it has a role
)

// String gives the kind's name.
func (k Kind) String() string {
	switch k {
	case Unknown:
		return "Unknown"
	case RootUser:
		return "RootUser"
	case User:
		return "User"
	case RoleSession:
		return "RoleSession"
	case FederatedUser:
		return "FederatedUser"
	case Service:
		return "Service"
	case Federated:
		return "Federated"
	default:
		return fmt.Sprintf("Kind(%d)", int(k))
	}
}

// Caller is who asks. Name is a service's or an identity provider's name.
// RoleARN and RoleID belong to the role behind a session. ID is the unique ID
// of a user.
type Caller struct {
	Kind    Kind
	Account string
	ARN     string
	ID      string
	RoleARN string
	RoleID  string
	Name    string
}

// Strength says how closely a trust policy names the caller: AWS asks for an
// identity policy beside a trust that names only the account.
type Strength int

// The strengths, weakest first.
const (
	NotNamed Strength = iota
	NamedAccount
	NamedEveryone
	NamedRole
	NamedExactly
)

// String gives the strength's name.
func (s Strength) String() string {
	switch s {
	case NotNamed:
		return "NotNamed"
	case NamedAccount:
		return "NamedAccount"
	case NamedEveryone:
		return "NamedEveryone"
	case NamedRole:
		return "NamedRole"
	case NamedExactly:
		return "NamedExactly"
	default:
		return fmt.Sprintf("Strength(%d)", int(s))
	}
}

// Match finds the closest way in which the element names the caller. IAM User
// Guide, reference_policies_elements_principal.
func (p *Principals) Match(c Caller) Strength {
	if p.Everyone {
		return NamedEveryone
	}
	switch c.Kind {
	case Service:
		return named(p.Service, c.Name)
	case Federated:
		return named(p.Federated, c.Name)
	case RootUser, User, RoleSession, FederatedUser:
		best := NotNamed
		for _, name := range p.AWS {
			best = max(best, matchAWS(name, c))
		}
		return best
	case Unknown:
		return NotNamed
	default:
		return NotNamed
	}
}

func named(list []string, name string) Strength {
	for _, item := range list {
		if item == "*" {
			return NamedEveryone
		}
		if item == name {
			return NamedExactly
		}
	}
	return NotNamed
}

// matchAWS compares one AWS principal with a caller. Unique IDs stand for the
// user or role they were given to; an ARN here is one that was never turned
// into an ID.
func matchAWS(name string, c Caller) Strength {
	switch {
	case name == "*":
		return NamedEveryone
	case name == c.Account, isRoot(name, c.Account):
		return NamedAccount
	case name == c.ARN, c.ID != "" && name == c.ID:
		return NamedExactly
	case c.RoleID != "" && name == c.RoleID+":"+sessionName(c.ARN):
		return NamedExactly
	case c.RoleARN != "" && name == c.RoleARN, c.RoleID != "" && name == c.RoleID:
		return NamedRole
	default:
		return NotNamed
	}
}

func isRoot(name, account string) bool {
	parts := strings.Split(name, ":")
	return len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam" && parts[4] == account && parts[5] == "root"
}

func sessionName(arn string) string {
	return arn[strings.LastIndexByte(arn, '/')+1:]
}
