package cli_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/remediate"
	"github.com/rolewarden/rolewarden/pkg/role"
)

// A person puts back what a decision replaced with one command, under their own
// credentials, and is told what the document breaks and how long it stays. No
// secret of the document is shown.
func TestAPersonTakesADecisionBack(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	const account = "123456789012"
	p := admit(t, cfg, account, "version: 1\norganization: {id: o-exampleorg1, accounts: [{id: \"123456789012\"}]}\n", "way: single\n")
	table := makeLedger(t, cfg)
	client := iam.NewFromConfig(cfg)
	made, err := client.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("vendor-access"), AssumeRolePolicyDocument: aws.String(remediate.Quarantine("rw-1"))})
	fine(t, err)
	roleID := aws.ToString(made.Role.RoleId)
	key := ledger.Key{Account: account, EventID: "77777777-7777-4777-8777-777777777777"}
	d := decision.Decision{ID: decision.ID(account, key.EventID, roleID), Action: decision.Quarantine, At: time.Now()}
	digest := func(text string) string {
		doc, err := policy.Parse([]byte(text))
		fine(t, err)
		return doc.Digest("aws")
	}
	_, err = table.Take(t.Context(), key, time.Now())
	fine(t, err)
	fine(t, table.Intend(t.Context(), ledger.Intent{
		Event: key, Role: role.Ref{Account: account, Name: "vendor-access"}, RoleID: roleID, Decision: d, Before: vendorTrust, After: remediate.Quarantine("rw-1"),
		BeforeDigest: digest(vendorTrust), AfterDigest: digest(remediate.Quarantine("rw-1")), ReadAt: time.Now(), At: time.Now(),
	}))
	fine(t, table.Conclude(t.Context(), ledger.Conclusion{Event: key, End: ledger.Quarantined, Reason: "quarantined", At: time.Now()}))

	says := func(status int, want string, args ...string) string {
		t.Helper()
		out, errs, got := run("", append([]string{"undo", "--deployment", p.path}, args...)...)
		if got != status || !strings.Contains(out+errs, want) {
			t.Errorf("%v: status %d, want %d; it says %q, want %q", args, got, status, out+errs, want)
		}
		if strings.Contains(out+errs, "a-secret-of-some-length") {
			t.Errorf("it shows the external id: %s%s", out, errs)
		}
		return out
	}
	says(3, "no decision of this id wrote anything", "rw-0000", "--reason", "x")
	says(3, "taking a decision back needs a reason", d.ID, "--reason", " ")
	says(3, "15 is not from 1 to 14", d.ID, "--reason", "x", "--days", "15")
	says(3, "there is no AWS profile", d.ID, "--reason", "x", "--profile", "nobody")
	says(3, "accept the principal", d.ID, "--reason", "incident 4711")
	out := says(1, "external-account", d.ID, "--reason", "incident 4711", "--accept", "arn:aws:iam::999999999999:role/vendor", "--format", "json")
	conforms(t, "undo", out)
	says(3, "back already", d.ID, "--reason", "once more", "--accept", "arn:aws:iam::999999999999:role/vendor")

	got, err := client.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("vendor-access")})
	fine(t, err)
	if text, err := url.PathUnescape(aws.ToString(got.Role.AssumeRolePolicyDocument)); err != nil || digest(text) != digest(vendorTrust) {
		t.Errorf("the role shows %s, %v", text, err)
	}
	r, err := table.Recall(t.Context(), account, roleID)
	if err != nil || r.Word == nil || r.Word.By != "arn:aws:sts::123456789012:user/moto" || r.Word.Decision != d.ID || time.Until(r.Word.Until) < 71*time.Hour {
		t.Errorf("the ledger keeps the word %+v, %v", r.Word, err)
	}
}
