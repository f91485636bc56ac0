package remediate

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// Only a proof that nothing is newly let in restores a baseline; doubt never does.
func TestOnlyAProofRestores(t *testing.T) {
	witness := &access.Request{Actions: []string{"sts:AssumeRole"}, Caller: access.Caller{AWS: "arn:aws:iam::111122223333:user/mallory"}}
	rows := []struct {
		answer proof.Answer
		says   string
	}{
		{proof.Answer{Outcome: proof.None}, ""},
		{proof.Answer{Outcome: proof.Found, Witness: witness}, "user mallory"},
		{proof.Answer{Outcome: proof.Unknown, Undecided: []string{"Statement[0].NotPrincipal"}}, "Statement[0].NotPrincipal"},
		{proof.Answer{}, "could not be settled"},
		{proof.Answer{Outcome: 99}, "not known"},
	}
	for _, row := range rows {
		got := refusal(row.answer)
		if (got == "") != (row.says == "") || !strings.Contains(got, row.says) {
			t.Errorf("%+v: %q, want %q", row.answer, got, row.says)
		}
	}
}

// A document that is more than the baseline with principals left out is
// refused, whatever mistake made it.
func TestWiderRefusesAnythingElse(t *testing.T) {
	parse := func(statements string) policy.Document {
		d, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[` + statements + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	const (
		two  = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/bob"]},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`
		one  = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`
		bare = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole"}`
		star = `{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`
		deny = `{"Effect":"Deny","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice","arn:aws:iam::111122223333:user/bob"]},"Action":"sts:AssumeRole"}`
		less = `{"Effect":"Deny","Principal":{"AWS":["arn:aws:iam::111122223333:user/alice"]},"Action":"sts:AssumeRole"}`
	)
	rows := []struct {
		name, old, restored string
		fine                allowed
	}{
		{"a principal less", two, one, isFine},
		{"a statement less", two + "," + star, one, isFine},
		{"the same", two, two, isFine},
		{"a condition less", two, bare, isRefused},
		{"everybody", two, star, isRefused},
		{"a principal more", one, two, isRefused},
		{"a Deny less", one + "," + deny, one, isRefused},
		{"less in a Deny", one + "," + deny, one + "," + less, isRefused},
		{"a statement more", one, one + "," + star, isRefused},
	}
	for _, row := range rows {
		reason := wider(role.Baseline{Account: "111122223333"}, parse(row.old), parse(row.restored))
		if (reason == "") != (row.fine == isFine) {
			t.Errorf("%s: %q", row.name, reason)
		}
	}
}

// allowed says what a row expects.
type allowed uint8

const (
	isFine allowed = iota
	isRefused
)
