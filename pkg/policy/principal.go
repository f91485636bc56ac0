package policy

import "strings"

// ParsePrincipal takes apart one principal, written under one of the types
// AWS, Service, Federated and CanonicalUser. What it does not know becomes an
// UnknownPrincipal; its error, a *SyntaxError without a place, is for what can
// only be a slip: no text, blank space around it, or an unknown type.
func ParsePrincipal(typ, value string) (Principal, error) {
	p := Principal{Type: typ, Value: value}
	if bare := strings.TrimSpace(value); bare == "" {
		return p, &SyntaxError{Problem: "the principal is empty", Value: show(value), Remedy: "name a principal"}
	} else if bare != value {
		return p, &SyntaxError{
			Problem: "there is blank space around the principal", Value: show(value), Remedy: "write " + show(bare),
		}
	}
	switch typ {
	case "AWS":
		p.awsPrincipal()
	case "Service":
		p.servicePrincipal()
	case "Federated":
		p.federatedPrincipal()
	case "CanonicalUser":
		p.Kind = CanonicalUser
	default:
		return p, &SyntaxError{
			Problem: "unknown type of principal", Value: show(typ), Remedy: "write AWS, Service, Federated or CanonicalUser",
		}
	}
	return p, nil
}

func (p *Principal) awsPrincipal() {
	switch {
	case p.Value == "*":
		p.Kind = Anyone
	case IsAccountID(p.Value):
		p.Kind, p.Account = Account, p.Value
	case isUniqueID(p.Value):
		p.Kind = UniqueID
	default:
		if a, ok := splitARN(p.Value); ok {
			p.awsARN(a)
		}
	}
}

// awsARN fills in the parts of a user, role, session or account ARN (IAM User
// Guide, reference_identifiers).
func (p *Principal) awsARN(a arn) {
	kind, rest, named := strings.Cut(a.resource, "/")
	switch {
	case a.service == "iam" && a.resource == "root":
		p.Kind = Account
	case a.service == "iam" && named && (kind == "user" || kind == "role"):
		slash := strings.LastIndexByte(a.resource, '/')
		p.Path, p.Name = a.resource[len(kind):slash+1], a.resource[slash+1:]
		p.Kind = Role
		if kind == "user" {
			p.Kind = User
		}
	case a.service == "sts" && kind == "assumed-role":
		p.Name, p.Session, _ = strings.Cut(rest, "/")
		p.Kind = RoleSession
		if p.Session == "" || strings.Contains(p.Session, "/") {
			p.Name = ""
		}
	case a.service == "sts" && kind == "federated-user":
		p.Kind, p.Name = FederatedUser, rest
	}
	if p.Kind != Account && p.Name == "" {
		p.forget()
		return
	}
	p.Partition, p.Account = a.partition, a.account
}

// forget makes the principal unknown again.
func (p *Principal) forget() { *p = Principal{Type: p.Type, Value: p.Value} }

func (p *Principal) servicePrincipal() {
	switch {
	case p.Value == "*":
		p.Kind = AnyService
	case !strings.ContainsAny(p.Value, "*?:/ ") && strings.Contains(p.Value, "."):
		p.Kind, p.Name = Service, p.Value
	}
}

func (p *Principal) federatedPrincipal() {
	switch p.Value {
	case "*":
		p.Kind = AnyFederated
		return
	case "accounts.google.com", "graph.facebook.com", "www.amazon.com", "cognito-identity.amazonaws.com",
		"cognito-identity-us-gov.amazonaws.com", "cognito-identity.cn-north-1.amazonaws.com.cn":
		p.Kind, p.Name = OIDCProvider, p.Value
		return
	}
	a, ok := splitARN(p.Value)
	if !ok || a.service != "iam" {
		return
	}
	kind, name, _ := strings.Cut(a.resource, "/")
	switch {
	case name == "":
		return
	case kind == "saml-provider":
		p.Kind = SAMLProvider
	case kind == "oidc-provider":
		p.Kind = OIDCProvider
	default:
		return
	}
	p.Partition, p.Account, p.Name = a.partition, a.account, name
}

// arn is an IAM or STS ARN taken apart.
type arn struct{ partition, service, account, resource string }

// splitARN takes apart an ARN of an account's IAM or STS resource. A "*"
// anywhere makes it no ARN: principals know no partial wildcard (IAM User
// Guide, reference_policies_elements_principal).
func splitARN(s string) (arn, bool) {
	rest, ok := strings.CutPrefix(s, "arn:")
	if !ok || strings.Contains(s, "*") {
		return arn{}, false
	}
	var a arn
	var region string
	a.partition, rest, _ = strings.Cut(rest, ":")
	a.service, rest, _ = strings.Cut(rest, ":")
	region, rest, _ = strings.Cut(rest, ":")
	a.account, a.resource, ok = strings.Cut(rest, ":")
	return a, ok && region == "" && isPartition(a.partition) && IsAccountID(a.account)
}

// isPartition accepts aws and every name that begins with it, such as
// aws-us-gov; AWS adds partitions.
func isPartition(s string) bool {
	if !strings.HasPrefix(s, "aws") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// IsAccountID reports whether s is an AWS account id: twelve digits.
func IsAccountID(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isUniqueID recognises ids such as AIDA... and AROA.... AWS gives no guarantee
// on the list of prefixes (IAM User Guide, reference_identifiers), so any
// four letters A??A will do.
func isUniqueID(s string) bool {
	if len(s) < 16 || len(s) > 128 || s[0] != 'A' || s[3] != 'A' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// OrphanLike says whether a principal may be the unique id of a user or role.
// IAM shows nothing under AWS but ARNs, accounts, "*" and unique ids, and AWS
// gives no guarantee on the prefixes of ids (IAM User Guide,
// reference_identifiers): what has their letters and length is taken for one (T51).
func (p Principal) OrphanLike() bool {
	switch {
	case p.Kind == UniqueID:
		return true
	case p.Kind != UnknownPrincipal || p.Type != "AWS" || len(p.Value) < 16 || len(p.Value) > 128:
		return false
	default:
		return strings.Trim(p.Value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
	}
}
