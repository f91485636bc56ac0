package policy_test

import (
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/policy"
)

// People see at a glance who was let in, and that a secret changed, but not
// the secret.
func TestDiffShowsTheChangeAndNoSecret(t *testing.T) {
	before := parse(t, with(`"Condition":{"StringEquals":{"sts:ExternalId":["hunter1","hunter2"]}}`))
	after := parse(t, strings.Replace(with(`"Condition":{"StringEquals":{"STS:externalID":["hunter1","hunter3"]}}`),
		`"111122223333"`, `["111122223333","*"]`, 1))
	want := `--- before
+++ after
@@ -4,14 +4,17 @@
     {
       "Effect": "Allow",
       "Principal": {
-        "AWS": "111122223333"
+        "AWS": [
+          "111122223333",
+          "*"
+        ]
       },
       "Action": "sts:AssumeRole",
       "Condition": {
         "StringEquals": {
-          "sts:ExternalId": [
+          "STS:externalID": [
             "***",
-            "*** (removed)"
+            "*** (added)"
           ]
         }
       }
`
	if got := policy.Diff(before, after); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := policy.Diff(before, before); got != "" {
		t.Errorf("no change gives\n%s", got)
	}
}

// A masked document can be shown; the original stays as it was.
func TestMaskedHidesSecretsOnly(t *testing.T) {
	d := parse(t, with(`"Condition":{"StringLike":{"sts:ExternalID":["hunter1","hunter2"],"sts:RoleSessionName":"bob"}}`))
	got := string(d.Masked().Print())
	if strings.Contains(got, "hunter") || !strings.Contains(got, `"sts:ExternalID":["***","***"]`) || !strings.Contains(got, "bob") {
		t.Errorf("masked as %s", got)
	}
	if !strings.Contains(string(d.Print()), "hunter1") {
		t.Error("masking changed the original")
	}
}
