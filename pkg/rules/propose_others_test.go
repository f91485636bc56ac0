package rules

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// A proposal for a rule changes nothing for callers of whom the rule does not
// speak, and lets in nobody else, whatever stands beside them: every request of
// theirs is answered as before.
func TestProposalsLeaveOthersAlone(t *testing.T) {
	pool, in := poolOf(t)
	off := "rules:\n"
	for _, id := range IDs() {
		off += "  " + id + ": {off: true}\n"
	}
	requests, _ := trial()
	proposals := 0
	for _, demand := range []string{
		"{operator: StringLike, key: sts:RoleSessionName, values: ['${aws:username}']}",
		"{operator: StringEquals, key: sts:ExternalId, values: [acme-7f3k2p9q, acme-other-id]}",
		"{operator: Bool, key: aws:MultiFactorAuthPresent, values: ['true']}",
	} {
		in.Org = rulesFile(t, bare+off+"organization: {id: o-exampleorgid, accounts: [{id: '111122223333'}, {id: '222222222222'}]}\n"+
			"customRules:\n  - {id: own, title: x, why: y, callers: [{kind: users, accounts: organization}], require: ["+demand+"]}\n")
		rapid.Check(t, func(t *rapid.T) {
			in := in
			in.Document = policy.Document{Version: "2012-10-17"}
			for _, st := range rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "statements") {
				in.Document.Statements = append(in.Document.Statements, loosened(st, rapid.Byte().Draw(t, "loosened")))
			}
			p, ok := Propose(in, Judge(in))
			if !ok {
				return
			}
			proposals++
			for _, r := range requests {
				r = r.Complete(members{})
				account, _ := r.Get("aws:PrincipalAccount")
				spokenOf := r.Caller.Issuer == "" && len(account.Values) == 1 && in.Org.Member(account.Values[0])
				was, is := access.Evaluate(in.Document, r).Decision, access.Evaluate(p.Document, r).Decision
				if was != is && (!spokenOf || was != access.Allowed) {
					t.Fatalf("%v became %v: %s\n%s\n%s", was, is, r.Sentence(), in.Document.Print(), p.Document.Print())
				}
			}
		})
	}
	if proposals == 0 {
		t.Error("no proposal was tried")
	}
	t.Logf("%d proposals", proposals)
}
