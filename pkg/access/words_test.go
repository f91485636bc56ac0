package access_test

import "github.com/rolewarden/rolewarden/pkg/access"

// sort is what the values of a key are, and so which operators go with it.
type sort uint8

const (
	texts sort = iota
	arns
	booleans
	numbers
	dates
	addresses
	bytes64
	sorts
)

// The words of the generated documents and requests: few enough to meet, and
// as near to each other as the edges of the operators are.
var (
	edgeKeys = [sorts][]string{
		texts: {
			"sts:ExternalId", "sts:RoleSessionName", "aws:username", "aws:PrincipalTag/team", "aws:PrincipalOrgID",
			"aws:TagKeys", "aws:PrincipalOrgPaths", "token.actions.githubusercontent.com:sub", "SAML:aud", "aws:userid",
			"aws:PrincipalAccount", "aws:PrincipalType", "plain",
		},
		arns:      {"aws:PrincipalArn", "aws:SourceArn", "aws:FederatedProvider"},
		booleans:  {"aws:MultiFactorAuthPresent", "aws:ViaAWSService"},
		numbers:   {"aws:MultiFactorAuthAge", "sts:DurationSeconds"},
		dates:     {"aws:CurrentTime", "aws:TokenIssueTime", "aws:EpochTime"},
		addresses: {"aws:SourceIp"},
		bytes64:   {"key:binary"},
	}
	edgeOperators = [sorts][]string{
		texts: {
			"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		},
		arns:     {"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "StringLike", "StringEquals", "StringNotLike"},
		booleans: {"Bool", "Bool", "StringEquals"},
		numbers: {
			"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
			"NumericGreaterThanEquals",
		},
		dates: {
			"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		},
		addresses: {"IpAddress", "NotIpAddress"},
		bytes64:   {"BinaryEquals"},
	}
	edgePolicyValues = [sorts][]string{
		texts: {
			"", "a", "A", "ab", "*", "?", "a*", "*b", "?b", "a?*", "**", "a*b*c", "*a*b*c*?*", "bob", "BOB", "bob-*", "repo:acme/app:*",
			"repo:acme/*:ref:refs/heads/main", "${aws:username}", "${AWS:UserName}", "${aws:username}-*", "x${aws:PrincipalTag/team}",
			"${aws:PrincipalTag/team, 'none'}", "${aws:PrincipalTag/team, ''}", "${aws:username,'none'}", "${plain}", "${sts:ExternalId}",
			"${*}", "a${*}", "${?}b", "${$}{x}", "*${*}", "${aws:TagKeys}", "${", "${}", "${x", "a$b", "111122223333", "true", "\u00e9", "a+b.c|(d)[e]^",
			"a\nb", "a*b", "${no:such}", "${no:such}*", "${no:such, 'a'}", "User", "AssumedRole", "AIDAEXAMPLEEXAMPLE00", "*:s1",
		},
		arns: {
			"*", "arn:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:user/*", "arn:aws:iam::111122223333:role/app",
			"arn:aws:iam::*:role/*", "arn:*:iam::111122223333:*", "arn:aws:*", "arn:aws:iam::111122223333:user/${aws:username}",
			"arn:aws:iam::${aws:PrincipalAccount}:role/app", "arn:aws:iam::${plain}:role/app", "arn:aws:sns:*:111122223333:a*",
			"arn:aws:sns:eu-west-?:111122223333:a:b", "*:*:*:*:*:*", "arn:aws:iam::11112222333?:role/team/*",
			"arn:aws:iam::111122223333:user/${no:such}", "ARN:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:user/b?b${*}",
			"arn:aws:iam::111122223333:role/${aws:PrincipalTag/team, 'app'}", "a:b:c:d:e:f", "accounts.google.com",
			"${aws:PrincipalArn}", "${aws:SourceArn}",
		},
		booleans: {"true", "false", "true", "false", "TRUE", "", "1", "${aws:ViaAWSService}"},
		numbers: {
			"0", "1", "-1", "1.0", "01", "1.50", "1.5", "3600", "3599.999", "900", "9007199254740993", "9007199254740992", "x", "", "-0", "0.1",
		},
		dates: {
			"2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "2024-01-01", "2024-01", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00Z",
			"1704067200", "1704067201", "2023-12-31T23:59:59.5Z", "2024", "x", "1970-01-01T00:00:00Z", "1704067200000",
		},
		addresses: {
			"203.0.113.0/24", "203.0.113.7", "203.0.113.7/32", "0.0.0.0/0", "203.0.113.128/25", "2001:db8::/32", "2001:DB8:1234:5678::/64",
			"2001:db8::1", "::/0", "203.0.113.0/33", "x", "10.0.0.0/8",
		},
		bytes64: {"QUI=", "QUJD", "QQ==", "QR==", "", "x", "QU\nI="},
	}
	edgeRequestValues = [sorts][]string{
		texts: {
			"", "a", "A", "ab", "b", "abc", "axbxc", "bob", "BOB", "bob-1", "repo:acme/app:ref:refs/heads/main", "repo:mallory/app:ref",
			"*", "a*", "?", "?b", "${aws:username}", "${*}", "a${*}", "${x}", "${", "none", "xred", "red", "111122223333", "true",
			"\u00e9", "\u00c9", "a+b.c|(d)[e]^", "a\nb", "a\U0001F600b", "User", "AssumedRole", "AIDAEXAMPLEEXAMPLE00:s1", "a:b", "app",
		},
		arns: {
			"arn:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:role/team/app",
			"arn:aws:iam::444455556666:role/app", "arn:aws-cn:iam::111122223333:role/app", "arn:aws:sns:eu-west-1:111122223333:a:b",
			"arn:aws:sns:eu-west-1:111122223333:abc", "arn:aws:iam::111122223333:root", "x", "", "a:b:c:d:e:f", "accounts.google.com",
			"xrn:aws:iam::111122223333:role/app", "arn:aws:iam::111122223333:user/bxb*", "arn:aws:iam::a:b:role/app",
		},
		booleans:  {"true", "false", "true", "false", "False", "", "x"},
		numbers:   {"0", "1", "-1", "1.0", "1.5", "3600", "3599.999", "901", "9007199254740993", "9007199254740992", "x", "", "0.10", "00"},
		dates:     {"2024-01-01T00:00:00Z", "2024-01-01T00:00:01Z", "2023-12-31T23:59:59.5Z", "1704067200", "1704067201", "2024-01-01", "x", "1"},
		addresses: {"203.0.113.7", "203.0.113.200", "10.1.2.3", "2001:db8::1", "2001:0db8:0::1", "2001:db8:1234:5678::9", "::1", "x"},
		bytes64:   {"QUI=", "QUJD", "QQ==", "QR==", "", "x"},
	}
	edgeActions        = []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"}
	edgeActionPatterns = []string{
		"sts:AssumeRole", "sts:AssumeRole", "STS:assumerole", "sts:AssumeRole*", "sts:*", "*", "sts:TagSession", "sts:SetSourceIdentity",
		"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:?ssume*", "s*:AssumeRole", "iam:*", "sts:Assume*Role", "**", "sts:",
	}
)

// edgePrincipals are principals by type; the callers below are among whom they mean.
var edgePrincipals = []struct{ typ, value string }{
	{"AWS", "111122223333"},
	{"AWS", "arn:aws:iam::111122223333:root"},
	{"AWS", "arn:aws-cn:iam::111122223333:root"},
	{"AWS", "444455556666"},
	{"AWS", "*"},
	{"AWS", "*"},
	{"AWS", "arn:aws:iam::111122223333:user/bob"},
	{"AWS", "arn:aws:iam::111122223333:user/Bob"},
	{"AWS", "arn:aws:iam::111122223333:user/team/bob"},
	{"AWS", "arn:aws:iam::111122223333:role/app"},
	{"AWS", "arn:aws:iam::111122223333:role/App"},
	{"AWS", "arn:aws:iam::111122223333:role/team/app"},
	{"AWS", "arn:aws:sts::111122223333:assumed-role/app/s1"},
	{"AWS", "arn:aws:sts::111122223333:assumed-role/app/s2"},
	{"AWS", "arn:aws:sts::111122223333:federated-user/bob"},
	{"AWS", "AIDAEXAMPLEEXAMPLE00"},
	{"AWS", "AROAEXAMPLEEXAMPLE00"},
	{"AWS", "arn:aws:iam::111122223333:user/*"},
	{"AWS", "nonsense"},
	{"Service", "lambda.amazonaws.com"},
	{"Service", "ec2.amazonaws.com"},
	{"Service", "cognito-identity.amazonaws.com"},
	{"Service", "*"},
	{"Federated", "arn:aws:iam::111122223333:saml-provider/Okta"},
	{"Federated", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
	{"Federated", "accounts.google.com"},
	{"Federated", "cognito-identity.amazonaws.com"},
	{"Federated", "*"},
	{"CanonicalUser", "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
}

// edgeCallers are callers of every kind.
var edgeCallers = []access.Caller{
	{AWS: "arn:aws:iam::111122223333:user/bob"},
	{AWS: "arn:aws:iam::111122223333:user/bob", ID: "AIDAEXAMPLEEXAMPLE00"},
	{AWS: "arn:aws:iam::111122223333:user/team/bob"},
	{AWS: "arn:aws:iam::444455556666:user/bob"},
	{AWS: "arn:aws-cn:iam::111122223333:user/bob"},
	{AWS: "arn:aws:iam::111122223333:root"},
	{AWS: "arn:aws:iam::444455556666:root"},
	{AWS: "arn:aws:iam::111122223333:role/app"},
	{AWS: "arn:aws:iam::111122223333:role/team/app", ID: "AROAEXAMPLEEXAMPLE00"},
	{AWS: "arn:aws:sts::111122223333:assumed-role/app/s1"},
	{AWS: "arn:aws:sts::111122223333:assumed-role/app/s1", ID: "AROAEXAMPLEEXAMPLE00:s1", Issuer: "arn:aws:iam::111122223333:role/team/app"},
	{AWS: "arn:aws:sts::111122223333:assumed-role/app/s2", Issuer: "arn:aws:iam::111122223333:role/app"},
	{AWS: "arn:aws:sts::444455556666:assumed-role/app/s1"},
	{AWS: "arn:aws:sts::111122223333:federated-user/bob"},
	{Service: "lambda.amazonaws.com"},
	{Service: "cognito-identity.amazonaws.com"},
	{Federated: "arn:aws:iam::111122223333:saml-provider/Okta"},
	{Federated: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
	{Federated: "accounts.google.com"},
	{Federated: "cognito-identity.amazonaws.com"},
}
