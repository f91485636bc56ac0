package proof

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// typical are documents as organizations write them.
var typical = map[string]string{
	"account":   allow(ownRoot, "sts:AssumeRole", ""),
	"session":   allow(ownRoot, "sts:AssumeRole", `"StringLike":{"sts:RoleSessionName":"${aws:username}"}`),
	"partner":   allow(partner, "sts:AssumeRole", `"StringEquals":{"sts:ExternalId":"acme-0123456789abcdef"}`),
	"org":       allow(anyone, "sts:AssumeRole", `"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}`),
	"service":   allow(`{"Service":"lambda.amazonaws.com"}`, "sts:AssumeRole", ""),
	"github":    allow(`{"Federated":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}`, "sts:AssumeRoleWithWebIdentity", `"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"},"StringLike":{"token.actions.githubusercontent.com:sub":"repo:acme/app:*"}`),
	"deny":      document(statementText("Allow", anyone, "sts:AssumeRole", ""), statementText("Deny", anyone, "sts:AssumeRole", `"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}`)),
	"principal": allow(anyone, "sts:AssumeRole", `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:role/deploy-*"}`),
}

func BenchmarkFind(b *testing.B) {
	questions := map[string]Query{
		"outsiders":    {World: world(), Callers: outsiders(), Actions: assume},
		"session-name": {World: world(), Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "StringEquals", "sts:RoleSessionName", "${aws:username}")}},
	}
	for name, text := range typical {
		c := Compile(parse(b, text), "aws")
		for q, query := range questions {
			b.Run(fmt.Sprintf("%s/%s/%v", name, q, c.Find(query).Outcome), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.Find(query)
				}
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	d := parse(b, typical["github"])
	b.ReportAllocs()
	for b.Loop() {
		Compile(d, "aws")
	}
}

func BenchmarkCompare(b *testing.B) {
	older, newer := parse(b, typical["session"]), parse(b, typical["account"])
	b.ReportAllocs()
	for b.Loop() {
		Compare(older, newer, world())
	}
}

// hard is a document of 64 statements with 100 nested wildcards a key.
func hard() string {
	var ss []string
	for i := range 64 {
		var values []string
		for j := range 100 {
			values = append(values, fmt.Sprintf(`"*a%d*b%d*c*?*%d"`, i%7, j%5, j))
		}
		effect, op := "Allow", "StringLike"
		if i%2 == 1 {
			effect = "Deny"
			op = "StringNotLike"
		}
		key := []string{"sts:ExternalId", "sts:RoleSessionName", "aws:PrincipalArn"}[i%3]
		ss = append(ss, statementText(effect, anyone, "sts:AssumeRole", `"`+op+`":{"`+key+`":[`+strings.Join(values, ",")+`]}`))
	}
	return document(ss...)
}

// hardOnes are documents made to be hard.
func hardOnes() map[string]string {
	list := func(format string, n int) string {
		var values []string
		for i := range n {
			values = append(values, fmt.Sprintf(strconv.Quote(format), i))
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	denies := func(n int, condition func(i int) string) string {
		ss := []string{statementText("Allow", anyone, "sts:*", "")}
		for i := range n {
			ss = append(ss, statementText("Deny", anyone, "sts:*", condition(i)))
		}
		return document(ss...)
	}
	return map[string]string{
		"nested wildcards": hard(),
		"choices": denies(63, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"*a%d*","sts:ExternalId":"*b%d*"}`, i, i)
		}),
		"choices that clash": denies(63, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"??%c*","sts:ExternalId":"??%c*"}`, 'a'+i%26, 'A'+i%26)
		}),
		"long words": denies(20, func(int) string {
			return cond("StringNotLike", "sts:ExternalId", list("*a*b*c*%d*d*e*f*g*h*?*", 100))
		}),
		"barred words":   denies(63, func(i int) string { return cond("StringLike", "sts:RoleSessionName", list("*%d*?b*", 100)) }),
		"barred letters": denies(1, func(int) string { return cond("StringLike", "sts:RoleSessionName", letters()) }),
		"barred callers": denies(40, func(i int) string { return cond("StringLike", "aws:PrincipalArn", list("*:user/*a%d*b*", 100)) }),
		"ties": denies(30, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"${aws:username}-%d*","sts:ExternalId":["*${sts:RoleSessionName}?%d","${aws:PrincipalTag/a}*"]}`, i, i)
		}),
		"tied in a circle": document(statementText("Allow", anyone, "sts:*",
			`"StringLike":{"sts:RoleSessionName":"${sts:ExternalId}?*","sts:ExternalId":"${aws:PrincipalTag/a}?*","aws:PrincipalTag/a":"${sts:RoleSessionName}?*"}`)),
		"user ids": denies(20, func(i int) string { return cond("StringNotLike", "aws:userid", list("*A%d*B*", 50)) }),
		"tag keys": denies(60, func(i int) string {
			return cond("ForAnyValue:StringNotLike", "aws:TagKeys", list("*a%d*b*", 100)) + "," + cond("ForAllValues:StringLike", "sts:TransitiveTagKeys", list("*a%d*", 100))
		}),
	}
}

// letters bars every letter of a session name.
func letters() string {
	var values []string
	for r := rune(33); r < 127; r++ {
		if sessionClass.has(r) {
			values = append(values, strconv.Quote("*"+string(r)+"*"))
		}
	}
	return "[" + strings.Join(values, ",") + "]"
}

// BenchmarkHard shows what the bound holds: each ends within 5 ms and 8 MB.
func BenchmarkHard(b *testing.B) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	for name, text := range hardOnes() {
		c := Compile(parse(b, text), "aws")
		b.Run(fmt.Sprintf("%s/%v", name, c.Find(q).Outcome), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Find(q)
			}
		})
		b.Run(fmt.Sprintf("refused/%s/%v", name, c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil).Outcome), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.FindRefused(q, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil)
			}
		})
	}
}

// TestHardEnds is the promise that no document takes the search beyond its
// bound: an answer is given, and one that is left open names what left it so.
func TestHardEnds(t *testing.T) {
	for name, text := range hardOnes() {
		d := parse(t, text)
		for _, q := range []Query{
			{World: world(), Callers: outsiders(), Actions: assume},
			{World: world(), Callers: users(), Actions: assume, Where: [][]Requirement{require(Fails, "StringLike", "sts:RoleSessionName", "${aws:username}*")}},
		} {
			a := Find(d, q)
			t.Logf("%s: %v %q", name, a.Outcome, a.Undecided)
			check(t, d, a)
		}
		check(t, d, FindRefused(d, Query{World: world(), Callers: outsiders(), Actions: assume}, "sts:SourceIdentity", []string{"sts:SetSourceIdentity"}, nil))
		check(t, d, Compile(d, "aws").Beyond(Compile(parse(t, typical["partner"]), "aws"), world()))
	}
}
