package remediate_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/proof"
	"github.com/rolewarden/rolewarden/pkg/remediate"
)

// quarantines are both forms, for a decision's id and for ids of the wrong alphabet.
func quarantines() map[string]string {
	id := decision.ID("111122223333", "e1", "AROAEXAMPLEAPP")
	return map[string]string{
		"lone Deny":              remediate.Quarantine(id),
		"lone Deny without id":   remediate.Quarantine(""),
		"lone Deny with odd id":  remediate.Quarantine(`a"b-c`),
		"fallback":               remediate.QuarantineFallback("111122223333", id),
		"fallback with odd id":   remediate.QuarantineFallback("111122223333", "ä b"),
		"fallback of an account": remediate.QuarantineFallback("999999999999", ""),
	}
}

// Both forms are policies as IAM takes them: small, with a Sid of letters and
// digits that leads to the decision.
func TestQuarantineIsSavable(t *testing.T) {
	sid := regexp.MustCompile(`^RolewardenQuarantine[A-Za-z0-9]*$`)
	for name, text := range quarantines() {
		t.Run(name, func(t *testing.T) {
			d := read(t, text)
			if len(d.Statements) != 1 || !sid.MatchString(d.Statements[0].Sid) || d.Version != "2012-10-17" {
				t.Errorf("%s", text)
			}
			if len(text) > 2048 {
				t.Errorf("%d characters", len(text))
			}
			if string(d.Print()) != text {
				t.Errorf("not canonical: %s", text)
			}
		})
	}
}

// Nobody gets in: no caller of any kind, from any account, by any of the three
// ways, at any time; and no quarantine lets in what another does not.
func TestQuarantineLetsNobodyIn(t *testing.T) {
	world := proof.World{RoleARN: "arn:aws:iam::111122223333:role/app", Own: "111122223333", OrganizationID: "o-abcdefghij", Members: []string{"111122223333"}}
	everyone := []proof.Callers{
		{Kind: proof.Users}, {Kind: proof.RoleSessions}, {Kind: proof.Services}, {Kind: proof.SAMLIdentities}, {Kind: proof.OIDCIdentities},
	}
	for name, text := range quarantines() {
		t.Run(name, func(t *testing.T) {
			d := read(t, text)
			for _, action := range []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"} {
				a := proof.Find(d, proof.Query{World: world, Callers: everyone, Actions: []string{action}})
				if a.Outcome != proof.None {
					t.Errorf("%s: %d, witness %v, undecided %q", action, a.Outcome, a.Witness, a.Undecided)
				}
			}
			if a := proof.Compare(policy.Document{}, d, world).New; a.Outcome != proof.None {
				t.Errorf("it lets in more than a policy without statements: %d %v %q", a.Outcome, a.Witness, a.Undecided)
			}
			for _, session := range []string{"rolewarden", "bob"} {
				r := access.Request{
					Actions: []string{"sts:AssumeRole"}, Caller: access.Caller{AWS: "arn:aws:iam::111122223333:user/alice"},
					Context: map[string]access.Value{"sts:RoleSessionName": access.One(session)},
				}
				if got := access.Evaluate(d, r.Complete(nil)); got.Decision != access.Denied {
					t.Errorf("session %s: %s, %s", session, got.Decision, got.Reason)
				}
			}
		})
	}
}

// A quarantine is known by what stands on the role, in either form and however
// IAM spells it: whatever was recorded of it may be lost. What lets somebody in
// is none, whatever its Sid says.
func TestIsQuarantineGoesByContent(t *testing.T) {
	for name, text := range quarantines() {
		if !remediate.IsQuarantine(text) {
			t.Errorf("%s is not known: %s", name, text)
		}
	}
	const sid = `"Sid":"RolewardenQuarantineabc"`
	rows := []struct {
		name, text string
		want       answer
	}{
		{"IAM's spelling", `{"Statement":[{` + sid + `,"Effect":"Deny","Principal":{"AWS":["*"]},"Action":["sts:TagSession","sts:SetSourceIdentity","sts:AssumeRole","sts:AssumeRoleWithWebIdentity","sts:AssumeRoleWithSAML"]}],"Version":"2012-10-17"}`, yes},
		{"IAM's spelling of the fallback", `{"Version":"2012-10-17","Statement":[{` + sid + `,"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:RoleSessionName":["rolewarden"]},"StringEquals":{"sts:RoleSessionName":"rolewarden"}}}]}`, yes},
		{"the fallback in another partition", `{"Version":"2012-10-17","Statement":[{` + sid + `,"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringNotEquals":{"sts:RoleSessionName":"rolewarden"},"StringEquals":{"sts:RoleSessionName":"rolewarden"}}}]}`, yes},
		{"an Allow in its place", strings.Replace(remediate.Quarantine("abc"), "Deny", "Allow", 1), no},
		{"one condition less", `{"Version":"2012-10-17","Statement":[{` + sid + `,"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"rolewarden"}}}]}`, no},
		{"an Allow behind it", strings.Replace(remediate.Quarantine("abc"), "}]}", `},{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`, 1), no},
		{"somebody else's Deny", strings.Replace(remediate.Quarantine("abc"), "RolewardenQuarantine", "Mine", 1), no},
		{"a good policy", goodPolicy, no},
		{"no policy", `{"Statement":`, no},
		{"nothing", "", no},
	}
	for _, row := range rows {
		if got := remediate.IsQuarantine(row.text); got != (row.want == yes) {
			t.Errorf("%s: %t: %s", row.name, got, row.text)
		}
	}
}

// answer is what a row expects.
type answer uint8

const (
	no answer = iota
	yes
)
