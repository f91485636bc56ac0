package access

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// What one decision costs.
func BenchmarkEvaluate(b *testing.B) {
	user := "arn:aws:iam::111122223333:user/bob"
	for _, c := range []struct{ name, condition string }{
		{"plain", `"StringEquals":{"sts:ExternalId":"acme-1234"}`},
		{"variable", `"StringLike":{"sts:RoleSessionName":"${aws:username}-*"}`},
		{"missing key", `"Bool":{"aws:MultiFactorAuthPresent":"true"}`},
	} {
		d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["444455556666","` + user +
			`"]},"Action":"sts:AssumeRole","Condition":{` + c.condition + `}}]}`))
		if err != nil {
			b.Fatal(err)
		}
		r := Request{
			Actions: []string{"sts:AssumeRole"},
			Caller:  Caller{AWS: user},
			Context: map[string]Value{"sts:RoleSessionName": One("bob-1"), "sts:ExternalId": One("acme-1234")},
		}.Complete(nil)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Evaluate(d, r)
			}
		})
	}
}
