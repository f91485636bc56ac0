package rules

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// A rule may suggest what it likes: a candidate that lets somebody in, touches a
// Deny, shuts out whom the policy names, makes another rule speak, leaves a
// doubt, or does not mend at all, is never taken.
func TestBadCandidatesAreRefused(t *testing.T) {
	const (
		alice    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:user/alice"},"Action":"sts:AssumeRole"}`
		named    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}`
		deploy   = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/deploy"},"Action":"sts:AssumeRole"}`
		other    = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:role/other"},"Action":"sts:AssumeRole"}`
		deny     = `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::222222222222:user/bob"},"Action":"sts:AssumeRole"}`
		orphan   = `{"Effect":"Allow","Principal":{"AWS":"AIDAZQ3DNV5IY6EXAMPLE"},"Action":"sts:AssumeRole"}`
		unclear  = `{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::222222222222:user/alice"},"Action":"sts:AssumeRole"}`
		doubtful = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:user/alice"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"${aws:username}","acme:tier":"gold"}}}`
	)
	for _, tt := range []struct {
		name, before, candidate string
		taken                   bool
	}{
		{"a good one", alice + "," + deploy + "," + deny, named + "," + deploy + "," + deny, true},
		{"somebody new", alice + "," + deploy, named + "," + deploy + "," + other, false},
		{"a Deny gone", alice + "," + deny, named, false},
		{"a Deny more", alice, named + "," + deny, false},
		{"nobody left", alice, deny, false},
		{"somebody named shut out", alice + "," + deploy, named, false},
		{"the user shut out", alice + "," + deploy, deploy, false},
		{"another rule speaks", alice, named + "," + orphan, false},
		{"nothing mended", alice + "," + deploy, alice + "," + deploy, false},
		{"no statement", alice, "", false},
		{"a doubt more", alice + "," + deploy, doubtful + "," + deploy, false},
		{"what cannot be shown", alice + "," + unclear, named + "," + unclear, false},
	} {
		in := Input{Now: noon(), Role: roleOf(t, "arn:aws:iam::111122223333:role/app")}
		in.Org = rulesFile(t, bare+"organization: {id: o-exampleorgid, accounts: [{id: '111122223333'}, {id: '222222222222'}]}\n")
		in = in.settled()
		in.Document = parsed(t, `{"Version":"2012-10-17","Statement":[`+tt.before+`]}`)
		candidate := policy.Document{Version: "2012-10-17"}
		if tt.candidate != "" {
			candidate = parsed(t, `{"Version":"2012-10-17","Statement":[`+tt.candidate+`]}`)
		}
		m := mending{in: in, original: in.Document, last: opinionOf(in)}
		f, ok := m.last.of(sessionNameID, finding.Low)
		if !ok {
			// The breach is undecided beside a doubt: then there is nothing to mend.
			if _, proposed := Propose(in, Judge(in)); proposed || tt.taken {
				t.Errorf("%s: nothing is found", tt.name)
			}
			continue
		}
		rule := Rule{ID: sessionNameID, Mend: func(Input, finding.Finding) []policy.Document { return []policy.Document{candidate} }}
		if _, _, taken := m.step(rule, in, m.last, f); taken != tt.taken {
			t.Errorf("%s: taken %v", tt.name, taken)
		}
	}
}
