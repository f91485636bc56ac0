package proof_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
)

// dice draws documents of the string fragment.
type dice struct{ *rand.Rand }

func pick[T any](d dice, from ...T) T { return from[d.IntN(len(from))] }

func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

func newQuestion(seed uint64) question {
	d := dice{rand.New(rand.NewPCG(seed, 17))}
	q := question{kind: pick(d, proof.Users, proof.RoleSessions)}
	q.accounts = pick(d, proof.Accounts{Only: []string{"444455556666"}}, proof.Accounts{Except: []string{"111122223333"}},
		proof.Accounts{Except: []string{"444455556666", "777788889999"}}, proof.Accounts{})
	q.document = policy.Document{Version: pick(d, "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17")}
	for range 1 + d.IntN(4) {
		q.document.Statements = append(q.document.Statements, d.statement())
	}
	q.document.Statements[0].Effect = policy.Allow
	q.query = proof.Query{
		World: proof.World{
			RoleARN: "arn:aws:iam::111122223333:role/app", Own: "111122223333",
			Now: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
		},
		Callers: []proof.Callers{{Kind: q.kind, Accounts: q.accounts}},
		Actions: []string{"sts:AssumeRole"},
	}
	for d.chance(35) {
		r := proof.Requirement{Condition: d.condition(), Sense: pick(d, proof.Holds, proof.Fails)}
		q.where = append(q.where, r)
		q.query.Where = append(q.query.Where, []proof.Requirement{r})
	}
	return q
}

func (d dice) statement() policy.Statement {
	st := policy.Statement{Effect: pick(d, policy.Allow, policy.Deny)}
	for range 1 + d.IntN(2) {
		value := pick(d, "*", "*", "444455556666", "arn:aws:iam::777788889999:root", "arn:aws:iam::444455556666:user/alice",
			"arn:aws:iam::444455556666:role/ops/deploy", "arn:aws:iam::777788889999:user/team/bob")
		p, err := policy.ParsePrincipal("AWS", value)
		if err != nil {
			panic(err)
		}
		st.Principal.List = append(st.Principal.List, p)
	}
	switch d.IntN(6) {
	case 0:
		st.Actions = []string{"sts:*"}
	case 1:
		st.Actions = []string{"sts:AssumeRole", "sts:SetSourceIdentity"}
	case 2:
		st.Actions = []string{"sts:setsourceidentity"}
	case 3:
		st.NotActions = []string{pick(d, "sts:SetSourceIdentity", "sts:TagSession")}
	default:
		st.Actions = []string{"sts:AssumeRole"}
	}
	for d.chance(60) && len(st.Conditions) < 4 {
		st.Conditions = append(st.Conditions, d.condition())
	}
	return st
}

func (d dice) condition() policy.Condition {
	key := pick(d, "sts:RoleSessionName", "sts:RoleSessionName", "sts:ExternalId", "sts:SourceIdentity", "aws:username", "aws:PrincipalArn", "aws:PrincipalAccount")
	if d.chance(10) {
		return policy.Condition{Operator: "Null", Key: key, Values: []string{pick(d, "true", "false")}}
	}
	operator := pick(d, "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")
	if key == "aws:PrincipalArn" && d.chance(60) {
		operator = pick(d, "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals")
	}
	c := policy.Condition{Key: key}
	for range 1 + d.IntN(2) {
		c.Values = append(c.Values, d.value(operator, key))
	}
	if d.chance(25) {
		operator += "IfExists"
	} else if d.chance(20) {
		operator = pick(d, "ForAnyValue:", "ForAllValues:") + operator
	}
	c.Operator = operator
	return c
}

func (d dice) value(operator, key string) string {
	arns := []string{
		"arn:aws:iam::444455556666:user/alice", "arn:aws:iam::444455556666:role/ops/deploy", "arn:aws:iam::*:user/*",
		"arn:*:iam::444455556666:*", "arn:aws:iam::4444????6666:role/*/deploy", "arn:aws:iam::777788889999:user/team/b?b", "arn:aws:iam::*:role/*",
	}
	switch {
	case strings.HasPrefix(operator, "Arn"):
		return pick(d, arns...)
	case key == "aws:PrincipalArn":
		return pick(d, append(arns, "*alice", "arn:aws:iam::444455556666:user/${sts:RoleSessionName}", "*/${sts:RoleSessionName}")...)
	case key == "aws:PrincipalAccount":
		return pick(d, "444455556666", "777788889999", "4444*", "????????????", "111122223333", "*")
	}
	variable := pick(d, "aws:username", "sts:RoleSessionName", "sts:SourceIdentity", "aws:username, 'nobody'", "sts:ExternalId, 'none'")
	switch d.IntN(9) {
	case 0:
		return "*"
	case 1:
		return pick(d, "?*", "??*", "*-*", "a*", "*e", "a?i*", "*l*i*")
	case 2, 3:
		return "${" + variable + "}"
	case 4:
		return fmt.Sprintf(pick(d, "%s-ops", "ops-%s", "%s*", "*%s", "*-%s", "ops-%s-*", "*%s*"), "${"+variable+"}")
	case 5:
		return pick(d, "ALICE", "Alice", "x", strings.Repeat("a", 64), strings.Repeat("a", 65))
	default:
		return pick(d, "alice", "bob", "alice-ops", "ops-alice", "ops-bob-1", "nobody", "none", "acme-7f3k2p9q")
	}
}
