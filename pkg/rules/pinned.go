package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
	"github.com/rolewarden/rolewarden/pkg/rules/issuer"
)

// federation is one identity provider that a document names as a principal.
type federation struct {
	principal policy.Principal
	// issuer begins the condition keys of its claims.
	issuer string
	issuer.Provider
}

// federations gives the OIDC providers that a document's Allows name, each once.
func federations(d policy.Document) []federation {
	var out []federation
	for _, p := range providersNamed(d, policy.OIDCProvider) {
		out = append(out, federation{principal: p, issuer: p.Name, Provider: issuer.Find(p.Name)})
	}
	return out
}

// providersNamed gives the identity providers of a kind that a document's
// Allows name, each once.
func providersNamed(d policy.Document, kind policy.PrincipalKind) []policy.Principal {
	var out []policy.Principal
	for _, st := range d.Statements {
		if st.Effect != policy.Allow {
			continue
		}
		for _, p := range st.Principal.List {
			if p.Kind == kind && !slices.ContainsFunc(out, func(q policy.Principal) bool { return q.Value == p.Value }) {
				out = append(out, p)
			}
		}
	}
	return out
}

// callers is the class of those whom the provider sends.
func (f federation) callers() proof.Callers {
	return proof.Callers{Kind: proof.OIDCIdentities, Names: []string{f.principal.Value}}
}

// claim gives the claim, in lower case, that a condition key of the provider is for.
func (f federation) claim(key string) (string, bool) {
	n := len(f.issuer)
	if len(key) <= n || key[n] != ':' || !strings.EqualFold(key[:n], f.issuer) {
		return "", false
	}
	return strings.ToLower(key[n+1:]), true
}

// pin is what a document writes out of one claim: the values that name somebody.
type pin struct {
	claim issuer.Claim
	key   string
	// mentioned says that the document speaks of the claim.
	mentioned bool
	// tenants and projects are patterns; exact and folded values stand for both.
	tenants, projects            []string
	exact                        []string
	foldedTenants, foldedProject []string
	// texts are all values that the document writes.
	texts []string
}

// pins reads what a document writes of some claims of a provider. It only finds
// names to ask about: that nobody else is let in is for proof to say.
func (f federation) pins(d policy.Document, claims []issuer.Claim) []pin {
	out := make([]pin, len(claims))
	for i, c := range claims {
		out[i] = pin{claim: c, key: c.ConditionKey(f.issuer)}
		for _, st := range d.Statements {
			for _, cond := range st.Conditions {
				if strings.EqualFold(cond.Key, out[i].key) {
					out[i].read(cond)
				}
			}
		}
	}
	return out
}

func (p *pin) read(c policy.Condition) {
	p.mentioned = true
	o, ok := policy.ParseOperator(c.Operator)
	if !ok {
		return
	}
	p.texts = append(p.texts, c.Values...)
	tenants, projects := setOf(p.tenants), setOf(p.projects)
	defer func() { p.tenants, p.projects = tenants.list, projects.list }()
	for _, v := range c.Values {
		switch o.Base {
		case policy.StringLike, policy.ARN:
			n := p.claim.Read(v)
			addNonEmpty(tenants, n.Tenant)
			addNonEmpty(projects, n.Project)
		case policy.String:
			if strings.ContainsAny(v, "*?") && !strings.Contains(v, "${") {
				// A mistake for StringLike: the name of nobody. In a variable's
				// default value a star says nothing of the value.
				p.exact = append(p.exact, v)
				continue
			}
			n := p.claim.Read(v)
			addNonEmpty(tenants, n.Tenant)
			addNonEmpty(projects, n.Project)
		case policy.StringIgnoreCase:
			n := p.claim.Read(v)
			if n.Tenant != "" {
				p.foldedTenants = append(p.foldedTenants, v)
			}
			if n.Project != "" {
				p.foldedProject = append(p.foldedProject, v)
			}
		default:
		}
	}
}

func addNonEmpty(list *once, v string) {
	if v != "" {
		list.add(v)
	}
}

// depth says how exactly somebody must be named.
type depth uint8

const (
	byProject depth = iota
	byTenant
)

// strangersTo requires callers who are none of those that the pins name.
func strangersTo(pins []pin, by depth) [][]proof.Requirement {
	var where [][]proof.Requirement
	for _, p := range pins {
		like, folded := p.projects, p.foldedProject
		if by == byTenant {
			if p.claim.Loose {
				continue
			}
			like, folded = p.tenants, p.foldedTenants
		}
		set := ""
		if p.claim.Many {
			set = "ForAnyValue:"
		}
		for _, one := range []struct {
			operator string
			values   []string
		}{{"StringLike", like}, {"StringEquals", p.exact}, {"StringEqualsIgnoreCase", folded}} {
			if len(one.values) > 0 {
				where = append(where, must(demand(proof.Fails, set+one.operator, p.key, one.values...)))
			}
		}
	}
	return where
}

// legal requires a subject that the provider makes.
func (f federation) legal(d policy.Document, pins []pin) [][]proof.Requirement {
	if f.Legal == nil {
		return nil
	}
	patterns := append(f.Legal[:len(f.Legal):len(f.Legal)], f.choosable(d, pins[0].key)...)
	return [][]proof.Requirement{must(demand(proof.Holds, "StringLike", pins[0].key, patterns...))}
}

// choosable gives those subjects of a tenant's own choice that may come in where
// none of the usual form does. Where the document only demands beginnings, it
// is those that begin so. Where it leaves the beginning open, nothing else comes
// in than behind the usual one. To leave the others out is only quicker.
func (f federation) choosable(d policy.Document, key string) []string {
	usual := f.Legal[0][:strings.IndexByte(f.Legal[0], ':')+1]
	var demanded []string
	for _, st := range d.Statements {
		for _, c := range st.Conditions {
			if len(f.Templates) == 0 || !strings.EqualFold(c.Key, key) {
				continue
			}
			o, ok := policy.ParseOperator(c.Operator)
			if !ok || o.Negated || st.Effect != policy.Allow || o.Base != policy.String && o.Base != policy.StringLike && o.Base != policy.StringIgnoreCase {
				return f.Templates
			}
			for _, v := range c.Values {
				if v = strings.ToLower(v); !strings.HasPrefix(v, usual) && !strings.HasPrefix(v, "*") {
					demanded = append(demanded, v)
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(f.Templates), func(template string) bool {
		return !slices.ContainsFunc(demanded, func(v string) bool { return beginAlike(template, v) })
	})
}

// beginAlike says whether two patterns agree as far as both are without wildcard.
func beginAlike(one, other string) bool {
	n := min(written(one), written(other))
	return one[:n] == other[:n]
}

// written gives the length of what stands before a pattern's first wildcard or variable.
func written(pattern string) int {
	if n := strings.IndexAny(pattern, "*?$"); n >= 0 {
		return n
	}
	return len(pattern)
}

// listed says whether the rules file permits trust in a provider: nothing is
// forbidden by a list that is not there.
func (in Input) listed(p policy.Principal) bool {
	return len(in.Org.IdentityProviders) == 0 || slices.ContainsFunc(in.Org.IdentityProviders, func(pattern string) bool {
		if strings.HasPrefix(pattern, "arn:") {
			return role.MatchARN(pattern, p.Value)
		}
		// An issuer is no SAML provider, whose name anybody may choose alike.
		return p.Kind == policy.OIDCProvider && role.MatchARN(issuerARN(pattern), issuerARN(p.Name))
	})
}

// abroad says whether a provider belongs to an account that is known to be neither
// the role's nor the organization's, and that no entry of the rules file writes
// out with it. That IAM refuses such a provider is not documented (IAM User Guide,
// reference_policies_elements_principal), and whoever holds the account vouches
// for whom they please.
func (in Input) abroad(p policy.Principal) bool {
	if in.Role.ARN == "" || p.Account == "" || p.Account == in.Role.Account || in.Org.Member(p.Account) {
		return false
	}
	return !slices.ContainsFunc(in.Org.IdentityProviders, func(pattern string) bool {
		return strings.Contains(pattern, ":iam::"+p.Account+":") && role.MatchARN(pattern, p.Value)
	})
}

// issuerARN dresses an issuer up as an ARN, so that wildcards count as in one.
func issuerARN(issuer string) string {
	return "arn:aws:iam:::oidc-provider/" + strings.TrimSuffix(strings.ToLower(issuer), "/")
}

// vouched finds whether anybody comes in whom a provider sends that is unlisted,
// or that somebody outside the organization holds.
func (in Input) vouched(rule, action string, p policy.Principal, kind proof.CallerKind) Judgement {
	listed, abroad := in.listed(p), in.abroad(p)
	if listed && !abroad {
		return Judgement{}
	}
	a := in.find(in.query(action, nil, proof.Callers{Kind: kind, Names: []string{p.Value}}))
	if listed && a.Outcome == proof.Found {
		return Judgement{Undecided: []string{"whether a role takes identities of " + quoted(p.Value) + ", a provider of account " + p.Account + " outside the organization"}}
	}
	return judged(a, func(a proof.Answer) finding.Finding {
		place := providerAt(in.Document, a)
		return finding.Finding{
			Rule: rule, Severity: finding.High, Where: place,
			Message:  quoted(p.Value) + " lets in whomever an identity provider vouches for that the rules file does not list; remove it, or list it under identityProviders",
			Fix:      "remove " + quoted(p.Value) + " from " + place + ", or list it under identityProviders in the rules file",
			Evidence: witness(finding.Allowed, a),
		}
	})
}

// providerAt gives the place of the provider that a witness comes from.
func providerAt(d policy.Document, a proof.Answer) string {
	i := first(a.Statements)
	p := d.Statements[i].Principal
	j := slices.IndexFunc(p.List, func(one policy.Principal) bool { return one.Value == a.Witness.Caller.Federated })
	if j < 0 {
		return at(i)
	}
	return principalAt(i, "Principal", p, j)
}

// starred asks about providers that the document does not name, where it has a
// star for them: whom that covers is not documented.
func (in Input) starred(action string, kind proof.CallerKind) []string {
	var named []string
	star := false
	for _, st := range in.Document.Statements {
		for _, p := range st.Principal.List {
			star = star || p.Kind == policy.AnyFederated && st.Effect == policy.Allow
			if p.Type == "Federated" {
				named = append(named, p.Value)
			}
		}
	}
	if !star {
		return nil
	}
	if a := in.find(in.query(action, nil, proof.Callers{Kind: kind, Except: named})); a.Outcome != proof.None {
		return doubtsOf(a)
	}
	return nil
}
