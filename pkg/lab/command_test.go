package lab_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolewarden/rolewarden/pkg/lab"
	"github.com/rolewarden/rolewarden/pkg/toolstest"
)

// The unmodified aws command line reads the account, contains a role, and
// works with tables and keys.
func TestTheCommandLineKnowsTablesKeysAndBoundaries(t *testing.T) {
	t.Parallel()
	command := toolstest.Program(t, "aws")
	w := newWorld(t)
	keys, err := w.Admin(prod)
	w.must(err)
	_, err = w.SeedKey(prod, lab.SeedKey{Alias: "alias/seal"})
	w.must(err)
	w.role(prod, "app", trusting(arn(prod, "root")))
	run := func(args ...string) (string, error) {
		c := exec.CommandContext(t.Context(), command, args...)
		c.Env = []string{
			"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_CONFIG_FILE=" + os.DevNull, "AWS_PAGER=", "AWS_ENDPOINT_URL=" + w.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
			"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	must := func(want string, args ...string) string {
		t.Helper()
		out, err := run(args...)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("aws %s: %v, want %s\n%s", strings.Join(args, " "), err, want, out)
		}
		return out
	}
	must("ACTIVE", "dynamodb", "create-table", "--table-name", "ledger", "--billing-mode", "PAY_PER_REQUEST",
		"--attribute-definitions", "AttributeName=pk,AttributeType=S", "--key-schema", "AttributeName=pk,KeyType=HASH")
	must(`"N": "2"`, "dynamodb", "update-item", "--table-name", "ledger", "--key", `{"pk":{"S":"a"}}`, "--update-expression", "ADD n :two", "--expression-attribute-values", `{":two":{"N":"2"}}`, "--return-values", "ALL_NEW")
	if out, err := run("dynamodb", "put-item", "--table-name", "ledger", "--item", `{"pk":{"S":"a"}}`, "--condition-expression", "attribute_not_exists(pk)"); err == nil || !strings.Contains(out, "ConditionalCheckFailedException") {
		t.Errorf("%v: %s", err, out)
	}
	var made struct{ Mac string }
	w.must(json.Unmarshal([]byte(must("HMAC_SHA_256", "kms", "generate-mac", "--key-id", "alias/seal", "--mac-algorithm", "HMAC_SHA_256", "--message", "aGVsbG8=")), &made))
	must(`"MacValid": true`, "kms", "verify-mac", "--key-id", "alias/seal", "--mac-algorithm", "HMAC_SHA_256", "--message", "aGVsbG8=", "--mac", "fileb://"+written(t, made.Mac))
	must("", "iam", "put-role-permissions-boundary", "--role-name", "app", "--permissions-boundary", denyAll)
	must(denyAll, "iam", "get-account-authorization-details", "--filter", "Role")
}

// written keeps a MAC in a file, as plain bytes.
func written(t *testing.T, mac string) string {
	t.Helper()
	var plain []byte
	if err := json.Unmarshal([]byte(`"`+mac+`"`), &plain); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mac")
	if err := os.WriteFile(path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
