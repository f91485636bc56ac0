package rules

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// tried is a document to put questions to.
type tried struct {
	in       Input
	compiled *proof.Compiled
}

func (in Input) trying(d policy.Document) tried {
	return tried{in: in, compiled: proof.Compile(d, in.Role.Partition)}
}

// ask looks for a request of one class of callers that it allows.
func (t tried) ask(callers proof.Callers, where ...proof.Requirement) proof.Answer {
	q := t.in.query(actionOf(callers.Kind), all(where), callers)
	q.Budget = t.in.budget
	return t.compiled.Find(q)
}

// all requires each of a list.
func all(list []proof.Requirement) [][]proof.Requirement {
	var out [][]proof.Requirement
	for _, r := range list {
		out = append(out, must(r))
	}
	return out
}

// actionOf is the action that a kind of caller makes.
func actionOf(k proof.CallerKind) string {
	switch k {
	case proof.SAMLIdentities:
		return assumeSAML
	case proof.OIDCIdentities:
		return assumeOIDC
	case proof.Users, proof.RoleSessions, proof.Services, proof.NoCaller:
		return assume
	default:
		return assume
	}
}

// audience gives the classes of callers that a statement's principals are of.
func audience(st policy.Statement) []proof.Callers {
	var users, roles bool
	services := proof.Callers{Kind: proof.Services}
	saml, oidc := proof.Callers{Kind: proof.SAMLIdentities}, proof.Callers{Kind: proof.OIDCIdentities}
	for _, p := range st.Principal.List {
		switch p.Kind {
		case policy.Anyone, policy.Account:
			users, roles = true, true
		case policy.User:
			users = true
		case policy.Role, policy.RoleSession:
			roles = true
		case policy.Service:
			services.Names = append(services.Names, p.Name)
		case policy.SAMLProvider:
			saml.Names = append(saml.Names, p.Value)
		case policy.OIDCProvider:
			oidc.Names = append(oidc.Names, p.Value)
		case policy.FederatedUser, policy.UniqueID, policy.AnyFederated, policy.AnyService, policy.CanonicalUser, policy.UnknownPrincipal:
		}
	}
	var out []proof.Callers
	if users || st.Principal.Star {
		out = append(out, proof.Callers{Kind: proof.Users})
	}
	if roles || st.Principal.Star {
		out = append(out, proof.Callers{Kind: proof.RoleSessions})
	}
	for _, c := range []proof.Callers{services, saml, oidc} {
		if len(c.Names) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// everyPrincipal gathers the principals of all Allows.
func everyPrincipal(d policy.Document) policy.Principals {
	var out policy.Principals
	for _, st := range d.Statements {
		if st.Effect == policy.Allow {
			out.Star = out.Star || st.Principal.Star
			out.List = append(out.List, st.Principal.List...)
		}
	}
	return out
}

// onlyAllow gives the document with one Allow, first, and every Deny.
func onlyAllow(d policy.Document, i int) policy.Document {
	out := policy.Document{Version: d.Version, Statements: []policy.Statement{d.Statements[i]}}
	for _, st := range d.Statements {
		if st.Effect == policy.Deny {
			out.Statements = append(out.Statements, st)
		}
	}
	return out
}

// unused says what was tried to find somebody to whom a statement applies, be it
// an Allow or a Deny; empty when there is somebody, or it cannot be told.
func unused(in Input, left *allowance, i int) string {
	st := in.Document.Statements[i]
	if plainlyUsed(in, i) || slices.ContainsFunc(st.Principal.List, unique) || !settledStatement(st) {
		return ""
	}
	if carriesOnly(st) {
		if st.Effect == policy.Deny || !left.advise(in.Document) || goesAlong(in, i) {
			return ""
		}
		return "it allows what goes with assuming a role, and no other Allow lets the same callers assume it"
	}
	deny := st.Effect == policy.Deny
	st.Effect = policy.Allow
	alone := policy.Document{Version: in.Document.Version, Statements: []policy.Statement{st}}
	if slices.ContainsFunc(left.carriers, func(k int) bool { return k != i }) {
		alone.Statements = append(alone.Statements, policy.Statement{Effect: policy.Allow, Principal: st.Principal, Actions: carriedActions()})
	}
	if !left.advise(alone) {
		return ""
	}
	t := in.trying(alone)
	classes := audience(st)
	if anybody(st) && (covers(st, assumeSAML) || covers(st, assumeOIDC) || deny && letsInOthers(in.Document)) {
		return "" // whether a star stands for services and those of identity providers is not documented
	}
	for _, callers := range classes {
		if t.ask(callers).Outcome != proof.None {
			return ""
		}
	}
	return whyUnused(st, classes)
}

// whyUnused says what was tried for a statement that applies to nobody.
func whyUnused(st policy.Statement, classes []proof.Callers) string {
	if len(classes) == 0 {
		return "none of its principals can assume a role"
	}
	var actions []string
	for _, c := range classes {
		actions = appendMissing(actions, []string{actionOf(c.Kind)})
	}
	reason := "none of its principals can call " + strings.Join(actions, " or ")
	if len(st.Conditions) > 0 {
		reason += " in a way that meets its conditions"
	}
	if !slices.ContainsFunc(actions, func(a string) bool { return covers(st, a) }) {
		reason = "its principals assume a role by " + strings.Join(actions, " or ") + ", which is none of its actions"
	}
	return reason
}

// goesAlong says whether somebody who is let in by another Allow may carry what
// a statement is about. What the others let him carry is left out of it.
func goesAlong(in Input, i int) bool {
	d := policy.Document{Version: in.Document.Version}
	for k, o := range in.Document.Statements {
		if k != i && o.Effect == policy.Allow {
			o.Actions = slices.DeleteFunc(slices.Clone(o.Actions), carried)
			if len(o.Actions) == 0 && len(o.NotActions) == 0 {
				continue
			}
		}
		d.Statements = append(d.Statements, o)
	}
	t := in.trying(d)
	for _, callers := range audience(policy.Statement{Principal: everyPrincipal(d)}) {
		for _, action := range in.Document.Statements[i].Actions {
			q := in.query(actionOf(callers.Kind), nil, callers)
			q.Actions, q.Budget = append(q.Actions, action), in.budget
			if t.compiled.Find(q).Outcome != proof.None {
				return true
			}
		}
	}
	return false
}

// entrance says whether a key tells only where a request comes from or what its
// caller knows, and the caller decides whether it is there: who says nothing
// loses nothing by it. What a request carries on (tags, a source identity) is
// another matter, as there the condition is on what may be claimed.
func entrance(key string) bool {
	switch key = strings.ToLower(key); key {
	case "aws:vpcsourceip", "aws:sourcevpc", "aws:sourcevpce", "aws:multifactorauthage":
		return true
	}
	i := strings.LastIndexByte(key, ':')
	return worthless(key) || i > 0 && strings.Contains(key[:i], ".")
}

// worthless says whether it is worth nothing that such a key is there at all:
// every caller, or whoever sets a service to work, can have it there.
func worthless(key string) bool {
	switch strings.ToLower(key) {
	case "sts:externalid", "aws:multifactorauthpresent", "aws:sourceip", "aws:useragent", "aws:referer",
		"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths":
		return true
	default:
		return false
	}
}

// metByAll says why everybody meets an entry of an Allow, taken alone: not only
// the principals of the statement, but all callers of their kinds; and what was
// tried. It is empty when somebody does not, or it cannot be told.
func metByAll(in Input, left *allowance, st policy.Statement, c policy.Condition, o policy.Operator) (why, sentence string) {
	if !worthAsking(in, c, o) || !left.advise(policy.Document{Statements: []policy.Statement{st}}) {
		return "", ""
	}
	fails := proof.Requirement{Condition: c, Sense: proof.Fails}
	if classes, none := nobodyOf(in, st, fails); none {
		return "keeps nobody out", "no request of " + classes + " fails it, whoever makes it"
	}
	// Beside another entry on the key, that it be there completes or repeats that one.
	beside := func(other policy.Condition) bool {
		return strings.EqualFold(other.Key, c.Key) && other.Operator != c.Operator
	}
	if !worthless(c.Key) || passedByAbsence(o) || slices.ContainsFunc(st.Conditions, beside) {
		return "", ""
	}
	if classes, none := nobodyOf(in, st, fails, demand(proof.Holds, "Null", c.Key, "false")); none {
		return "is met by any " + word(c.Key) + " there is, which everybody can have",
			"no request of " + classes + " that has " + word(c.Key) + " fails it, whatever the value"
	}
	if o.Base == policy.IP {
		for _, every := range []string{"0.0.0.0/0", "::/0"} {
			if _, none := nobodyOf(in, st, fails, demand(proof.Holds, "IpAddress", c.Key, every)); none {
				return "keeps nobody out", "no request from an address of " + every + " fails it"
			}
		}
	}
	return "", ""
}

// nobodyOf says, in words, of whom no request meets the requirements.
func nobodyOf(in Input, st policy.Statement, where ...proof.Requirement) (classes string, none bool) {
	audience := audience(st)
	everybody := policy.Statement{Effect: policy.Allow, Actions: []string{"sts:*"}}
	anyone, federated := everybody, everybody
	anyone.Principal.List = []policy.Principal{{Type: "AWS", Value: "*", Kind: policy.Anyone}}
	for _, p := range st.Principal.List {
		if p.Type != "AWS" {
			federated.Principal.List = append(federated.Principal.List, p)
		}
	}
	var words []string
	for _, callers := range audience {
		one := federated
		if callers.Kind == proof.Users || callers.Kind == proof.RoleSessions {
			one = anyone
		}
		if in.trying(policy.Document{Version: "2012-10-17", Statements: []policy.Statement{one}}).ask(callers, where...).Outcome != proof.None {
			return "", false
		}
		words = append(words, kindWords(callers.Kind))
	}
	return strings.Join(words, " or "), len(audience) > 0
}

func kindWords(k proof.CallerKind) string {
	switch k {
	case proof.Users:
		return "a user"
	case proof.RoleSessions:
		return "a role"
	case proof.Services:
		return "the service"
	case proof.SAMLIdentities, proof.OIDCIdentities:
		return "the identity provider"
	case proof.NoCaller:
		return "anybody"
	default:
		return "anybody"
	}
}
