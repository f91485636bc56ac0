package org

import (
	"strings"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// The pieces that expressions are made of. Alphabets and lengths are those of
// the IAM User Guide, reference_iam-quotas and reference_identifiers. Every
// expression stands in rules.schema.json too.
const (
	reAccount   = `[0-9]{12}`
	rePartition = `aws(-[a-z]+)*`
	reName      = `[A-Za-z0-9_+=,.@-]{1,64}`
	rePath      = `([!-)+->@-~]+/)*`
	reWild      = `[!-~]+`
	reKebab     = `[a-z][a-z0-9]*(-[a-z0-9]+)*`
)

// The forms of the rules file.
var (
	anyText       = strict.Form{Name: "text", OK: func(s string) bool { return strings.TrimSpace(s) != "" }, Remedy: "write some text"}
	accountID     = strict.Matching("account id", reAccount, "write twelve digits in quotes")
	orgID         = strict.Matching("organization id", `o-[a-z0-9]{10,32}`, "write the id that Organizations shows, such as o-exampleorgid")
	partition     = strict.Matching("partition", rePartition, "write aws, aws-cn or aws-us-gov")
	ruleID        = strict.Matching("rule id", reKebab, "write lower-case words joined by single hyphens")
	unitPath      = strict.Matching("unit", `/|[^/\x00-\x1f]+(/[^/\x00-\x1f]+)*`, "write the names of the units from the root down, joined by /; or / for the root")
	roleARN       = strict.Matching("ARN of one role", `arn:`+rePartition+`:iam::`+reAccount+`:role/`+rePath+reName, "write one role's whole ARN, without wildcards")
	sighting      = strict.Matching("account id or ARN of one role", reAccount+`|arn:`+rePartition+`:iam::`+reAccount+`:role/`+rePath+reName, "write twelve digits in quotes, or one role's whole ARN without wildcards")
	rolePattern   = strict.Matching("ARN pattern of roles", `arn:(`+rePartition+`|\*):iam::(`+reAccount+`|\*):role/`+reWild, "write arn:aws:iam::111122223333:role/path/*, where * and ? stand for any text and any character")
	principal     = strict.Matching("ARN of one user or role", `arn:`+rePartition+`:iam::`+reAccount+`:(user|role)/`+rePath+reName, "write one user's or role's whole ARN, without wildcards")
	provider      = strict.Matching("identity provider", `arn:`+rePartition+`:iam::(`+reAccount+`|\*):(saml|oidc)-provider/`+reWild+`|[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_.~*?/-]*)?`, "write the ARN of a SAML or OIDC provider, or an issuer without https://")
	roleID        = strict.Matching("role id", `AROA[A-Z0-9]{12,124}`, "write the RoleId that GetRole shows, which begins with AROA")
	digest        = strict.Matching("digest", `sha256:[0-9a-f]{64}`, "copy the digest from the alert")
	identity      = strict.Matching("source identity", `[A-Za-z0-9_+=,.@-]{2,64}|[A-Za-z0-9_+=,.@*?-]*[*?][A-Za-z0-9_+=,.@*?-]*`, "write 2 to 64 letters, digits and _+=,.@-, where * and ? stand for any text and any character")
	sessionName   = strict.Matching("session name", `[A-Za-z0-9_+=,.@*?-]*([A-Za-z0-9_+=,.@-]|\$\{[A-Za-z0-9:/_-]+\})([A-Za-z0-9_+=,.@*?-]|\$\{[A-Za-z0-9:/_-]+\})*`, "write what sts:RoleSessionName must equal, such as ${aws:username}; to demand nothing turn the rule off")
	modeWord      = strict.OneOf("mode", "observe", "tag", "enforce")
	callerWord    = strict.OneOf("class of callers", "users", "roles", "saml", "oidc")
	severityWord  = strict.OneOf("severity", "advice", "low", "medium", "high", "critical")
	kindWord      = strict.OneOf("kind of callers", "users", "roles", "services", "saml", "oidc")
	accountsWord  = strict.OneOf("set of accounts", accountWords()[:ListedAccounts]...)
	actionWord    = strict.OneOf("action", "sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity", "sts:SetContext")
	userPattern   = strict.Matching("ARN pattern of users", `arn:(`+rePartition+`|\*):iam::(`+reAccount+`|\*):user/`+reWild, "write arn:aws:iam::111122223333:user/path/*, where * and ? stand for any text and any character")
	serviceName   = strict.Matching("name of a service", `[a-z0-9-]+(\.[a-z0-9-]+)+`, "write a service principal, such as ec2.amazonaws.com")
	exactProvider = strict.Matching("identity provider", `arn:`+rePartition+`:iam::`+reAccount+`:(saml|oidc)-provider/[!-)+->@-~]+|[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9_.~/-]*)?`, "write the whole ARN of a SAML or OIDC provider, or an issuer without https://")
	conditionKey  = strict.Matching("condition key", `[A-Za-z0-9_.-]+(/[!-9;-~]*)?:[!-~]([ -~]*[!-~])?`, "write a key with its prefix, such as aws:PrincipalTag/team or token.actions.githubusercontent.com:sub")
	decimal       = strict.Matching("number", `-?[0-9]+(\.[0-9]+)?`, "write a number in quotes")
	operatorWord  = strict.Form{Name: "condition operator", Remedy: "write an operator as in a policy, such as StringEquals, NumericLessThan or ForAnyValue:StringLike", OK: func(s string) bool {
		_, ok := policy.ParseOperator(s)
		return ok
	}}
	demandWord = strict.OneOf("demand", "required", "role-principal-suffices")
	expiryDate = strict.Matching("date", `[0-9]{4}-[0-9]{2}-[0-9]{2}`, "write the day on which it ends, such as 2027-01-31")
)
