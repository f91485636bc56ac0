package proof

import (
	"strings"
	"testing"
)

// TestVariablesInPatternsHideNobody is about documents that are as open as
// they would be without the condition: whoever calls chooses the value that
// makes it hold. A pattern around a variable must not leave them undecided.
func TestVariablesInPatternsHideNobody(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	guards := make([]guard, 0, 24)
	for _, c := range []string{
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/${sts:ExternalId}"`),
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:user/${aws:PrincipalTag/name}"`),
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:*/${aws:PrincipalTag/name}"`),
		cond("ArnLike", "aws:PrincipalArn", `"*${sts:ExternalId}*"`),
		cond("ArnEquals", "aws:PrincipalArn", `"*${sts:ExternalId}"`),
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::${sts:ExternalId}:role/*"`),
		cond("StringLike", "aws:PrincipalArn", `"*/${aws:PrincipalTag/name}"`),
		cond("StringLike", "aws:PrincipalArn", `"${sts:ExternalId}*"`),
		cond("StringLike", "aws:PrincipalArn", `"arn:aws:iam::${sts:ExternalId}"`),
		cond("StringLike", "aws:PrincipalArn", `"*${sts:RoleSessionName}"`),
		cond("StringEquals", "aws:PrincipalArn", `"${sts:ExternalId}"`),
		cond("StringEqualsIgnoreCase", "aws:PrincipalArn", `"ARN:${sts:ExternalId}"`),
		cond("StringLike", "aws:PrincipalOrgID", `"${sts:ExternalId}*"`),
		cond("StringLike", "aws:PrincipalAccount", `"*${aws:PrincipalTag/a}"`),
		cond("StringLike", "aws:userid", `"*${sts:RoleSessionName}*"`),
		cond("StringLike", "sts:ExternalId", `"${aws:PrincipalTag/a}-${aws:PrincipalTag/b}-*"`),
		cond("StringEquals", "sts:ExternalId", `"`+strings.Repeat("a", 80)+`"`) + "," + cond("StringLike", "sts:ExternalId", `"a${aws:PrincipalTag/x}"`),
		cond("ArnEquals", "aws:PrincipalArn", `"arn:aws:iam::${aws:PrincipalAccount}:role/deploy"`),
		cond("StringEquals", "aws:PrincipalAccount", `"${aws:username}"`),
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::*:role/${aws:PrincipalTag/a}-${aws:PrincipalTag/b}"`),
		cond("StringLike", "sts:RoleSessionName", `"${aws:PrincipalTag/a}${aws:PrincipalTag/b}"`),
		cond("StringEquals", "aws:PrincipalTag/a", `"${aws:PrincipalArn}"`),
	} {
		guards = append(guards, guard{c, allow(anyone, "sts:AssumeRole", c), Found})
	}
	runGuards(t, q, guards)
}

// TestVariablesInPatternsCanGuard is about documents whose pattern demands what
// the region says that the witness lacks: no more than a known name may be used.
func TestVariablesInPatternsCanGuard(t *testing.T) {
	q := Query{
		World: world(), Callers: users(), Actions: assume,
		Where: [][]Requirement{require(Fails, "StringEquals", "sts:RoleSessionName", "${aws:username}")},
	}
	long := strings.Repeat("a", 80)
	var guards []guard
	for c, want := range map[string]Outcome{
		cond("ArnEquals", "aws:PrincipalArn", `"arn:aws:iam::111122223333:user/${sts:RoleSessionName}"`):               None,
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::111122223333:user/*/${sts:RoleSessionName}"`):               None,
		cond("StringEquals", "aws:PrincipalArn", `"arn:aws:iam::${aws:PrincipalAccount}:user/${sts:RoleSessionName}"`): None,
		cond("ArnEquals", "aws:PrincipalArn", `"arn:aws:iam::111122223333:role/${sts:RoleSessionName}"`):               None,
		cond("ArnLike", "aws:PrincipalArn", `"arn:aws:iam::111122223333:user/*${sts:RoleSessionName}"`):                Found,
		cond("ArnNotLike", "aws:PrincipalArn", `"arn:aws:iam::111122223333:user/${sts:RoleSessionName}"`):              Found,
		// No session name is as long as what the pattern leaves for it.
		cond("StringEquals", "sts:ExternalId", `"`+long+`"`) + "," + cond("StringLike", "sts:ExternalId", `"a${sts:RoleSessionName}a"`): None,
	} {
		guards = append(guards, guard{c, allow(ownRoot, "sts:AssumeRole", c), want})
	}
	runGuards(t, q, guards)
}
