package proof

import "testing"

// TestCallsByServices is about calls that a service makes for somebody: that
// STS sees none is not documented, that it sees others is.
func TestCallsByServices(t *testing.T) {
	q := Query{World: world(), Callers: outsiders(), Actions: assume}
	const via, org = "aws:ViaAWSService", `"StringEquals":{"aws:PrincipalOrgID":"o-exampleorg1"}`
	open := func(c string) string { return allow(anyone, "sts:AssumeRole", c) }
	runGuards(t, q, []guard{
		{"only through a service", open(cond("Bool", via, `"true"`)), Unknown},
		{"only directly", open(cond("Bool", via, `"false"`)), Found},
		{"directly and by a member", open(cond("Bool", via, `"false"`) + "," + org), None},
		{"through a service and by a member", open(cond("Bool", via, `"true"`) + "," + org), None},
		{"through a service that is named", open(cond("StringEquals", "aws:CalledViaFirst", `"cloudformation.amazonaws.com"`)), Unknown},
		{"through some service", open(cond("ForAnyValue:StringLike", "aws:CalledVia", `"*"`)), Unknown},
		{"through none", open(cond("Null", "aws:CalledVia", `"true"`)), Found},
		{"both at once", open(`"Bool":{"aws:ViaAWSService":["true","false"]}`), Found},
	})
}
