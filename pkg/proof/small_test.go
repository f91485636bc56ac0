package proof

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// small is a world small enough to try every request in: few letters, few
// accounts, few keys, one kind of caller.
type small struct {
	rnd  *rand.Rand
	kind CallerKind
	// words are values of plain keys, names those of users.
	words, names []string
	// tagged says that both aws:TagKeys and a tag are chosen.
	tagged bool
}

// smallKinds are the kinds of caller that small worlds have, AWS callers more often.
var smallKinds = [...]CallerKind{Users, RoleSessions, Users, Services, RoleSessions, OIDCIdentities, Users, SAMLIdentities}

// newSmall makes a world; every eighth is larger than the others.
func newSmall(seed uint64) *small {
	g := &small{
		rnd: rand.New(rand.NewPCG(seed, 7)), kind: smallKinds[seed%uint64(len(smallKinds))],
		words: []string{"aa", "ab", "cc", "Ab", "aba", "ba", "bb"}, names: []string{"a", "b", "ab", "c"},
	}
	if seed/8%8 == 0 {
		g.words = append(g.words, "aaa", "abb", "baa", "bab", "bba", "AB", "acb", "abab")
		g.names = append(g.names, "aa", "ba", "bb")
	}
	return g
}

func (g *small) pick(list ...string) string { return list[g.rnd.IntN(len(list))] }

func (g *small) one(in int) bool { return g.rnd.IntN(in) == 0 }

var smallAccounts = []string{"111122223333", "444455556666", "999999999999"}

const (
	smallOIDC  = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
	smallSAML  = "arn:aws:iam::111122223333:saml-provider/idp"
	smallClaim = "token.actions.githubusercontent.com:"
)

// commonKeys are those that any caller may have.
var commonKeys = []string{"sts:RoleSessionName", "sts:SourceIdentity", "aws:TagKeys", "aws:RequestTag/a", "aws:SourceIp", "aws:CurrentTime", "aws:EpochTime"}

// smallKeys are those of users and role sessions that more than one test asks about.
var smallKeys = append(slices.Clone(commonKeys[:4]), "sts:ExternalId", "aws:username", "aws:PrincipalArn", "aws:PrincipalAccount",
	"aws:MultiFactorAuthPresent", "aws:PrincipalTag/team")

// keys are the keys of the world's callers.
func (g *small) keys() []string {
	switch g.kind {
	case Services:
		return append(slices.Clone(commonKeys), "sts:ExternalId", "aws:SourceAccount", "aws:SourceArn", "aws:PrincipalServiceName", "aws:PrincipalIsAWSService")
	case OIDCIdentities:
		return append(slices.Clone(commonKeys), smallClaim+"sub", smallClaim+"aud", smallClaim+"actor")
	case SAMLIdentities:
		return append(slices.Clone(commonKeys), "SAML:sub", "SAML:aud", "SAML:eduPersonAffiliation")
	case RoleSessions:
		return append(slices.Clone(smallKeys), "aws:SourceIp", "aws:CurrentTime", "aws:userid", "aws:PrincipalType", "aws:SourceIdentity", "aws:MultiFactorAuthAge")
	default:
		return append(slices.Clone(smallKeys), "aws:SourceIp", "aws:EpochTime", "aws:userid", "aws:PrincipalType", "aws:MultiFactorAuthAge", "aws:TokenIssueTime")
	}
}

// some picks a few of the world's keys.
func (g *small) some(most int) []string {
	list := g.keys()
	var out []string
	for range 1 + g.rnd.IntN(most) {
		out = append(out, g.pick(list...))
	}
	return out
}

func (g *small) pattern() string {
	var b strings.Builder
	for range 1 + g.rnd.IntN(3) {
		b.WriteString(g.pick("a", "b", "a", "b", "*", "?"))
	}
	return b.String()
}

// value gives a value for a condition on a key.
func (g *small) value(key string) string {
	switch key {
	case "aws:PrincipalArn":
		return "arn:aws:iam::" + g.pick("444455556666", "111122223333", "*", "44*") + ":" + g.pick("user/", "role/", "*", "user/?", "role/a") + g.pattern()
	case "aws:PrincipalAccount", "aws:SourceAccount":
		return g.pick("444455556666", "111122223333", "4*", "*")
	case "aws:SourceArn":
		return "arn:aws:" + g.pick("lambda:us-east-1", "lambda:*", "s3:") + ":" + g.pick("444455556666", "*", "") + ":" + g.pick("function:*", "function:a", "*", "ab")
	case "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService":
		return g.pick("true", "false")
	case "aws:MultiFactorAuthAge":
		return g.pick("30", "60", "3600", "45.5", "0")
	case "aws:EpochTime":
		return g.pick("1782864000", "1788220800", "1798761600", "1785542400")
	case "aws:CurrentTime", "aws:TokenIssueTime":
		return g.pick("2026-07-01T00:00:00Z", "2026-09-01T00:00:00Z", "2027-01-01T00:00:00Z", "2026-08-01T00:00:00Z")
	case "aws:SourceIp":
		return g.pick("10.0.0.0/24", "10.0.0.0/16", "192.0.2.1/32", "0.0.0.0/0", "10.0.1.1")
	case "aws:PrincipalServiceName":
		return g.pick("lambda.amazonaws.com", "ec2.amazonaws.com", "*.amazonaws.com", "l*")
	case "aws:PrincipalType":
		return g.pick("User", "AssumedRole", "*s*")
	case "aws:userid":
		return g.pick("AIDA*", "AROA*", "*:aa", "*:"+g.pattern(), "*A*", "AIDAEXAMPLEMALLORY000", "AROAEXAMPLEVISITOR000:ab")
	}
	if g.one(5) {
		return g.variable()
	}
	if g.one(2) {
		return g.pick("aa", "ab", "b", "a", "bb", "AB", "abc")
	}
	return g.pattern()
}

// variable gives a value with a policy variable, of which some are never there.
func (g *small) variable() string {
	name := g.pick("sts:RoleSessionName", "sts:SourceIdentity", "aws:RequestTag/a")
	switch g.kind {
	case Users, RoleSessions:
		name = g.pick("aws:username", "aws:username", "sts:RoleSessionName", "sts:ExternalId", "aws:PrincipalTag/team", "aws:PrincipalTag/team", "sts:SourceIdentity")
	case OIDCIdentities:
		name = g.pick(smallClaim+"sub", smallClaim+"actor", "aws:username", name)
	case SAMLIdentities:
		name = g.pick("SAML:sub", "aws:username", name)
	case Services, NoCaller:
	}
	return g.pick("", "", "", "*", "a") + g.pick("${"+name+"}", "${"+name+"}", "${"+name+", 'ab'}") + g.pick("", "", "", "*", "b")
}

// operator gives an operator for a key, with its suffix and prefix now and then.
func (g *small) operator(key string) string {
	var op string
	switch key {
	case "aws:MultiFactorAuthPresent", "aws:PrincipalIsAWSService":
		op = "Bool"
	case "aws:MultiFactorAuthAge", "aws:EpochTime":
		op = "Numeric" + g.pick("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
	case "aws:CurrentTime", "aws:TokenIssueTime":
		op = "Date" + g.pick("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
	case "aws:SourceIp":
		op = g.pick("IpAddress", "NotIpAddress")
	case "aws:PrincipalArn", "aws:SourceArn":
		op = g.pick("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike", "StringNotLike")
	default:
		op = g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
	}
	if g.one(5) {
		op += "IfExists"
	}
	if key == "aws:TagKeys" || key == "SAML:eduPersonAffiliation" || g.one(12) {
		op = g.pick("ForAllValues:", "ForAnyValue:") + op
	}
	return op
}

func (g *small) condition(keys []string) policy.Condition {
	key := keys[g.rnd.IntN(len(keys))]
	if g.one(8) {
		return policy.Condition{Key: key, Operator: "Null", Values: []string{g.pick("true", "false")}}
	}
	c := policy.Condition{Key: key, Operator: g.operator(key)}
	for range 1 + g.rnd.IntN(2) {
		v := g.value(key)
		if strings.Contains(c.Operator, ":") && strings.Contains(v, "$") {
			v = "a"
		}
		c.Values = append(c.Values, v)
	}
	return c
}

// principal gives a principal that some caller of the world is among, mostly.
func (g *small) principal() policy.Principals {
	kind := "AWS"
	var list []string
	account := g.pick(smallAccounts...)
	switch g.kind {
	case Services:
		kind, list = "Service", []string{"lambda.amazonaws.com", "ec2.amazonaws.com"}
	case OIDCIdentities, SAMLIdentities:
		kind, list = "Federated", []string{smallOIDC, smallSAML}
	default:
		list = []string{
			"*", account, "arn:aws:iam::" + account + ":root", "arn:aws:iam::" + account + ":user/" + g.pick("a", "ab", "c"),
			"arn:aws:iam::" + account + ":role/" + g.pick("a", "b"), "arn:aws:sts::" + account + ":assumed-role/" + g.pick("a", "b") + "/" + g.pick("aa", "ab"),
		}
	}
	var out policy.Principals
	for range 1 + g.rnd.IntN(2) {
		p, err := policy.ParsePrincipal(kind, g.pick(list...))
		if err != nil {
			panic(err)
		}
		out.List = append(out.List, p)
	}
	return out
}

func (g *small) document(keys []string) policy.Document {
	d := policy.Document{Version: g.pick("2012-10-17", "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", "")}
	v := variant{kind: g.kind}
	for i := range 1 + g.rnd.IntN(4) {
		s := policy.Statement{
			Effect: policy.Allow, Principal: g.principal(),
			Actions: []string{g.pick("sts:*", v.assumeAction(), "sts:assume*", "*", "sts:SetSourceIdentity", "sts:TagSession")},
		}
		if i > 0 && g.one(2) {
			s.Effect = policy.Deny
		}
		if g.one(10) {
			s.Actions, s.NotActions = nil, []string{g.pick("sts:TagSession", "sts:Get*")}
		}
		for range g.rnd.IntN(4) {
			s.Conditions = append(s.Conditions, g.condition(keys))
		}
		d.Statements = append(d.Statements, s)
	}
	return d
}

func (g *small) region(keys []string) [][]Requirement {
	var out [][]Requirement
	for range g.rnd.IntN(3) {
		r := Requirement{Condition: g.condition(keys)}
		if g.one(2) {
			r.Sense = Fails
		}
		out = append(out, []Requirement{r})
	}
	return out
}
