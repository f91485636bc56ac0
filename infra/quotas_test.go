package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// What grows with the rules file is refused before CloudFormation stops half
// way, and the error says where and what to do.
func TestADocumentThatAWSWouldRefuseIsRefusedHere(t *testing.T) {
	for name, spoil := range map[string]struct {
		rules func(*org.Rules)
		want  string
	}{
		"protected": {func(r *org.Rules) {
			for i := range 300 {
				r.Protected = append(r.Protected, fmt.Sprintf("arn:aws:iam::111122223333:role/vault/keeper-%03d", i))
			}
		}, "rules.yaml: protected:"},
		"partners": {func(r *org.Rules) {
			p := org.Partner{Name: "initech"}
			for i := range 400 {
				p.Accounts = append(p.Accounts, fmt.Sprintf("2222%08d", i))
			}
			r.Partners = append(r.Partners, p)
		}, "guardrails.rcp"},
	} {
		d, err := load("organization.yaml", "members")
		if err != nil {
			t.Fatal(err)
		}
		rules := *d.Rules
		spoil.rules(&rules)
		d.Rules = &rules
		if _, err := render(d); err == nil || !strings.Contains(err.Error(), spoil.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
