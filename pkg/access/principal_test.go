package access_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// Callers, as requests write them.
const (
	bob        = `{"aws":"arn:aws:iam::111122223333:user/bob"}`
	teamBob    = `{"aws":"arn:aws:iam::111122223333:user/team/bob","id":"AIDACKCEVSQ6C2EXAMPLE"}`
	root       = `{"aws":"arn:aws:iam::111122223333:root"}`
	session    = `{"aws":"arn:aws:sts::111122223333:assumed-role/app/s1"}`
	issued     = `{"aws":"arn:aws:sts::111122223333:assumed-role/app/s1","issuer":"arn:aws:iam::111122223333:role/team/app","id":"AROACKCEVSQ6C2EXAMPLE:s1"}`
	roleCaller = `{"aws":"arn:aws:iam::111122223333:role/app"}`
	federated  = `{"aws":"arn:aws:sts::111122223333:federated-user/bob"}`
	chinese    = `{"aws":"arn:aws-cn:iam::111122223333:user/bob"}`
	lambda     = `{"service":"lambda.amazonaws.com"}`
	okta       = `{"federated":"arn:aws:iam::111122223333:saml-provider/Okta"}`
	google     = `{"federated":"accounts.google.com"}`
)

// T39. IAM User Guide, reference_policies_elements_principal: what each
// principal covers, and what it does not.
func TestT39WhatAPrincipalCovers(t *testing.T) {
	for _, c := range covered() {
		allow := `{"Effect":"Allow","Principal":` + c.principal + `,"Action":"sts:AssumeRole"}`
		everyone := `{"Effect":"Allow","Principal":{"AWS":"*","Service":"lambda.amazonaws.com","Federated":["accounts.google.com",` +
			`"arn:aws:iam::111122223333:saml-provider/Okta"]},"Action":"sts:AssumeRole"}`
		deny := `{"Effect":"Deny","Principal":` + c.principal + `,"Action":"sts:AssumeRole"}`
		for caller, want := range c.callers {
			r := parseRequest(t, `{"action":"sts:AssumeRole","caller":`+caller+`}`)
			got := access.Evaluate(parse(t, `{"Statement":`+allow+`}`), r)
			if got.Decision != decided[want][0] {
				t.Errorf("%s for %s: %v (%s), want %v", c.principal, caller, got.Decision, got.Reason, want)
			}
			got = access.Evaluate(parse(t, `{"Statement":[`+everyone+`,`+deny+`]}`), r)
			if got.Decision != decided[want][1] {
				t.Errorf("Deny %s for %s: %v (%s), want %v", c.principal, caller, got.Decision, got.Reason, want)
			}
		}
	}
}

// coverage says which callers a principal covers.
type coverage struct {
	principal string
	callers   map[string]access.Tri
}

func covered() []coverage {
	const account = "arn:aws:iam::111122223333:"
	return []coverage{
		{`{"AWS":"111122223333"}`, map[string]access.Tri{
			bob: yes, teamBob: yes, root: yes, session: yes, issued: yes, roleCaller: yes, federated: yes,
			chinese: no, lambda: no, okta: no, google: no,
		}},
		{`{"AWS":"` + account + `root"}`, map[string]access.Tri{bob: yes, root: yes, session: yes, federated: yes, chinese: no, lambda: no}},
		{`{"AWS":"444455556666"}`, map[string]access.Tri{bob: no, root: no, session: no}},
		{`{"AWS":"*"}`, map[string]access.Tri{bob: yes, session: yes, chinese: yes, root: yes, lambda: open, okta: open, google: open}},
		{`"*"`, map[string]access.Tri{bob: yes, session: yes, lambda: open, okta: open}},
		{`{"AWS":"` + account + `user/bob"}`, map[string]access.Tri{
			bob: yes, teamBob: no, root: no, session: no, roleCaller: no, chinese: no, federated: open, lambda: no,
		}},
		{`{"AWS":"` + account + `user/Bob"}`, map[string]access.Tri{bob: no}},
		{`{"AWS":"` + account + `user/team/bob"}`, map[string]access.Tri{bob: no, teamBob: yes}},
		{`{"AWS":"` + account + `role/app"}`, map[string]access.Tri{
			session: yes, issued: no, roleCaller: yes, bob: no, root: no, federated: no, lambda: no,
		}},
		{`{"AWS":"` + account + `role/team/app"}`, map[string]access.Tri{session: yes, issued: yes, roleCaller: no}},
		{`{"AWS":"` + account + `role/App"}`, map[string]access.Tri{session: no}},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s1"}`, map[string]access.Tri{session: yes, issued: yes, roleCaller: open, bob: no}},
		{`{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s2"}`, map[string]access.Tri{session: no, issued: no}},
		{`{"AWS":"arn:aws:sts::111122223333:federated-user/bob"}`, map[string]access.Tri{federated: yes, bob: no, session: no}},
		{`{"AWS":"arn:aws:sts::111122223333:federated-user/eve"}`, map[string]access.Tri{federated: no, bob: no}},
		{`{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}`, map[string]access.Tri{
			teamBob: yes, bob: open, federated: open, session: no, issued: no, root: no, lambda: no,
		}},
		{`{"AWS":"AROACKCEVSQ6C2EXAMPLE"}`, map[string]access.Tri{issued: yes, session: open, roleCaller: open, bob: no, teamBob: no, root: no}},
		{`{"AWS":"AZZACKCEVSQ6C2EXAMPLE"}`, map[string]access.Tri{issued: no, session: open, bob: open, root: no}},
		{`{"AWS":"arn:aws:iam::*:root"}`, map[string]access.Tri{bob: open, session: open, lambda: no}},
		{`{"AWS":"nonsense"}`, map[string]access.Tri{bob: open, lambda: no, okta: no}},
		{`{"CanonicalUser":"79a59d"}`, map[string]access.Tri{bob: open, lambda: no}},
		{`{"Service":"lambda.amazonaws.com"}`, map[string]access.Tri{lambda: yes, bob: no, root: no, okta: no}},
		{`{"Service":"ec2.amazonaws.com"}`, map[string]access.Tri{lambda: no}},
		{`{"Service":"*"}`, map[string]access.Tri{lambda: open, bob: no, okta: no}},
		{`{"Federated":"` + account + `saml-provider/Okta"}`, map[string]access.Tri{okta: yes, google: no, bob: no, lambda: no}},
		{`{"Federated":"accounts.google.com"}`, map[string]access.Tri{google: yes, okta: no}},
		{`{"Federated":"*"}`, map[string]access.Tri{okta: open, google: open, bob: no, lambda: no}},
		{`{"Federated":"example.com"}`, map[string]access.Tri{okta: open, bob: no, lambda: no}},
		{`{"AWS":["444455556666","111122223333"],"Service":"ec2.amazonaws.com"}`, map[string]access.Tri{bob: yes, lambda: no}},
		{`{"AWS":["nonsense","111122223333"]}`, map[string]access.Tri{bob: yes}},
	}
}

// A bare account id means the account in the role's partition.
func TestAccountIDMeansTheRolesPartition(t *testing.T) {
	d := parse(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`)
	for caller, want := range map[string]access.Decision{chinese: access.Allowed, bob: access.Denied} {
		r := parseRequest(t, `{"action":"sts:AssumeRole","role":"arn:aws-cn:iam::444455556666:role/app","caller":`+caller+`}`)
		if got := access.Evaluate(d, r); got.Decision != want {
			t.Errorf("%s: %v, want %v", caller, got, want)
		}
	}
}

// A caller that cannot be told apart is neither let in nor kept out.
func TestUnclearCallersAreUndecided(t *testing.T) {
	d := parse(t, `{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}}`)
	for _, c := range []access.Caller{
		{},
		{AWS: "111122223333"},
		{AWS: "AIDACKCEVSQ6C2EXAMPLE"},
		{AWS: "arn:aws:iam::111122223333:user/bob", Service: "lambda.amazonaws.com"},
		{AWS: "arn:aws:iam::111122223333:user/bob", Issuer: "arn:aws:iam::111122223333:role/app"},
		{AWS: "arn:aws:sts::111122223333:assumed-role/app/s1", Issuer: "arn:aws:iam::111122223333:role/other"},
	} {
		if got := access.Evaluate(d, access.Request{Actions: []string{"sts:AssumeRole"}, Caller: c}); got.Decision != access.Undecided {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
