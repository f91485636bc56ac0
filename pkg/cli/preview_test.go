package cli_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/decision"
	"github.com/rolewarden/rolewarden/pkg/finding"
	"github.com/rolewarden/rolewarden/pkg/ledger"
	"github.com/rolewarden/rolewarden/pkg/policy"
	"github.com/rolewarden/rolewarden/pkg/role"
)

const (
	vendorTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::999999999999:role/vendor"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"a-secret-of-some-length"}}}]}`
	lambdaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	vendorCall  = `{"eventID":"44444444-4444-4444-8444-444444444444","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","eventTime":"2026-05-04T10:00:00Z","awsRegion":"us-east-1","recipientAccountId":"123456789012",
"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEVENDOR0002:job","arn":"arn:aws:sts::999999999999:assumed-role/vendor/job","accountId":"999999999999","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::999999999999:role/vendor"}}},
"requestParameters":{"roleArn":"arn:aws:iam::123456789012:role/vendor-access","roleSessionName":"nightly","externalId":"a-secret-of-some-length"}}`
	previewRules = "version: 1\norganization: {id: o-exampleorg1, accounts: [{id: \"123456789012\"}]}\nmodes: {default: enforce}\n"
)

// T68: before a rules file is deployed a person sees which roles it would judge
// another way, what would be written, and which recent callers would lose access;
// nothing is written by looking. Confirming it needs its hash and a reason.
func TestAPersonPreviewsARulesFile(t *testing.T) {
	cfg := motoServer.AWS(t)
	reset(t)
	p := admit(t, cfg, "123456789012", "version: 1\n", "way: single\n")
	table := makeLedger(t, cfg)
	rememberVendor(t, table)
	dir := t.TempDir()
	rules, records := filepath.Join(dir, "new.yaml"), filepath.Join(dir, "records")
	fine(t, os.WriteFile(rules, []byte(previewRules), 0o600))
	fine(t, os.Mkdir(records, 0o700))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(`{"Records":[` + vendorCall + `,` + vendorCall + `]}`))
	fine(t, err)
	fine(t, z.Close())
	fine(t, os.WriteFile(filepath.Join(records, "log.json.gz"), packed.Bytes(), 0o600))

	says := func(status int, want []string, args ...string) string {
		t.Helper()
		out, errs, got := run("", append([]string{"preview", "--deployment", p.path}, args...)...)
		if got != status {
			t.Errorf("%v: status %d, want %d: %s%s", args, got, status, out, errs)
		}
		for _, w := range want {
			if !strings.Contains(out+errs, w) {
				t.Errorf("%v: it does not say %q: %s%s", args, w, out, errs)
			}
		}
		if strings.Contains(out+errs, "a-secret-of-some-length") {
			t.Errorf("it shows the external id: %s%s", out, errs)
		}
		return out
	}
	out := says(1, []string{
		"arn:aws:iam::123456789012:role/vendor-access  Compliant -> Noncompliant  breaks external-account", "would revert",
		"access lost: arn:aws:sts::999999999999:assumed-role/vendor/job (2 calls, last 2026-05-04T10:00:00Z)",
		"1 roles looked at, 1 would be judged another way, 1 would be written",
	}, "--rules", rules, "--records", records)
	says(0, []string{"0 roles looked at"}, "--rules", rules, "--account", "444455556666")
	conforms(t, "preview", says(1, nil, "--rules", rules, "--records", records, "--format", "json"))

	// A deleted name in a condition is known to be deleted to preview as well: a
	// file that changes nothing about it mends nothing.
	rememberGone(t, table)
	if out := says(0, []string{"1 roles looked at, 0 would be judged another way, 0 would be written"}, "--rules", rules, "--account", "111122223333"); strings.Contains(out, "dangling") {
		t.Errorf("a deleted name is forgotten: %s", out)
	}

	i := strings.Index(out, "sha256:")
	if i < 0 {
		t.Fatalf("the hash is not shown: %s", out)
	}
	hash := out[i : i+len("sha256:")+64]
	says(3, []string{"confirming a rules file needs a reason"}, "--confirm", hash)
	says(3, []string{"is no hash of a rules file"}, "--confirm", "sha256:short", "--reason", "x")
	says(3, []string{"--confirm names another"}, "--rules", p.path[:len(p.path)-len("deployment.yaml")]+"rules.yaml", "--confirm", hash, "--reason", "x")
	says(3, []string{"which rules file"})
	says(3, []string{"is no account id"}, "--rules", rules, "--account", "prod")
	conforms(t, "preview", says(0, []string{`"confirmedBy":"arn:aws:sts::123456789012:user/moto"`}, "--confirm", hash, "--reason", "reviewed in SEC-77", "--format", "json"))
	seen, err := table.SeeRules(t.Context(), hash, time.Now())
	if err != nil || seen.Reason != "reviewed in SEC-77" || seen.ConfirmedAt.IsZero() {
		t.Errorf("the ledger says %+v, %v", seen, err)
	}
}

// rememberVendor leaves in the ledger a role that was fine, with a baseline from before.
func rememberVendor(t *testing.T, l ledger.Ledger) {
	t.Helper()
	digest := func(text string) string {
		d, err := policy.Parse([]byte(text))
		fine(t, err)
		return d.Digest("aws")
	}
	const account, id = "123456789012", "AROAEXAMPLEVENDOR0001"
	at := time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)
	key := ledger.Key{Account: account, EventID: "55555555-5555-4555-8555-555555555555"}
	_, err := l.Take(t.Context(), key, at)
	fine(t, err)
	fine(t, l.Conclude(t.Context(), ledger.Conclusion{Event: key, End: ledger.Compliant, At: at, Reason: "the role obeys the rules", State: &ledger.RoleState{
		Account: account, RoleID: id, Name: "vendor-access", ARN: "arn:aws:iam::123456789012:role/vendor-access",
		Document: vendorTrust, Digest: digest(vendorTrust), Since: at, Event: key, EventTime: at, Verdict: finding.Compliant, RulesHash: "sha256:former", UpdatedAt: at,
	}}))
	fine(t, l.AddBaseline(t.Context(), role.Baseline{
		Account: account, RoleID: id, Document: lambdaTrust, Digest: digest(lambdaTrust), Provenance: role.Observed,
		Since: at.Add(-48 * time.Hour), Sealed: at.Add(-24 * time.Hour), Seal: []byte("seal"),
	}))
}

// rememberGone leaves in the ledger a role that was told of since a condition
// names a user who was deleted.
func rememberGone(t *testing.T, l ledger.Ledger) {
	t.Helper()
	const account, id = "111122223333", "AROAEXAMPLENAMED00001"
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/alice"},"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}}]}`
	doc, err := policy.Parse([]byte(text))
	fine(t, err)
	at := time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC)
	gone := ledger.Key{Account: "123456789012", EventID: "66666666-6666-4666-8666-666666666666"}
	_, err = l.Deleted(t.Context(), ledger.Deletion{Principal: ledger.PrincipalKey{Account: "123456789012", Kind: "user", Name: "alice"}, By: "arn:aws:iam::123456789012:user/bob", At: at, Event: gone})
	fine(t, err)
	key := ledger.Key{Account: account, EventID: "77777777-7777-4777-8777-777777777777"}
	_, err = l.Take(t.Context(), key, at)
	fine(t, err)
	fine(t, l.Conclude(t.Context(), ledger.Conclusion{Event: key, End: ledger.Tagged, At: at, Reason: "tagged", State: &ledger.RoleState{
		Account: account, RoleID: id, Name: "named", ARN: "arn:aws:iam::111122223333:role/named", Document: text, Digest: doc.Digest("aws"),
		Since: at, Event: key, EventTime: at, Verdict: finding.Noncompliant, OpenRules: []string{"dangling-principal-condition"}, Action: decision.Tag, Decided: decision.Tag,
		RulesHash: "sha256:former", UpdatedAt: at,
	}}))
}
