package org_test

import (
	"os"
	"testing"
	"time"

	"github.com/rolewarden/rolewarden/pkg/org"
)

// today is a day on which the example file holds.
func today() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

const exampleFile = "../../testdata/org/example.yaml"

func example(t *testing.T) *org.Rules {
	t.Helper()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := org.Parse(exampleFile, text, today())
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

// The modes are what the example's own comment says they are.
func TestExampleModesAreAsItsCommentSays(t *testing.T) {
	t.Parallel()
	rules := example(t)
	const prod, test, sandbox, management, unknown = "111122223333", "777788889999", "123456789012", "999999999999", "000000000000"
	for _, tt := range []struct {
		rule, account string
		want          org.Mode
	}{
		{"public-principal", sandbox, org.Enforce},
		{"public-principal", test, org.Tag},
		{"public-principal", prod, org.Observe},
		{"public-principal", management, org.Observe},
		{"public-principal", unknown, org.Observe},
		{"external-account", sandbox, org.Tag},
		{"external-id", sandbox, org.Observe},
		{"set-source-identity", sandbox, org.Observe},
		{"no-such-rule", sandbox, org.Observe},
	} {
		if got := rules.Mode(tt.rule, tt.account); got != tt.want {
			t.Errorf("Mode(%s, %s) = %v, want %v", tt.rule, tt.account, got, tt.want)
		}
	}
}
