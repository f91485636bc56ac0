package prooftest

import (
	"fmt"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// Wide gives documents of many small parts, some as long as IAM takes any, by name.
func Wide() map[string]string {
	out := map[string]string{
		"wide: services":  document(statement("Allow", `{"Service":`+list("s%d.amazonaws.com", 4000)+`}`, "sts:AssumeRole", "")),
		"wide: accounts":  document(statement("Allow", `{"AWS":`+list("%012d", 7000)+`}`, "sts:AssumeRole", "")),
		"wide: roles":     document(statement("Allow", `{"AWS":`+list("arn:aws:iam::444455556666:role/app-%d", 2500)+`}`, "sts:AssumeRole", "")),
		"wide: sessions":  document(statement("Allow", `{"AWS":`+list("arn:aws:sts::444455556666:assumed-role/app/bob-%d", 2000)+`}`, "sts:AssumeRole", "")),
		"wide: providers": document(statement("Allow", `{"Federated":`+list("arn:aws:iam::111122223333:oidc-provider/oidc%d.example.com", 1800)+`}`, oidc, "")),
		"wide: actions":   document(statement("Allow", anyone, `[`+repeat("sts:Assume*%d", 6000)+`,"sts:AssumeRole"]`, "")),
		"wide: keys":      document(statement("Allow", anyone, "sts:AssumeRole", `"StringEqualsIfExists":{`+keys("aws:PrincipalTag/t%d", `"a"`, 4000)+`}`)),
		"wide: variables": document(statement("Allow", anyone, "sts:AssumeRole", cond("StringEqualsIfExists", "sts:ExternalId", list("${aws:PrincipalTag/t%d}", 3000)))),
		"wide: values":    document(statement("Allow", anyone, "sts:AssumeRole", cond("StringLike", "sts:ExternalId", list("*a%d*b", 9000)))),
		"wide: no values": document(statement("Allow", anyone, "sts:AssumeRole", cond("StringNotEquals", "sts:ExternalId", list("a%d", 12000)))),
		"wide: networks":  document(statement("Allow", anyone, "sts:AssumeRole", cond("NotIpAddress", "aws:SourceIp", list("fd00:%x::/32", 4000)))),
		"wide: ages":      document(statement("Allow", anyone, "sts:AssumeRole", cond("NumericNotEquals", "aws:MultiFactorAuthAge", list("%d", 2500))+","+cond("NumericLessThan", "aws:MultiFactorAuthAge", `"2500"`))),
		"wide: numbers":   document(statement("Allow", anyone, "sts:AssumeRole", cond("NumericEquals", "aws:MultiFactorAuthAge", list("%d", 9000))+","+cond("NumericNotEquals", "aws:MultiFactorAuthAge", list("%d", 3000)))),
		"wide: statements": document(times(500, func(i int) string {
			return statement("Allow", partner, "sts:AssumeRole", cond("StringEquals", "sts:ExternalId", fmt.Sprintf(`"a%d"`, i)))
		})...),
		"wide: denies": document(append([]string{statement("Allow", anyone, "*", "")}, times(500, func(i int) string {
			return statement("Deny", anyone, "sts:AssumeRole", cond("StringNotLike", "sts:ExternalId", fmt.Sprintf(`"*a%d*"`, i)))
		})...)...),
		"wide: one value": document(statement("Allow", anyone, "sts:AssumeRole", cond("StringNotLike", "sts:ExternalId", `"`+strings.Repeat("*a?b", 30000)+`"`))),
	}
	for name, text := range full() {
		out["full: "+name] = text
	}
	return out
}

// full gives documents as long as IAM takes any, one of each kind of part.
func full() map[string]string {
	out := map[string]string{}
	principals := map[string][2]string{
		"documented services": {"Service", "glue.amazonaws.com"},
		"users":               {"AWS", "arn:aws:iam::111122223333:user/u%d"},
		"roots":               {"AWS", "arn:aws:iam::%012d:root"},
		"ids":                 {"AWS", "AIDAEXAMPLE%09d"},
		"nobody knows":        {"AWS", "a%d"},
		"canonical users":     {"CanonicalUser", "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7c%08d"},
		"federated users":     {"AWS", "arn:aws:sts::111122223333:federated-user/u%d"},
		"SAML providers":      {"Federated", "arn:aws:iam::111122223333:saml-provider/p%d"},
		"everybody":           {"AWS", "*"},
	}
	for name, p := range principals {
		action := map[string]string{"Federated": saml}[p[0]]
		if action == "" {
			action = "sts:AssumeRole"
		}
		out[name] = filled(func(n int) string {
			return document(statement("Allow", `{"`+p[0]+`":`+list(p[1], n)+`}`, action, cond("StringLike", "sts:RoleSessionName", `"${aws:username}"`)))
		})
		if p[0] == "AWS" {
			out[name+" not"] = filled(func(n int) string {
				return strings.Replace(document(statement("Deny", `{"AWS":`+list(p[1], n)+`}`, action, "")), `"Principal"`, `"NotPrincipal"`, 1)
			})
		}
	}
	conditions := map[string][3]string{
		"callers":         {"ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/a%d*"},
		"written callers": {"ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/a%d"},
		"accounts said":   {"StringEquals", "aws:PrincipalAccount", "%012d"},
		"parts of ids":    {"StringLike", "aws:PrincipalAccount", "7%d*"},
		"organizations":   {"StringEquals", "aws:PrincipalOrgID", "o-example%09d"},
		"paths":           {"ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-exampleorgid/r-ab12/ou-ab12-%d/*"},
		"external IDs":    {"StringEquals", "sts:ExternalId", "%012d"},
		"identities":      {"StringLike", "sts:SourceIdentity", "a*%d"},
		"sources":         {"ArnLike", "aws:SourceArn", "arn:aws:glue:*:111122223333:job/%d*"},
		"subjects":        {"StringLike", githubIssuer + ":sub", "repo:acme/app-%d:*"},
		"recipients":      {"StringLike", "SAML:aud", "https://%d.signin.aws.amazon.com/saml"},
		"dates":           {"DateLessThan", "aws:CurrentTime", "2030-01-01T00:00:%02dZ"},
		"truths":          {"Bool", "aws:MultiFactorAuthPresent", "true"},
		"nulls":           {"Null", "sts:ExternalId", "false"},
		"no operator":     {"StringResembles", "sts:ExternalId", "a%d"},
		"bytes":           {"BinaryEquals", "sts:ExternalId", "QmluYXJ5VmFsdWVJbkJhc2U2NA=="},
	}
	for name, c := range conditions {
		for _, effect := range []string{"Allow", "Deny"} {
			out[name+", "+effect] = filled(func(n int) string {
				return document(opening, statement(effect, anyone, "sts:*", cond(c[0], c[1], list(c[2], n))))
			})
			out[name+", many "+effect] = filled(func(n int) string {
				return document(append([]string{opening}, times(n, func(i int) string {
					return statement(effect, anyone, "sts:*", cond(c[0], c[1], list(strings.ReplaceAll(c[2], "%d", fmt.Sprint(i)), 1)))
				})...)...)
			})
		}
	}
	out["statements of everything"] = filled(func(n int) string {
		return document(times(n, func(i int) string {
			return statement([]string{"Allow", "Deny"}[i%2], `{"AWS":["444455556666","*"],"Service":"glue.amazonaws.com","Federated":"arn:aws:iam::111122223333:oidc-provider/`+githubIssuer+`"}`,
				`["sts:*"]`, optional(i))
		})...)
	})
	out["operators"] = filled(func(n int) string {
		return document(statement("Allow", anyone, "sts:*", keys("String%dLike", `{"sts:ExternalId":"a"}`, n)))
	})
	out["claims"] = filled(func(n int) string {
		return document(statement("Allow", github, oidc, `"StringLikeIfExists":{`+keys(githubIssuer+":c%d", `"a*"`, n)+`}`))
	})
	out["issuers"] = filled(func(n int) string {
		return document(statement("Allow", anyone, oidc, `"StringLikeIfExists":{`+keys("i%d.example.com:sub", `"a*"`, n)+`}`))
	})
	out["resources"] = filled(func(n int) string {
		return strings.Replace(document(statement("Allow", anyone, "sts:AssumeRole", "")), `"Action"`, `"Resource":`+list("a%d", n)+`,"Action"`, 1)
	})
	out["no actions"] = filled(func(n int) string {
		return strings.Replace(document(statement("Allow", anyone, "["+repeat("sts:A%d*", n)+"]", "")), `"Action"`, `"NotAction"`, 1)
	})
	return out
}

// filled gives the longest document of n parts that IAM takes.
func filled(of func(n int) string) string {
	low, high := 1, 1<<15
	for high-low > 1 {
		n := (low + high) / 2
		if text := of(n); len(text) <= policy.MaxBytes && strings.Count(text, `"Effect"`) <= policy.MaxStatements {
			low = n
		} else {
			high = n
		}
	}
	return of(low)
}
