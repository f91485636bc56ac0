package proof

import (
	"fmt"
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
