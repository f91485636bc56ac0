package prooftest

import (
	"fmt"
	"strconv"
	"strings"
)

// nested is a document of 64 statements with 100 nested wildcards a key.
func nested() string {
	var ss []string
	for i := range 64 {
		effect, op := "Allow", "StringLike"
		if i%2 == 1 {
			effect, op = "Deny", "StringNotLike"
		}
		key := []string{"sts:ExternalId", "sts:RoleSessionName", "aws:PrincipalArn"}[i%3]
		var values []string
		for j := range 100 {
			values = append(values, fmt.Sprintf(`"*a%d*b%d*c*?*%d"`, i%7, j%5, j))
		}
		ss = append(ss, statement(effect, anyone, "sts:AssumeRole", cond(op, key, "["+strings.Join(values, ",")+"]")))
	}
	return document(ss...)
}

// letters bars every letter of a session name.
func letters() string {
	var values []string
	for _, r := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=,.@-+" {
		values = append(values, strconv.Quote("*"+string(r)+"*"))
	}
	return "[" + strings.Join(values, ",") + "]"
}

// Knotted gives documents of few parts that hang together in many ways, by name.
func Knotted() map[string]string {
	return map[string]string{
		"nested wildcards": nested(),
		"choices": denies(63, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"*a%d*","sts:ExternalId":"*b%d*"}`, i, i)
		}),
		"choices that clash": denies(63, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"??%c*","sts:ExternalId":"??%c*"}`, 'a'+i%26, 'A'+i%26)
		}),
		"long words": denies(20, func(int) string {
			return cond("StringNotLike", "sts:ExternalId", list("*a*b*c*%d*d*e*f*g*h*?*", 100))
		}),
		"barred words":   denies(63, func(int) string { return cond("StringLike", "sts:RoleSessionName", list("*%d*?b*", 100)) }),
		"barred letters": denies(1, func(int) string { return cond("StringLike", "sts:RoleSessionName", letters()) }),
		"barred callers": denies(40, func(int) string { return cond("StringLike", "aws:PrincipalArn", list("*:user/*a%d*b*", 100)) }),
		"ties": denies(30, func(i int) string {
			return fmt.Sprintf(`"StringNotLike":{"sts:RoleSessionName":"${aws:username}-%d*","sts:ExternalId":["*${sts:RoleSessionName}?%d","${aws:PrincipalTag/a}*"]}`, i, i)
		}),
		"tied in a circle": document(statement("Allow", anyone, "sts:*",
			`"StringLike":{"sts:RoleSessionName":"${sts:ExternalId}?*","sts:ExternalId":"${aws:PrincipalTag/a}?*","aws:PrincipalTag/a":"${sts:RoleSessionName}?*"}`)),
		"user ids": denies(20, func(int) string { return cond("StringNotLike", "aws:userid", list("*A%d*B*", 50)) }),
		"tag keys": denies(60, func(int) string {
			return cond("ForAnyValue:StringNotLike", "aws:TagKeys", list("*a%d*b*", 100)) + "," + cond("ForAllValues:StringLike", "sts:TransitiveTagKeys", list("*a%d*", 100))
		}),
		"32 Allows and 32 Denies": pairs(32, 1),
		"Denies of ARNs":          denies(63, arns),
		"Allows that tie": document(times(16, func(i int) string {
			return statement("Allow", anyone, `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`, optional(i))
		})...),
		"nested callers": document(times(32, func(i int) string {
			return statement("Allow", anyone, "sts:AssumeRole", cond("ArnLike", "aws:PrincipalArn", list(fmt.Sprintf("*:iam::*:*/a%d*b*c*?*%%d*", i), 50)))
		})...),
		"100 subjects": document(statement("Allow", github, oidc,
			cond("StringEquals", githubIssuer+":aud", `"sts.amazonaws.com"`)+","+cond("StringLike", githubIssuer+":sub", list("repo:acme*/app-%d*:*", 100)))),
		"subjects barred": document(append([]string{statement("Allow", github, oidc, "")}, times(63, func(i int) string {
			return statement("Deny", github, oidc, cond("StringNotLike", githubIssuer+":sub", list(fmt.Sprintf("repo:*a%d*/*%%d*:*", i), 20)))
		})...)...),
		"claims of Buildkite": document(statement("Allow", `{"Federated":"arn:aws:iam::111122223333:oidc-provider/agent.buildkite.com"}`, oidc,
			cond("StringLike", "agent.buildkite.com:sub", list("organization:*a*:pipeline:*b%d*:ref:*", 100)))),
		"audiences": document(statement("Allow", `{"Federated":["arn:aws:iam::111122223333:saml-provider/a","arn:aws:iam::111122223333:saml-provider/b"]}`, saml,
			cond("StringLike", "SAML:aud", list("https://*.aws*%d*/saml*", 100))+","+cond("StringLikeIfExists", "SAML:sub", list("*a*b%d*", 100)))),
		"57 services": document(statement("Allow", services57(), "sts:AssumeRole",
			`"StringLike":{"aws:SourceArn":`+list("arn:aws:*:*:11112222333?:*a*b%d*", 50)+`},"StringEqualsIfExists":{"aws:SourceAccount":["111122223333","444455556666"],"sts:ExternalId":"a"}`)),
		"57 services barred": document(append([]string{statement("Allow", services57(), "sts:AssumeRole", "")}, times(63, func(i int) string {
			return statement("Deny", services57(), "sts:AssumeRole", fmt.Sprintf(`"ArnNotLikeIfExists":{"aws:SourceArn":"arn:aws:*:*:1111*:a%d*"},"StringNotLikeIfExists":{"aws:SourceAccount":"%d*"}`, i, i%10))
		})...)...),
		"100 external IDs": document(statement("Allow", `{"AWS":["444455556666","777788889999","888888888888"]}`, "sts:AssumeRole",
			cond("StringLike", "sts:ExternalId", list("acme-*-%d?*", 100)))),
		"100 digits": document(statement("Allow", `{"AWS":["444455556666","777788889999"]}`, "sts:AssumeRole",
			cond("StringEquals", "sts:ExternalId", list("4444555566%02d", 100)))),
		"names tied": document(statement("Allow", `{"AWS":`+list("arn:aws:iam::111122223333:role/app-%d", 100)+`}`, "sts:AssumeRole",
			cond("StringLike", "sts:RoleSessionName", `"${aws:username}"`))),
		"networks": denies(63, func(i int) string {
			return fmt.Sprintf(`"NotIpAddressIfExists":{"aws:SourceIp":%s},"StringNotEqualsIfExists":{"aws:SourceVpce":"vpce-%d"}`, list("203.0.%d.0/24", 50), i)
		}),
		"organizations": denies(63, func(i int) string {
			return fmt.Sprintf(`"ForAllValues:StringNotLike":{"aws:PrincipalOrgPaths":%s},"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorg%d"}`, list("o-*/r-*/ou-*a%d*/*", 20), i)
		}),
		"accounts told apart": denies(63, func(i int) string {
			return cond("StringLike", "aws:PrincipalAccount", list(fmt.Sprintf("7%d*%%d*", i%10), 20))
		}),
		"accounts as numbers": denies(63, func(i int) string {
			return cond("NumericLessThan", "aws:PrincipalAccount", list("1111%d", 20))
		}),
		"unknown words": denies(63, func(int) string { return cond("StringResembles", "sts:ExternalId", list("a%d", 50)) }),
	}
}

// pairs gives as many Allows as Denies of patterns.
func pairs(n, each int) string {
	allows := times(n, func(i int) string {
		return statement("Allow", anyone, "sts:*", fmt.Sprintf(`"StringLike":{"sts:RoleSessionName":%s,"sts:ExternalId":"?*%d*"}`, list("*a%d*", each), i))
	})
	return document(append(allows, times(n, func(i int) string {
		return statement("Deny", anyone, "sts:*", fmt.Sprintf(`"StringNotLike":{"sts:ExternalId":"*%d*","aws:PrincipalArn":"*:role/*%d*"}`, i, i))
	})...)...)
}

func arns(i int) string {
	return cond("ArnLike", "aws:PrincipalArn", list(fmt.Sprintf("arn:aws:*:*:*:*/a%d*b*%%d*", i), 10))
}

// optional is a block of many keys that may be absent, tied to others.
func optional(i int) string {
	return fmt.Sprintf(`"StringLikeIfExists":{"sts:RoleSessionName":"${aws:username}-%d*","sts:ExternalId":"*${aws:PrincipalTag/a%d}*","aws:PrincipalTag/a%d":"*${sts:SourceIdentity}*","sts:SourceIdentity":"?*%d","aws:RequestTag/b":"${aws:PrincipalTag/b}*","aws:RequestTag/c":"*c%d*"},`+
		`"StringNotLikeIfExists":{"aws:userid":"*:%d*","aws:SourceIdentity":"*%d*","aws:RequestTag/b":"*${aws:RequestTag/c}"}`, i, i, i, i, i, i, i)
}
