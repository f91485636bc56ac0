package proof

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// membership says how an AWS caller's account stands to the role's organization.
type membership uint8

const (
	// anyAccount is used where no question speaks of organizations.
	anyAccount membership = iota
	// listed accounts are the role's own and those known to be members.
	listed
	// unlisted accounts are members that nobody listed.
	unlisted
	// outside accounts are in another organization, or in none.
	outside
)

// variant is one kind of caller, as exactly as the search tells them apart.
type variant struct {
	kind    CallerKind
	members membership
	// chained sessions carry a source identity on.
	chained bool
	callers *Callers
	// name is the service's name, or the provider's ARN or name.
	name string
	// issuer is the lower-cased issuer of an OIDC provider.
	issuer string
}

// action is the STS action that this kind of caller can make.
func (v *variant) action() actionSet {
	switch v.kind {
	case Users, RoleSessions, Services:
		return assumeRole
	case SAMLIdentities:
		return assumeRoleWithSAML
	case OIDCIdentities:
		return assumeRoleWithWebIdentity
	case NoCaller:
		return 0
	default:
		return 0
	}
}

func (v *variant) aws() bool { return v.kind == Users || v.kind == RoleSessions }

func (v *variant) names() []string {
	if v.kind == Users {
		return naturalUsers
	}
	return naturalRoles
}

// scene is what the variants of a question depend on.
type scene struct {
	world     *World
	partition string
	rosters   *rosters
	// orgs says that something speaks of organizations, source that something
	// speaks of aws:SourceIdentity or the identity's own action.
	orgs, source bool
	services     []string
	providers    []string
}

// eachVariant calls visit for the variants of a class of callers until it is
// told to stop.
func (sc *scene) eachVariant(c *Callers, visit func(variant) bool) bool {
	switch c.Kind {
	case Users, RoleSessions:
		return sc.eachAWS(c, visit)
	case Services:
		names, fresh := c.Names, [1]string{}
		if names == nil {
			names, fresh[0] = sc.services, sc.freshService()
		}
		except := setOf(c.Except)
		for _, list := range [...][]string{names, fresh[:]} {
			for _, n := range list {
				if n != "" && !except.has(n) && visit(variant{kind: Services, callers: c, name: n}) {
					return true
				}
			}
		}
	case SAMLIdentities, OIDCIdentities:
		except := setOf(c.Except)
		for _, n := range sc.providerNames(c) {
			if !except.has(n) && visit(variant{kind: c.Kind, callers: c, name: n, issuer: issuerOf(n)}) {
				return true
			}
		}
	case NoCaller:
	}
	return false
}

func (sc *scene) eachAWS(c *Callers, visit func(variant) bool) bool {
	classes := [...]membership{anyAccount, listed, unlisted, outside}
	for _, m := range classes {
		if sc.orgs == (m == anyAccount) {
			continue
		}
		if m == unlisted && (sc.world.OrganizationID == "" || sc.world.OtherMembers == Complete) {
			continue
		}
		if !sc.someAccount(c, m) {
			continue
		}
		v := variant{kind: c.Kind, members: m, callers: c}
		if visit(v) {
			return true
		}
		if c.Kind == RoleSessions && sc.source {
			v.chained = true
			if visit(v) {
				return true
			}
		}
	}
	return false
}

// someAccount reports whether a class has accounts of a membership at all.
func (sc *scene) someAccount(c *Callers, m membership) bool {
	known := func(a string) bool { return a == sc.world.Own || sc.rosters.has(sc.world.Members, a) }
	switch m {
	case listed:
		among := func(a string) bool { return sc.rosters.in(c.Accounts, a) }
		return sc.world.Own != "" && among(sc.world.Own) || slices.ContainsFunc(sc.world.Members, among)
	case unlisted, outside:
		return c.Accounts.Only == nil || slices.ContainsFunc(c.Accounts.Only, func(a string) bool { return !known(a) })
	case anyAccount:
	}
	return true
}

// freshServices are names to try for a service that no document names.
var freshServices = []string{"ec2.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com"}

func (sc *scene) freshService() string {
	for _, n := range freshServices {
		if !slices.Contains(sc.services, n) {
			return n
		}
	}
	for n := "a.amazonaws.com"; ; n = "a" + n {
		if !slices.Contains(sc.services, n) {
			return n
		}
	}
}

// providerNames lists the providers of a class: named ones of its kind and
// accounts, and one of the role's own account that nobody named.
func (sc *scene) providerNames(c *Callers) []string {
	names := c.Names
	if names == nil {
		names = append(sc.providers[:len(sc.providers):len(sc.providers)], sc.freshProvider(c.Kind))
	}
	var out []string
	for _, n := range sc.withARNs(names) {
		p, err := policy.ParsePrincipal("Federated", n)
		if err != nil || (p.Kind == policy.SAMLProvider) != (c.Kind == SAMLIdentities) ||
			p.Kind != policy.SAMLProvider && p.Kind != policy.OIDCProvider {
			continue
		}
		if p.Account != "" && (p.Partition != sc.partition || !sc.rosters.in(c.Accounts, p.Account)) {
			continue
		}
		out = append(out, n)
	}
	return out
}

// withARNs replaces an issuer or a provider's bare name by the ARNs of the named
// providers that go by it, or by one of the role's own account.
func (sc *scene) withARNs(names []string) []string {
	var out []string
	var parsed []policy.Principal
	for _, n := range names {
		if p, err := policy.ParsePrincipal("Federated", n); err == nil && p.Kind != policy.UnknownPrincipal {
			out = append(out, n)
			continue
		}
		before := len(out)
		if parsed == nil {
			for _, arn := range sc.providers {
				if p, err := policy.ParsePrincipal("Federated", arn); err == nil {
					parsed = append(parsed, p)
				}
			}
		}
		for i := range parsed {
			if strings.EqualFold(parsed[i].Name, n) {
				out = append(out, parsed[i].Value)
			}
		}
		if len(out) == before && sc.world.Own != "" {
			out = append(out, "arn:"+sc.partition+":iam::"+sc.world.Own+":oidc-provider/"+n)
		}
	}
	return out
}

func (sc *scene) freshProvider(kind CallerKind) string {
	own := sc.world.Own
	if own == "" {
		own = "111122223333"
	}
	kindName := ":oidc-provider/oidc.example.com"
	if kind == SAMLIdentities {
		kindName = ":saml-provider/idp"
	}
	n := "arn:" + sc.partition + ":iam::" + own + kindName
	for slices.Contains(sc.providers, n) {
		n += "x"
	}
	return n
}

// issuerOf gives the lower-cased issuer of an OIDC provider's ARN or name.
func issuerOf(provider string) string {
	if _, after, ok := strings.Cut(provider, ":oidc-provider/"); ok {
		return strings.ToLower(after)
	}
	if strings.HasPrefix(provider, "arn:") {
		return ""
	}
	return strings.ToLower(provider)
}
