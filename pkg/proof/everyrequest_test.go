package proof

import (
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// callers lists the callers of the small world.
func (g *small) callers() []access.Caller {
	var out []access.Caller
	switch g.kind {
	case Services:
		return []access.Caller{{Service: "lambda.amazonaws.com"}, {Service: "ec2.amazonaws.com"}, {Service: "states.amazonaws.com"}}
	case OIDCIdentities:
		return []access.Caller{{Federated: smallOIDC}}
	case SAMLIdentities:
		return []access.Caller{{Federated: smallSAML}}
	case Users:
		for _, a := range smallAccounts {
			for _, n := range g.names {
				out = append(out, access.Caller{AWS: "arn:aws:iam::" + a + ":user/" + n, ID: "AIDAEXAMPLEMALLORY000"})
			}
		}
	default:
		for _, a := range smallAccounts {
			for _, n := range []string{"a", "b", "ab"} {
				for _, session := range []string{"aa", "ab", "cc"} {
					out = append(out, access.Caller{
						AWS: "arn:aws:sts::" + a + ":assumed-role/" + n + "/" + session,
						ID:  "AROAEXAMPLEVISITOR000:" + session, Issuer: "arn:aws:iam::" + a + ":role/" + n,
					})
				}
			}
		}
	}
	return out
}

var (
	tagSets     = []access.Value{{}, access.Many("a"), access.Many("b"), access.Many("ab"), access.Many("cc"), access.Many("a", "b"), access.Many("a", "cc"), access.Many("b", "aba")}
	affiliation = []access.Value{{}, access.Many("aa"), access.Many("ab"), access.Many("cc"), access.Many("aa", "bb"), access.Many("ba", "cc", "aba")}
)

func ones(list ...string) []access.Value {
	var out []access.Value
	for _, v := range list {
		out = append(out, access.One(v))
	}
	return out
}

// choices lists what a key may hold; the zero Value stands for absent. Keys
// that follow from others have none of their own.
func (g *small) choices(key string) []access.Value {
	absent := []access.Value{{}}
	switch key {
	case "sts:RoleSessionName", "SAML:sub", "SAML:aud", smallClaim + "sub", smallClaim + "aud":
		return ones(g.words...)
	case "aws:MultiFactorAuthPresent":
		if g.kind == Users {
			return append(absent, ones("true", "false")...)
		}
		return ones("true", "false")
	case "aws:MultiFactorAuthAge":
		return append(absent, ones("30", "60", "3600", "4000")...)
	case "aws:CurrentTime":
		return ones("2026-07-01T00:00:00Z", "2026-08-15T00:00:00Z", "2026-09-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-01-02T00:00:00Z")
	case "aws:EpochTime":
		return ones("1782864000", "1786752000", "1788220800", "1798761600", "1798848000")
	case "aws:TokenIssueTime":
		return append(absent, ones("2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z", "2026-08-15T00:00:00Z", "2027-01-01T00:00:00Z")...)
	case "aws:SourceIp":
		return append(absent, ones("10.0.0.1", "10.0.1.1", "10.1.0.1", "192.0.2.1")...)
	case "aws:TagKeys":
		return tagSets
	case "SAML:eduPersonAffiliation":
		return affiliation
	case "aws:SourceAccount":
		return append(absent, ones("444455556666", "999999999999")...)
	case "aws:SourceArn":
		return append(absent, ones("arn:aws:lambda:us-east-1:444455556666:function:a", "arn:aws:lambda:us-east-1:999999999999:function:b", "arn:aws:s3:::ab")...)
	case "aws:PrincipalTag/team", "aws:RequestTag/a":
		return append(append(absent, access.One("")), ones(g.words...)...)
	default:
		return append(absent, ones(g.words...)...)
	}
}

var followsFromCaller = []string{
	"aws:username", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:userid", "aws:PrincipalType",
	"aws:PrincipalServiceName", "aws:PrincipalIsAWSService",
}

// mentioned lists the world's keys that documents or the region speak of.
func (g *small) mentioned(where [][]Requirement, documents ...policy.Document) []string {
	var keys []string
	for _, d := range documents {
		keys = append(keys, Compile(d, "aws").keys...)
	}
	keys = whereKeys(keys, compileWhere(where))
	var out []string
	for _, k := range g.keys() {
		if slices.Contains(keys, strings.ToLower(k)) {
			out = append(out, k)
		}
	}
	return out
}

// each visits every request of the small world about the keys.
func (g *small) each(keys []string, visit func(access.Request) bool) {
	free := slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return slices.Contains(followsFromCaller, k) })
	for with, k := range map[string]string{"aws:MultiFactorAuthAge": "aws:MultiFactorAuthPresent", "aws:TokenIssueTime": "aws:MultiFactorAuthPresent", "aws:SourceIdentity": "sts:SourceIdentity"} {
		if slices.Contains(free, with) {
			free = appendNew(free, k)
		}
	}
	g.tagged = slices.Contains(free, "aws:TagKeys") && slices.Contains(free, "aws:RequestTag/a")
	words := g.words
	if len(free) > 2 {
		// Three keys that may hold anything are given fewer words each.
		g.words = words[:5]
	}
	defer func() { g.words = words }()
	lists := make([][]access.Value, len(free))
	for i, k := range free {
		lists[i] = g.choices(k)
	}
	for _, c := range g.callers() {
		r := access.Request{Role: "arn:aws:iam::111122223333:role/app", Caller: c}.Complete(nil)
		r.Context["sts:RoleSessionName"] = access.One("bob")
		r.Context["aws:PrincipalIsAWSService"] = access.One("false")
		if g.kind == Services {
			r.Context["aws:PrincipalIsAWSService"] = access.One("true")
		}
		if g.kind == RoleSessions {
			r.Context["aws:MultiFactorAuthPresent"] = access.One("false")
		}
		if !g.fill(r, free, lists, visit) {
			return
		}
	}
}

func (g *small) fill(r access.Request, free []string, lists [][]access.Value, visit func(access.Request) bool) bool {
	if len(free) == 0 {
		return !g.real(r) || visit(r)
	}
	old, had := r.Context[free[0]]
	for _, v := range lists[0] {
		if r.Context[free[0]] = v; v.IsAbsent() {
			delete(r.Context, free[0])
		}
		if !g.fill(r, free[1:], lists[1:], visit) {
			return false
		}
	}
	if delete(r.Context, free[0]); had {
		r.Context[free[0]] = old
	}
	return true
}

func only(r access.Request, key string) string {
	if v, ok := r.Context[key]; ok && len(v.Values) == 1 {
		return v.Values[0]
	}
	return ""
}

// real reports whether AWS could show such a request: what belongs together
// agrees. A key of which the request does not speak may hold what it must.
func (g *small) real(r access.Request) bool {
	if _, a := r.Context["aws:RequestTag/a"]; g.tagged && a != slices.Contains(r.Context["aws:TagKeys"].Values, "a") {
		return false
	}
	if held, ok := r.Context["aws:SourceIdentity"]; ok && only(r, "sts:SourceIdentity") != held.Values[0] {
		return false
	}
	if _, ok := r.Context["aws:MultiFactorAuthAge"]; ok && only(r, "aws:MultiFactorAuthPresent") != "true" {
		return false
	}
	_, issued := r.Context["aws:TokenIssueTime"]
	if _, used := r.Context["aws:MultiFactorAuthPresent"]; g.kind == Users && issued != used {
		return false
	}
	now := only(r, "aws:CurrentTime")
	if epoch := only(r, "aws:EpochTime"); epoch != "" {
		if now != "" && look(now, epochWindow) != epoch {
			return false
		}
		t, _ := parseDate(epoch)
		now = formatDate(t)
	}
	if issued && now != "" && later(only(r, "aws:TokenIssueTime"), now) {
		return false
	}
	in := arnAccount(only(r, "aws:SourceArn"))
	return in == "" || only(r, "aws:SourceAccount") == "" || only(r, "aws:SourceAccount") == in
}

// actionsOf gives the actions that a request needs.
func actionsOf(kind CallerKind, r access.Request) []string {
	i := 0
	if _, ok := r.Context["sts:SourceIdentity"]; ok {
		i = 1
	}
	_, tag := r.Context["aws:RequestTag/a"]
	if _, tags := r.Context["aws:TagKeys"]; tag || tags {
		i += 2
	}
	list := actionLists[kind][i]
	if _, ok := r.Context["sts:RequestContextProviders"]; ok {
		return append(slices.Clone(list), "sts:SetContext")
	}
	return list
}

// actionLists hold, by kind of caller, the actions of a request that carries
// nothing, a source identity, tags, or both.
var actionLists = func() (out [OIDCIdentities + 1][4][]string) {
	for kind := range out {
		v := variant{kind: CallerKind(kind)}
		one := v.assumeAction()
		out[kind] = [4][]string{{one}, {one, "sts:SetSourceIdentity"}, {one, "sts:TagSession"}, {one, "sts:SetSourceIdentity", "sts:TagSession"}}
	}
	return out
}()

// meets reports whether a request is in the region, as access reads the same conditions.
func meets(r access.Request, where [][]Requirement) bool {
	r.Actions = assume
	for _, group := range where {
		if !slices.ContainsFunc(group, func(q Requirement) bool {
			d := policy.Document{Version: "2012-10-17", Statements: []policy.Statement{{
				Effect: policy.Allow, Actions: []string{"*"}, Conditions: []policy.Condition{q.Condition},
				Principal: itself(r.Caller),
			}}}
			want := access.Allowed
			if q.Sense == Fails {
				want = access.Denied
			}
			return access.Evaluate(d, r).Decision == want
		}) {
			return false
		}
	}
	return true
}

// itself gives principals that the caller is among.
func itself(c access.Caller) policy.Principals {
	if c.AWS != "" {
		return policy.Principals{Star: true}
	}
	kind, name := "Service", c.Service
	if c.Federated != "" {
		kind, name = "Federated", c.Federated
	}
	p, err := policy.ParsePrincipal(kind, name)
	if err != nil {
		panic(err)
	}
	return policy.Principals{List: []policy.Principal{p}}
}
