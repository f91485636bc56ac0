package proof

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
)

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

// hardOnes are documents made to be hard: knotted ones and wide ones.
func hardOnes() map[string]string {
	out := knotted()
	maps.Copy(out, wide())
	return out
}

// knotted are documents made to be hard.
func knotted() map[string]string {
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

// wide are documents as long as IAM takes any, of many small parts.
func wide() map[string]string {
	repeat := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return map[string]string{
		"wide: services":   allow(`{"Service":[`+repeat(4000, `"s%d.amazonaws.com"`)+`]}`, "sts:AssumeRole", ""),
		"wide: accounts":   allow(`{"AWS":[`+repeat(7000, `"%012d"`)+`]}`, "sts:AssumeRole", ""),
		"wide: roles":      allow(`{"AWS":[`+repeat(2500, `"arn:aws:iam::444455556666:role/app-%d"`)+`]}`, "sts:AssumeRole", ""),
		"wide: sessions":   allow(`{"AWS":[`+repeat(2000, `"arn:aws:sts::444455556666:assumed-role/app/bob-%d"`)+`]}`, "sts:AssumeRole", ""),
		"wide: providers":  allow(`{"Federated":[`+repeat(1800, `"arn:aws:iam::111122223333:oidc-provider/oidc%d.example.com"`)+`]}`, "sts:AssumeRoleWithWebIdentity", ""),
		"wide: actions":    allow(anyone, `[`+repeat(6000, `"sts:Assume*%d"`)+`,"sts:AssumeRole"]`, ""),
		"wide: keys":       allow(anyone, "sts:AssumeRole", `"StringEqualsIfExists":{`+repeat(4000, `"aws:PrincipalTag/t%d":"a"`)+`}`),
		"wide: variables":  allow(anyone, "sts:AssumeRole", `"StringEqualsIfExists":{"sts:ExternalId":[`+repeat(3000, `"${aws:PrincipalTag/t%d}"`)+`]}`),
		"wide: values":     allow(anyone, "sts:AssumeRole", `"StringLike":{"sts:ExternalId":[`+repeat(9000, `"*a%d*b"`)+`]}`),
		"wide: no values":  allow(anyone, "sts:AssumeRole", `"StringNotEquals":{"sts:ExternalId":[`+repeat(12000, `"a%d"`)+`]}`),
		"wide: networks":   allow(anyone, "sts:AssumeRole", `"NotIpAddress":{"aws:SourceIp":[`+repeat(4000, `"fd00:%x::/32"`)+`]}`),
		"wide: ages":       allow(anyone, "sts:AssumeRole", `"NumericNotEquals":{"aws:MultiFactorAuthAge":[`+repeat(2500, `"%d"`)+`]},"NumericLessThan":{"aws:MultiFactorAuthAge":"2500"}`),
		"wide: numbers":    allow(anyone, "sts:AssumeRole", `"NumericEquals":{"aws:MultiFactorAuthAge":[`+repeat(9000, `"%d"`)+`]},"NumericNotEquals":{"aws:MultiFactorAuthAge":[`+repeat(3000, `"%d"`)+`]}`),
		"wide: statements": document(strings.Split(strings.ReplaceAll(repeat(500, statementText("Allow", partner, "sts:AssumeRole", `"StringEquals":{"sts:ExternalId":"a%d"}`)), "}},{", "}}\n{"), "\n")...),
		"wide: denies":     document(statementText("Allow", anyone, "*", ""), repeat(500, statementText("Deny", anyone, "sts:AssumeRole", `"StringNotLike":{"sts:ExternalId":"*a%d*"}`))),
		"wide: one value":  allow(anyone, "sts:AssumeRole", cond("StringNotLike", "sts:ExternalId", `"`+strings.Repeat("*a?b", 30000)+`"`)),
	}
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
