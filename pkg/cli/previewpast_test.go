package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
)

// A condition that names somebody who was deleted breaks a rule under a new rules
// file as it does under the present one: no preview calls that mended. Once
// somebody was seen under the name again the name is nobody's to take (T42).
func TestAPreviewKnowsWhoWasDeleted(t *testing.T) {
	const (
		account = "123456789012"
		worker  = "arn:aws:iam::123456789012:role/worker"
		trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + worker + `"}}}]}`
	)
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, account, "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	doc, err := policy.Parse([]byte(trust))
	fine(t, err)
	at := time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)
	key := ledger.Key{Account: account, EventID: "55555555-5555-4555-8555-555555555555"}
	_, err = table.Take(t.Context(), key, at)
	fine(t, err)
	fine(t, table.Conclude(t.Context(), ledger.Conclusion{Event: key, End: ledger.Told, At: at, Reason: "told", State: &ledger.RoleState{
		Account: account, RoleID: "AROAEXAMPLENAMED00001", Name: "named", ARN: "arn:aws:iam::123456789012:role/named",
		Document: trust, Digest: doc.Digest("aws"), Since: at, Event: key, EventTime: at, Verdict: finding.Noncompliant,
		OpenRules: []string{"dangling-principal-condition"}, RulesHash: "sha256:former", UpdatedAt: at,
	}}))
	fine(t, table.Record(t.Context(), []ledger.Identity{{ID: "AROAEXAMPLEWORKER0001", ARN: worker, SeenAt: at.Add(-time.Hour)}}))
	_, err = table.Deleted(t.Context(), ledger.Deletion{
		Principal: ledger.PrincipalKey{Account: account, Kind: "role", Name: "worker"}, By: "arn:aws:iam::123456789012:user/bob", At: at.Add(-time.Minute),
		Event: ledger.Key{Account: account, EventID: "66666666-6666-4666-8666-666666666666"},
	})
	fine(t, err)
	rules := filepath.Join(t.TempDir(), "new.yaml")
	fine(t, os.WriteFile(rules, []byte("version: 1\norganization: {id: o-exampleorg1, accounts: [{id: \"123456789012\"}]}\n"), 0o600))

	args := []string{"preview", "--deployment", p.path, "--rules", rules}
	if out, errs, status := run("", args...); status != 0 || !strings.Contains(out, "1 roles looked at, 0 would be judged another way") {
		t.Errorf("status %d: %s%s", status, out, errs)
	}
	fine(t, table.Record(t.Context(), []ledger.Identity{{ID: "AROAEXAMPLEWORKER0002", ARN: worker, SeenAt: at.Add(time.Hour)}}))
	if out, errs, status := run("", args...); status != 1 || !strings.Contains(out, "no longer breaks dangling-principal-condition") {
		t.Errorf("with the name borne again: status %d: %s%s", status, out, errs)
	}
}

// A role that was deleted is remembered and is no role any more: nothing would be
// written to it. One that was made anew under its name is.
func TestAPreviewLeavesOutRolesThatWereDeleted(t *testing.T) {
	const account = "123456789012"
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, account, "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	rememberVendor(t, table) // handled on May the 3rd, at 10:00
	rules := filepath.Join(t.TempDir(), "new.yaml")
	fine(t, os.WriteFile(rules, []byte(previewRules), 0o600))
	for _, step := range []struct {
		what, at, want string
	}{
		{"before it was made", "2026-05-03T09:00:00Z", "1 would be judged another way, 1 would be written"},
		{"since", "2026-05-03T11:00:00Z", "0 would be judged another way, 0 would be written"},
	} {
		at, err := time.Parse(time.RFC3339, step.at)
		fine(t, err)
		_, err = table.Deleted(t.Context(), ledger.Deletion{
			Principal: ledger.PrincipalKey{Account: account, Kind: "role", Name: "vendor-access"}, By: "arn:aws:iam::123456789012:user/bob", At: at,
			Event: ledger.Key{Account: account, EventID: "77777777-7777-4777-8777-77777777777" + step.at[12:13]},
		})
		fine(t, err)
		if out, errs, _ := run("", "preview", "--deployment", p.path, "--rules", rules); !strings.Contains(out, step.want) {
			t.Errorf("a deletion %s: %s%s", step.what, out, errs)
		}
	}
}
