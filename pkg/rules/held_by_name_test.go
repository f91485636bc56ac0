package rules

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// T42: whoever is let in, or spared, by a name that IAM never rewrites is
// found, whatever key says it; a wildcard or a variable names nobody.
func TestHeldByName(t *testing.T) {
	d := parsed(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":["111122223333","444455556666","arn:aws:sts::111122223333:assumed-role/ops/alice"]},"Action":"sts:AssumeRole","Condition":{
			"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/team/app","arn:aws:iam::111122223333:role/x*","arn:aws:iam::111122223333:user/${aws:username}"]},
			"StringEquals":{"AWS:username":["bob","${aws:PrincipalTag/a}"]},
			"StringLike":{"aws:userid":["AROAZQ3DNV5IY6EXAMPLE:*","AIDA*"]},
			"StringNotEquals":{"aws:username":"eve"}}},
		{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{
			"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/carol"},
			"StringEquals":{"aws:userid":"AIDA3ZFZ4X6FO5HB76XYS"}}}]}`)
	var got []string
	for _, n := range HeldByName(d) {
		got = append(got, fmt.Sprint(n.Where, " ", n.Principal.Account, " ", n.Principal.Kind, " ", n.Principal.Name, " ", n.Principal.Value))
	}
	row := func(where, account string, kind policy.PrincipalKind, name, value string) string {
		return fmt.Sprint(where, " ", account, " ", kind, " ", name, " ", value)
	}
	want := []string{
		row("Statement[0].Principal.AWS[2]", "111122223333", policy.Role, "ops", "arn:aws:sts::111122223333:assumed-role/ops/alice"),
		row("Statement[0].Condition.ArnEquals.aws:PrincipalArn", "111122223333", policy.Role, "app", "arn:aws:iam::111122223333:role/team/app"),
		row("Statement[0].Condition.StringEquals.AWS:username", "111122223333", policy.User, "bob", "bob"),
		row("Statement[0].Condition.StringEquals.AWS:username", "444455556666", policy.User, "bob", "bob"),
		row("Statement[0].Condition.StringLike.aws:userid", "", policy.UniqueID, "", "AROAZQ3DNV5IY6EXAMPLE"),
		row("Statement[1].Condition.ArnNotEquals.aws:PrincipalArn", "111122223333", policy.User, "carol", "arn:aws:iam::111122223333:user/carol"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
