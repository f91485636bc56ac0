package proof

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// small is a world small enough to try every request in: few letters, few
// accounts, few keys.
type small struct {
	rnd *rand.Rand
	// words are values of plain keys, names those of users and roles.
	words, names []string
}

func newSmall(seed uint64) *small {
	s := &small{rnd: rand.New(rand.NewPCG(seed, 7))}
	var grow func(prefix string, left int, dst *[]string)
	grow = func(prefix string, left int, dst *[]string) {
		if prefix != "" {
			*dst = append(*dst, prefix)
		}
		if left > 0 {
			for _, c := range "abc" {
				grow(prefix+string(c), left-1, dst)
			}
		}
	}
	grow("", 3, &s.words)
	s.words = slices.DeleteFunc(s.words, func(w string) bool { return len(w) < 2 })
	s.words = append(s.words, "Ab", "aB", "AB")
	grow("", 2, &s.names)
	return s
}

func (g *small) pick(list ...string) string { return list[g.rnd.IntN(len(list))] }

var smallAccounts = []string{"111122223333", "444455556666", "999999999999"}

func (g *small) pattern() string {
	var b strings.Builder
	for range 1 + g.rnd.IntN(3) {
		b.WriteString(g.pick("a", "b", "a", "b", "*", "?"))
	}
	return b.String()
}

func (g *small) value(key string) string {
	switch key {
	case "aws:PrincipalArn":
		return "arn:aws:iam::" + g.pick("444455556666", "111122223333", "*", "44*") + ":" + g.pick("user/", "role/", "*", "user/?", "role/a") + g.pattern()
	case "aws:PrincipalAccount":
		return g.pick("444455556666", "111122223333", "4*", "*")
	case "aws:MultiFactorAuthPresent":
		return g.pick("true", "false")
	}
	if g.rnd.IntN(5) == 0 {
		return g.pick("${aws:username}", "${aws:username}*", "*${aws:username}", "${aws:username}b", "${sts:ExternalId}", "${sts:RoleSessionName}",
			"${aws:PrincipalTag/team, 'ab'}", "${aws:PrincipalTag/team}", "${aws:username, 'bb'}", "${sts:SourceIdentity}")
	}
	if g.rnd.IntN(2) == 0 {
		return g.pick("aa", "ab", "b", "a", "bb", "AB", "abc")
	}
	return g.pattern()
}

func (g *small) condition(keys []string) policy.Condition {
	key := keys[g.rnd.IntN(len(keys))]
	c := policy.Condition{Key: key}
	if g.rnd.IntN(8) == 0 {
		c.Operator, c.Values = "Null", []string{g.pick("true", "false")}
		return c
	}
	switch key {
	case "aws:MultiFactorAuthPresent":
		c.Operator = "Bool"
	case "aws:PrincipalArn":
		c.Operator = g.pick("ArnLike", "ArnNotLike", "StringLike", "StringNotLike")
	default:
		c.Operator = g.pick("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
	}
	if g.rnd.IntN(5) == 0 {
		c.Operator += "IfExists"
	}
	if key == "aws:TagKeys" || g.rnd.IntN(12) == 0 {
		c.Operator = g.pick("ForAllValues:", "ForAnyValue:") + c.Operator
	}
	for range 1 + g.rnd.IntN(2) {
		v := g.value(key)
		if key == "aws:TagKeys" && strings.Contains(v, "$") {
			v = "a"
		}
		c.Values = append(c.Values, v)
	}
	return c
}

func (g *small) principal() policy.Principals {
	var out policy.Principals
	for range 1 + g.rnd.IntN(2) {
		account := g.pick(smallAccounts...)
		text := g.pick("*", account, "arn:aws:iam::"+account+":root", "arn:aws:iam::"+account+":user/"+g.pick("a", "ab", "c"),
			"arn:aws:iam::"+account+":role/"+g.pick("a", "b"), "arn:aws:sts::"+account+":assumed-role/"+g.pick("a", "b")+"/"+g.pick("aa", "ab"))
		p, err := policy.ParsePrincipal("AWS", text)
		if err != nil {
			panic(err)
		}
		out.List = append(out.List, p)
	}
	return out
}

var smallKeys = []string{
	"sts:RoleSessionName", "sts:ExternalId", "sts:SourceIdentity", "aws:username", "aws:PrincipalArn",
	"aws:PrincipalAccount", "aws:MultiFactorAuthPresent", "aws:TagKeys", "aws:PrincipalTag/team", "aws:RequestTag/a",
}

func (g *small) document(keys []string) policy.Document {
	d := policy.Document{Version: g.pick("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17")}
	for i := range 1 + g.rnd.IntN(4) {
		s := policy.Statement{
			Effect: policy.Allow, Principal: g.principal(),
			Actions: []string{g.pick("sts:*", "sts:AssumeRole", "sts:assume*", "*", "sts:SetSourceIdentity", "sts:TagSession")},
		}
		if i > 0 && g.rnd.IntN(2) == 0 {
			s.Effect = policy.Deny
		}
		if g.rnd.IntN(10) == 0 {
			s.Actions, s.NotActions = nil, []string{g.pick("sts:TagSession", "sts:Get*")}
		}
		for range g.rnd.IntN(4) {
			s.Conditions = append(s.Conditions, g.condition(keys))
		}
		d.Statements = append(d.Statements, s)
	}
	return d
}

// callers lists the callers of the small world; only some when names do not matter.
func (g *small) callers(kind CallerKind) []access.Caller {
	var out []access.Caller
	for _, a := range smallAccounts {
		switch kind {
		case Users:
			for _, n := range g.names {
				out = append(out, access.Caller{AWS: "arn:aws:iam::" + a + ":user/" + n, ID: "AIDAEXAMPLEMALLORY000"})
			}
		default:
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

// choices lists what a key may hold; the zero Value stands for absent.
func (g *small) choices(key string, kind CallerKind) []access.Value {
	var out []access.Value
	switch key {
	case "sts:RoleSessionName":
	case "aws:MultiFactorAuthPresent":
		out = append(out, access.One("true"), access.One("false"))
		if kind == Users {
			out = append(out, access.Value{})
		}
		return out
	case "aws:TagKeys":
		return []access.Value{{}, access.Many("a"), access.Many("b"), access.Many("ab"), access.Many("a", "b"), access.Many("a", "cc"), access.Many("b", "abc")}
	default:
		out = append(out, access.Value{})
	}
	for _, w := range g.words {
		out = append(out, access.One(w))
	}
	return out
}

// mentioned lists the small keys that the document or the region speaks of.
func mentioned(d policy.Document, where [][]Requirement) []string {
	c := Compile(d, "aws")
	keys := whereKeys(c.keys, compileWhere(where))
	var out []string
	for _, k := range smallKeys {
		if slices.Contains(keys, strings.ToLower(k)) {
			out = append(out, k)
		}
	}
	return out
}

// each visits every request of the small world about the keys.
func (g *small) each(kind CallerKind, keys []string, visit func(access.Request) bool) {
	free := slices.DeleteFunc(slices.Clone(keys), func(k string) bool {
		return k == "aws:username" || k == "aws:PrincipalArn" || k == "aws:PrincipalAccount"
	})
	callers := g.callers(kind)
	if len(free) > 1 {
		g.rnd.Shuffle(len(callers), func(i, j int) { callers[i], callers[j] = callers[j], callers[i] })
		callers = callers[:12]
	}
	for _, c := range callers {
		r := access.Request{Role: "arn:aws:iam::111122223333:role/app", Caller: c}.Complete(nil)
		r.Context["sts:RoleSessionName"] = access.One("bob")
		var fill func(i int) bool
		fill = func(i int) bool {
			if i == len(free) {
				return visit(r)
			}
			list := g.choices(free[i], kind)
			for n := range list {
				v := list[n]
				if len(free) > 2 && n > 0 {
					v = list[g.rnd.IntN(len(list))]
					if n > 10 {
						break
					}
				}
				if v.IsAbsent() {
					delete(r.Context, free[i])
				} else {
					r.Context[free[i]] = v
				}
				if fill(i + 1) {
					return true
				}
			}
			delete(r.Context, free[i])
			return false
		}
		if fill(0) {
			return
		}
	}
}

// real reports whether AWS could show such a request: tags agree with tag keys.
func real(r access.Request, keys []string) bool {
	if !slices.Contains(keys, "aws:TagKeys") {
		return true
	}
	tags, _ := r.Get("aws:TagKeys")
	if slices.Contains(keys, "aws:RequestTag/a") {
		_, a := r.Get("aws:RequestTag/a")
		return a == slices.Contains(tags.Values, "a")
	}
	return true
}

// actionsOf gives the actions that a request for AssumeRole needs.
func actionsOf(r access.Request) []string {
	out := []string{"sts:AssumeRole"}
	for _, e := range extras {
		if carries(&r, e.keys) {
			out = append(out, e.action)
		}
	}
	return out
}

// meets reports whether a request is in the region, as access reads the same conditions.
func meets(r access.Request, where [][]Requirement) bool {
	for _, group := range where {
		if !slices.ContainsFunc(group, func(q Requirement) bool {
			d := policy.Document{Version: "2012-10-17", Statements: []policy.Statement{{
				Effect:    policy.Allow,
				Principal: policy.Principals{Star: true}, Actions: []string{"*"}, Conditions: []policy.Condition{q.Condition},
			}}}
			r.Actions = []string{"sts:AssumeRole"}
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

func (g *small) region(keys []string) [][]Requirement {
	var out [][]Requirement
	for range g.rnd.IntN(3) {
		r := Requirement{Condition: g.condition(keys)}
		if g.rnd.IntN(2) == 0 {
			r.Sense = Fails
		}
		out = append(out, []Requirement{r})
	}
	return out
}
